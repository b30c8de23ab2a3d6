"""Random contacts, customers and agents, as nasty as a source can be: `random_contact` and the others.

Half of the contacts begin as lawful ones and are then damaged, the others are events thrown together. Every
time is another event's time plus a delta that stands on, or a millisecond beside, a limit of the rules.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from kpis.fold.events import fold
from kpis.rules import DatedLimits
from schemas.events import MODELS, AgentStateChanged, ContactEvent

BASE_MS = 1_767_571_200_000  # 2026-01-05T00:00Z
SPREAD_MS = 3 * 86_400_000
# Skew tolerance, short abandon, targets of voice, chat and e-mail, a minute: each with its neighbours.
LIMITS_MS = (0, 2_000, 5_000, 20_000, 60_000, 14_400_000)
DELTAS_MS = sorted(
    {abs(limit + step) for limit in LIMITS_MS for step in (-1, 0, 1)} | {137, 30_500, 3_601_000}
)
# Limits of waits by length, and a millisecond beyond.
WAITS_MS = [limit * 1_000 + step for limit in (10, 15, 30, 45, 90, 120, 180, 300) for step in (0, 1)]
SURVEY_DELTAS_MS = (0, 1, 86_400_000, 2_592_000_000 - 1, 2_592_000_000, 2_592_000_000 + 1)
DAY_MS = 86_400_000
REPEAT_DELTAS_MS = (
    *(days * DAY_MS + step for days in (0, 1, 3, 7, 14, 30) for step in (-1, 0, 1)), 0, 0, 137, 3_600_000
)  # fmt: skip
STATE_DELTAS_MS = (0, 0, 1, 137, 60_000, 899_999, 900_000, 3_600_000, DAY_MS - 1, DAY_MS, DAY_MS + 1)
ID_HEADS = ("e", "E", "z", "é", "ÿ", "\uffee", "😀", "")  # by code point, not by locale or UTF-16
# Other limits from two moments on, in the middle of it all.
DATED = (
    DatedLimits(
        BASE_MS + SPREAD_MS // 3 + 137, {"voice": 2_000, "chat": 5_000}, 14_400_000, {"B": 60_000}, 2_000
    ),
    DatedLimits(
        BASE_MS + SPREAD_MS * 2 // 3, {"voice": 60_000}, 5_000, {"A": 0, 'it\'s "odd"\\': 20_000}, 20_000
    ),
)
QUEUES = ("A", "B", 'it\'s "odd"\\', "B ")
AGENTS = ("ann", "bob", "'; --")
TYPES = tuple(name for name in MODELS if name.startswith("contact_"))
BODY_TYPES = tuple(name for name in TYPES if name not in ("contact_started", "contact_surveyed"))
KINDS = ("cold", "warm", "external", "queue_flow", "callback", "voicemail")

Fields = dict[str, Any]


def maybe(rng: Random, value: Any, chance: float = 0.5) -> Any:
    """The value, or None."""
    return value if rng.random() < chance else None


def dimensions(rng: Random) -> dict[str, str] | None:
    """Of one's own: none, some, or more names than a contact keeps."""
    if rng.random() < 0.5:
        return None
    names = rng.sample(
        ("brand", "brand", "skill", "a1", "a2", "b", "c", "language", "x", "z_9"), rng.choice((1, 2, 6))
    )
    return {name: rng.choice(("acme", "other", "it's \\ ü")) for name in names}


def started(rng: Random) -> Fields:
    return {
        "direction": rng.choice(("inbound", "inbound", "inbound", "outbound")),
        "entry": rng.choice(("direct", "ivr", "bot")),
        "customer_key": maybe(rng, rng.choice(("c1", "c2"))),
        "reason": maybe(rng, rng.choice(("billing", "fault"))),
        "callback_of": maybe(rng, "k" + str(rng.randrange(40)), 0.3),
        "parent_contact_id": maybe(rng, "parent", 0.2),
        "dimensions": dimensions(rng),
    }


