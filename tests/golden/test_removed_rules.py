"""For each repair rule of kpi-spec 5, and those of repeat contacts: with the rule removed, a golden table fails.

The rule is removed in a copy of kpis/, by replacing a piece of its code, and the tables are run on that copy.
Pieces are spelt as `ast.unparse` spells code, whatever our own line breaks, quotes, brackets and comments are.
"""

import ast
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
Fault = tuple[str, str, str]  # file of kpis/, what stands there, what is put in its place

FAULTS: dict[str, Fault] = {
    "duplicate event_id": ("fold/events.py", "return list(winners.values())", "return list(events)"),
    "greatest revision wins": ("fold/events.py", "strength(known) < strength(event)", "strength(known) > strength(event)"),
    "second answered or queued": ("fold/leg.py", "min(found, key=lambda", "max(found, key=lambda"),
    "START_MISSING": ("fold/contact.py", "else first.occurred_at\n    channel", "else 0\n    channel"),
    "ANSWER_MISSING": ("fold/leg.py", "if answer is None and agent_was_there(events, end):", "if False:"),
    "END_MISSING": ("fold/ageing.py", "return 'incomplete'", "return 'open'"),
    "LEG_MISSING": ("fold/ageing.py", "return 'LEG_MISSING' if", "return 'END_MISSING' if"),
    "answer just after the end": (
        "fold/leg.py",
        "if answer.occurred_at - end.occurred_at <= rules.skew_tolerance_ms:",
        "if False:",
    ),
    "ANSWER_AFTER_END": ("fold/leg.py", "return (0, None)\n\ndef agent_was", "return (1, None)\n\ndef agent_was"),
    "answer just before the queue": ("fold/leg.py", "return 0 if within else None", "return None"),
    "NEG": ("fold/leg.py", "return 0 if within else None", "return 0"),
    "MULTI_TERMINAL": ("fold/leg.py", "return min(terminals, key=order_key)", "return max(terminals, key=order_key)"),
    "held while held": ("fold/hold.py", "(on_hold_until is not None and inside_start < on_hold_until)", "False"),
    "resumed without held": ("fold/hold.py", "if resumed.keys() - held.keys():", "if False:"),
    "held without resumed": ("fold/hold.py", "resumed.get(number, end_at)", "resumed.get(number)"),
    "hold before the answer": ("fold/hold.py", "max(start, answered_at)", "start"),
    "hold beyond the end": ("fold/hold.py", "else min(stop, end_at)", "else stop"),
    "WRAP_BEFORE_END": (
        "fold/leg.py",
        "wrapped is not None and wrapped.occurred_at >= end.occurred_at",
        "wrapped is not None",
    ),
    "left on hold is no abandon": (
        "fold/leg.py",
        "abandoned=int(unhandled and end_type == 'abandoned')",
        "abandoned=int(end_type == 'abandoned')",
    ),
    "busy is a union": ("agents/quarters.py", "busy = union(worked)", "busy = worked"),
    "REOPEN_IMPLIED": ("fold/contact.py", "if reopened or not is_async(rules, channel):", "if True:"),
    "SCORE_RANGE": ("fold/survey.py", "return event.scale_min <= event.score", "return True or event.scale_min <= event.score"),
    "last answer counts": ("fold/survey.py", "(item.occurred_at, item.event_id)", "(-item.occurred_at, item.event_id)"),
    "late survey": ("fold/survey.py", "> rules.survey_late_ms", "> 10 * rules.survey_late_ms"),
    "ORPHAN_SURVEY": ("fold/events.py", "return Facts(None, (), fold_surveys(surveys, None, rules))", "return NO_FACTS"),
    "own bucket of a survey": (
        "fold/survey.py",
        "event.occurred_at if ended_at is None else ended_at",
        "event.occurred_at",
    ),
    "FUTURE": ("fold/events.py", "if ahead and facts.contact is not None:", "if False:"),
    "later events are invisible": ("fold/events.py", "if event.occurred_at <= as_of]", "if True]"),
    "measured durations come first": (
        "fold/leg.py",
        "if type(end) is ContactResolved and end.talk_ms is not None:",
        "if False:",
    ),
    "latest reason": ("fold/contact.py", "carriers, key=lambda e: (e.occurred_at, e.event_id)).reason", "carriers, key=lambda e: (-e.occurred_at, e.event_id)).reason"),
    "short abandon is no candidate": ("fcr/visit.py", "(not contact.short_abandoned) and ", ""),
    "contained is no candidate": ("fcr/visit.py", " and (not contact.contained)", ""),
    "outbound is no candidate": ("fcr/visit.py", "contact.direction == 'inbound' and ", ""),
    "call-back is no candidate": ("fcr/visit.py", "inbound and (not contact.short_abandoned)", "(not contact.short_abandoned)"),
    "call-back ends the request": ("fcr/visit.py", "callback if callback is not None and visit.wants_callback else visit", "visit"),
    "the last call-back counts": ("fcr/customer_contacts.py", "last_callback(calls)", "(calls or [None])[0]"),
    "unresolved fails": ("fcr/visit.py", " and contact.end_detail != 'unresolved'", ""),
    "reopened fails": ("fcr/visit.py", " and (contact.reopens == 0)", ""),
    "same reason": ("fcr/visit.py", "fact.reason if rules.match_reason else ''", "''"),
    "any reason": ("fcr/visit.py", "fact.reason if rules.match_reason else ''", "fact.reason"),
    "window is inclusive": ("tallies/fcr.py", "fact.next_at <= fact.ended_at + days", "fact.next_at < fact.ended_at + days"),
    "maturity": ("tallies/fcr.py", "return window_start + MINUTE_MS + days * DAY_MS <= as_of", "return True"),
    "net leaves out level 2": ("tallies/fcr.py", "failed_level1=failed * level1", "failed_level1=failed"),
    "stale waiting": ("tallies/live.py", " and fresh and (not answered_unseen)", " and (not answered_unseen)"),
    "SL9 counts those who wait": ("tallies/live.py", "return (0, int(as_of - leg.entered_at > target))", "return (0, 0)"),
}  # fmt: skip


def survives(folder: Path, name: str, fault: Fault) -> str | None:
    """Name of a fault that no table notices, or that cannot be planted any more."""
    file, old, new = fault
    copy = folder / name.replace(" ", "_")
    shutil.copytree(ROOT / "kpis", copy / "kpis")
    source = ast.unparse(ast.parse((copy / "kpis" / file).read_text(encoding="utf-8")))
    if source.count(old) != 1:
        return f"{name}: {old!r} is {source.count(old)} times in kpis/{file}"
    (copy / "kpis" / file).write_text(source.replace(old, new), encoding="utf-8")
    path = os.pathsep.join((str(copy), str(ROOT / "tests"), str(ROOT)))
    result = subprocess.run(
        [sys.executable, "-m", "support.golden_runner", str(ROOT / "tests" / "golden")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return None if result.returncode else name


def test_every_rule_is_missed(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(partial(survives, tmp_path), FAULTS.keys(), FAULTS.values())
        unnoticed = [fault for fault in outcomes if fault]
    assert not unnoticed


def test_how_code_is_spelt_is_no_fault(tmp_path: Path) -> None:
    pieces = {file: old for file, old, _ in FAULTS.values()}
    for file, old in pieces.items():
        name = file.replace("/", " ")
        assert survives(tmp_path, name, (file, old, old)) == name


def test_without_a_fault_the_tables_hold() -> None:
    from support.golden_runner import wrong_in

    assert wrong_in(ROOT / "tests" / "golden") == []
