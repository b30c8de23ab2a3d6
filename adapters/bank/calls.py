"""The "Anonymous Bank" call log (Technion): one row per call -> the events of that call, or why not.

Times are local (Asia/Jerusalem). An hour that clocks show twice is taken as the first of the two, and a time
that clocks skip as if they had not been set forward yet (fold=0 of zoneinfo): the same on every run.
"""

from dataclasses import dataclass
from typing import Any

from adapters.bank.times import DAY_S, call_times, to_date, to_number, to_seconds
from adapters.kit.outcomes import InvalidInput, build
from schemas.customer_key import customer_key
from schemas.events import Event
from schemas.shape import quoted

SOURCE = "bank"
COLUMNS = (
    "vru+line", "call_id", "customer_id", "priority", "type", "date", "vru_entry", "vru_exit", "vru_time",
    "q_start", "q_exit", "q_time", "outcome", "ser_start", "ser_exit", "ser_time", "server",
)  # fmt: skip
CUSTOMER_COLUMN = COLUMNS.index("customer_id")
PRIORITY_COLUMN = COLUMNS.index("priority")
OUTCOMES = ("AGENT", "HANG", "PHANTOM")
NO_AGENT = "NO_SERVER"
NEAR_S = 3600  # a call enters the queue within an hour of leaving the IVR
NO_TYPE = "unknown"  # queue of a call without a type: it was offered, so it counts


@dataclass(frozen=True, slots=True)
class Call:
    """A row of the log, repaired: times UTC milliseconds, durations milliseconds."""

    contact_id: str
    customer: str
    type: str
    outcome: str
    agent: str | None
    started_at: int
    offered_at: int
    queued: bool
    queue_ms: int
    service_ms: int


def repair(cells: list[str]) -> list[str]:
    """The 17 columns of a row without stray spaces. Raises InvalidInput.

    Some rows hold priority and type in one cell ("0       TT"), so all later columns are one to the left.
    """
    cells = [cell.strip() for cell in cells]
    if len(cells) > PRIORITY_COLUMN and len(parts := cells[PRIORITY_COLUMN].split()) == 2:
        cells = [*cells[:PRIORITY_COLUMN], *parts, *cells[PRIORITY_COLUMN + 1 :]]
    while len(cells) > len(COLUMNS) and not cells[-1]:
        cells.pop()
    if len(cells) != len(COLUMNS):
        raise InvalidInput("wrong_columns", f"{len(cells)} columns; a call has {len(COLUMNS)}")
    return cells


def agent_name(server: str) -> str | None:
    """Name of the agent, None if unknown. The log had "NA" replaced by "NO_SERVER" in all names (ANAT)."""
    return None if server in ("", NO_AGENT) else server.replace(NO_AGENT, "NA")


def parse_call(row: dict[str, str]) -> Call:
    """The call that a row tells of. Raises InvalidInput.

    Durations (q_time, ser_time) are trusted, and of the clock times only the queue's and the IVR's: ser_start
    is earlier than q_exit in four of ten queued calls. q_start 0:00:00 means "never queued"; it is midnight
    only with a wait and an IVR exit near midnight.
    """
    if not row["vru+line"] or not row["call_id"]:
        raise InvalidInput("no_identity", "vru+line or call_id is empty: the call cannot be told from others")
    queue_s, service_s = to_number("q_time", row["q_time"]), to_number("ser_time", row["ser_time"])
    q_start = to_seconds("q_start", row["q_start"])
    queued = q_start != 0 or queue_s > 0
    date = to_date(row["date"])
    entry, left_ivr = to_seconds("vru_entry", row["vru_entry"]), to_seconds("vru_exit", row["vru_exit"])
    at_midnight = q_start == 0 and min(left_ivr, DAY_S - left_ivr) < NEAR_S
    offered = q_start if queued and (q_start or at_midnight) else left_ivr
    started_at, offered_at = call_times(date, entry, offered)
    return Call(
        contact_id=f"{SOURCE}-{row['vru+line']}-{row['call_id']}",
        customer=row["customer_id"],
        type=row["type"] or NO_TYPE,
        outcome=row["outcome"],
        agent=agent_name(row["server"]),
        started_at=started_at,
        offered_at=offered_at,
        queued=queued,
        queue_ms=queue_s * 1000 if queued else 0,
        service_ms=service_s * 1000,
    )


def call_events(call: Call, secret: bytes) -> tuple[Event, ...]:
    """The events of a call. A call that hung up before it was queued ended in the IVR: it was not offered."""

    def event(name: str, occurred_at: int, **more: Any) -> Event:
        envelope = {
            "event_id": name,
            "contact_id": call.contact_id,
            "occurred_at": occurred_at,
            "source": SOURCE,
        }
        return build(f"contact_{name}", envelope | more)

    key = customer_key(call.customer, secret)
    started = event("started", call.started_at, entry="ivr", customer_key=key, reason=call.type)
    if call.outcome == "HANG" and not call.queued:
        return started, event("abandoned", call.offered_at, place="ivr")
    queued = event("queued", call.offered_at, queue=call.type)
    left_at = call.offered_at + call.queue_ms
    if call.outcome == "HANG":
        return started, queued, event("abandoned", left_at, place="queue")
    answered = event("answered", left_at, agent=call.agent)
    return started, queued, answered, event("resolved", left_at + call.service_ms, by="agent")


def parse_row(line: bytes, secret: bytes) -> tuple[Event, ...] | None:
    """Events of a row of the log; None for a PHANTOM call, which no person made. Raises InvalidInput."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("invalid_utf8", f"byte {error.start} is not UTF-8") from None
    row = dict(zip(COLUMNS, repair(text.split("\t")), strict=True))
    if row["outcome"] not in OUTCOMES:
        known = ", ".join(OUTCOMES)
        raise InvalidInput("unknown_outcome", f"outcome {quoted(row['outcome'])}; known are {known}")
    return None if row["outcome"] == "PHANTOM" else call_events(parse_call(row), secret)


def is_header(line: bytes) -> bool:
    """Is this the first line of a call log?"""
    names = line.decode("utf-8", "replace").split("\t")
    return tuple(name.strip().lower() for name in names) == COLUMNS


def customers_of(line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a row."""
    cells = line.decode("utf-8", "replace").split("\t")
    return (cells[CUSTOMER_COLUMN].strip(),) if len(cells) > CUSTOMER_COLUMN else ()


def without_customer(line: bytes) -> bytes:
    """The row with an unknown customer: a dead letter carries no customer identifier either."""
    cells = line.split(b"\t")
    if len(cells) > CUSTOMER_COLUMN:
        cells[CUSTOMER_COLUMN] = b"0"
    return b"\t".join(cells)
