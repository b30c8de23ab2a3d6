"""How sensitive a rule is, by name."""

from fractions import Fraction

# Profile -> (probability of a false alarm per look, how long it must last): measured, docs/guide/alerts.md.
PROFILES = {
    "fast": (Fraction(5, 1000), 120_000),
    "default": (Fraction(1, 1000), 120_000),
    "quiet": (Fraction(1, 10_000), 300_000),
}
