import gzip
import io
import sys
import tracemalloc

import orjson
import pytest
from support.reading import read_file

from adapters.events.json_lines import read_events
from adapters.kit.outcomes import Accepted
from schemas.dead_letter import DeadLetter
from schemas.events import AgentStateChanged, ContactStarted, SourceHeartbeat
from schemas.shape import is_shape

SECRET = b"test"
STARTED = {
    "type": "contact_started",
    "event_id": "e1",
    "contact_id": "c1",
    "occurred_at": 1_767_571_200_000,
    "source": "crm",
}


def read(tmp_path, *lines, name="events.jsonl"):
    path = tmp_path / name
    data = b"\n".join(line if isinstance(line, bytes) else orjson.dumps(line) for line in lines)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return list(read_file(read_events, path, SECRET))


def one(tmp_path, line):
    (item,) = read(tmp_path, line)
    return item


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz", "packed-by-another-name"])
def test_events_become_models(tmp_path, name):
    heartbeat = {
        "type": "source_heartbeat",
        "event_id": "h",
        "source": "crm",
        "occurred_at": 1_767_571_200_000,
    }
    state = heartbeat | {"type": "agent_state_changed", "agent": "ann", "state": "break"}
    items = read(tmp_path, STARTED, b"", b"  ", heartbeat, state, name=name)
    assert [type(item.events[0]) for item in items] == [ContactStarted, SourceHeartbeat, AgentStateChanged]
    assert [item.position for item in items] == [1, 4, 5]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T00:00:00Z",
        "2026-01-05T01:00:00+01:00",
        "2026-01-04T19:00:00.0009-05:00",
        "2026-01-05T05:30:00.000+05:30",
    ],
)
def test_iso_times_with_offset(tmp_path, text):
    item = one(tmp_path, STARTED | {"occurred_at": text})
    assert item.events[0].occurred_at == 1_767_571_200_000


def test_customer_id_is_hashed_and_never_kept(tmp_path):
    items = read(
        tmp_path,
        STARTED | {"customer_id": "+49 30 12345"},
        STARTED | {"customer_id": 493012345},
        STARTED | {"customer_id": "anonymous"},
        STARTED | {"customer_id": None},
    )
    keys = [item.events[0].customer_key for item in items]
    assert keys[0] == keys[1] is not None
    assert keys[2:] == [None, None]


@pytest.mark.parametrize(
    "line",
    [
        STARTED | {"customer_id": "4930555", "occurred_at": 1},
        STARTED | {"customer_id": "4930555", "customer_key": "k"},
        b'{"customer_id": "4930555", "type"',
        b'{"type": 1, "customer_id":"\xff4930555\\"4930555"}',
        b'{"customer_id" : 4930555, ',
        b'{"customer_id": "4930555' + b" " * 2_000_000,
        b'{"customer_id": "4930555\\',
    ],
)
def test_dead_letters_carry_no_customer_id(tmp_path, line):
    item = one(tmp_path, line)
    assert isinstance(item, DeadLetter)
    assert b"4930555" not in item.payload


