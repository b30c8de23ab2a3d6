"""Limits that count from a date on: old days by the old ones, new days by the new, in the fold itself."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.strategies import contacts, orderly

from cli.rule_settings import RuleSettings
from cli.rule_values import rules_by
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.formula import formula
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES, DatedLimits, Rules, limits_at, target_ms
from kpis.tallies.windows import contribution
from schemas.events import ContactEvent
from schemas.time_units import MINUTE_MS
from streams.state.markers import rules_digest

CHANGED = Rules(
    service_level_ms={"voice": 3_000}, service_level_by_queue_ms={"B": 0}, short_abandon_ms=20_000
)


def dated_from(from_ms: int) -> Rules:
    changed = CHANGED
    limits = DatedLimits(
        from_ms,
        changed.service_level_ms,
        changed.service_level_default_ms,
        changed.service_level_by_queue_ms,
        changed.short_abandon_ms,
    )
    return replace(DEFAULT_RULES, dated=(limits,))


@given(st.one_of(contacts(), orderly()), st.data())
def test_windows_before_the_date_are_the_old_ones_and_later_ones_the_new(
    events: list[ContactEvent], data: st.DataObject
) -> None:
    minutes = sorted({event.occurred_at // MINUTE_MS * MINUTE_MS for event in events})
    date = data.draw(st.sampled_from([*minutes, minutes[-1] + MINUTE_MS])) if minutes else 0
    old, new, found = (
        contribution(fold(events, rules), rules) for rules in (DEFAULT_RULES, CHANGED, dated_from(date))
    )
    assert {w: t for w, t in found.items() if w.start < date} == {
        w: t for w, t in old.items() if w.start < date
    }
    assert {w: t for w, t in found.items() if w.start >= date} == {
        w: t for w, t in new.items() if w.start >= date
    }


def test_the_moment_itself_has_the_new_limits_and_the_last_of_several_counts() -> None:
    first, second = dated_from(1_000).dated[0], replace(dated_from(2_000).dated[0], short_abandon_ms=1)
    rules = replace(DEFAULT_RULES, dated=(first, second))
    shorts = [limits_at(rules, at).short_abandon_ms for at in (999, 1_000, 1_999, 2_000, 9_999)]
    assert shorts == [5_000, 20_000, 20_000, 1, 1]
    assert [target_ms(rules, "voice", queue, at) for queue, at in (("A", 0), ("A", 1_000), ("B", 1_000))] == [
        20_000, 3_000, 0,
    ]  # fmt: skip


def test_settings_of_changes() -> None:
    """In any order; what a change does not name is as the one before left it; days are of the zone."""
    changes = [
        {"from": "2026-07-01", "short_abandon_s": 3, "fcr_default_days": 14},
        {"from": "2026-03-01", "service_level_s": {"voice": 30}, "service_level_by_queue_s": {"billing": 15}},
    ]
    given = RuleSettings.model_validate({"service_level_s": {"chat": 90}, "changes": changes})
    rules = rules_by(given, "Europe/Rome", 1_500)
    march, july = rules.dated
    assert rules.fcr.dated_days == ((july.from_ms, 14),)
    fcr = every_kpi(rules)["fcr_gross"]
    assert [fcr.days_at(july.from_ms + step) for step in (-1, 0)] == [7, 14]
    assert "within 7 d (14 d from 2026-06-30 22:00 UTC on)" in formula(fcr)
    assert every_kpi(rules)["fcr_gross.w7d"].dated_days == ()
    assert (march.from_ms, july.from_ms) == (1_772_319_600_000, 1_782_856_800_000)
    assert march.service_level_ms == {
        "voice": 30_000,
        "chat": 90_000,
        "email": 14_400_000,
        "messaging": 14_400_000,
    }
    assert (march.short_abandon_ms, july.short_abandon_ms) == (5_000, 3_000)
    assert july.service_level_by_queue_ms == {"billing": 15_000}
    assert july.service_level_ms == march.service_level_ms
    with pytest.raises(ValidationError, match="is there twice"):
        RuleSettings.model_validate({"changes": [{"from": "2026-07-01"}, {"from": "2026-07-01"}]})
    with pytest.raises(ValidationError, match="add it there"):
        RuleSettings.model_validate({"changes": [{"from": "2026-07-01", "fcr_default_days": 8}]})
    with pytest.raises(ValidationError):
        RuleSettings.model_validate({"changes": [{"from": "soon"}]})
    with pytest.raises(ValidationError):
        RuleSettings.model_validate({"changes": [{"from": "2026-07-01", "stale_after_h": 1}]})


def test_rules_without_dates_keep_their_digest_and_others_have_their_own() -> None:
    assert rules_digest(Rules()) == rules_digest(replace(Rules(), dated=()))
    digests = Counter(rules_digest(rules) for rules in (Rules(), dated_from(1), dated_from(2)))
    assert len(digests) == 3
    assert "dated" not in repr(Rules())  # a worker of before these counts nothing anew