def answered(rng: Random) -> Fields:
    return {
        "agent": maybe(rng, rng.choice(AGENTS), 0.8),
        "team": maybe(rng, rng.choice(("t1", "t2"))),
        "queue": maybe(rng, rng.choice(QUEUES)),
        "customer_key": maybe(rng, "c3", 0.2),
        "reason": maybe(rng, rng.choice(("billing", "other")), 0.3),
        "wait_ms": maybe(rng, rng.choice(DELTAS_MS + WAITS_MS), 0.3),
        "dimensions": dimensions(rng),
    }


def measures(rng: Random) -> Fields:
    def duration() -> int | None:
        return maybe(rng, rng.choice((0, *DELTAS_MS)), 0.2)

    return {
        "talk_ms": duration(),
        "hold_ms": duration(),
        "hold_n": maybe(rng, rng.randrange(4), 0.2),
        "hold_max_ms": duration(),
        "acw_ms": duration(),
        "wait_ms": maybe(rng, rng.choice((0, *DELTAS_MS, *WAITS_MS)), 0.3),
    }


def resolved(rng: Random) -> Fields:
    return {
        "outcome": rng.choice(("resolved", "unresolved", "unknown")),
        "by": rng.choice(("agent", "agent", "bot", "bot", "customer", "system")),
        "level1_resolvable": rng.random() < 0.8,
        "customer_key": maybe(rng, "c4", 0.2),
        "reason": maybe(rng, "fault", 0.3),
        **measures(rng),
        "dimensions": dimensions(rng),
    }


