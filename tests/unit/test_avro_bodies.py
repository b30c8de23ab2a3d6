"""Our writer of Avro bodies against fastavro's; whole events of all types are in test_schemas.py."""

import io

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro_schemas import current
from schemas.bodies import boolean, number, or_null, plan, text, text_or_null, texts, writer_of

EDGES = [sign * (2**power + more) for power in range(62) for more in (-1, 0, 1) for sign in (1, -1)]


def fast(schema: object, value: object) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)  # type: ignore[arg-type]
    return out.getvalue()


def test_numbers_at_every_edge() -> None:
    for value in (*EDGES, 2**63 - 1, -(2**63)):
        assert number(value) == fast("long", value), value


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_number(value: int) -> None:
    assert number(value) == fast("long", value)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 1_000, 2_047, 2_048, 2_049, 8_191, 8_192, 70_000])
def test_texts_of_every_length(length: int) -> None:
    for value in ("x" * length, "ü" * (length // 2)):
        assert text(value) == fast("string", value)
        assert text_or_null(value) == fast(["null", "string"], value)


@given(st.dictionaries(st.text(), st.text()))
def test_maps(value: dict[str, str]) -> None:
    assert texts(value) == fast({"type": "map", "values": "string"}, value)


def test_the_rest() -> None:
    assert [boolean(True), boolean(False)] == [fast("boolean", True), fast("boolean", False)]
    assert [or_null(number)(None), or_null(number)(-3)] == [b"\x00", fast(["null", "long"], -3)]
    assert text_or_null(None) == b"\x00"


@pytest.mark.parametrize("schema", ["double", ["string", "null"], {"type": "array", "items": "string"}])
def test_a_type_that_no_schema_of_ours_has_is_refused(schema: object) -> None:
    with pytest.raises((KeyError, ValueError)):
        writer_of(schema)


def test_there_is_a_plan_for_every_type() -> None:
    assert all(plan(type_) for type_ in current())
