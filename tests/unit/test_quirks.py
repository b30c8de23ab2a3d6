"""Quirks of vendors that no sample has: what was seen in their code, issues and documents."""

from typing import Any

import orjson
import pytest
from support.samples import SECRET, samples

from adapters.kit.check import payloads_of
from adapters.kit.json_pieces import whole
from adapters.kit.payloads import given_by
from adapters.kit.source import Source
from adapters.registry import SOURCES, source_of

CONVERSATION = {
    "event": "conversation_status_changed",
    "id": 3,
    "channel": "Channel::Email",
    "account": {"id": 1},
    "created_at": 1_767_600_000,
    "updated_at": 1_767_603_600.25,
    "waiting_since": 0,
    "meta": {"sender": {"id": 9}, "assignee": None, "team": None},
    "messages": [],
    "changed_attributes": None,
}
TICKET = {
    "id": 7,
    "created_at": "2026-01-05T08:00:00.000Z",
    "updated_at": "2026-01-05T10:00:00.000Z",
    "close_at": "2026-01-05T09:00:00.000Z",
}


def told(source: str, payload: dict[str, Any]) -> list[tuple[str, int]]:
    """Types and times of the events of a payload."""
    (given,) = given_by(source_of(source).load_adapter(), orjson.dumps(payload), SECRET)
    assert given.refused == ()
    return [(event.type, event.occurred_at) for event in given.events]


@pytest.mark.parametrize(
    ("status", "types"), [("resolved", ["contact_resolved"]), ("open", []), ("snoozed", [])]
)
def test_a_status_of_chatwoot_that_does_not_say_what_changed(status: str, types: list[str]) -> None:
    """`changed_attributes` was null in a real log: a resolution was lost."""
    found = told("chatwoot", CONVERSATION | {"status": status})
    assert found == [(type_, 1_767_603_600_250) for type_ in types]


@pytest.mark.parametrize(
    ("state", "reopened"),
    [
        ({"state": "closed"}, False),
        ({"state": "geschlossen", "state_id": 4}, False),
        ({"state": "in Arbeit", "state_id": 2}, True),
        ({"state": "open"}, True),
        ({"state": {"id": 3, "name": "pending reminder"}}, True),
        ({"state": "erledigt, bitte warten", "state_id": 12}, False),
    ],
)
def test_states_of_zammad_under_other_names(state: dict[str, Any], reopened: bool) -> None:
    """A closed ticket whose state was renamed counted as reopened."""
    types = [type_ for type_, _ in told("zammad", {"ticket": TICKET | state, "article": {}})]
    assert "contact_resolved" in types
    assert ("contact_reopened" in types) is reopened


def test_a_merged_ticket_of_zammad_by_its_id() -> None:
    found = told("zammad", {"ticket": TICKET | {"state": "verschmolzen", "state_id": 5}})
    assert [type_ for type_, _ in found][-1] == "contact_withdrawn"


STATUS = {
    "type": "zen:event-type:ticket.status_changed",
    "id": "e",
    "account_id": 1,
    "time": "2026-01-05T08:00:00Z",
}


@pytest.mark.parametrize(
    ("actor", "change", "expected"),
    [
        ("9", {"previous": "SOLVED", "current": "OPEN"}, ("contact_reopened", "customer")),
        ("7", {"previous": "SOLVED", "current": "OPEN"}, ("contact_reopened", "agent")),
        ("-1", {"previous": "PENDING", "current": "SOLVED"}, ("contact_resolved", "system")),
        (None, {"previous": "PENDING", "current": "SOLVED"}, ("contact_resolved", "system")),
        ("7", {"previous": "SOLVED", "current": None}, None),
    ],
)
def test_who_changed_a_status_of_zendesk(
    actor: str | None, change: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    """An automation is user -1. What a status became must be said: it counted as reopened."""
    detail = {"id": "3", "actor_id": actor, "requester_id": "9"}
    payload = STATUS | {"detail": detail, "event": change}
    (given,) = given_by(source_of("zendesk").load_adapter(), orjson.dumps(payload), SECRET)
    assert [(event.type, event.by) for event in given.events] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("author", "by"),
    [
        ({"id": "7", "is_staff": True}, "agent"),
        ({"id": "9", "is_staff": False}, "customer"),
        (None, "system"),
    ],
)
def test_who_wrote_a_comment_of_zendesk(author: dict[str, Any] | None, by: str) -> None:
    """Without an author it counted as the customer's."""
    comment = {"comment": {"is_public": True, "author": author}}
    payload = STATUS | {"type": "zen:event-type:ticket.comment_added", "detail": {"id": 3}, "event": comment}
    (given,) = given_by(source_of("zendesk").load_adapter(), orjson.dumps(payload), SECRET)
    assert [event.by for event in given.events] == [by]


ROOM = {"_id": "r1", "createdAt": "2026-01-05T08:00:00Z", "visitor": {"token": "t"}, "messages": []}


@pytest.mark.parametrize(
    ("source", "payload", "reason"),
    [
        ("rocketchat", ROOM | {"type": "Message"}, "no_fact"),
        ("rocketchat", ROOM | {"type": "LeadCapture"}, "no_fact"),
        ("rocketchat", ROOM | {"type": "OmnichannelLater"}, "unknown_kind"),
        ("tawk", {"event": "ticket:update", "property": {"id": "p"}}, "unknown_kind"),
        ("zoom", {"event": "meeting.started", "event_ts": 1, "payload": {"object": {}}}, "no_fact"),
        ("zoom", {"event": "whiteboard.later", "event_ts": 1, "payload": {"object": {}}}, "unknown_kind"),
    ],
)
def test_kinds_that_a_webhook_brings_as_well_are_no_dead_letters(
    source: str, payload: dict[str, Any], reason: str
) -> None:
    (given,) = given_by(source_of(source).load_adapter(), orjson.dumps(payload), SECRET)
    assert given.ignored == reason


KINDS = ("type", "event", "event_type", "topic", "subscriptionType")
POSTED = [source for source in SOURCES if source.adapter]


@pytest.mark.parametrize("source", POSTED, ids=lambda source: source.name)
def test_a_kind_that_a_vendor_adds_is_counted_and_is_no_dead_letter(source: Source) -> None:
    lines = [line for sample in samples(source) for line in payloads_of(source, sample)]
    adapter = source.load_adapter()
    for line in (line for line in lines if line[:1] == b"{" and whole(line)):
        found = orjson.loads(line)
        kind = next((name for name in KINDS if isinstance(found.get(name), str)), None)
        if kind is None or found[kind] == "notification_event":  # what Intercom's envelope is
            continue
        (given,) = given_by(adapter, orjson.dumps(found | {kind: f"{found[kind]}_later"}), SECRET)
        assert "wrong_shape" not in [each.why.reason for each in given.refused], (kind, found[kind])
