"""The stages behind the contact stage, one record at a time: what they read, refuse, forget and say."""

from dataclasses import asdict

import orjson
import pytest
from aiokafka.errors import UnknownTopicOrPartitionError
from structlog.testing import capture_logs
from support.builders import make_session, make_visit

from kpis.fcr.visit import Visit
from kpis.rules import DEFAULT_RULES, FcrRules
from kpis.tallies.fcr import FCR_MEASURES
from schemas.codec import encode
from schemas.events import AgentStateChanged, ContactQueued
from streams.commit.forwarder import forward
from streams.commit.processor import Processor
from streams.config import StreamConfig
from streams.kafka import topics
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import Record
from streams.stages.agents.stage import Agents
from streams.stages.agents.stage import read_update as read_agent_update
from streams.stages.customers import stage as customers
from streams.stages.customers.documents import fcr_tally_bytes, fcr_tally_of, with_days_of
from streams.stages.customers.stage import Customers
from streams.stages.customers.stage import read_update as read_customer_update
from streams.stages.forwards import forward_changes, partition_of, session_output, state_output, visit_output
from streams.stages.stage import ALIEN, BatchWork, Stage
from streams.state.memory import in_memory
from streams.state.table import Table

AT = 1_767_600_000_000
SESSION = make_session()


def state(event_id: str = "s", revision: int = 0, name: str = "available") -> AgentStateChanged:
    fields = {"event_id": event_id, "agent": "ann", "state": name, "occurred_at": AT, "source": "test"}
    return AgentStateChanged.model_validate(fields | {"revision": revision})


def kept() -> Table:
    return Table(in_memory(), "changelog")


def stage_of(kind: type[Customers] | type[Agents]) -> Customers | Agents:
    return kind(kept(), kept(), DEFAULT_RULES)


def done(stage: Stage, work: BatchWork) -> None:
    """The batch is written."""
    stage.state.put(0, work.states)
    stage.totals.put(0, list(work.totals.items()))


def told(contact_id: str, seen: Visit | None, version: int) -> Record:
    return Record(0, *visit_output("x", contact_id, seen, version, partitions=1)[2])


def test_partitions_of_owners_never_change() -> None:
    """Another number would send a customer's next contact to where nobody knows the first."""
    assert [partition_of(owner, 8) for owner in ("x", "ann", "é", "")] == [3, 3, 6, 0]


def test_only_what_moved_is_forwarded() -> None:
    before, after = {"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 4, "d": 5}
    assert forward_changes(before, after) == {"a": None, "c": 4, "d": 5}
    assert forward_changes({}, after) == after


def test_what_is_told_round_trips() -> None:
    for seen in (make_visit(), None):
        read = read_customer_update(*visit_output("x", "c", seen, version=9, partitions=4)[2])
        assert (read.customer, read.contact_id, read.version, read.visit) == ("x", "c", 9, seen)
    item = read_agent_update(*session_output("ann", "c", 1, SESSION, version=9, partitions=4)[2])
    assert (item.agent, item.key, item.version, item.session) == ("ann", ("c", 1), 9, SESSION)  # type: ignore[union-attr]
    canonical = encode(state())
    assert read_agent_update(*state_output("ann", "s", canonical, 4)[2]).strength == (0, canonical)


A_STATE = encode(state().model_copy(update={"agent": "a"}))
WRONG_TYPE = orjson.dumps({"version": 1, "visit": asdict(make_visit()) | {"started_at": "now"}})
SESSION_KEY = b'["ann","session","c",1]'
VISIT, TOLD = b'["x","c"]', orjson.dumps({"version": 1, "visit": make_visit()})


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (Customers, None, TOLD),
        (Customers, VISIT, None),
        (Customers, VISIT, b"{}"),
        (Customers, VISIT, b'{"version":"1","visit":null}'),
        (Customers, VISIT, b'{"version":1,"visit":{"channel":"voice"}}'),
        (
            Customers,
            VISIT,
            orjson.dumps({"version": 1, "visit": asdict(make_visit()) | {"started_at": "now"}}),
        ),
        (Customers, b"5", TOLD),
        (Customers, b'["y","c"]', TOLD),
        (Customers, b'["x"]', TOLD),
        (Agents, None, encode(state())),
        (Agents, b'["ann","state","s"]', b"\xc3\x01rubbish"),
        (Agents, b'["bob","state","s"]', encode(state())),
        (Agents, b'["ann","session","c",1]', b'{"version":1}'),
        (Agents, b'["ann","session",{},1]', b'{"version":1,"session":null}'),
        (Agents, b'["ann","session","c",[]]', b'{"version":1,"session":null}'),
        (Agents, b'["ann","lunch","c",1]', b'{"version":1,"session":null}'),
        (Agents, SESSION_KEY, orjson.dumps({"version": 1, "session": asdict(SESSION) | {"begin": None}})),
        (Agents, b'["ann","session","c",2]', orjson.dumps({"version": 1, "session": SESSION})),
    ],
)
def test_a_record_that_is_not_ours_is_set_aside_and_those_around_it_count(
    kind: type[Customers], key: bytes | None, value: bytes | None
) -> None:
    ours = (
        told("c", make_visit(), 5) if kind is Customers else Record(8, *state_output("a", "s", A_STATE, 1)[2])
    )
    work = stage_of(kind).apply(3, [Record(7, key, value), ours], 1)
    assert [(item.offset, item.reason) for item in work.refused] == [(7, ALIEN)]
    assert f"something else write to {kind.topic}" in work.refused[0].detail
    assert work.applied == len(work.states) == 1


