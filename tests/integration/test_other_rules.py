"""Two versions of the rules compared: only what they count differently, and by how much."""

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from support.clickhouse import connect, load
from support.notation import BASE_MS, read_events

from cli.comparing import other_rules
from cli.console import settings
from kpis.rules import DatedLimits, Rules
from reports.other_rules import compare_rules
from schemas.time_units import DAY_MS, MINUTE_MS

pytestmark = pytest.mark.stack


def test_a_changed_threshold(tmp_path: Path) -> None:
    client = connect(tmp_path / "db")
    stories = {"quick": "s, q@1(A), a@5, res@60", "slow": "s, q@1(A), a@30, res@90"}
    load(client, [event for name, text in stories.items() for event in read_events(text, "voice", name)])
    now = Rules(service_level_ms={}, service_level_default_ms=20_000)
    then = replace(now, service_level_default_ms=40_000)
    found = compare_rules(client, now, then)
    (change,) = found.changes
    # What stands is empty here: only the difference is looked at.
    moved = {name: value["then"] - value["now"] for name, value in change["measures"].items()}
    assert moved == {"answered_in_target": 1, "answered_in_target_business": 1, "contact_in_target": 1}
    assert compare_rules(client, now, now).windows == 0
    minute = BASE_MS // MINUTE_MS * MINUTE_MS
    assert compare_rules(client, now, then, (minute, minute + MINUTE_MS)).windows == 1
    assert compare_rules(client, now, then, (minute + MINUTE_MS, minute + 9 * MINUTE_MS)).windows == 0
    client.close()


def test_a_threshold_from_a_date_on(tmp_path: Path) -> None:
    """The report of a change names windows of new days alone; what it says they were is what they are."""
    client = connect(tmp_path / "db")
    days = [read_events("s, q@1(A), a@30, res@90", "voice", f"c{day}") for day in range(4)]
    moved = [
        event.model_copy(update={"occurred_at": event.occurred_at + day * DAY_MS})
        for day, events in enumerate(days)
        for event in events
    ]
    load(client, moved)
    now = Rules(service_level_ms={}, service_level_default_ms=20_000)
    dated = DatedLimits(BASE_MS + 2 * DAY_MS, {}, 40_000, {}, now.short_abandon_ms)
    found = compare_rules(client, now, replace(now, dated=(dated,)))
    begins = sorted(change["window_start"][:10] for change in found.changes)
    assert begins == ["2026-01-07", "2026-01-08"]
    assert compare_rules(client, replace(now, dated=(dated,)), now).windows == 2
    client.close()


def test_rules_of_another_file(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text("[rules]\nservice_level_default_s = 40\n[rules.fcr]\nwindows_days = [3, 7]\n")
    found = other_rules(path, settings())
    assert (found.service_level_default_ms, found.fcr.windows_days) == (40_000, (3, 7))
    for text, said in (("", "no table"), ("[rules]\nhm = 1\n", "no such rule"), ("[", "no TOML")):
        path.write_text(text)
        with pytest.raises(typer.BadParameter, match=said):
            other_rules(path, settings())
