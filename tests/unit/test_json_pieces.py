"""Payloads are found however they are written, and what was cut spoils nothing behind it."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.json_pieces import Pieces
from adapters.kit.lines import LINE_MAX_BYTES, LineFile

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(['"\\', "}{", "[\n{"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=6
)
OBJECTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


def read(data: bytes, piece_bytes: int = 64) -> list[tuple[int, bytes, str]]:
    file = LineFile("x", io.BufferedReader(io.BytesIO(data)), len(data))
    return [(line.number, line.data, line.problem) for line in Pieces(file, piece_bytes)]


def values(data: bytes, piece_bytes: int = 64) -> list[object]:
    found = [json.loads(piece) for _, piece, _ in read(data, piece_bytes)]
    return [each for value in found for each in (value if isinstance(value, list) else [value])]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(OBJECTS),
    st.integers(1, 200),
    st.sampled_from(["", "\n", " ", "\r\n\n"]),
    st.none() | st.integers(1, 3),
)
def test_objects_one_behind_the_other(objects, piece_bytes, between, indent):
    data = between.join(json.dumps(each, indent=indent) for each in objects).encode()
    assert values(data, piece_bytes) == objects


@settings(max_examples=30, deadline=None)
@given(st.lists(OBJECTS), st.integers(1, 200), st.none() | st.integers(1, 3))
def test_a_list_of_objects(objects, piece_bytes, indent):
    assert values(json.dumps(objects, indent=indent).encode(), piece_bytes) == objects


@pytest.mark.parametrize("cut", ['{"a": "cu', '{"a": {"b": [1,', '{"a"', '{"a": "x\\'])
@pytest.mark.parametrize("piece_bytes", [1, 7, 4096])
def test_a_cut_value_ends_where_the_next_begins(cut: str, piece_bytes: int) -> None:
    pieces = read(f'{{"n": 1}}\n{cut}\n{{"n": 2}}\n'.encode(), piece_bytes)
    assert pieces[0] == (1, b'{"n": 1}', "")
    assert pieces[-1] == (3, b'{"n": 2}', "")
    assert pieces[1][:2] == (2, cut.encode())


def test_words_are_lines_of_their_own() -> None:
    assert read(b'a=1&b=%7B\n{"n": 1}\nnonsense') == [
        (1, b"a=1&b=%7B", ""),
        (2, b'{"n": 1}', ""),
        (3, b"nonsense", ""),
    ]


@pytest.mark.parametrize("letter", ["x", '"'])
def test_what_is_too_large_is_left_out(letter: str) -> None:
    data = b'{"a": "' + letter.encode() * (LINE_MAX_BYTES + 100_000) + b'"}\n{"n": 1}'
    first, *rest = read(data, 65536)
    assert first[2].startswith("too_large: ") or letter == '"'
    assert rest[-1][1:] == (b'{"n": 1}', "")
