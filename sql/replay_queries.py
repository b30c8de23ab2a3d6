"""SQL that says what a replay would change, before it is done. Relations are tables, or in brackets."""

# ruff: noqa: S608 -- names and relations are ours

from collections.abc import Sequence

from sql.templates import compose, fill
from sql.verify_queries import number_of, quoted

IDENTITY = "contact_id, event_id, revision, canonical"


def both(events: str, added: str) -> str:
    """Events as they are and those that are to be added."""
    return f"(SELECT * FROM {events} UNION ALL SELECT * FROM {added})"


def scope(events: str, added: str) -> str:
    """Contacts whose numbers the added events may change."""
    return compose("verify", "replay_scope", both=both(events, added), added=added)


def within(relation: str, contacts: str) -> str:
    """Events of these contacts."""
    return f"(SELECT * FROM {relation} WHERE contact_id IN {contacts})"


def new_events(events: str, added: str) -> str:
    """How many of the added events are not there yet: one row."""
    return (
        f"SELECT count() FROM (SELECT DISTINCT {IDENTITY} FROM {added}) AS a LEFT ANTI JOIN "
        f"(SELECT {IDENTITY} FROM {events} WHERE contact_id IN (SELECT contact_id FROM {added})) AS b "
        f"USING ({IDENTITY})"
    )


def windows_changed(keys: Sequence[str], measures: Sequence[str], earlier: str, later: str, most: int) -> str:
    """The first windows that differ: key, key_hash, and `windows`, how many there are in all."""
    return fill(
        "verify",
        "windows_changed",
        key=", ".join(keys),
        number=number_of(measures),
        earlier=earlier,
        later=later,
        most=str(most),
    )


def window_changes(
    keys: Sequence[str], measures: Sequence[str], standing: str, earlier: str, later: str
) -> str:
    """A row per window that changes and is among {hashes}: key, and `changes` as (measure, now, then)."""
    return fill(
        "verify",
        "window_changes",
        key=", ".join(keys),
        names=quoted(measures),
        tally="[" + ", ".join(measures) + "]",
        zeros=f"arrayWithConstant({len(measures)}, toInt64(0))",
        earlier=earlier,
        later=later,
        standing_table=standing,
    )
