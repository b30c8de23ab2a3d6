"""First contact resolution by SQL over made-up contacts: `python -m bench.fcr [--contacts N]`.

Two rows, from a table that lies as the oracle stores it. `gross, 7 d` is the KPI: anchors and failures within
seven days, contacts for the same reason, one array per customer. `every fact` is the oracle's statement, read
in full: call-backs joined, the contact before and after each, all columns, from which all KPIs follow.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from chdb.session import Session

from bench.meter import Outcome, Stopwatch, run
from bench.table import show
from kpis.rules import DEFAULT_RULES
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle

GROSS, FACTS = "FCR by SQL, gross, 7 d", "FCR by SQL, every fact"
# The shape that was measured best: sorted within the customer, each contact beside the next. The third part
# of a contact is twice its end plus whether it failed by itself, 0 without an end: two would be slower.
SHAPE = """
SELECT sum(length(v)) AS candidates, sum(arrayCount(a -> a.3 > 1, v)) AS anchors,
    sum(arrayCount((a, b) -> a.3 > 1 AND (a.3 % 2 OR (a.1 = b.1 AND b.2 <= intDiv(a.3, 2) + 604800000)),
        v, arrayPushBack(arrayPopFront(v), (toUInt64(0), toInt64(0), toInt64(0))))) AS failed
FROM (
    SELECT arraySort(groupArray((cityHash64(reason), toUnixTimestamp64Milli(started_at),
        if(handled AND isNotNull(ended_at), 2 * toUnixTimestamp64Milli(assumeNotNull(ended_at))
            + (end_type != 'resolved' OR end_detail = 'unresolved' OR reopens > 0), 0)))) AS v
    FROM contacts
    WHERE isNotNull(customer_key) AND direction = 'inbound' AND isNull(callback_of)
        AND NOT short_abandoned AND NOT contained
    GROUP BY customer_key
)
SETTINGS optimize_aggregation_in_order = 1
"""
CONTACTS = 10_000_000
CONTACTS_PER_CUSTOMER = 10 / 3
MADE = """
CREATE TABLE contacts ENGINE = MergeTree ORDER BY (customer_key, contact_id)
SETTINGS allow_nullable_key = 1 AS
WITH cityHash64(number) AS h, cityHash64(number, 1) AS g, cityHash64(number, 2) AS f,
    cityHash64(number, 3) AS e,
    toInt64(1767571200000 + h % (90 * 86400000)) AS start_ms
SELECT concat('c-', lower(hex(h))) AS contact_id,
    toLowCardinality(['voice', 'chat', 'email', 'messaging'][1 + g % 4]) AS channel,
    toLowCardinality(if(f % 10 = 0, 'outbound', 'inbound')) AS direction,
    if(f % 20 = 1, NULL, concat('customer-', toString(e % {customers}))) AS customer_key,
    toLowCardinality(concat('reason-', toString(h % 25))) AS reason,
    if(e % 50 = 0, concat('c-', lower(hex(cityHash64(number - 1 - e % 5)))), NULL) AS callback_of,
    CAST(NULL, 'Nullable(String)') AS forwarded_from, CAST(NULL, 'Nullable(String)') AS consult_of,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS started_at,
    fromUnixTimestamp64Milli(toInt64(start_ms + h % 30000), 'UTC') AS entered_at,
    if(g % 100 < 97, fromUnixTimestamp64Milli(toInt64(start_ms + 1000 + g % 1800000), 'UTC'), NULL)
        AS ended_at,
    toLowCardinality(multiIf(g % 100 >= 97, '', f % 50 = 2, 'transferred', f % 25 = 3, 'abandoned',
        'resolved')) AS end_type,
    toLowCardinality(multiIf(g % 100 >= 97, '', f % 50 = 2, 'callback', f % 25 = 3, 'queue', f % 25 = 4,
        'unresolved', 'resolved')) AS end_detail,
    toLowCardinality(concat('queue-', toString(g % 30))) AS queue,
    toLowCardinality(if(f % 25 = 3, '', concat('agent-', toString(e % 600)))) AS agent,
    toLowCardinality(if(f % 25 = 3, '', concat('team-', toString(e % 30)))) AS team,
    toUInt8(f % 25 != 3) AS handled, toUInt32(e % 10 = 0) AS transfers, toUInt32(h % 30 = 0) AS reopens,
    toUInt8(0) AS contained, toUInt8(f % 100 = 3) AS short_abandoned, toUInt8(h % 7 > 0) AS level1_resolvable
FROM numbers({contacts})
"""


def session(folder: Path) -> Session:
    """ClickHouse over a folder, with the rules."""
    found = Session(str(folder))
    found.query("CREATE DATABASE IF NOT EXISTS bench")
    found.query("USE bench")
    for name, value in rule_parameters(DEFAULT_RULES).items():
        text = str(value).replace("'", "\\'")
        found.query(f"SET param_{name} = '{text}'")
    return found


def make(folder: Path, contacts: int) -> None:
    """Make the contacts up, from hashes of their number."""
    customers = round(contacts / CONTACTS_PER_CUSTOMER)
    session(folder).query(MADE.replace("{contacts}", str(contacts)).replace("{customers}", str(customers)))


def judge(folder: Path, gross: bool) -> None:
    """Judge all of them. Every column is read: what nobody reads ClickHouse does not compute."""
    client = session(folder)
    (contacts,) = map(int, str(client.query("SELECT count() FROM contacts")).split())
    every = f"SELECT count(), sum(anchor), sum(cityHash64(*)) FROM {oracle.fcr('contacts')}"
    with Stopwatch() as used:
        answer = str(client.query(SHAPE if gross else every)).strip().split(",")
    used.report(contacts, f"{answer[0]} judged, {answer[1]} anchors")


def measure(contacts: int = CONTACTS) -> dict[str, Outcome]:
    """Make in one process, judge in others."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "db"
        command = [sys.executable, "-m", "bench.fcr", str(folder), "--contacts", str(contacts), "--make"]
        subprocess.run(command, check=True)
        return {GROSS: run("fcr", folder, "--gross"), FACTS: run("fcr", folder)}


def main() -> None:
    """Measure and print; with a folder, be one of the two processes."""
    parser = argparse.ArgumentParser(prog="python -m bench.fcr", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--gross", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    wanted = parser.parse_args()
    if wanted.folder is None:
        show(measure(wanted.contacts))
    elif wanted.make:
        make(wanted.folder, wanted.contacts)
    else:
        judge(wanted.folder, wanted.gross)


if __name__ == "__main__":
    main()
