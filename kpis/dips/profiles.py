"""How sensitive a rule is, by name."""

from fractions import Fraction
from typing import NamedTuple


class Profile(NamedTuple):
    """Measured: docs/guide/alerts.md."""

    p_value: Fraction  # probability of a false alarm per look,
    p_rise: Fraction  # and of a rise of what is to be low: usual days are further away from such limits
    for_ms: int  # how long it must last, where chance is tested
    limit_for_ms: int  # and where it is not, as with limits and silence
    false_a_week: float  # of a label set, the greater of service level and abandonment


PROFILES = {
    "fast": Profile(Fraction(5, 1000), Fraction(5, 1000), 120_000, 120_000, 1.053),
    "default": Profile(Fraction(5, 10_000), Fraction(12, 10_000), 240_000, 120_000, 0.116),
    "quiet": Profile(Fraction(1, 10_000), Fraction(1, 10_000), 300_000, 300_000, 0.027),
}