async def test_the_greatest_version_counts_whatever_the_order() -> None:
    records = [
        told("c", make_visit(), version=5),
        told("c", None, version=6),
        told("c", make_visit(), version=4),
    ]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        for size in (1, 3):
            stage = stage_of(Customers)
            for begin in range(0, 3, size):
                done(stage, stage.apply(0, [records[place] for place in order[begin : begin + size]], 1))
            assert [value for _, value in stage.state.items(0)] == [records[1].value]
            assert await stage.recount(0) == {}


def test_the_strongest_state_event_counts() -> None:
    first, second = encode(state()), encode(state(revision=1, name="busy"))
    records = [Record(0, *state_output("ann", "s", canonical, 1)[2]) for canonical in (second, first)]
    stage = stage_of(Agents)
    for record in records:
        done(stage, stage.apply(0, [record], 1))
    assert [value for _, value in stage.state.items(0)] == [second]


def test_a_customer_with_very_many_contacts_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "SUSPICIOUS_CONTACTS", 2)
    stage = stage_of(Customers)
    with capture_logs() as logs:
        for number in range(5):
            record = told(f"c{number}", make_visit(contact_id=f"c{number}"), version=1)
            done(stage, stage.apply(0, [record], 1))
    assert [(line["customer_key"], line["contacts"]) for line in logs] == [("x", 3)]


def test_what_is_no_agent_event_is_refused() -> None:
    good, other = (
        encode(state()),
        encode(ContactQueued(event_id="q", contact_id="ann", occurred_at=AT, source="test", queue="A")),
    )
    records = [
        Record(0, b"ann", good),
        Record(1, b"bob", good),
        Record(2, b"ann", other),
        Record(3, b"ann", None),
        Record(4, b"ann", b"rubbish"),
    ]
    outputs, refused = forward(records, decode_single_object, 4)
    assert outputs == [state_output("ann", "s", good, 4)]
    assert [(item.offset, item.reason) for item in refused] == [
        (1, "wrong_key"),
        (2, "wrong_topic"),
        (3, "empty"),
        (4, "not_single_object"),
    ]


def test_days_that_the_rules_have_no_more_are_told_to_be_empty() -> None:
    old, new = FcrRules(windows_days=(1, 7)), FcrRules(windows_days=(7, 14))
    tally = tuple(range(2 * len(FCR_MEASURES)))
    before = fcr_tally_bytes(tally, old)
    assert fcr_tally_of(before, old) == tally
    assert fcr_tally_of(before, new)[: len(FCR_MEASURES)] == tally[len(FCR_MEASURES) :]
    after = orjson.loads(with_days_of(fcr_tally_bytes(tally, new), before))
    assert list(after) == ["1", "14", "7"]
    assert after["1"] == {}
    assert with_days_of(before, before) == before


async def test_a_batch_that_fails_is_forgotten() -> None:
    """Memory must not be ahead of what is safe: the same batch again does the same."""

    class Broken:
        async def write(self, topic: str, partition: int, records: object) -> None:
            raise OSError("gone")

    stage = stage_of(Customers)
    processor = Processor(StreamConfig(), stage, Broken(), lambda: 0)  # type: ignore[arg-type]
    record = told("c", make_visit(), version=1)
    expected = stage_of(Customers).apply(0, [record], 1)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            await processor.process(0, [record])
    assert len(stage.histories.get("x")) == 0
    assert stage.apply(0, [record], 1) == expected


async def test_topics_that_are_just_being_made_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two processes that start at once one makes the topics, the other must not take them for empty."""

    class Admin:
        answers = ([], [0, 1])

        async def describe_topics(self, names: list[str]) -> list[dict[str, object]]:
            first, *rest = self.answers
            self.answers = tuple(rest) or (first,)
            return [{"topic": name, "partitions": first} for name in names]

    monkeypatch.setattr(topics, "CREATION_POLL_S", 0.001)
    assert await topics.partitions_of(Admin(), ["a", "b"]) == {"a": 2, "b": 2}  # type: ignore[arg-type]
    monkeypatch.setattr(topics, "CREATION_LIMIT_S", 0.01)
    monkeypatch.setattr(Admin, "answers", ([],))
    with pytest.raises(UnknownTopicOrPartitionError, match="not there"):
        await topics.partitions_of(Admin(), ["a"])  # type: ignore[arg-type]
