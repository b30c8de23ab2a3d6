"""The oracle: SQL that recomputes facts and windows from raw events, as docs/facts.md says.

Independent of `kpis/` on purpose: `ringback verify` compares the two. Each function returns a SELECT in
brackets, to be used as a relation; a relation may also be the name of a table, so that the fold, the costly
step, can be stored once and read by all the others.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Sequence

from schemas.time_units import QUARTER_MS
from sql.bookings import agent_histories
from sql.limits import limits, target
from sql.templates import compose

EVENTS = "events"
AGENT_EVENTS = "agent_events"
# What partitions of the stream go by: schemas.placement of a contact, streams.stages.forwards of a customer.
CONTACT_PARTITION = "kafkaMurmurHash(contact_id)"
CUSTOMER_PARTITION = "CRC32(customer_key)"
AGENT_PARTITION = "CRC32(agent)"
ENTERED_MS = "toUnixTimestamp64Milli(entered_at)"


def between(before_ms: str = "", after_ms: str = "") -> str:
    """Condition on an event: in [from_ms, to_ms), widened."""
    return (
        f"occurred_at >= fromUnixTimestamp64Milli({{from_ms:Int64}}{before_ms}, 'UTC') "
        f"AND occurred_at < fromUnixTimestamp64Milli({{to_ms:Int64}}{after_ms}, 'UTC')"
    )


def in_range(events: str = EVENTS) -> str:
    """Ids of the contacts with any event in [from_ms, to_ms).

    Everything a contact books, it books at the time of one of its events; so, for whole minutes, no other
    contact can have a KPI window in that range.
    """
    return f"(SELECT contact_id FROM {events} WHERE {between()})"


def customers_in_range(events: str = EVENTS) -> str:
    """Customers whom any event of a contact in range names, also where another event overrules it.

    What is booked for a customer is booked at the time of an event of one of the customer's contacts or of
    the call-back that ended it, and events of both name the customer. So no other customer can have an FCR
    window in that range. A contact that changed hands still names the customer it was taken from, so that a
    row left over there is found as well.
    """
    return (
        f"(SELECT assumeNotNull(customer_key) FROM {events} "
        f"WHERE isNotNull(customer_key) AND contact_id IN {in_range(events)})"
    )


def of_customers_in_range(contacts_relation: str, events: str = EVENTS) -> str:
    """Contacts of customers all of whose contacts are among those of `touching`."""
    return f"(SELECT * FROM {contacts_relation} WHERE customer_key IN {customers_in_range(events)})"


def touching(events: str = EVENTS) -> str:
    """Events of all contacts that have a say in what is booked in [from_ms, to_ms).

    Besides those in range: every contact that ever named a customer in range; the call-backs that contacts
    in range asked for; and, as sessions last at most `stale_ms`, what agents did in the quarter-hours that
    begin in range. Of other customers, and of quarter-hours outside, this may be a part only: the reader
    leaves them out.
    """
    near = between(" - {stale_ms:Int64}", f" + {QUARTER_MS}")
    return compose(
        "oracle",
        "touching",
        events=events,
        near=near,
        customers=customers_in_range(events),
        contacts=in_range(events),
    )


def settings(memory_bytes: int) -> dict[str, int | str]:
    """Query settings that keep a step of the oracle within a memory limit, spilling to disk.

    Measured with 1.5 GB: a slice of 250,000 contacts passes; 3 million in one go do not, even so.
    Contacts are gathered in the order in which they lie: by hash, of more than 100,000 keys or 50 MB, they
    would come in 256 blocks, and a block costs some time, whatever is in it.
    Both sides of every `if` are computed, which fails nowhere: to leave one out, ClickHouse keeps what it is
    computed from beside the rows and computes it again for each use, 51 us of CPU an event instead of 15.
    Rows are written in parts of a twentieth of the limit: several copies of one are in memory at once. Only
    of few keys a set is kept in order as well, to look for them by the primary key.
    """
    return {
        "max_memory_usage": memory_bytes,
        "max_bytes_before_external_group_by": memory_bytes * 2 // 5,
        "max_bytes_before_external_sort": memory_bytes * 2 // 5,
        "min_insert_block_size_bytes": memory_bytes // 20,
        "use_index_for_in_with_subqueries_max_values": 100_000,
        "optimize_aggregation_in_order": 1,
        "short_circuit_function_evaluation": "disable",
    }


# For what is made of raw events besides. Rows are wide, a contact's events and the hours of its calendar go
# along: two blocks of 8,192 contacts at once do not fit into 1.5 GB.
WIDE: dict[str, int | str] = {"max_block_size": 2_048}


def fold(events: str = EVENTS) -> str:
    """One row per leg with its contact's frame; the relation that all others are made from."""
    return compose(
        "oracle",
        "fold",
        events=events,
        calendar_number=calendar_number("leg_queue"),
        business_ms=business_ms("calendar", "from_ms", "until_ms"),
    )


def calendar_number(queue: str) -> str:
    """Number of a queue's calendar among the parameters, 0 for none: an expression."""
    return (
        f"if(has({{calendar_queues:Array(String)}}, {queue}), {{calendar_numbers:Array(UInt16)}}"
        f"[indexOf({{calendar_queues:Array(String)}}, {queue})], {{calendar_default:UInt16}})"
    )


def business_ms(calendar: str, begin: str, end: str) -> str:
    """How much of a span is within business hours: an expression of expressions in UTC milliseconds."""
    return compose("oracle", "business_ms", calendar=calendar, begin=begin, end=end)


