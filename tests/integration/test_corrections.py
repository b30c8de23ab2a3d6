"""What was known when: each moment as readers saw it, and each change with the events that made it."""

import random
from collections.abc import Iterator
from datetime import UTC
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect
from support.worlds import BASE_MS, random_contact

from cli.console import Format
from cli.corrections import print_corrections
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES
from reports.corrections import corrections_of
from reports.explain.reading import Asked, NoExplanation
from schemas.codec import encode
from schemas.events import ContactEvent
from schemas.placement import partition_of
from schemas.time_units import DAY_MS, MINUTE_MS
from schemas.topics import CONTACT_EVENTS
from sinks.buffer import Buffer
from sinks.retention import keep_for
from sinks.rows import COLUMNS
from sql.views.others import corrections, window_as_published
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import Record
from streams.stages.contacts.stage import Contacts
from streams.stages.documents import row_version
from streams.state.memory import in_memory
from streams.state.table import Table

pytestmark = pytest.mark.stack
PARTITIONS = 2
KEPT = ("events", "arrivals", "kpi_windows")
FIRST_MS = BASE_MS + 30 * DAY_MS  # long after all windows: each change is a correction
Snapshot = dict[tuple[int, str, str, str], int]


class Stream:
    """A contact stage and its sink, batch by batch, with the time of each."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stage = Contacts(
            Table(in_memory(), "state"),
            Table(in_memory(), "totals"),
            decode_single_object,
            DEFAULT_RULES,
            PARTITIONS,
        )
        self.next = [0] * PARTITIONS
        self.snapshots: list[tuple[int, Snapshot]] = [(FIRST_MS, {})]
        self.batches: list[set[tuple[str, str]]] = [set()]

    def batch(self, partition: int, events: list[ContactEvent]) -> None:
        """Apply a batch, store what the sink stores of it, and remember what readers see then."""
        at, buffer = self.snapshots[-1][0] + MINUTE_MS, Buffer(decode_single_object)
        pairs = [(event.contact_id.encode(), encode(event)) for event in events]
        records = [Record(offset, *pair) for offset, pair in enumerate(pairs, self.next[partition])]
        self.next[partition] += len(records)
        version = row_version(0, records[-1].offset)
        work = self.stage.apply(partition, records, version)
        self.stage.state.put(partition, work.states)
        self.stage.totals.put(partition, [*work.totals.items()])
        for record in records:
            buffer.add(taken(CONTACT_EVENTS, partition, record, at))
        for number, (key, value) in enumerate(work.totals.items()):
            topic, place, (key, value) = self.stage.total_output(partition, key, value, version)
            buffer.add(taken(topic, place, Record(number, key, value), at))
        self.store(buffer, at)
        self.snapshots.append((at, self.seen()))
        self.batches.append({(event.contact_id, event.event_id) for event in events})

    def store(self, buffer: Buffer, at: int) -> None:
        rows = buffer.rows()
        for table in KEPT:
            if rows.get(table):
                self.client.insert(table, rows[table], column_names=COLUMNS[table])
        if published := rows.get("published_windows"):
            # Twice, as by a sink that was killed before it committed.
            for late in (0, 1):
                lines = [[*row, at + late] for row in published]
                names = (*COLUMNS["published_windows"], "published_at")
                self.client.insert("published_windows", lines, column_names=names)

    def seen(self) -> Snapshot:
        sums = ", ".join(f"sum({name})" for name in MEASURES)
        rows = self.client.query(
            f"SELECT toUnixTimestamp64Milli(window_start), channel, queue, {sums} FROM kpi_windows FINAL "
            "GROUP BY window_start, channel, queue"
        ).result_rows
        return {
            (start, channel, queue, name): value
            for start, channel, queue, *values in rows
            for name, value in zip(MEASURES, values, strict=True)
            if value
        }


def taken(topic: str, partition: int, record: Record, at: int) -> Any:
    return SimpleNamespace(
        topic=topic,
        partition=partition,
        offset=record.offset,
        timestamp=at,
        key=record.key,
        value=record.value,
    )


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stream]:
    rng = random.Random(20_260_105)
    client = connect(tmp_path_factory.mktemp("corrections") / "db")
    keep_for(client, 3_650)  # these times are long ago
    found = Stream(client)
    events: list[list[ContactEvent]] = [[] for _ in range(PARTITIONS)]
    for number in range(40):
        some = random_contact(rng, f"k{number}")
        events[partition_of(f"k{number}".encode(), PARTITIONS)] += some + rng.sample(some, len(some) // 3)
    for partition in range(PARTITIONS):
        rng.shuffle(events[partition])
    while any(events):
        partition = rng.choice([number for number in range(PARTITIONS) if events[number]])
        size = rng.randint(1, 25)
        found.batch(partition, events[partition][:size])
        del events[partition][:size]
    for statement in (window_as_published(), corrections()):
        client.command(statement)
    yield found
    client.close()


def test_each_moment_as_it_was_seen(stream: Stream) -> None:
    assert len(stream.snapshots) > 10
    for at, expected in stream.snapshots[1:]:
        rows = stream.client.query(
            "SELECT toUnixTimestamp64Milli(window_start), channel, queue, measures "
            "FROM window_as_published(moment = fromUnixTimestamp64Milli({at:Int64}, 'UTC'))",
            parameters={"at": at + 30_000},
        ).result_rows
        seen = {(row[0], row[1], row[2], name): n for row in rows for name, n in row[3].items() if n}
        assert seen == expected


def test_each_change_is_a_row_with_its_events(stream: Stream) -> None:
    expected, batch_of = {}, {}
    for (_, before), (at, after), batch in zip(
        stream.snapshots, stream.snapshots[1:], stream.batches[1:], strict=False
    ):
        for key in before.keys() | after.keys():
            if before.get(key, 0) != after.get(key, 0):
                expected[at, *key] = (before.get(key, 0), after.get(key, 0))
                batch_of[at] = batch
    rows = stream.client.query(
        "SELECT toUnixTimestamp64Milli(corrected_at), toUnixTimestamp64Milli(window_start), channel, queue, "
        "measure, old_value, new_value, events FROM corrections"
    ).result_rows
    assert {row[:5]: row[5:7] for row in rows} == expected
    assert len(rows) == len(expected) > 500
    times = {at for at, _ in stream.snapshots}
    for at, start, _, _, _, _, _, events in rows:
        named = {(contact, event) for _, contact, event, _, _ in events}
        assert named & batch_of[at], (at, start)
        for happened, _, _, _, delay in events:
            came = round(happened.replace(tzinfo=UTC).timestamp() * 1000) + delay
            assert came in times
            assert came <= at


def test_what_changed_is_said(stream: Stream, capsys: pytest.CaptureFixture[str]) -> None:
    kpis = every_kpi(DEFAULT_RULES)
    start, channel, queue, old, new, events = stream.client.query(
        "SELECT toUnixTimestamp64Milli(window_start), channel, queue, old_value, new_value, events "
        "FROM corrections WHERE measure = 'answered' AND notEmpty(events) ORDER BY corrected_at LIMIT 1"
    ).result_rows[0]
    asked = Asked(kpis["answered"], start, start + MINUTE_MS, start, channel, queue, "UTC")
    found = corrections_of(stream.client, asked)
    assert (found[0].old_value, found[0].new_value) == (old, new)
    assert {one.measure for one in found} == {"answered"}
    print_corrections(found, asked, 50, Format.text)
    said = capsys.readouterr().out
    assert said.startswith("Answered (answered): Offered legs that an agent took. It is answered.\n")
    assert f"answered was {old} and is {new} since" in said
    assert f"{events[0][3]} of contact {events[0][1]} came" in said
    elsewhere = Asked(kpis["answered"], start, start + MINUTE_MS, start, channel, "nowhere", "UTC")
    print_corrections(corrections_of(stream.client, elsewhere), elsewhere, 50, Format.text)
    assert "no number of this period was changed" in capsys.readouterr().out
    with pytest.raises(NoExplanation, match="sums of windows"):
        corrections_of(stream.client, Asked(kpis["peak_hour"], start, start + 1, start, None, None, "UTC"))


def test_kept_as_long_as_is_asked(stream: Stream) -> None:
    before = stream.client.query("SELECT count() FROM published_windows").result_rows[0][0]
    assert before
    keep_for(stream.client, 3_650)
    assert stream.client.query("SELECT count() FROM published_windows").result_rows[0][0] == before
    keep_for(stream.client, 1)
    stream.client.command("OPTIMIZE TABLE published_windows FINAL")
    assert stream.client.query("SELECT count() FROM published_windows").result_rows[0][0] == 0
