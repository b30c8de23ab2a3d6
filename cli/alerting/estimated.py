"""How many false alarms rules imply, in a sentence."""

from collections.abc import Mapping

from alerts.estimate import estimate
from alerts.rule import RuleFile


def estimated(file: RuleFile, label_sets: Mapping[str, int]) -> str:
    """A sentence about the rules and their label sets; those not in the mapping are counted as one."""
    total, unknown = estimate(file, label_sets)
    number = sum(label_sets.values())
    of = f"these {number} label sets" if label_sets else "one label set of each rule"
    said = f"about {total:.2f} false alarms a week are to be expected of {of}"
    return f"{said}; nobody can say of {', '.join(unknown)}" if unknown else said
