"""Of input that is no event nothing is kept that may be a person: M4 of the attack of 27 November 2026."""

import re
from pathlib import Path

import pytest
from support.reading import read_file

from adapters.bank.calls import COLUMNS as BANK_COLUMNS
from adapters.bank.file import read_bank
from adapters.events.json_lines import read_events
from adapters.kit.contract import events_of, refused_of
from adapters.kit.lines import open_lines
from adapters.servicenow.file import read_servicenow
from schemas.codec import MARKER, DecodeError, decode, encode_body
from schemas.dead_letter import kept_record
from schemas.events import ContactQueued
from schemas.shape import SHAPE_MAX_BYTES, is_shape, quoted, shape
from streams.kafka.decoding import decode_single_object, sifted
from streams.kafka.record import Record

ATTACK = Path(__file__).parents[1] / "data" / "attack"
ROW = (
    "AA0101\t33116\t9664491\t2\tPS\t990101\t0:00:31\t0:00:36\t5\t0:00:36\t0:03:09\t153\tHANG\t0:00:00\t0:00:00"
    "\t0\tNO_SERVER"
)
ROWS = [
    ROW.replace("9664491", "\t9664491"),
    f"X\t{ROW}",
    ROW.replace("\t", ","),
    ROW.replace("\t2\tPS\t990101", "\t2\tPS\t9664491"),
    ROW.replace("\t153\t", "\t9664491\t"),
    ROW.replace("HANG", "9664491"),
    ROW.replace("0:03:09\t153", "0:03:09\t9664491"),
    ROW.replace("0:00:31", "9664491"),
    ROW.encode("utf-16-le").decode("latin-1"),
]
AVRO = encode_body(
    ContactQueued(event_id="q", contact_id="c", occurred_at=1_767_571_200_000, source="s", queue="A")
)


def letters(path: Path, reader) -> list[str]:
    return [f"{letter.detail} {letter.payload!r}" for letter in refused_of(read_file(reader, path, b"k"))]


def test_json_lines_of_the_attack() -> None:
    path = ATTACK / "pii.jsonl"
    events = [*events_of(read_file(read_events, path, b"k"))]
    said = letters(path, read_events)
    assert len(events) == 1
    assert len(said) == 14
    assert not any("777" in text for text in said + [event.model_dump_json() for event in events])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-16"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.jsonl"
    line = '{"Customer_Id": "+49 171 7778881"}\n'
    path.write_bytes(b"{}\n" + line.encode(encoding))
    for letter in refused_of(read_file(read_events, path, b"k")):
        assert b"7778881" not in letter.payload.replace(b"\0", b"")


@pytest.mark.parametrize("row", ROWS)
def test_rows_of_calls_with_columns_elsewhere(tmp_path: Path, row: str) -> None:
    path = tmp_path / "calls.txt"
    path.write_text("\t".join(BANK_COLUMNS) + f"\n{row}\n", "utf-8")
    said = letters(path, read_bank)
    assert said
    assert "9664491" not in "".join(said).replace("\\x00", "")


def test_rows_of_incidents_of_the_attack() -> None:
    said = letters(ATTACK / "sn.csv", read_servicenow)
    assert len(said) >= 12
    assert not any("2403" in text for text in said)


def test_the_names_of_unknown_fields_are_content_too(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    fields = '"event_id":"s","contact_id":"c","occurred_at":1767600000000,"source":"s"'
    path.write_text('{"type":"contact_started",' + fields + ',"+491717778881":1}\n{"type":"+491717778881"}\n')
    said = letters(path, read_events)
    assert len(said) == 2
    assert not any("777" in text for text in said)


def test_whoever_asks_for_payloads_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"type":"contact_teleported","customer_id":"+491717778881","queue":"Sales"}\n')
    with open_lines(path, keep_payloads=True) as file:
        (letter,) = refused_of(read_events(file, secret=b"k"))
    assert b"Sales" in letter.payload
    assert b"777" not in letter.payload  # what is understood is taken out even then


def test_shapes() -> None:
    assert shape(b'{"Ann": +49,\x1b[2J \xc3\xa4}') == b'shape of 20 bytes: {"Aaa": +99,.[9A ??}'
    assert len(shape(b"x" * 1_000_000)) < SHAPE_MAX_BYTES + 40
    assert quoted("Ann 7") == "'Aaa 9'"
    assert quoted("٣" * 50) == f"'{'?' * 80}'..."


@pytest.mark.parametrize(
    "text", [b"shape of 5 bytes: Ann Meyer", b"shape of x bytes: a", b"Ann", b"shape of 9"]
)
def test_what_only_looks_like_a_shape_is_made_one(text: bytes) -> None:
    assert not is_shape(text)
    assert not re.search(rb"Ann|Meyer", shape(text))


def refused_record(value: bytes) -> bytes:
    _, (refused,) = sifted([Record(1, None, value)], lambda record: decode_single_object(record.value or b""))
    assert "777" not in refused.detail
    return refused.payload


JSON = '{"type":"contact_started","customer_id":"+49 171 7778881"}'


@pytest.mark.parametrize(
    "value",
    [
        JSON.encode(),
        JSON.encode("utf-16-be"),
        JSON.encode("utf-32-be"),
        b"\xc3" + JSON.encode(),
        MARKER,
        b"",
        b"\0\0\0\0\1",
        MARKER + JSON.encode()[:2],
    ],
)
def test_a_record_that_is_no_framed_avro_is_kept_as_shape(value: bytes) -> None:
    assert refused_record(value) == shape(value)


@pytest.mark.parametrize("value", [MARKER + b"\xee" * 8 + AVRO, b"\0\0\0\0\7" + AVRO])
def test_a_record_of_an_unknown_schema_is_kept_for_replay(value: bytes) -> None:
    assert refused_record(value) == value


def test_a_record_of_a_known_schema_that_is_no_event_is_kept_as_shape() -> None:
    with pytest.raises(DecodeError) as refused:
        decode(MARKER + b"\xee" * 8)
    assert refused.value.reason == "unknown_fingerprint"
    assert is_shape(kept_record("invalid_event", MARKER + b"\xee" * 8 + AVRO))
    assert kept_record("unknown_schema_id", b"\0\0\0\0\7" + AVRO) == b"\0\0\0\0\7" + AVRO
