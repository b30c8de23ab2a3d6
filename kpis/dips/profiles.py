"""How sensitive a rule is, by name."""

from fractions import Fraction
from typing import NamedTuple


class Profile(NamedTuple):
    """Measured: docs/guide/alerts.md."""

    p_value: Fraction  # probability of a false alarm per look: of means and cohorts,
    p_dip: Fraction  # of a dip of a share against its target with slack,
    p_rise: Fraction  # and of a rise of what is to be low: usual days are further away from such limits
    for_ms: int  # how long it must last, where chance is tested
    limit_for_ms: int  # and where it is not, as with limits and silence
    false_a_week: float  # of a label set, the greater of service level and abandonment


# How far the level of a queue wanders by itself without being called a dip, in log odds: 80 % and 78 %.
DIP_SLACK = Fraction(1, 8)
PROFILES = {
    "fast": Profile(Fraction(5, 1000), Fraction(5, 1000), Fraction(5, 1000), 120_000, 120_000, 0.417),
    "default": Profile(Fraction(5, 10_000), Fraction(15, 10_000), Fraction(1, 1000), 180_000, 120_000, 0.109),
    "quiet": Profile(
        Fraction(1, 10_000), Fraction(25, 100_000), Fraction(1, 10_000), 300_000, 300_000, 0.014
    ),
}
