"""A year of contacts made by ClickHouse itself: what a BI tool reads, for `bench.bi`.

Legs and windows agree in their counts; the rest of their columns is there to be read, not to be believed.
"""

from clickhouse_connect.driver.client import Client

from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.windows import MEASURES
from sql.templates import compose

FIRST = "toDateTime64('2025-01-01 00:00:00', 3, 'UTC')"
YEAR_S = 365 * 86_400
QUEUES = 8
PARTITIONS = 4
AT_ONCE = 1_000_000
# Of contact `number`: when, where, how long. Ids are as a telephone system's: no order of time in them.
CONTACT = f"""
    concat('c', hex(sipHash64(number))) AS contact_id, 1 AS leg, 'voice' AS channel, 'inbound' AS direction,
    concat('queue-', toString(sipHash64(number, 1) % {QUEUES})) AS queue,
    concat('agent-', toString(sipHash64(number, 2) % 200)) AS agent, 'team' AS team, '' AS reason,
    {FIRST} + toIntervalMillisecond(intDiv(number * {YEAR_S} * 1000, {{contacts}})) AS entered_at,
    entered_at + toIntervalMillisecond(queue_ms) AS answered_at,
    answered_at + toIntervalMillisecond(200000) AS ended_at, ended_at AS handled_at,
    1 AS offered, 1 AS handled, 1 AS answered, sipHash64(number, 3) % 60000 AS queue_ms,
    200000 AS talk_ms, 0 AS hold_ms, 200000 AS handle_ms, number + 1 AS version,
    map('brand', ['north', 'south', 'east'][sipHash64(number, 4) % 3 + 1], 'language', 'en') AS dimensions,
    entered_at AS started_at, queue AS entry_queue, 1 AS legs, queue_ms AS wait_ms"""
LEG_COLUMNS = (
    "contact_id, leg, channel, direction, queue, agent, team, reason, entered_at, answered_at, ended_at, "
    "handled_at, offered, handled, answered, queue_ms, talk_ms, hold_ms, handle_ms, version, dimensions"
)
CONTACT_COLUMNS = (
    "contact_id, channel, direction, queue, agent, team, reason, started_at, entered_at, ended_at, "
    "entry_queue, legs, offered, handled, answered, queue_ms, wait_ms, handle_ms, version, dimensions"
)
WINDOW_VALUES = {
    "offered": "count()",
    "answered": "count()",
    "wait_ms": "sum(queue_ms)",
    "wait_n": "count()",
    "queue_ms": "sum(queue_ms)",
    "queue_n": "count()",
    "answered_in_target": "countIf(queue_ms <= 20000)",
    "service_level_n": "count()",
    "handled": "count()",
    "handle_n": "count()",
    "handle_ms": "sum(handle_ms)",
    "talk_ms": "sum(talk_ms)",
    "contacts": "count()",
    "contacts_inbound": "count()",
}


def fill(client: Client, contacts: int) -> None:
    """So many contacts, evenly over 2025, as facts, windows and windows of repeat contacts."""
    columns = CONTACT.replace("{contacts}", str(contacts))
    for first in range(0, contacts, AT_ONCE):
        count = min(AT_ONCE, contacts - first)
        for table, names in (("legs", LEG_COLUMNS), ("contacts", CONTACT_COLUMNS)):
            client.command(
                f"INSERT INTO {table} ({names}) SELECT {names} FROM "
                f"(SELECT {columns} FROM numbers({first}, {count}))"
            )
        legs = f"(SELECT {columns}, 0 AS hold_n, 0 AS hold_max_ms FROM numbers({first}, {count}))"
        client.command(
            f"INSERT INTO leg_durations SELECT *, {first + 1} AS version, 0 AS is_deleted "
            f"FROM {compose('oracle', 'leg_durations', legs=legs)}"
        )
        windows(client, columns, first, count)
    for table in ("legs", "contacts", "leg_durations", "kpi_windows", "fcr_windows"):
        client.command(f"OPTIMIZE TABLE {table} FINAL", settings={"max_execution_time": 0})


def windows(client: Client, columns: str, first: int, count: int) -> None:
    """The windows of these contacts: a row per minute, queue and partition."""
    source = (
        f"(SELECT *, toStartOfMinute(entered_at) AS minute, sipHash64(contact_id) % {PARTITIONS} AS part "
        f"FROM (SELECT {columns} FROM numbers({first}, {count})))"
    )
    zeros = {name: WINDOW_VALUES.get(name, "0") for name in MEASURES}
    # A batch may cut a minute in two: its rows then have the same key, so a part of the key tells them apart.
    where = (
        f"toDateTime64(minute, 3) AS window_start, channel, queue, part + {PARTITIONS * (first // AT_ONCE)}"
    )
    client.command(
        f"INSERT INTO kpi_windows (window_start, channel, queue, partition, {', '.join(zeros)}, version) "
        f"SELECT {where} AS p, {', '.join(zeros.values())}, 1 FROM {source} "
        "GROUP BY window_start, channel, queue, p"
    )
    judged = {name: "count()" if name in ("anchors", "candidates") else "0" for name in FCR_MEASURES}
    client.command(
        "INSERT INTO fcr_windows (window_start, channel, queue, days, partition, "
        f"{', '.join(judged)}, version) "
        f"SELECT {where.replace(', queue, ', ', queue, days, ')} AS p, {', '.join(judged.values())}, 1 "
        f"FROM {source} ARRAY JOIN [1, 7] AS days GROUP BY window_start, channel, queue, days, p"
    )
