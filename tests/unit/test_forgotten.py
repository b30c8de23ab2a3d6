"""Customers who were forgotten: the ledger, the name, and what is rewritten, without Kafka or ClickHouse."""

import gzip
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import contacts, orderly

from adapters.kit.outcomes import WrongFile
from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import visit_of
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES
from maintenance.archive import Form, write_events
from maintenance.files import outcomes
from maintenance.forget.files import rewrite_file
from maintenance.forget.pseudonym import NoPseudonym, counts, draw, renamed
from maintenance.forget.renaming import Renaming
from schemas.codec import decode, encode
from schemas.customer_key import customer_key
from schemas.events import ContactResolved, ContactStarted, Event
from schemas.forgotten import Forgotten, Ledger, Person, person_document, read_ledger
from schemas.topics import CONTACT_FACTS, CONTACTS_CHANGELOG, CUSTOMERS_CHANGELOG, FCR_FACTS
from sinks.forgotten import letter_without_forgotten, without_forgotten
from streams.stages.contacts.event_set import CanonicalEvent, pack, unpack
from streams.stages.forwards import partition_of

SECRET = b"0123456789abcdef"
KEY, OTHER = (customer_key(text, SECRET) or "" for text in ("+49 30 5550100", "ann@example.org"))
NAME, SECOND = "a" * 32, "b" * 32
UNTIL = 1_000_000_000_000


def ledger_of(*times: Forgotten, lines: dict[str, tuple[int, ...]] | None = None) -> Ledger:
    empty = Ledger(b"k" * 32)
    return Ledger(empty.key, {empty.digest(KEY): Person(times, lines or {})})


LEDGER = ledger_of(Forgotten(UNTIL, NAME))


def started(at: int = UNTIL, customer: str | None = KEY, **more: object) -> ContactStarted:
    fields = {"event_id": "e1", "contact_id": "c1", "source": "x"} | more
    return ContactStarted(occurred_at=at, customer_key=customer, **fields)  # type: ignore[arg-type]


def test_what_happened_until_then_is_of_the_name_and_later_of_the_customer() -> None:
    assert LEDGER.applied(started()).customer_key == NAME  # type: ignore[union-attr]
    after = started(UNTIL + 1)
    assert LEDGER.applied(after) is after
    other = started(customer=OTHER)
    assert LEDGER.applied(other) is other
    nobody = started(customer=None)
    assert LEDGER.applied(nobody) is nobody


def test_forgotten_again_and_sealed() -> None:
    twice = ledger_of(Forgotten(UNTIL, NAME), Forgotten(UNTIL + 10, SECOND))
    assert [twice.name_of(KEY, UNTIL + after) for after in (0, 1, 10, 11)] == [NAME, SECOND, SECOND, KEY]
    sealed = ledger_of(Forgotten(UNTIL, None))
    assert sealed.applied(started()).customer_key is None  # type: ignore[union-attr]


def test_the_ledger_is_stored_without_the_key() -> None:
    ledger = ledger_of(Forgotten(UNTIL, NAME), lines={FCR_FACTS: (3, 4)})
    stored = [
        ("key", {"key": ledger.key.hex()}),
        *((n, person_document(p)) for n, p in ledger.people.items()),
    ]
    assert KEY not in orjson.dumps(stored).decode()
    assert read_ledger(orjson.loads(orjson.dumps(stored))) == ledger
    with pytest.raises(ValueError, match="lost its key"):
        read_ledger(stored[1:])


def test_the_name_has_the_partition_and_the_length_and_decides_no_dispute_otherwise() -> None:
    one = encode(started(reason="bill"))
    two = encode(started(customer="8" * 32, reason="bill"))
    disputed = [(0, one), (0, two)]
    for customer in (KEY, "f" * 31 + "e", "0" * 32, "a key of somebody else's making"):
        name = draw(customer, 4, [])
        assert len(name) == len(customer)
        assert partition_of(name, 4) == partition_of(customer, 4)
    names = {draw(KEY, 4, [disputed]) for _ in range(50)}
    assert len(names) == 50
    for name in names:
        assert counts([(0, renamed(one, KEY, name)), (0, two)]) == counts(disputed)
    assert len({name < "8" for name in (draw(KEY, 4, []) for _ in range(100))}) == 2  # it was the dispute
    nothing_between = [
        [(0, encode(started())), (0, encode(started(customer=f"{int(KEY, 16) + step:032x}")))]
        for step in (-1, 1)
    ]
    with pytest.raises(NoPseudonym):
        draw(KEY, 4, nothing_between)


def told(event: Event) -> bool:
    """Does an event of this type say who the customer is? Not all that may do."""
    return "customer_key" in type(event).model_fields and event.occurred_at % 4 != 0


@given(st.lists(st.one_of(contacts(), orderly()), max_size=6), st.integers(1, 5))
def test_a_name_changes_nothing_but_the_name(found: list[list[Event]], partitions: int) -> None:
    """Facts and repeats under the name are those under the key, whatever the events."""
    theirs = [
        [
            e.model_copy(update={"customer_key": KEY}) if getattr(e, "customer_key", None) else e
            for e in events
        ]
        for events in found
    ]
    ledger = ledger_of(Forgotten(2**60, draw(KEY, partitions, [])))
    name = ledger.last_name(KEY)

    def facts(events: list[list[Event]], customer: str | None) -> list[object]:
        folded = [fold(one, DEFAULT_RULES) for one in events]  # type: ignore[arg-type]
        found = [f.contact for f in folded if f.contact is not None]
        visits = [v for v in map(visit_of, found) if v is not None]
        repeats = [replace(f, customer_key="") for f in judge(visits, DEFAULT_RULES.fcr)]
        assert {v.customer_key for v in visits} <= {customer}
        return [[replace(f, customer_key=None) for f in found], [f.legs for f in folded], repeats]

    distinct = [
        [e.model_copy(update={"contact_id": f"c{n}"}) for e in events] for n, events in enumerate(theirs)
    ]
    after = [[ledger.applied(e) for e in events] for events in distinct]
    assert facts(after, name) == facts(distinct, KEY)


