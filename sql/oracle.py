"""The oracle: SQL that recomputes facts and KPI windows from raw events, as docs/facts.md says.

Independent of `kpis/` on purpose: `ringback verify` compares the two. Each function returns a SELECT in
brackets, to be used as a relation; a relation may also be the name of a table, so that the fold, the costly
step, can be stored once and read by all the others.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

EVENTS = "events"

Parameters = dict[str, object]


@cache
def template(name: str) -> str:
    """Text of sql/oracle/<name>.sql."""
    return (files("sql") / "oracle" / f"{name}.sql").read_text("utf-8")


def compose(name: str, **relations: str) -> str:
    """A template with its relations put in. Not str.format: braces also mark ClickHouse's own parameters."""
    text = template(name)
    for placeholder, relation in relations.items():
        text = text.replace(f"{{{placeholder}}}", relation)
    return f"({text})"


def parameters(
    *,
    tolerance_ms: int,
    short_abandon_ms: int,
    survey_late_ms: int,
    async_channels: Sequence[str],
    target_by_queue_ms: Mapping[str, int],
    target_by_channel_ms: Mapping[str, int],
    target_default_ms: int,
) -> Parameters:
    """The rules as ClickHouse query parameters; every statement of the oracle takes (a part of) these."""
    return {
        "tolerance_ms": tolerance_ms,
        "short_abandon_ms": short_abandon_ms,
        "survey_late_ms": survey_late_ms,
        "async_channels": list(async_channels),
        "t_queues": list(target_by_queue_ms),
        "t_queue_ms": list(target_by_queue_ms.values()),
        "t_channels": list(target_by_channel_ms),
        "t_channel_ms": list(target_by_channel_ms.values()),
        "t_default_ms": target_default_ms,
    }


def touching(events: str = EVENTS) -> str:
    """Events of contacts with any event in [from_ms, to_ms).

    Everything a contact books, it books at the time of one of its events; so, for whole minutes, no other
    contact can have a window in that range. Its windows outside the range are for the reader to leave out.
    """
    return (
        f"(SELECT * FROM {events} WHERE contact_id IN (SELECT contact_id FROM {events} WHERE "
        "occurred_at >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') "
        "AND occurred_at < fromUnixTimestamp64Milli({to_ms:Int64}, 'UTC')))"
    )


def sliced(relation: str) -> str:
    """One of `slices` parts of a relation by contact: what does not fit in memory is done part by part.

    Facts of parts are simply more facts; windows of parts are partial sums, which all readers add up.
    """
    return f"(SELECT * FROM {relation} WHERE cityHash64(contact_id) % {{slices:UInt32}} = {{slice:UInt32}})"


def settings(memory_bytes: int) -> dict[str, int]:
    """Query settings that keep a step of the oracle within a memory limit, spilling to disk.

    Measured with 1.5 GB: a slice of 250,000 contacts passes; 3 million in one go do not, even so.
    Blocks are small because rows of the fold are wide: a contact's events are carried through several steps.
    """
    return {
        "max_memory_usage": memory_bytes,
        "max_bytes_before_external_group_by": memory_bytes * 2 // 5,
        "max_bytes_before_external_sort": memory_bytes * 2 // 5,
        "max_block_size": 8_192,
    }


def fold(events: str = EVENTS) -> str:
    """One row per leg with its contact's frame; the relation that all others are made from."""
    return compose("fold", events=events)


def legs(folded: str) -> str:
    """Facts of legs, columns as table `legs`."""
    return compose("legs", fold=folded)


def contacts(folded: str) -> str:
    """Facts of contacts, columns as table `contacts`."""
    return compose("contacts", fold=folded, extra="")


def surveys(folded: str) -> str:
    """Facts of surveys, columns as table `surveys`."""
    return compose("surveys", fold=folded)


def leg_bookings(legs_relation: str) -> str:
    """What legs add to windows: minute_ms, channel, queue, agent, team, reason, and m_<measure>."""
    return compose("leg_bookings", legs=legs_relation)


def windows(folded: str, leg_measures: Sequence[str], contact_measures: Sequence[str]) -> str:
    """KPI windows: window_start, channel, queue and the measures under their names."""

    def listed(pattern: str, names: Sequence[str]) -> str:
        return ", ".join(pattern.format(name) for name in names)

    contacts_with_ivr = compose("contacts", fold=folded, extra=", ivr_legs")
    return compose(
        "windows",
        leg_measures=listed("m_{0}", leg_measures),
        contact_zeros=listed("toInt64(0) AS m_{0}", contact_measures),
        leg_zeros=listed("toInt64(0) AS m_{0}", leg_measures),
        contact_measures=listed("m_{0}", contact_measures),
        sums=listed("sum(m_{0}) AS {0}", [*leg_measures, *contact_measures]),
        leg_bookings=leg_bookings(legs(folded)),
        contact_bookings=compose("contact_bookings", contacts=contacts_with_ivr),
    )
