"""docs/facts.md names every measure, service level and rule once; a check takes the text, to plant faults."""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from cli.rule_settings import FcrSettings, RuleSettings
from docs.build.pages import read
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from kpis.tallies.first_response import RESPONSE_LIMITS_S
from kpis.tallies.windows import BOOKED_AT, WAIT_LIMITS_S

PAGE = "docs/facts.md"
ROW = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \|.*\| ([a-z ]+) \|$", re.MULTILINE)
LEVEL = re.compile(r"^\| (SL\d) \|.*\| (.*) \|$", re.MULTILINE)
KPIS = every_kpi(DEFAULT_RULES)


def measures_wrong(text: str) -> list[str]:
    """Measures that the page does not say once, or says to be booked at another moment; those it makes up."""
    section = text.partition("\n## 6. ")[2].partition("\n## 7. ")[0]
    rows = [(word, at) for names, at in ROW.findall(section) for word in re.findall(r"\w+", names)]
    said = Counter((name, at) for word, at in rows for name in by_length(word))
    real = Counter((name, at) for at, names in BOOKED_AT.items() for name in names)
    return sorted(f"{name}, booked at {at}" for name, at in ((said - real) + (real - said)))


def by_length(word: str) -> list[str]:
    """Measures that a word of the page stands for: `..._S` is one for each length of a wait."""
    if not word.endswith("_S"):
        return [word]
    limits = RESPONSE_LIMITS_S if word == "first_response_S" else WAIT_LIMITS_S
    return [word.removesuffix("S") + str(limit) for limit in limits]


def moments_wrong(text: str) -> list[str]:
    """Moments of booking that the page does not explain."""
    return [at for at in BOOKED_AT if f"\n| {at} | " not in text]


def levels_wrong(text: str) -> list[str]:
    """Service levels by number whose KPIs are others in the catalogue."""
    said = {(level, kpi) for level, kpis in LEVEL.findall(text) for kpi in re.findall(r"`([\w.]+)`", kpis)}
    real = {(level, kpi.id) for kpi in KPIS.values() for level in re.findall(r"\((SL\d)\b", kpi.definition)}
    return sorted(f"{level} {kpi}" for level, kpi in said ^ real)


def rules_wrong(text: str) -> list[str]:
    """Rules that can be set and that the page does not name."""
    names = [*(set(RuleSettings.model_fields) - {"fcr"}), *FcrSettings.model_fields]
    return sorted(name for name in names if f"`{name}`" not in text)


@pytest.mark.parametrize("check", [measures_wrong, moments_wrong, levels_wrong, rules_wrong])
def test_the_page_says_all(check: Callable[[str], list[str]]) -> None:
    assert check(read(PAGE)) == []


@pytest.mark.parametrize(
    ("check", "said", "planted"),
    [
        (measures_wrong, "| `held` |", "| `hold` |"),
        (measures_wrong, "| `hold_ms`, `hold_n` |", "| `hold_ms`, `hold_n`, `held` |"),
        (measures_wrong, "| transferred_out | handled |", "| transferred_out | ended |"),
        (moments_wrong, "| left | ended_at", "| gone | ended_at"),
        (levels_wrong, "| `service_level_answered` |", "| `service_level` |"),
        (levels_wrong, "| SL9 |", "| SL8 |"),
        (rules_wrong, "`acw_stale_s`", "`acw_s`"),
    ],
)
def test_a_planted_fault_is_found(check: Callable[[str], list[str]], said: str, planted: str) -> None:
    text = read(PAGE)
    assert said in text
    assert check(text.replace(said, planted))
