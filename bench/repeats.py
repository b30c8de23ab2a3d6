"""Incremental first contact resolution: CPU per changed contact, by the number of contacts a customer has.

`python -m bench.repeats` prints the table, the tallies that a change moves included. `latest` is a contact
that follows all others, as live ones do; `moved` leaves its place among the others for another: the worst.
"""

import random
import time
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from kpis.fcr.customer_contacts import CustomerContacts
from kpis.fcr.visit import Visit
from kpis.rules import FcrRules
from kpis.tallies.fcr import fcr_contribution
from schemas.time_units import HOUR_MS

PUTS = 20_000
HELD = (1, 10, 100, 1_411, 10_000, 100_000)
VISIT = Visit(
    customer_key="k",
    contact_id="",
    channel="voice",
    queue="A",
    agent="ann",
    team="",
    reason="",
    started_at=0,
    entered_at=0,
    ended_at=0,
    handled=1,
    failed=0,
    level1_resolvable=1,
    transfers=0,
    countable=1,
    wants_callback=0,
    callback_of=None,
)


def at(number: int, begin: int) -> Visit:
    """A contact that began at a time."""
    return replace(
        VISIT, contact_id=f"c{number}", started_at=begin, entered_at=begin, ended_at=begin + 600_000
    )


def visit(number: int, rng: random.Random, held: int) -> Visit:
    """A contact of ten minutes, somewhere in as many hours as the customer has contacts."""
    return at(number, 1_700_000_000_000 + rng.randrange(held * HOUR_MS))


def measure(held: int, moved: bool) -> float:
    """CPU microseconds per put into a customer with so many contacts."""
    rng, rules = random.Random(held), FcrRules()
    index = CustomerContacts(rules)
    for number in range(held):
        index.put(f"c{number}", visit(number, rng, held))
    latest = 1_700_000_000_000 + held * HOUR_MS
    arriving = [
        visit(rng.randrange(held), rng, held) if moved else at(held + number, latest + number * HOUR_MS)
        for number in range(PUTS)
    ]
    started = time.process_time()
    for one in arriving:
        for facts in index.put(one.contact_id, one).values():
            for fact in facts:
                if fact is not None:
                    fcr_contribution(fact, rules)
    return (time.process_time() - started) / PUTS * 1e6


def main() -> None:
    """Print the table."""
    table = Table("contacts of the customer", "latest, us CPU", "moved, us CPU", box=None)
    for held in HELD:
        table.add_row(f"{held:,}", f"{measure(held, False):.1f}", f"{measure(held, True):.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
