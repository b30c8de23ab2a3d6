"""Contacts for hypothesis: any events in any muddle, at times on and beside every limit of the rules."""

import os
from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from support.notation import BASE_MS

from kpis.rules import Rules
from schemas.event_fields import DURATION_MAX_MS, OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.events import MODELS, ContactEvent, Event

# For what holds for every type and is tried with each: `make check` takes fewer examples.
EACH_TYPE = settings(max_examples=int(os.environ.get("RINGBACK_EXAMPLES", settings.default.max_examples)))
RULES = Rules(service_level_by_queue_ms={"B": 2_000})
LIMITS = (0, 2_000, 5_000, 20_000, 60_000, 300_000, 14_400_000, 43_200_000, 2_592_000_000)
NEAR = sorted({limit + step for limit in LIMITS for step in (-1, 0, 1)})
PEAKS = (-(2**63), -1, 0, 1, 127, 128, 2**31 - 1, 2**31, 2**63 - 1)

# A moment is a limit or the sum of two: so that any two events may lie a limit apart, or 1 ms to either side.
moments = st.builds(
    lambda start, more: BASE_MS + start + more,
    st.sampled_from((0, 0, 1_000, 10_000, 60_000, 100_000)),
    st.sampled_from(NEAR) | st.integers(0, 30_000),
)
names = st.sampled_from(("", "a", "b", "zoe"))
durations = st.none() | st.sampled_from((0, 1, 5_000, 20_001)) | st.integers(0, 100_000)

LIFECYCLE = (
    "contact_started",
    "contact_queued",
    "contact_answered",
    "contact_held",
    "contact_resumed",
    "contact_transferred",
    "contact_abandoned",
    "contact_resolved",
    "contact_wrapped",
    "contact_reopened",
)
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "contact_started": {
        "direction": st.sampled_from(("inbound", "inbound", "outbound")),
        "entry": st.sampled_from(("direct", "ivr", "bot")),
        "reason": names,
        "customer_key": names,
        "callback_of": names,
    },
    "contact_queued": {"queue": st.sampled_from(("A", "B"))},
    "contact_answered": {"agent": names, "team": names, "queue": names, "reason": names},
    "contact_held": {"hold_no": st.integers(1, 3)},
    "contact_resumed": {"hold_no": st.integers(1, 3)},
    "contact_transferred": {
        "kind": st.sampled_from(("cold", "warm", "external", "queue_flow", "callback", "voicemail"))
    },
    "contact_abandoned": {"place": st.sampled_from(("ivr", "queue", "ring", "hold"))},
    "contact_resolved": {
        "outcome": st.sampled_from(("resolved", "unresolved", "unknown")),
        "by": st.sampled_from(("agent", "bot", "customer", "system")),
        "level1_resolvable": st.booleans(),
        "reason": names,
        "talk_ms": durations,
        "hold_ms": durations,
        "hold_n": st.none() | st.integers(0, 3),
        "hold_max_ms": durations,
        "acw_ms": durations,
    },
    "contact_wrapped": {"agent": names},
    "contact_reopened": {},
    "contact_surveyed": {
        "kind": st.sampled_from(("csat", "nps")),
        "score": st.integers(-1, 6),
        "scale_min": st.just(0),
        "scale_max": st.sampled_from((0, 5)),
        "respondent": st.sampled_from(("customer", "agent")),
    },
}


@st.composite
def event_of(draw: st.DrawFn, event_id: str, kinds: tuple[str, ...], channel: str) -> ContactEvent:
    """One event with this id, of any kind, on any of three legs."""
    kind = draw(st.sampled_from(kinds))
    drawn = {name: draw(strategy) for name, strategy in FIELDS[kind].items()}
    envelope = {
        "event_id": event_id,
        "contact_id": "contact",
        "leg": draw(st.sampled_from((1, 1, 1, 2, 3))),
        "occurred_at": draw(moments),
        "source": "hypothesis",
        "channel": channel,
        "revision": draw(st.sampled_from((0, 0, 1))),
    }
    given = {name: value for name, value in drawn.items() if value is not None and value != ""}
    return MODELS[kind](**envelope, **given)  # type: ignore[return-value]


@st.composite
def contacts(draw: st.DrawFn, same_ids: bool = False, most: int = 12) -> list[ContactEvent]:
    """Events of one contact, each with an id of its own unless `same_ids`."""
    channel = draw(st.sampled_from(("voice", "voice", "chat", "email", "fax")))
    kinds = (*LIFECYCLE, "contact_surveyed")
    count = draw(st.integers(1, most))
    ids = [f"e{draw(st.integers(0, 3)) if same_ids else number}" for number in range(count)]
    return [draw(event_of(event_id, kinds, channel)) for event_id in ids]