BAD = [
    (b"{", "invalid_json", ""),
    (b'{"a": "\xff"}', "invalid_utf8", "byte 7"),
    (b"\xff\xfe{\x00", "invalid_utf8", "byte 0"),
    (b"[" * 100_000, "invalid_json", ""),
    (b"[1]", "not_an_object", "list"),
    (b"null", "not_an_object", ""),
    (b'{"a": NaN}', "invalid_json", ""),
    ({}, "missing_type", "contact_started"),
    (STARTED | {"type": "contact_teleported"}, "unknown_type", "aaaaaaa_aaaaaaaaaa"),
    (STARTED | {"type": ["contact_started"]}, "unknown_type", ""),
    ({k: v for k, v in STARTED.items() if k != "event_id"}, "invalid_event", "event_id: Field required"),
    (
        {k: v for k, v in STARTED.items() if k != "occurred_at"},
        "invalid_event",
        "occurred_at: Field required",
    ),
    (STARTED | {"occurred_at": "2026-01-05T00:00:00"}, "bad_time", "no offset from UTC"),
    (STARTED | {"occurred_at": "2026-01-05"}, "bad_time", "no offset from UTC"),
    (STARTED | {"occurred_at": "yesterday"}, "bad_time", "not ISO 8601"),
    (STARTED | {"occurred_at": "0001-01-01T00:00:00+14:00"}, "bad_time", "outside 1990 to 2100"),
    (STARTED | {"occurred_at": "9999-12-31T23:59:59-12:00"}, "bad_time", "outside 1990 to 2100"),
    (STARTED | {"occurred_at": 1_767_571_200}, "bad_time", "seconds instead of milliseconds?"),
    (STARTED | {"occurred_at": -1}, "bad_time", "outside"),
    (STARTED | {"occurred_at": 1_767_571_200_000.5}, "bad_time", "float"),
    (STARTED | {"occurred_at": True}, "bad_time", "bool"),
    (STARTED | {"occurred_at": None}, "bad_time", "NoneType"),
    (STARTED | {"leg": "1"}, "invalid_event", "leg"),
    (STARTED | {"leg": 0}, "invalid_event", "leg"),
    (STARTED | {"source": 7}, "invalid_event", "source"),
    (STARTED | {"contact_id": ""}, "invalid_event", "contact_id"),
    (STARTED | {"contact_id": "x" * 257}, "invalid_event", "contact_id"),
    (STARTED | {"colour": "red"}, "invalid_event", "'aaaaaa': Extra inputs"),
    (STARTED | {"reasn": "red"}, "invalid_event", "did you mean reason?"),
    (STARTED | {"customer_key": "+49 171 7778896"}, "invalid_event", "give it as customer_id"),
    (STARTED | {"customer_key": "ann@example.org"}, "invalid_event", "give it as customer_id"),
    (STARTED | {"customer_id": ["a"]}, "invalid_event", "customer_id is a list"),
    (STARTED | {"type": "contact_resolved", "talk_ms": -1}, "invalid_event", "talk_ms"),
    (STARTED | {"type": "contact_resolved", "outcome": "maybe"}, "invalid_event", "outcome"),
    (STARTED | {"type": "contact_queued"}, "invalid_event", "queue"),
]


@pytest.mark.parametrize(("line", "reason", "detail"), BAD)
def test_a_bad_line_is_refused_and_says_why(tmp_path, line, reason, detail):
    items = read(tmp_path, STARTED, line, STARTED)
    assert [type(item) for item in items] == [Accepted, DeadLetter, Accepted]
    refused = items[1]
    assert (refused.origin, refused.position, refused.reason) == ("events.jsonl", 2, reason)
    assert detail in refused.detail
    assert "\n" not in refused.detail
    assert len(refused.detail) <= 1_000
    assert is_shape(refused.payload)
    assert len(refused.payload) <= 350


def test_a_20_mb_line_is_refused_without_being_held_in_memory(tmp_path):
    path = tmp_path / "big.jsonl"
    path.write_bytes(b'{"a":"' + b"x" * 20_000_000 + b'"}\n' + orjson.dumps(STARTED))
    tracemalloc.start()
    items = list(read_file(read_events, path, SECRET))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(item) for item in items] == [DeadLetter, Accepted]
    assert items[0].reason == "too_large"
    assert "20000009 bytes" in items[0].detail
    assert peak < 8_000_000


def test_a_gzip_bomb_is_a_large_line(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    (item,) = read_file(read_events, path, SECRET)
    assert item.reason == "too_large"


def test_garbage_that_begins_like_gzip(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(b"\x1f\x8b" + b"garbage" * 10)
    (item,) = read_file(read_events, path, SECRET)
    assert item.reason == "damaged_file"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(monkeypatch, pack):
    data = pack(orjson.dumps(STARTED) + b"\n")

    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(data))

    monkeypatch.setattr(sys, "stdin", Stdin)
    (item,) = read_file(read_events, "-", SECRET)
    assert item.events[0].contact_id == "c1"


def test_progress_ends_at_the_size_of_the_file(tmp_path):
    items = read(tmp_path, *[STARTED] * 10, name="e.gz")
    assert items[-1].bytes_read == (tmp_path / "e.gz").stat().st_size
