"""SQL of dead letters: those that are open, those that were closed and how, and closing them."""

# ruff: noqa: S608 -- columns and conditions are ours; values from outside are query parameters

COLUMNS = ("origin", "position", "reason", "detail", "failed_at")
KEY = "origin, position, sipHash64(payload)"
# What was refused again after it had been closed is open.
STATED = """(
    SELECT d.*, ifNull(c.how, '') AS how, c.closed_at AS closed_at
    FROM (SELECT *, sipHash64(payload) AS payload_hash FROM dead_letters FINAL) AS d
    LEFT JOIN (
        SELECT origin, position, payload_hash, failed_at AS of_failure,
            toNullable(toString(how)) AS how, toNullable(closed_at) AS closed_at
        FROM dead_letters_closed FINAL
    ) AS c
    ON d.origin = c.origin AND d.position = c.position AND d.payload_hash = c.payload_hash
        AND d.failed_at <= c.of_failure
)"""


def letters(where: str, limit: int, payloads: bool, closed: bool) -> str:
    """Dead letters of a condition, the latest first; with `closed` also those that are done with."""
    columns = ", ".join(
        (*COLUMNS, "how", "closed_at", *(["hex(payload) AS payload_hex"] if payloads else []))
    )
    open_ = "1" if closed else "how = ''"
    return (
        f"SELECT {columns} FROM {STATED} WHERE ({where}) AND {open_} "
        f"ORDER BY failed_at DESC, position DESC LIMIT {limit:d}"
    )


def open_letters() -> str:
    """How many are open: one row."""
    return f"SELECT count() FROM {STATED} WHERE how = ''"


def open_by_reason() -> str:
    """How many are open, by reason, the most first."""
    return f"SELECT reason, count() AS n FROM {STATED} WHERE how = '' GROUP BY reason ORDER BY n DESC, reason"


def close(where: str) -> str:
    """Close the open ones that a condition holds for, in the way {how:String}."""
    return (
        "INSERT INTO dead_letters_closed (origin, position, payload_hash, failed_at, how) "
        f"SELECT {KEY}, failed_at, {{how:String}} FROM {STATED} WHERE ({where}) AND how = ''"
    )