def test_state_and_records_are_of_the_name() -> None:
    renaming = Renaming({KEY: NAME}, LEDGER)
    events = [started(), ContactResolved(event_id="e2", contact_id="c1", occurred_at=UNTIL, source="x")]
    state = pack({e.event_id: CanonicalEvent(e, encode(e)) for e in events})
    ((key, value),) = renaming.records(CONTACTS_CHANGELOG, b"c1", state)
    assert key == b"c1"
    assert {n: i.event for n, i in unpack(value).items()} == {e.event_id: LEDGER.applied(e) for e in events}
    marker = orjson.dumps({"epoch": 0, "touched": {"c1": {"customers": [KEY, OTHER]}}})
    ((_, value),) = renaming.records(CONTACTS_CHANGELOG, b"\xff0", marker)
    assert orjson.loads(value)["touched"]["c1"]["customers"] == [NAME, OTHER]
    old = orjson.dumps([KEY, "c1"])
    visit = orjson.dumps({"version": 7, "visit": {"customer_key": KEY, "contact_id": "c1"}})
    gone, (key, value) = renaming.records(CUSTOMERS_CHANGELOG, old, visit)
    assert gone == (old, None)
    assert orjson.loads(key) == [NAME, "c1"]
    assert orjson.loads(value or b"") == {"version": 7, "visit": {"customer_key": NAME, "contact_id": "c1"}}
    assert not Renaming({}, LEDGER).found_in(b"anything")


class ARecord:
    """What the sink has of a record of Kafka."""

    def __init__(self, topic: str, offset: int) -> None:
        self.topic, self.partition, self.offset = topic, 1, offset


def test_records_of_before_are_left_out_and_newer_ones_are_not() -> None:
    ledger = ledger_of(Forgotten(UNTIL, NAME), lines={FCR_FACTS: (0, 10), CONTACT_FACTS: (0, 10)})
    repeat = {"customer_key": KEY, "contact_id": "c1"}
    assert without_forgotten(ARecord(FCR_FACTS, 9), repeat, ledger) is None
    assert without_forgotten(ARecord(FCR_FACTS, 10), repeat, ledger) == repeat
    facts = {"contact": {"customer_key": KEY, "reason": "x"}, "gone": {"legs": [2]}}
    told = without_forgotten(ARecord(CONTACT_FACTS, 9), facts, ledger)
    assert told == facts | {"contact": {"customer_key": NAME, "reason": "x"}}
    assert without_forgotten(ARecord(CONTACT_FACTS, 10), facts, ledger) == facts


def test_dead_letters_that_name_one_keep_their_shape() -> None:
    def letter(payload: str) -> bytes:
        return orjson.dumps({"payload": payload, "detail": "no event", "origin": "x"})

    import base64

    theirs = letter(base64.b64encode(b"\xc3\x01unknown!" + KEY.encode()).decode())
    kept = orjson.loads(letter_without_forgotten(theirs, LEDGER))
    assert base64.b64decode(kept["payload"]).startswith(b"shape of 42 bytes")
    others = letter(base64.b64encode(OTHER.encode()).decode())
    assert letter_without_forgotten(others, LEDGER) == others


def files_of(folder: Path) -> list[Path]:
    """Every kind of file, with three events of the customer and one of another."""
    events = [started(event_id="e1"), started(event_id="e2"), started(UNTIL - 1, event_id="e3")]
    events.append(started(customer=OTHER, event_id="e4"))
    avro, parquet, lines, packed = (folder / f"x.{kind}" for kind in ("avro", "parquet", "jsonl", "jsonl.gz"))
    write_events(avro, Form.avro, "events", [encode(event) for event in events])
    write_events(parquet, Form.parquet, "events", [encode(event) for event in events])
    text = [event.model_dump(exclude_none=True) for event in events]
    text[0] |= {"customer_id": "+49 (30) 555-0100"}
    del text[0]["customer_key"]
    lines.write_bytes(b"".join(map(orjson.dumps, text)).replace(b"}{", b"}\n{") + b"\nno line of an event\n")
    packed.write_bytes(gzip.compress(lines.read_bytes()))
    return [avro, parquet, lines, packed]


def test_files_are_rewritten(tmp_path: Path) -> None:
    for path in files_of(tmp_path):
        path.chmod(0o640)
        before = path.read_bytes()
        assert rewrite_file(path, LEDGER, SECRET, dry_run=True) == 3
        assert path.read_bytes() == before
        assert rewrite_file(path, LEDGER, SECRET) == 3
        found = sorted(
            (e.event_id, e.customer_key) for e in outcomes(path, SECRET) if isinstance(e, ContactStarted)
        )
        assert found == [("e1", NAME), ("e2", NAME), ("e3", NAME), ("e4", OTHER)]
        text = path.read_bytes() if path.suffix != ".gz" else gzip.decompress(path.read_bytes())
        assert KEY.encode() not in text
        assert b"0100" not in text
        assert path.stat().st_mode & 0o777 == 0o640
        after = path.read_bytes()
        assert rewrite_file(path, LEDGER, SECRET) == 0
        assert path.read_bytes() == after
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "x.avro",
        "x.jsonl",
        "x.jsonl.gz",
        "x.parquet",
    ]


def test_a_file_that_cannot_be_written_anew_is_left(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(WrongFile, match="unpack it"):
        rewrite_file(path, LEDGER, SECRET)
    assert decode(encode(started())) == started()
