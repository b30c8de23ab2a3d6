"""Our own writer of Avro bodies against fastavro's; of whole events the round trip of every type compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fastavro_bytes import by_fastavro
from support.strategies import PEAKS

from schemas.avro_writer import number, texts, writer_of


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**14), 2**14) | st.sampled_from(PEAKS))
def test_a_number_of_any_length(value: int) -> None:
    assert number(value) == by_fastavro("long", value)


@pytest.mark.parametrize("bits", range(63))
def test_a_number_on_either_side_of_each_power_of_two(bits: int) -> None:
    for value in (2**bits - 1, 2**bits, -(2**bits)):
        assert number(value) == by_fastavro("long", value)


@given(st.dictionaries(st.text(), st.text()))
def test_a_map_of_any_size(value: dict[str, str]) -> None:
    assert texts(value) == by_fastavro({"type": "map", "values": "string"}, value)


@pytest.mark.parametrize("unused", ["double", ["string", "null"], {"type": "array", "items": "string"}])
def test_a_type_that_our_schemas_do_not_use_is_refused_by_name(unused: object) -> None:
    with pytest.raises(ValueError, match="cannot write"):
        writer_of(unused)
