"""Scores with decimals: 6.5 on 0 to 10 is kept as 65 on 0 to 100, so that everything is a whole number."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any

FIELDS = ("score", "scale_min", "scale_max")
PLACES = 3  # of decimals that are kept


def units(values: Mapping[str, Decimal]) -> int:
    """The least power of ten, up to 1,000, that makes whole numbers of these."""
    for power in range(PLACES):
        factor = int(10**power)
        if all(value * factor == (value * factor).to_integral_value() for value in values.values()):
            return factor
    return int(10**PLACES)


def whole_scores(fields: Any) -> Any:
    """Fields of a survey with whole numbers on a finer scale, where any had decimals; else as they are.

    What is beyond the third decimal is cut off: rounded up, an answer could become a better one.
    """
    if not isinstance(fields, Mapping):
        return fields
    if float not in (type(fields.get("score")), type(fields.get("scale_min")), type(fields.get("scale_max"))):
        return fields  # what an encoded event has: nothing is to be slow here
    given = {name: fields[name] for name in FIELDS if type(fields.get(name)) in (int, float)}
    values = {name: Decimal(repr(value)) for name, value in given.items()}
    if not all(value.is_finite() for value in values.values()):
        return fields
    factor = units(values)
    finer = {name: int((value * factor).to_integral_value(ROUND_FLOOR)) for name, value in values.items()}
    return {**fields, **finer}
