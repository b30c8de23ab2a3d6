"""Journeys that are kept on disk go on after a kill, and what comes again is told again."""

import json
from pathlib import Path

from support.samples import FOLDER, SECRET

from adapters.amazon_connect.reading import JOURNEYS as CONNECT
from adapters.kit.journal import Journal
from adapters.kit.payloads import Payload, told
from adapters.twilio_taskrouter.reading import JOURNEYS, parse
from gateway.config import GatewayConfig
from gateway.server import remember
from schemas.events import ContactResolved, Event

CALLBACKS = FOLDER / "twilio_taskrouter" / "callbacks.log"


def payloads() -> list[Payload]:
    """The callbacks of the first task, which was transferred."""
    return [each for line in CALLBACKS.read_bytes().splitlines()[:17] for each in parse(line)]


def last(events: list[Event]) -> dict[str, Event]:
    return {event.event_id: event for event in sorted(events, key=lambda each: each.revision)}


def tell(adapter: object, found: list[Payload]) -> list[Event]:
    return [event for each in found for event in adapter.to_events(each, SECRET)]  # type: ignore[attr-defined]


def test_a_process_that_is_killed_anywhere_tells_the_same(tmp_path: Path) -> None:
    found = payloads()
    whole = last(tell(JOURNEYS.remembering(posted=True), found))
    assert len(whole) == 12
    for killed in range(len(found)):
        path = tmp_path / f"{killed}.jsonl"
        events = []
        for part in (found[:killed], found[killed:]):
            adapter = JOURNEYS.remembering(posted=True)
            assert adapter.remember is not None
            adapter.remember(path)
            events += tell(adapter, part)
        assert last(events) == whole, killed


def test_what_comes_again_is_told_again() -> None:
    adapter, found = JOURNEYS.remembering(posted=True), payloads()
    whole = last(tell(adapter, found))
    again = told(adapter, found[3], SECRET)
    assert {event.event_id: event for event in again} == whole


def test_a_journal_leaves_out_what_is_old_or_cut(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "journal.jsonl"
    Journal(path).add(name="new")
    with path.open("a") as file:
        file.write(json.dumps({"name": "old", "seen": 1}) + '\n{"name": "cu')
    assert [line["name"] for line in Journal(path).lines()] == ["new"]
    assert path.read_bytes().count(b"\n") == 1


def test_a_gateway_with_a_spool_remembers(tmp_path: Path) -> None:
    config = GatewayConfig("x:1", SECRET, secrets={"formbricks": (b"s",)}, spool=tmp_path / "spool")
    remember(config)
    assert [path.name for path in (tmp_path / "gateway-journeys").iterdir()] == ["formbricks.jsonl"]


def test_a_reason_that_a_flow_leaves_empty_is_none() -> None:
    record = {
        "ContactId": "c1",
        "LastUpdateTimestamp": "2026-01-05T10:05:00Z",
        "InitiationTimestamp": "2026-01-05T10:00:00Z",
        "DisconnectTimestamp": "2026-01-05T10:04:00Z",
        "Agent": {"ARN": "agent/a1", "ConnectedToAgentTimestamp": "2026-01-05T10:01:00Z"},
    }
    reasons = []
    for attributes in ({"reason": ""}, {"reason": "billing"}):
        events = CONNECT.remembering().to_events(record | {"Attributes": attributes}, SECRET)
        reasons += [event.reason for event in events if isinstance(event, ContactResolved)]
    assert reasons == [None, "billing"]