def surveyed(rng: Random) -> Fields:
    low, high = rng.choice(((1, 5), (0, 10), (1, 5), (5, 5), (7, 1), (0, 100), (10, 50)))
    return {
        "kind": rng.choice(("csat", "nps", "fcr")),
        "score": rng.choice((low, high, low - 1, high + 1, (low + high) // 2)),
        "scale_min": low,
        "scale_max": high,
        "higher_is_better": rng.random() < 0.7,
        "respondent": rng.choice(("customer", "agent")),
        "ignored": rng.random() < 0.2,
    }


def abandoned(rng: Random) -> Fields:
    return {
        "place": rng.choice(("ivr", "queue", "ring", "hold")),
        "by": rng.choice(("customer", "system")),
        **measures(rng),
    }


CONTENT: dict[str, Callable[[Random], Fields]] = {
    "contact_started": started,
    "contact_queued": lambda rng: {"queue": rng.choice(QUEUES), "dimensions": dimensions(rng)},
    "contact_answered": answered,
    "contact_held": lambda rng: {"hold_no": rng.randint(1, 3)},
    "contact_resumed": lambda rng: {"hold_no": rng.randint(1, 3)},
    "contact_transferred": lambda rng: {
        "kind": rng.choice(KINDS),
        "to_queue": maybe(rng, "B", 0.2),
        **measures(rng),
    },
    "contact_abandoned": abandoned,
    "contact_resolved": resolved,
    "contact_wrapped": lambda rng: {"agent": maybe(rng, rng.choice(AGENTS))},
    "contact_reopened": lambda rng: {"by": rng.choice(("customer", "agent", "system"))},
    "contact_surveyed": surveyed,
    "contact_offered": lambda rng: {
        "agent": rng.choice(AGENTS),
        "team": maybe(rng, "t1"),
        "outcome": rng.choice(("answered", "missed", "refused", "timed_out", "withdrawn")),
        "ring_ms": maybe(rng, rng.choice(DELTAS_MS)),
    },
    "contact_replied": lambda rng: {
        "by": rng.choice(("agent", "agent", "customer", "bot", "system")),
        "agent": maybe(rng, rng.choice(AGENTS)),
    },
    "contact_rejected": lambda rng: {
        "cause": rng.choice(("closed", "full", "empty", "blocked", "other")),
        "queue": maybe(rng, rng.choice(QUEUES)),
    },
    "contact_closed": lambda rng: {"by": rng.choice(("agent", "customer", "bot", "system"))},
    "contact_withdrawn": lambda rng: {
        "cause": rng.choice(("merged", "spam", "test", "deleted", "duplicate", "other")),
        "undone": rng.random() < 0.3,
    },
    "contact_linked": lambda rng: {
        "kind": rng.choice(("consult", "parent", "forwarded", "related")),
        "to_contact_id": "k" + str(rng.randrange(40)),
    },
}


class World:
    """One contact in the making: gives every event an id and the envelope."""

    def __init__(self, rng: Random, contact_id: str) -> None:
        self.rng = rng
        self.contact_id = contact_id
        self.channel = rng.choice(("voice", "voice", "chat", "email", "messaging", "fax"))
        self.events: list[ContactEvent] = []

    def add(self, type_: str, at: int, leg: int, **fields: Any) -> int:
        """One more event; returns its time."""
        rng = self.rng
        self.events.append(
            MODELS[type_](  # type: ignore[arg-type]
                **(
                    {
                        "event_id": f"{rng.choice(ID_HEADS)}{len(self.events)}",
                        "contact_id": self.contact_id,
                        "leg": leg,
                        "occurred_at": at,
                        "source": "world",
                        "channel": self.channel if rng.random() < 0.95 else "voice",
                        "revision": rng.choice((0, 0, 0, 1)),
                    }
                    | CONTENT[type_](rng)
                    | fields
                )
            )
        )
        return at

    def delta(self) -> int:
        """How much later the next thing happens."""
        return self.rng.choice(DELTAS_MS)

    def holds(self, at: int, leg: int) -> int:
        """A few holds, now and then overlapping, unpaired or reversed."""
        rng = self.rng
        for hold_no in range(1, rng.choice((1, 1, 2, 3, 4))):
            begin = self.add("contact_held", at + rng.choice((0, self.delta())), leg, hold_no=hold_no)
            if rng.random() < 0.85:
                at = self.add(
                    "contact_resumed", begin + rng.choice((-137, 0, self.delta())), leg, hold_no=hold_no
                )
            at -= rng.choice((0, 0, 0, 500))
        return at

    def leg(self, at: int, leg: int) -> int:
        """A lawful leg, more or less."""
        rng = self.rng
        if rng.random() < 0.85:
            at = self.add("contact_queued", at, leg) + self.delta()
        if rng.random() < 0.7:
            at = self.add("contact_answered", at, leg)
            at = self.holds(at + self.delta(), leg)
        end = rng.choice(("contact_transferred", "contact_abandoned", "contact_resolved", "contact_resolved"))
        if rng.random() < 0.9:
            at = self.add(end, at + self.delta(), leg)
        if rng.random() < 0.5:
            at = self.add("contact_wrapped", at + self.delta(), leg)
        return at

    def lawful(self) -> None:
        """Start, legs one after the other, perhaps a reopening, perhaps surveys."""
        rng = self.rng
        at = BASE_MS + rng.randrange(SPREAD_MS)
        self.add("contact_started", at, 1)
        for leg in range(1, rng.choice((2, 2, 2, 3, 4))):
            if leg > 1 and rng.random() < 0.4:
                self.add("contact_reopened", at, leg)
            at = self.leg(at + rng.choice((0, self.delta())), leg)
        for _ in range(rng.choice((0, 0, 1, 2))):
            self.add("contact_surveyed", at + rng.choice(SURVEY_DELTAS_MS), 1)

    def chaos(self) -> None:
        """Events of any type, each a limit away from some other."""
        rng = self.rng
        times = [BASE_MS + rng.randrange(SPREAD_MS)]
        types = TYPES if rng.random() < 0.7 else (*BODY_TYPES, "contact_surveyed")
        for _ in range(rng.choice((1, 1, 2, 3, 5, 8, 12))):
            at = rng.choice(times) + rng.choice((-1, 1)) * self.delta()
            times.append(self.add(rng.choice(types), at, rng.choice((1, 1, 1, 2, 3, 7))))

    def damage(self) -> None:
        """Lost events, clocks a limit off, events of another leg."""
        rng = self.rng
        for index, event in enumerate(self.events):
            if rng.random() < 0.15:
                moved = event.occurred_at + rng.choice((-1, 1)) * self.delta()
                self.events[index] = event.model_copy(update={"occurred_at": moved})
            elif rng.random() < 0.03:
                self.events[index] = event.model_copy(update={"leg": rng.randint(1, 3)})
        self.events = [event for event in self.events if rng.random() < 0.93] or self.events

    def repeat(self) -> None:
        """The same ids again: identical, with another revision, other content, or as another type."""
        rng = self.rng
        for event in rng.sample(self.events, k=rng.randrange(min(4, len(self.events)) + 1)):
            kind = rng.randrange(4)
            if kind == 0:
                self.events.append(event)
            elif kind == 1:
                self.events.append(
                    event.model_copy(update={"revision": rng.randrange(3), "leg": rng.randint(1, 2)})
                )
            elif kind == 2:
                moved = event.occurred_at + rng.choice((-1, 1)) * self.delta()
                self.events.append(event.model_copy(update={"occurred_at": moved}))
            else:
                self.add(rng.choice(TYPES), event.occurred_at, event.leg, event_id=event.event_id)


def random_contact(rng: Random, contact_id: str) -> list[ContactEvent]:
    """Events of one contact, never none, in random order, duplicates included."""
    world = World(rng, contact_id)
    if rng.random() < 0.5:
        world.lawful()
        if rng.random() < 0.6:
            world.damage()
    else:
        world.chaos()
    if rng.random() < 0.4:
        world.repeat()
    rng.shuffle(world.events)
    return world.events


def moved(events: list[ContactEvent], delta: int) -> list[ContactEvent]:
    """The same contact at another time."""
    return [event.model_copy(update={"occurred_at": event.occurred_at + delta}) for event in events]


def recast(
    rng: Random, events: list[ContactEvent], customer: str, relatives: list[str]
) -> list[ContactEvent]:
    """The contact as a customer's, more or less, often with a wish for a call-back or that call itself."""
    calls_back = maybe(rng, rng.choice(relatives), 0.25)
    as_wished = rng.random() < 0.4
    changed = []
    for event in events:
        update: Fields = {}
        if getattr(event, "customer_key", None) is not None:
            update["customer_key"] = rng.choice((customer,) * 9 + ("stranger",))
        if event.type == "contact_started":
            update["direction"] = rng.choice(("inbound",) * 5 + ("outbound",))
            update["customer_key"] = maybe(rng, customer, 0.9)
            update["callback_of"] = maybe(rng, calls_back, 0.95)
        if event.type == "contact_transferred" and as_wished:
            update["kind"] = "callback"
        changed.append(event.model_copy(update=update))
    return changed


def random_customer(rng: Random, customer: str) -> dict[str, list[ContactEvent]]:
    """Contacts of one customer, each a length of the window away from another, or a ms beside it."""
    relatives = [
        f"{rng.choice(ID_HEADS)}{customer}-{number}" for number in range(rng.choice((1, 2, 4, 7, 12)))
    ]
    contacts: dict[str, list[ContactEvent]] = {}
    instants = [BASE_MS + rng.randrange(SPREAD_MS)]
    for contact_id in relatives:
        events = recast(rng, random_contact(rng, contact_id), customer, [*relatives, "unknown"])
        fact = fold(events).contact
        if fact is not None:
            near = rng.choice((fact.started_at, fact.entered_at))
            wanted = rng.choice(instants) + rng.choice(REPEAT_DELTAS_MS)
            events = moved(events, wanted - near)
            instants += [time + wanted - near for time in (fact.started_at, fact.ended_at) if time]
        contacts[contact_id] = events
    return contacts


def random_states(rng: Random, agent: str) -> list[AgentStateChanged]:
    """State events of an agent in random order: same instants, states too long, corrections, duplicates."""
    at = BASE_MS + rng.randrange(SPREAD_MS)
    told: list[AgentStateChanged] = []
    for number in range(rng.choice((0, 1, 2, 10, 30))):
        at += rng.choice(STATE_DELTAS_MS)
        told.append(
            AgentStateChanged(
                event_id=f"{rng.choice(ID_HEADS)}{rng.choice((number, number, 7))}",
                agent=agent,
                team=maybe(rng, rng.choice(("t1", "t2", "Ω", "z")), 0.7),
                state=rng.choice(("available", "available", "busy", "break", "meeting", "offline")),
                occurred_at=at,
                source="world",
                revision=rng.choice((0, 0, 0, 1)),
            )
        )
    told += rng.sample(told, k=len(told) // 4)
    rng.shuffle(told)
    return told
