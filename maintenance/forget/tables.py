"""ClickHouse's tables: where a customer stands in them, and rows rewritten under the pseudonym."""

# ruff: noqa: S608 -- names are ClickHouse's own; values from outside are query parameters

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from maintenance.forget.pseudonym import Variants
from maintenance.forget.renaming import Renaming
from schemas.codec import decode
from schemas.events import ContactEvent
from schemas.shape import shape
from sinks.forgotten import FORGOTTEN_DETAIL
from sinks.rows import COLUMNS, event_row

# A mutation ends before the command goes on; what it replaced ClickHouse removes from disk by itself.
WAIT = {"mutations_sync": 2}
NAMED = """
SELECT t.name, has(splitByString(', ', t.sorting_key), 'customer_key'),
    (SELECT count() FROM system.columns AS c
     WHERE c.database = currentDatabase() AND c.table = t.name AND c.name = 'canonical') > 0
FROM system.tables AS t
WHERE t.database = currentDatabase() AND endsWith(t.engine, 'MergeTree') AND t.name IN (
    SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'customer_key')
ORDER BY t.name
"""
DISPUTED = """
SELECT groupArray((greatest(revision, revision_wide), canonical))
FROM (SELECT DISTINCT contact_id, event_id, revision, revision_wide, canonical FROM events
    WHERE (contact_id, event_id) IN
        (SELECT contact_id, event_id FROM events WHERE customer_key = {key:String}))
GROUP BY contact_id, event_id HAVING count() > 1
"""
# Every column that can hold a text, of every table that keeps rows.
TEXTS = """
SELECT table, groupArray(name) FROM system.columns
WHERE database = currentDatabase() AND match(type, 'String') AND table IN (
    SELECT name FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree'))
GROUP BY table ORDER BY table
"""
# Sums of numbers must stay what they are, and so must how many facts there are.
DIGEST = "SELECT count(), toString(groupBitXor(sipHash64(tuple({columns})))) FROM {table} FINAL"
TOTALS = {
    **{
        table: DIGEST.format(columns="*", table=table)
        for table in ("kpi_windows", "fcr_windows", "agent_quarters", "legs", "surveys")
    },
    **{table: DIGEST.format(columns="* EXCEPT customer_key", table=table) for table in ("contacts", "fcr")},
}


@dataclass(frozen=True, slots=True)
class Named:
    """A table with a column customer_key: is that in its sorting key, and does it hold raw events?"""

    name: str
    by_customer: bool
    raw: bool


def named_tables(client: Client) -> list[Named]:
    """All tables with customers, those that rebuilds have left among them."""
    return [Named(name, bool(by), bool(raw)) for name, by, raw in client.query(NAMED).result_rows]


def rows_of(client: Client, keys: Sequence[str]) -> dict[str, int]:
    """Rows of these customers by table, versions that wait to be merged away included."""
    found = {}
    for table in named_tables(client):
        sql = f"SELECT count() FROM `{table.name}` WHERE customer_key IN {{keys:Array(String)}}"
        found[table.name] = int(client.query(sql, parameters={"keys": [*keys]}).result_rows[0][0])
    found["dead_letters"] = len(letters_of(client, keys))
    return found


def disputed(client: Client, key: str) -> list[Variants]:
    """Events of a customer that have several variants."""
    rows = client.query(DISPUTED, parameters={"key": key}, query_formats={"String": "bytes"}).result_rows
    return [[(int(revision), bytes(canonical)) for revision, canonical in row[0]] for row in rows]


def latest_ms(client: Client, keys: Sequence[str]) -> int:
    """When the last event happened that names one of these customers; 0 where there is none."""
    latest = "SELECT toUnixTimestamp64Milli(max(occurred_at)) FROM events"
    sql = f"{latest} WHERE customer_key IN {{keys:Array(String)}}"
    return max(int(client.query(sql, parameters={"keys": [*keys]}).result_rows[0][0]), 0)


def totals(client: Client) -> dict[str, list[str]]:
    """Rows and a digest of each table whose numbers must stay."""
    return {table: [str(v) for v in client.query(sql).result_rows[0]] for table, sql in TOTALS.items()}


def rewrite(client: Client, renaming: Renaming, on_table: Callable[[str], None] = lambda _: None) -> None:
    """Put the pseudonym in place, everywhere. Interrupted it can be run again."""
    for table in named_tables(client):
        on_table(table.name)
        for key, name in renaming.names.items():
            if table.raw:
                rewrite_events(client, table.name, key, renaming)
            elif table.by_customer:
                move(client, table.name, key, name)
            else:
                update(client, table.name, key, name)
    on_table("dead_letters")
    rewrite_letters(client, [*renaming.names])


def update(client: Client, table: str, key: str, name: str) -> None:
    """Rows with the customer outside of their sorting key."""
    sql = f"ALTER TABLE `{table}` UPDATE customer_key = {{name:String}} WHERE customer_key = {{key:String}}"
    client.command(sql, parameters={"key": key, "name": name}, settings=WAIT)


