"""Raw events for `bench.rebuild`: a simulated centre many times, and every Nth contact spoilt for a while."""

from clickhouse_connect.driver.client import Client

from bench.events import Input
from schemas.codec import decode
from schemas.events import AgentStateChanged, SourceHeartbeat
from sinks.rows import COLUMNS, event_row

PAGE = 50_000
NAMES = ("contact_id", "customer_key", "callback_of", "parent_contact_id", "merged_into", "to_contact_id")
HELD = "bench_held"
TOO_MANY = "~never"  # ends the ids of contacts that never were


def store(client: Client, data: Input, copies: int) -> int:
    """Store the events and their copies; how many rows."""
    client.command("CREATE TABLE bench_base AS events")
    for begin in range(0, len(data.messages), PAGE):
        rows = []
        for message in data.messages[begin : begin + PAGE]:
            event = decode(message.value)
            if not isinstance(event, AgentStateChanged | SourceHeartbeat):
                rows.append(event_row(event, message.value))
        client.insert("bench_base", rows, column_names=COLUMNS["events"])
    for copy in range(copies):
        client.command(f"INSERT INTO events SELECT {renamed(f'~{copy}')} FROM bench_base")
    client.command("DROP TABLE bench_base")
    return int(client.query("SELECT count() FROM events").result_rows[0][0])


def renamed(ending: str) -> str:
    """Columns of events, those that name contacts and customers with an ending."""
    named = ", ".join(f"concat({name}, '{ending}') AS {name}" for name in NAMES)
    return f"* REPLACE ({named})"


def spoil(client: Client, every: int) -> int:
    """Of every so manyth contact take away half of the events, and store one more that never was.

    How many contacts lack events.
    """
    lacking = f"cityHash64(contact_id) % {every} = 0 AND cityHash64(event_id) % 2 = 0"
    never = f"cityHash64(contact_id) % {every} = 1"
    client.command(f"CREATE TABLE {HELD} AS events")
    client.command(f"INSERT INTO {HELD} SELECT * FROM events WHERE {lacking}")
    client.command(f"INSERT INTO events SELECT {renamed(TOO_MANY)} FROM events WHERE {never}")
    client.command(f"ALTER TABLE events DELETE WHERE {lacking}", settings={"mutations_sync": 2})
    return int(client.query(f"SELECT uniqExact(contact_id) FROM {HELD}").result_rows[0][0])


def mend(client: Client) -> None:
    """Bring back what was taken away, and remove the contacts that never were."""
    client.command(f"INSERT INTO events SELECT * FROM {HELD}")
    client.command(f"DROP TABLE {HELD}")
    never = f"contact_id LIKE '%{TOO_MANY}'"
    client.command(f"ALTER TABLE events DELETE WHERE {never}", settings={"mutations_sync": 2})
