"""The rules as settings: from the file, from the environment, by default, and what is said of mistakes."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import ValidationError

from cli.rule_settings import FcrSettings, RuleSettings
from cli.settings import Settings, rules_of
from cli.stream_settings import stream_config
from kpis.business_hours import Calendar
from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from schemas.time_units import HOUR_MS

PAGE = (Path(__file__).parents[2] / "docs" / "guide" / "rules.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RINGBACK_RULES", "RINGBACK_TIMEZONE"):
        monkeypatch.delenv(name, raising=False)


def in_file(text: str) -> Rules:
    Path("ringback.toml").write_text(text, encoding="utf-8")
    return rules_of(Settings())


def test_without_settings_the_rules_are_the_defaults() -> None:
    assert rules_of(Settings()) == DEFAULT_RULES
    assert stream_config(Settings()).rules == DEFAULT_RULES
    assert in_file("[rules]\n") == DEFAULT_RULES
    assert in_file('RINGBACK_TIMEZONE = "Europe/Rome"\n') == DEFAULT_RULES


def documented() -> str:
    found = re.search(r"```toml\n(\[rules\].*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_page_of_rules_shows_every_rule_with_its_default() -> None:
    assert in_file(documented()) == DEFAULT_RULES
    stated = tomllib.loads(documented())["rules"]
    assert stated.keys() == RuleSettings.model_fields.keys()
    assert stated["fcr"].keys() == FcrSettings.model_fields.keys()


def test_rules_of_the_file() -> None:
    found = in_file(
        """
        [rules]
        service_level_s = {voice = 30, sms = 0.5}
        service_level_by_queue_s = {billing = 10}
        stale_after_h = 1.5
        [rules.fcr]
        windows_days = [2, 5]
        default_days = 5
        evidence = "handled"
        """
    )
    assert found.service_level_ms == DEFAULT_RULES.service_level_ms | {"voice": 30_000, "sms": 500}
    assert found.service_level_by_queue_ms == {"billing": 10_000}
    assert found.stale_ms == 5_400_000
    assert found.fcr == FcrRules(windows_days=(2, 5), default_days=5, evidence="handled")
    assert found.version == DEFAULT_RULES.version


OFFICE = {"hours": {"mon-fri": "09:00-17:00"}}


def test_every_rule_can_be_changed() -> None:
    changed = {
        "service_level_s": {"voice": 1}, "service_level_default_s": 2, "service_level_by_queue_s": {"q": 3},
        "short_abandon_s": 4, "skew_tolerance_s": 5, "future_tolerance_s": 6, "async_channels": ["fax"],
        "stale_after_h": 7, "stale_after_async_h": 8, "survey_late_h": 9, "agent_state_max_h": 10,
        "acw_stale_s": 11,
        "fcr": {"windows_days": [2], "default_days": 2, "match_reason": False, "cross_channel": False,
                "begin": "entered", "evidence": "handled", "anchors": "closed", "overlapping": False,
                "min_gap_s": 12},
        "calendars": {"office": OFFICE}, "calendar_by_queue": {"q": "office"}, "calendar_default": "office",
        "changes": [{"from": "2026-03-01", "fcr_default_days": 2}],
    }  # fmt: skip
    assert changed.keys() == RuleSettings.model_fields.keys()
    found = rules_of(Settings(rules=RuleSettings.model_validate(changed), contact_max_events=12))
    for rules, default in ((found, DEFAULT_RULES), (found.fcr, DEFAULT_RULES.fcr)):
        names = set(type(default).__dataclass_fields__) - {"version"}
        assert {name for name in names if getattr(rules, name) == getattr(default, name)} == set()


def test_business_hours_are_read() -> None:
    at_nine, at_noon, at_six = 9 * HOUR_MS, 12 * HOUR_MS, 18 * HOUR_MS
    day = ((at_nine, at_noon), (13 * HOUR_MS, at_six))
    (found,) = in_file(
        """
        RINGBACK_TIMEZONE = "Europe/Rome"
        [rules.calendars.office]
        hours = {mon-thu = "13:00-18:00, 9:00-12:00", fri = "00:00-24:00"}
        holidays = [1970-01-03]
        days = {"1970-01-02" = "09:00-12:00"}
        """
    ).calendars.values()
    whole = ((0, 24 * HOUR_MS),)
    own = ((1, ((at_nine, at_noon),)), (2, ()))
    assert found == Calendar("Europe/Rome", (day, day, day, day, whole, (), ()), own)


def test_the_cap_on_events_is_a_rule_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_CONTACT_MAX_EVENTS", "50")
    assert rules_of(Settings()) == Rules(contact_max_events=50)
    assert in_file("[rules]\nacw_stale_s = 1\n").contact_max_events == 50
    monkeypatch.setenv("RINGBACK_CONTACT_MAX_EVENTS", "1501")  # more might not fit into a record
    with pytest.raises(ValidationError, match="RINGBACK_CONTACT_MAX_EVENTS"):
        Settings()


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_RULES", json.dumps({"short_abandon_s": 3}))
    found = in_file("[rules]\nshort_abandon_s = 9\nacw_stale_s = 1\n")
    assert (found.short_abandon_ms, found.acw_stale_ms) == (3_000, DEFAULT_RULES.acw_stale_ms)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("{", "no JSON"),
        ("[]", "dictionary"),
        ({"short_abandon": 5}, "short_abandon: no such rule; there are service_level_s"),
        ({"short_abandon_s": -1}, "short_abandon_s: Input should be greater than or equal to 0"),
        ({"service_level_s": {"voice": "soon"}}, "service_level_s.voice: Input should be a valid number"),
        ({"service_level_s": {"voice": 1e400}}, "service_level_s.voice: Input should be less than"),
        ({"stale_after_h": 0}, "stale_after_h: Input should be greater than 0"),
        ({"fcr": {"begin": "later"}}, "fcr.begin: Input should be 'started' or 'entered'"),
        ({"fcr": {"window": 7}}, "fcr.window: no such rule; there are windows_days"),
        (
            {"calendar_by_queue": {"q": "office"}},
            "calendar_by_queue.q: no calendar 'office'; there are: none",
        ),
        ({"calendar_default": "x", "calendars": {"office": OFFICE}}, "no calendar 'x'; there are: office"),
        ({"calendars": {"o": {}}}, "calendars.o.hours: Field required"),
        ({"calendars": {"o": OFFICE | {"feasts": []}}}, "feasts: no such rule; there are timezone, hours"),
        ({"calendars": {"o": OFFICE | {"timezone": "Rome"}}}, "no time zone 'Rome'"),
        ({"calendars": {"o": {"hours": {"monday": "9:00-17:00"}}}}, "no weekday 'monday'"),
        ({"calendars": {"o": {"hours": {"fri-mon": "9:00-17:00"}}}}, "Monday first"),
        ({"calendars": {"o": {"hours": {"mon-fri": "9:00-17:00", "wed": ""}}}}, "hours: wed twice"),
        ({"calendars": {"o": {"hours": {"mon": "9-17"}}}}, "hours '9-17'; write 09:00-17:30"),
        ({"calendars": {"o": {"hours": {"mon": "9:60-17:00"}}}}, "within one day"),
        ({"calendars": {"o": {"hours": {"mon": "22:00-06:00"}}}}, "22:00-24:00"),
        ({"calendars": {"o": {"hours": {"mon": "09:00-13:00, 12:00-14:00"}}}}, "overlap"),
        ({"calendars": {"o": OFFICE | {"holidays": ["2026-12-32"]}}}, "calendars.o.holidays.0"),
        (
            {"calendars": {"o": OFFICE | {"holidays": ["2026-12-24"], "days": {"2026-12-24": ""}}}},
            "name it once",
        ),
        ({"fcr": {"windows_days": []}}, "fcr.windows_days: "),
        ({"fcr": {"windows_days": [7, 7]}}, "twice"),
        ({"fcr": {"windows_days": [1, 3]}}, "default_days = 7 is none of windows_days"),
    ],
)
def test_mistakes_are_named(monkeypatch: pytest.MonkeyPatch, rules: Any, said: str) -> None:
    monkeypatch.setenv("RINGBACK_RULES", rules if isinstance(rules, str) else json.dumps(rules))
    with pytest.raises(ValidationError) as caught:
        Settings()
    (error,) = caught.value.errors()
    assert error["loc"] == ("RINGBACK_RULES",)
    assert said in error["msg"]


def test_zones_of_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ringback.toml").write_text('timezone_by_queue = {tokyo = "Asia/Tokyo"}\n', encoding="utf-8")
    assert Settings().timezone_by_queue == {"tokyo": "Asia/Tokyo"}
    for given, said in (
        ("tokyo", "no JSON"),
        ('{"tokyo": "Tokyo"}', "no time zone 'Tokyo'"),
        ("[]", "dictionary"),
    ):
        monkeypatch.setenv("RINGBACK_TIMEZONE_BY_QUEUE", given)
        with pytest.raises(ValidationError, match=said):
            Settings()


def test_a_file_that_is_no_toml_is_wrong_use() -> None:
    with pytest.raises(typer.BadParameter, match=r"ringback\.toml is no TOML"):
        in_file("[rules\n")