def legs(folded: str) -> str:
    """Facts of legs, columns as table `legs`."""
    created = business_ms("calendar", "started_ms", "started_ms + ifNull(created_ms, 0)")
    number = calendar_number("leg_queue")
    return compose("oracle", "legs", fold=folded, calendar_number=number, created_business=created)


def contacts(folded: str, with_ivr: bool = False) -> str:
    """Facts of contacts, columns as table `contacts`; with `ivr_legs`, which contact_bookings needs."""
    extra = ", ivr_legs" if with_ivr else ""
    return compose("oracle", "contacts", fold=folded, limits=limits("entered_ms"), extra=extra)


def surveys(folded: str) -> str:
    """Facts of surveys, columns as table `surveys`."""
    return compose("oracle", "surveys", fold=folded)


def leg_durations(legs_relation: str) -> str:
    """Facts of when legs waited and were handled, columns as table `leg_durations`."""
    return compose("oracle", "leg_durations", legs=legs_relation)


def offers(folded: str) -> str:
    """Facts of offers to agents, columns as table `offers`."""
    return compose("oracle", "offers", fold=folded)


def own_partition(hashed: str, partitions: int) -> dict[str, str]:
    """Of which partition of the stream a row is, if it has any; by this hash of a column."""
    if not partitions:
        return {"own": "", "by": ""}
    return {"own": f"toUInt32({hashed} % {partitions:d}) AS partition, ", "by": "partition, "}


def leg_bookings(legs_relation: str, partitions: int = 0) -> str:
    """What legs add to windows: minute_ms, channel, queue, agent, team, reason, and m_<measure>."""
    return compose(
        "oracle",
        "leg_bookings",
        legs=legs_relation,
        limits=limits(ENTERED_MS),
        target=target("queue"),
        **own_partition(CONTACT_PARTITION, partitions),
    )


def offer_bookings(offers_relation: str, partitions: int = 0) -> str:
    """What offers to agents add to windows: columns as of leg_bookings."""
    own = own_partition(CONTACT_PARTITION, partitions)["own"]
    return compose("oracle", "offer_bookings", offers=offers_relation, own=own)


def with_ivr_legs(contacts_relation: str, legs_relation: str) -> str:
    """Contacts with `ivr_legs`, where they do not come from the fold."""
    return compose("oracle", "with_ivr_legs", contacts=contacts_relation, legs=legs_relation)


def contact_bookings(contacts_relation: str, partitions: int = 0) -> str:
    """What contacts (with `ivr_legs`) add to windows: columns as of leg_bookings."""
    begin = "toUnixTimestamp64Milli(started_at)"
    return compose(
        "oracle",
        "contact_bookings",
        contacts=contacts_relation,
        limits=limits(ENTERED_MS),
        target=target("entry_queue"),
        calendar_number=calendar_number("final_queue"),
        first_business=business_ms("calendar", begin, f"({begin} + ifNull(first_resolution_ms, 0))"),
        full_business=business_ms("calendar", begin, f"({begin} + ifNull(full_resolution_ms, 0))"),
        **own_partition(CONTACT_PARTITION, partitions),
    )


def windows(
    folded: str,
    leg_measures: Sequence[str],
    contact_measures: Sequence[str],
    offer_measures: Sequence[str],
    legs_relation: str = "",
    contacts_with_ivr: str = "",
    partitions: int = 0,
) -> str:
    """KPI windows: window_start, channel, queue and the measures under their names.

    Legs and contacts are made from the fold unless they are there already. With `partitions` those of each
    partition of the stream, which has so many, and a column `partition`.
    """

    def listed(pattern: str, names: Sequence[str]) -> str:
        return ", ".join(pattern.format(name) for name in names)

    return compose(
        "oracle",
        "windows",
        leg_measures=listed("sum(m_{0}) AS s_{0}", leg_measures),
        contact_zeros=listed("toInt64(0) AS s_{0}", contact_measures),
        leg_zeros=listed("toInt64(0) AS s_{0}", leg_measures),
        contact_measures=listed("sum(m_{0}) AS s_{0}", contact_measures),
        offer_measures=listed("sum(m_{0}) AS s_{0}", offer_measures),
        offer_zeros=listed("toInt64(0) AS s_{0}", offer_measures),
        sums=listed("sum(s_{0}) AS {0}", [*leg_measures, *contact_measures, *offer_measures]),
        offer_bookings=offer_bookings(offers(folded), partitions),
        leg_bookings=leg_bookings(legs_relation or legs(folded), partitions),
        contact_bookings=contact_bookings(contacts_with_ivr or contacts(folded, with_ivr=True), partitions),
        by=own_partition(CONTACT_PARTITION, partitions)["by"],
    )


def fcr(contacts_relation: str) -> str:
    """Repeat contacts: a fact per candidate, columns as table `fcr`. Needs all contacts of each customer."""
    return compose("oracle", "fcr", contacts=contacts_relation)


def fcr_windows(fcr_relation: str, partitions: int = 0) -> str:
    """FCR windows: window_start, channel, queue, days and the measures, columns as table `fcr_windows`."""
    return compose("oracle", "fcr_windows", fcr=fcr_relation, **own_partition(CUSTOMER_PARTITION, partitions))


def agent_quarters(legs_relation: str, agent_events: str = AGENT_EVENTS) -> str:
    """Quarter-hours of agents, columns as table `agent_quarters`. Needs all legs of each agent."""
    return compose("oracle", "agent_quarters", legs=legs_relation, histories=agent_histories(agent_events))