def remove(client: Client, table: str, key: str) -> None:
    """Delete the rows of a key, from disk as well."""
    sql = f"ALTER TABLE `{table}` DELETE WHERE customer_key = {{key:String}}"
    client.command(sql, parameters={"key": key}, settings=WAIT)


def move(client: Client, table: str, key: str, name: str) -> None:
    """Rows whose sorting key has the customer: written anew, then deleted."""
    # From a relation of its own: in WHERE the new customer_key would be meant.
    client.command(
        f"INSERT INTO `{table}` SELECT * REPLACE ({{name:String}} AS customer_key) FROM "
        f"(SELECT * FROM `{table}` WHERE customer_key = {{key:String}})",
        parameters={"key": key, "name": name},
    )
    remove(client, table, key)


def rewrite_events(client: Client, table: str, key: str, renaming: Renaming) -> None:
    """Raw events, whose canonical bytes hold the customer as well: new rows first, then the old ones go."""
    sql = f"SELECT DISTINCT canonical FROM `{table}` WHERE customer_key = {{key:String}}"
    with client.query_row_block_stream(
        sql, parameters={"key": key}, query_formats={"String": "bytes"}
    ) as stream:
        rows = []
        for block in stream:
            for (raw,) in block:
                canonical = renaming.event(raw)
                event: ContactEvent = decode(canonical)  # type: ignore[assignment]
                rows.append(event_row(event, canonical))
    if rows:
        client.insert(table, rows, column_names=COLUMNS["events"])
    remove(client, table, key)


def letters_of(client: Client, keys: Sequence[str]) -> list[tuple[str, int, bytes, bytes]]:
    """Dead letters that name one of the customers: origin, position, detail, payload."""
    condition = " OR ".join(
        f"position(payload, {{k{n}:String}}) > 0 OR position(detail, {{k{n}:String}}) > 0"
        for n in range(len(keys))
    )
    found = client.query(
        f"SELECT DISTINCT origin, position, detail, payload FROM dead_letters WHERE {condition}",
        parameters={f"k{n}": key for n, key in enumerate(keys)},
        query_formats={"String": "bytes"},
    )
    return [(row[0].decode(), int(row[1]), bytes(row[2]), bytes(row[3])) for row in found.result_rows]


def rewrite_letters(client: Client, keys: Sequence[str]) -> None:
    """Of dead letters that name one of the customers the shape stays; closed ones stay closed."""
    for origin, position, detail, payload in letters_of(client, keys):
        said = FORGOTTEN_DETAIL if any(key.encode() in detail for key in keys) else detail.decode()
        kept = shape(payload) if any(key.encode() in payload for key in keys) else payload
        values = {"origin": origin, "at": position, "old": payload.hex(), "new": kept.hex(), "detail": said}
        this = "origin = {origin:String} AND position = {at:UInt64}"
        client.command(
            "INSERT INTO dead_letters SELECT * REPLACE (unhex({new:String}) AS payload, {detail:String} AS "
            "detail) "
            f"FROM (SELECT * FROM dead_letters FINAL WHERE {this} AND payload = unhex({{old:String}}))",
            parameters=values,
        )
        closed = f"{this} AND payload_hash = sipHash64(unhex({{old:String}}))"
        if kept != payload:
            client.command(
                "INSERT INTO dead_letters_closed SELECT * REPLACE (sipHash64(unhex({new:String})) AS "
                "payload_hash) "
                f"FROM (SELECT * FROM dead_letters_closed FINAL WHERE {closed})",
                parameters=values,
            )
            for table, where in (
                ("dead_letters_closed", closed),
                ("dead_letters", f"{this} AND payload = unhex({{old:String}})"),
            ):
                client.command(f"ALTER TABLE {table} DELETE WHERE {where}", parameters=values, settings=WAIT)
    if keys:
        condition = " OR ".join(f"position(detail, {{k{n}:String}}) > 0" for n in range(len(keys)))
        client.command(
            f"ALTER TABLE dead_letters DELETE WHERE {condition}",
            parameters={f"k{n}": key for n, key in enumerate(keys)},
            settings=WAIT,
        )


def still_named(client: Client, keys: Sequence[str]) -> dict[str, int]:
    """Rows in which one of the keys still stands in any text, by table and column; none is the aim."""
    found: dict[str, int] = {}
    parameters = {f"k{n}": key for n, key in enumerate(keys)}
    for table, columns in client.query(TEXTS).result_rows:
        counts = [
            "countIf("
            + " OR ".join(f"position(toString(`{column}`), {{k{n}:String}}) > 0" for n in range(len(keys)))
            + ")"
            for column in columns
        ]
        row = client.query(f"SELECT {', '.join(counts)} FROM `{table}`", parameters=parameters).result_rows[0]
        found |= {f"{table}.{column}": int(n) for column, n in zip(columns, row, strict=True) if n}
    return found