@st.composite
def orderly(draw: st.DrawFn) -> list[ContactEvent]:
    """Events of a contact as they should be: queued, answered, held and ended, over up to three legs."""
    now = BASE_MS + draw(st.integers(0, 59_999))
    leg = 1
    events: list[Any] = []

    def tell(type_: str, /, **fields: object) -> None:
        nonlocal now
        now += draw(st.sampled_from((0, 1, 5_000, 5_001, 20_000, 20_001, 61_000)))
        envelope = {
            "event_id": f"e{len(events)}",
            "contact_id": "contact",
            "leg": leg,
            "source": "hypothesis",
        }
        events.append(MODELS[type_](**envelope, occurred_at=now, **fields))  # type: ignore[arg-type]

    tell("contact_started", entry=draw(st.sampled_from(("direct", "ivr"))))
    tell("contact_queued", queue=draw(st.sampled_from(("A", "B"))))
    while draw(st.booleans()) and leg < 3:
        tell("contact_answered", agent="zoe")
        if draw(st.booleans()):
            tell("contact_held")
            tell("contact_resumed")
        tell("contact_transferred", kind=draw(st.sampled_from(("cold", "warm"))))
        leg += 1
        tell("contact_queued", queue=draw(st.sampled_from(("A", "B"))))
    ending = draw(st.sampled_from(("abandoned", "resolved", "open")))
    if ending == "abandoned":
        tell("contact_abandoned", place="queue")
    elif ending == "resolved":
        tell("contact_answered", agent="bob")
        tell("contact_resolved", outcome="resolved")
        tell("contact_wrapped")
    return events


def full_text(most: int = 256) -> st.SearchStrategy[str]:
    """Any text, weighted towards what encoders trip over."""
    return st.sampled_from(("é", "𝄞" * 3, "\x00", "a" * most)) | st.text(min_size=1, max_size=8)


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    """Integers in a closed range with its ends and the ends of Avro's byte lengths."""
    inside = [value for value in (low, low + 1, high - 1, high, *PEAKS) if low <= value <= high]
    return st.sampled_from(inside) | st.integers(low, high)


ANY_FIELD: dict[str, st.SearchStrategy[Any]] = {
    "leg": whole(1, 100_000),
    "occurred_at": whole(OCCURRED_AT_MIN, OCCURRED_AT_MAX - 1),
    "channel": st.from_regex(r"[a-z][a-z0-9_-]{0,31}", fullmatch=True),
    "revision": whole(0, 2**63 - 1),
    "direction": st.sampled_from(("inbound", "outbound")),
    "entry": st.sampled_from(("direct", "ivr", "bot")),
    "hold_no": whole(1, 100_000),
    "kind": st.sampled_from(("cold", "warm", "external", "queue_flow", "callback", "voicemail")),
    "place": st.sampled_from(("ivr", "queue", "ring", "hold")),
    "outcome": st.sampled_from(("resolved", "unresolved", "unknown")),
    "hold_n": whole(0, 1_000_000),
    "score": whole(-1_000_000, 1_000_000),
    "scale_min": whole(-1_000_000, 1_000_000),
    "scale_max": whole(-1_000_000, 1_000_000),
    "level1_resolvable": st.booleans(),
    "higher_is_better": st.booleans(),
    "respondent": st.sampled_from(("customer", "agent")),
    "ignored": st.booleans(),
    "undone": st.booleans(),
    "dimensions": st.none()
    | st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True), full_text(), max_size=8),
    "state": st.sampled_from(("available", "busy", "break", "training", "meeting", "offline")),
}
OF_TYPE: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("contact_surveyed", "kind"): st.sampled_from(("csat", "nps", "ces", "aes", "fcr")),
    ("contact_abandoned", "by"): st.sampled_from(("customer", "system")),
    ("contact_reopened", "by"): st.sampled_from(("customer", "agent", "system")),
    ("contact_offered", "outcome"): st.sampled_from(
        ("answered", "missed", "refused", "timed_out", "withdrawn")
    ),
    ("contact_replied", "by"): st.sampled_from(("agent", "customer", "bot", "system")),
    ("contact_closed", "by"): st.sampled_from(("agent", "customer", "bot", "system")),
    ("contact_rejected", "cause"): st.sampled_from(("closed", "full", "empty", "blocked", "other")),
    ("contact_withdrawn", "cause"): st.sampled_from(
        ("merged", "spam", "test", "deleted", "duplicate", "other")
    ),
    ("contact_linked", "kind"): st.sampled_from(("consult", "parent", "forwarded", "related")),
    ("contact_resolved", "by"): st.sampled_from(("agent", "bot", "customer", "system")),
}


@cache
def any_event(kind: str) -> st.SearchStrategy[Event]:
    """Any valid event of a type, fields with a default left out at will."""
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in MODELS[kind].model_fields.items():
        if name == "type":
            continue
        strategy = OF_TYPE.get((kind, name), ANY_FIELD.get(name))
        if strategy is None:
            strategy = whole(0, DURATION_MAX_MS) if name.endswith("_ms") else full_text()
        if field.is_required():
            required[name] = strategy
        else:
            optional[name] = strategy
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: MODELS[kind](**fields))
