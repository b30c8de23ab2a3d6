"""For each repair rule of docs/facts.md 2 to 5, and those of repeat contacts: with the rule removed, a golden table fails.

The rule is removed in a copy of kpis/, in its syntax tree (support/planted.py), and the tables are run on that copy.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.planted import CannotPlant, plant

ROOT = Path(__file__).parents[2]
# Where each module is; the rows below go by these names alone.
MODULES = {
    "ageing": "kpis/fold/ageing.py",
    "agents": "kpis/agents/quarters.py",
    "present": "kpis/agents/present.py",
    "states": "kpis/agents/states.py",
    "callbacks": "kpis/tallies/callbacks.py",
    "course": "kpis/fold/course.py",
    "numbering": "kpis/fold/numbering.py",
    "business_hours": "kpis/business_hours.py",
    "backlog": "kpis/tallies/backlog.py",
    "contact": "kpis/fold/contact.py",
    "customer_contacts": "kpis/fcr/customer_contacts.py",
    "dimensions": "kpis/fold/dimensions.py",
    "fcr_tally": "kpis/tallies/fcr.py",
    "first_response": "kpis/tallies/first_response.py",
    "fold": "kpis/fold/events.py",
    "hold": "kpis/fold/hold.py",
    "leg": "kpis/fold/leg.py",
    "live": "kpis/tallies/live.py",
    "relations": "kpis/fold/relations.py",
    "contact_amounts": "kpis/tallies/contact_amounts.py",
    "rules": "kpis/rules.py",
    "replies": "kpis/fold/replies.py",
    "response": "kpis/fold/response.py",
    "measured": "kpis/fold/measured.py",
    "offers": "kpis/fold/offers.py",
    "offer_tally": "kpis/tallies/offers.py",
    "survey": "kpis/fold/survey.py",
    "survey_tally": "kpis/tallies/surveys.py",
    "tallies": "kpis/tallies/windows.py",
    "visit": "kpis/fcr/visit.py",
    "windows": "kpis/tallies/windows.py",
    "wrap": "kpis/fold/wrap.py",
}
Fault = tuple[str, str, str, str]  # module, function, what stands there, what is put in its place

FAULTS: dict[str, Fault] = {
    "duplicate event_id": ("fold", "unique", "list(winners.values())", "list(events)"),
    "greatest revision wins": ("fold", "unique", "strength(known) < strength(event)", "strength(known) > strength(event)"),
    "second answered or queued": ("leg", "earliest", "min(found, key=lambda event: order_key(event))", "max(found, key=lambda event: order_key(event))"),
    "START_MISSING": ("contact", "fold_contact", "started.occurred_at if started else first.occurred_at", "started.occurred_at if started else 0"),
    "ANSWER_MISSING": ("leg", "fold_leg", "answer is None and agent_was_there(events, wrapped, end)", "False"),
    "END_MISSING": ("ageing", "state_at", 'return "incomplete"', 'return "open"'),
    "LEG_MISSING": ("ageing", "missing", '"LEG_MISSING"', '"END_MISSING"'),
    "answer just after the end": ("leg", "find_answer", "answer.occurred_at - end.occurred_at <= rules.skew_tolerance_ms", "False"),
    "ANSWER_AFTER_END": ("leg", "find_answer", 'flags.note("ANSWER_AFTER_END"); return 0, None', 'flags.note("ANSWER_AFTER_END"); return 1, None'),
    "answer just before the queue": ("leg", "elapsed", "0 if within else None", "None"),
    "NEG": ("leg", "elapsed", "0 if within else None", "0"),
    "MULTI_TERMINAL": ("leg", "find_end", "min(terminals, key=order_key)", "max(terminals, key=order_key)"),
    "held while held": ("hold", "fold_holds", "on_hold_until is not None and inside_start < on_hold_until", "False"),
    "resumed without held": ("hold", "held_intervals", "resumed.keys() - held.keys()", "False"),
    "held without resumed": ("hold", "held_intervals", "resumed.get(number, end_at)", "resumed.get(number)"),
    "hold before the answer": ("hold", "fold_holds", "max(start, answered_at)", "start"),
    "hold beyond the end": ("hold", "fold_holds", "min(stop, end_at)", "stop"),
    "WRAP_BEFORE_END": ("wrap", "after_contact_work", "wrapped is not None and wrapped.occurred_at >= end.occurred_at", "wrapped is not None"),
    "left on hold is no abandon": ("leg", "fold_leg", 'unhandled and end_type == "abandoned"', 'end_type == "abandoned"'),
    "busy is a union": ("agents", "fold_quarter", "union(worked)", "worked"),
    "REOPEN_IMPLIED": ("contact", "count_reopens", "reopened or not is_async(rules, channel)", "True"),
    "SCORE_RANGE": ("survey", "in_range", "event.scale_min <= event.score <= event.scale_max and event.scale_min < event.scale_max", "True"),
    "last answer counts": ("survey", "fold_surveys", "(item.occurred_at, item.event_id)", "(-item.occurred_at, item.event_id)"),
    "ignored answer": ("survey", "fold_surveys", "event.ignored or in_range(event)", "in_range(event) and not event.ignored"),
    "ignored answer, off the scale": ("survey", "fold_surveys", "event.ignored or in_range(event)", "in_range(event)"),
    "positive answers of a short scale": ("survey_tally", "positives", "answers <= 3", "False"),
    "positive answers of a long scale": ("survey_tally", "positives", "answers < 10", "True"),
    "decimals of a score": ("survey_tally", "step", "return units", "return 1"),
    "late survey": ("survey", "fold_surveys", "event.occurred_at - ended_at > rules.survey_late_ms", "event.occurred_at - ended_at > 10 * rules.survey_late_ms"),
    "ORPHAN_SURVEY": ("fold", "fold_unique", "fold_surveys(surveys, None, rules)", "()"),
    "own bucket of a survey": ("survey", "fold_surveys", "event.occurred_at if ended_at is None else ended_at", "event.occurred_at"),
    "FUTURE": ("fold", "fold", "ahead and facts.contact is not None", "False"),
    "later events are invisible": ("fold", "fold", "event.occurred_at <= as_of", "True"),
    "measured durations come first": ("leg", "talk_time", "measured is not None", "False"),
    "measured wait comes first": ("leg", "queue_time", "measured is not None", "False"),
    "measured holds come first": ("hold", "fold_holds", "told is not None and told.hold_ms is not None", "False"),
    "measured acw comes first": ("wrap", "after_contact_work", "measured is not None", "False"),
    "measured talk shows an agent": ("leg", "agent_was_there", "shows_an_agent(end)", "False"),
    "a bot's talk shows none": ("measured", "shows_an_agent", 'type(end) is ContactResolved and end.by == "bot"', "False"),
    "who only rang wraps nothing up": ("wrap", "counted_wraps", "event.agent is None or event.agent in answered_by", "True"),
    "a wrap-up after an abandon shows no agent": ("wrap", "is_evidence", 'type(end) is not ContactAbandoned or end.place == "hold"', "True"),
    "a guest's end does not end the contact": ("contact", "ending_leg", "[*hosts, last]", "[last]"),
    "ended by the system in the IVR": ("leg", "turned_away", 'type(end) is ContactAbandoned and end.place == "ivr" and end.by == "system"', "False"),
    "rejected before any queue": ("contact", "fold_contact", "not offered and owner is None and any((leg.rejected for leg in legs))", "any((leg.rejected for leg in legs))"),
    "waits by length": ("windows", "by_length", "bisect_left(WAIT_LIMITS_MS, wait_ms)", "bisect_left(WAIT_LIMITS_MS, wait_ms + 1)"),
    "queue that refused": ("leg", "named_by", 'end.queue or ""', '""'),
    "opened again on its leg": ("numbering", "openings", "type(before) in TERMINALS", "False"),
    "opened before any end": ("numbering", "openings", "type(before) in TERMINALS", "True"),
    "legs behind one opened again": ("numbering", "numbered", "bisect_right(found, place_of(e))", "bisect_right([place for place in found if place[0] == e.leg], place_of(e))"),
    "latest reason": ("contact", "latest_reason", "max(carriers, key=BY_TIME)", "min(carriers, key=BY_TIME)"),
    "short abandon is no candidate": ("visit", "visit_of", "inbound and not contact.short_abandoned and not contact.contained", "inbound and not contact.contained"),
    "contained is no candidate": ("visit", "visit_of", "inbound and not contact.short_abandoned and not contact.contained", "inbound and not contact.short_abandoned"),
    "outbound is no candidate": ("visit", "visit_of", 'contact.direction == "inbound" and contact.callback_of is None', "contact.callback_of is None"),
    "call-back is no candidate": ("visit", "visit_of", "inbound and not contact.short_abandoned and not contact.contained", "not contact.short_abandoned and not contact.contained"),
    "call-back ends the request": ("visit", "candidate", "callback if callback is not None and visit.wants_callback else visit", "visit"),
    "the last call-back counts": ("customer_contacts", "judge", "last_callback(calls)", "(calls or [None])[0]"),
    "unresolved fails": ("visit", "visit_of", 'contact.end_type == "resolved" and contact.end_detail != "unresolved" and contact.reopens == 0', 'contact.end_type == "resolved" and contact.reopens == 0'),
    "reopened fails": ("visit", "visit_of", 'contact.end_type == "resolved" and contact.end_detail != "unresolved" and contact.reopens == 0', 'contact.end_type == "resolved" and contact.end_detail != "unresolved"'),
    "same reason": ("visit", "group_of", 'fact.reason if rules.match_reason else ""', '""'),
    "any reason": ("visit", "group_of", 'fact.reason if rules.match_reason else ""', "fact.reason"),
    "window is inclusive": ("fcr_tally", "is_repeated", "fact.next_at <= fact.ended_at + days * DAY_MS", "fact.next_at < fact.ended_at + days * DAY_MS"),
    "maturity": ("fcr_tally", "is_final", "window_start + MINUTE_MS + days * DAY_MS <= as_of", "True"),
    "net leaves out level 2": ("fcr_tally", "at_end", "failed * level1", "failed"),
    "stale waiting": ("live", "is_waiting", "bool(leg.offered) and in_queue and fresh and not answered_unseen", "bool(leg.offered) and in_queue and not answered_unseen"),
    "SL9 counts those who wait": ("live", "live_service_level", "int(as_of - leg.entered_at > target)", "0"),
    "an agent's reply is an answer": ("leg", "fold_leg", "earliest(events, ContactAnswered, flags) or earliest_reply(events)", "earliest(events, ContactAnswered, flags)"),
    "a bot's reply is none": ("fold", "is_agents_reply", 'type(event) is ContactReplied and event.by == "agent"', "type(event) is ContactReplied"),
    "a reply before the answer": ("response", "first_reply", "min(replies, default=None)", "max(replies, default=None)"),
    "a bot hands over": ("response", "handed_over_at", "closes(leg_before)", "True"),
    "nobody waits after an end": ("response", "handed_over_at", "closes(leg_before)", "False"),
    "the customer's last opening": ("response", "with_first_response", "max([handed_over_at(legs, events, started_at), *opened])", "handed_over_at(legs, events, started_at)"),
    "not opened by an agent": ("response", "with_first_response", 'event.by != "agent"', "True"),
    "not opened after the reply": ("response", "with_first_response", "event.occurred_at <= replied_at", "True"),
    "a reply before the opening": ("response", "between", "begin - end <= rules.skew_tolerance_ms", "True"),
    "no first response on the phone": ("contact", "fold_contact", 'channel != "voice" and direction == "inbound"', 'direction == "inbound"'),
    "no first response outbound": ("contact", "fold_contact", 'channel != "voice" and direction == "inbound"', 'channel != "voice"'),
    "written after the end": ("contact", "count_reopens", "type(e) not in PASSIVE", "True"),
    "the last request": ("callbacks", "request_of", "asked[-1] if asked else None", "asked[0] if asked else None"),
    "a call before the request": ("callbacks", "is_attempt", "latest - asked_at >= -rules.skew_tolerance_ms", "True"),
    "wait to the first attempt": ("callbacks", "callback_measures", "min(c.started_at for c in known)", "max(c.started_at for c in known)"),
    "wait to the answer": ("callbacks", "callback_measures", "min(answers)", "max(answers)"),
    "an attempt that still rings": ("callbacks", "callback_measures", "not c.handled and c.ended_at is not None", "not c.handled"),
    "an answer before the request": ("callbacks", "callback_measures", "answer - asked_at >= -rules.skew_tolerance_ms", "True"),
    "withdrawn counts nowhere": ("fold", "fold_unique", "told and is_withdrawn(events)", "False"),
    "withdrawal undone": ("relations", "is_withdrawn", "statement is not None and not statement.undone", "statement is not None"),
    "the latest statement": ("relations", "latest", "(event.occurred_at, event.event_id)", "(-event.occurred_at, event.event_id)"),
    "the start names the parent": ("relations", "with_links", 'contact.parent_contact_id or linked_to(events, "parent")', 'linked_to(events, "parent")'),
    "an inquiry is no contact": ("contact_amounts", "contact_amounts", "contact.consult_of is not None", "False"),
    "an inquiry is no visit": ("visit", "visit_of", "contact.customer_key is None or contact.consult_of or not (inbound or contact.callback_of)", "contact.customer_key is None or not (inbound or contact.callback_of)"),
    "forwarded is no candidate": ("visit", "visit_of", "contact.forwarded_from is None", "True"),
    "wait until the first agent": ("course", "wait_of", "leg.handled", "False"),
    "a part of the wait unknown": ("course", "wait_of", "return None", "return waited"),
    "answered in any queue": ("contact", "fold_contact", "offered and owner is not None", "offered and legs[-1].handled"),
    "abandoned is of nobody's": ("contact", "fold_contact", 'offered and owner is None and last is not None and last.end_type == "abandoned"', 'offered and last is not None and last.end_type == "abandoned"'),
    "T of the first queue": ("contact_amounts", "first_entered", "target_ms(rules, contact.channel, contact.entry_queue, contact.entered_at)", "target_ms(rules, contact.channel, contact.queue, contact.entered_at)"),
    "short over all queues": ("contact_amounts", "first_entered", "wait <= limits_at(rules, contact.entered_at).short_abandon_ms", "contact.short_abandoned"),
    "the gap": ("customer_contacts", "far_enough", "not rules.min_gap_ms or later_at - earlier_at >= rules.min_gap_ms", "True"),
    "the gap is inclusive": ("customer_contacts", "far_enough", "later_at - earlier_at >= rules.min_gap_ms", "later_at - earlier_at > rules.min_gap_ms"),
    "an answer that is told of as a reply": ("replies", "agent_times", "abs(at - leg.answered_at) <= rules.skew_tolerance_ms", "False"),
    "of that leg": ("replies", "agent_times", "number == leg.leg", "True"),
    "an agent's opening is no message": ("replies", "customer_times", 'e.by != "agent"', "True"),
    "the first of several messages": ("replies", "exchange", "at if since is None else since", "at"),
    "the first reply is first response": ("replies", "exchange", "replies > 1", "True"),
    "waits until the end": ("replies", "exchange", "since is not None and ended_at is not None", "False"),
    "a customer's message": ("fold", "fold_unique", 'type(event) is ContactReplied and event.by == "customer"', "False"),
    "closed, opened again": ("relations", "closed_at", "closed is None or any(type(e) is ContactReopened and e.occurred_at > closed for e in events)", "closed is None"),
    "one-touch is below two": ("contact_amounts", "written", "contact.agent_replies < 2", "contact.agent_replies < 3"),
    "waits in business hours": ("leg", "business_queue_time", "business_span(rules, queue, queued_at, queue_ms)", "queue_ms"),
    "days with hours of their own": ("business_hours", "open_spans", "own.get(day, calendar.week[(day + THURSDAY) % 7])", "calendar.week[(day + THURSDAY) % 7]"),
    "business hours by the local clock": ("business_hours", "open_spans", "day * DAY_MS - offset", "day * DAY_MS"),
    "latest value of a dimension": ("dimensions", "carrying", "(e.occurred_at, e.event_id)", "(-e.occurred_at, e.event_id)"),
    "eight dimensions": ("dimensions", "latest_dimensions", "sorted(values)[:MOST_DIMENSIONS]", "sorted(values)"),
    "a leg's own dimensions": ("leg", "leg_dimensions", "latest_dimensions(carrying(events), setting.dimensions)", "setting.dimensions"),
    "dimensions of a survey": ("survey", "fold_surveys", "contact.dimensions if contact else NONE", "NONE"),
    "the present state counts up to now": ("states", "stints_of", "as_of if after is None else after.occurred_at", "event.occurred_at if after is None else after.occurred_at"),
    "a state whose end was lost": ("states", "stints_of", 'event.state != "offline" and begin < end <= begin + longest', 'event.state != "offline" and begin < end'),
    "offline is no login": ("states", "stints_of", 'event.state != "offline" and begin < end <= begin + longest', "begin < end <= begin + longest"),
    "states after the moment": ("states", "stints_of", "event.occurred_at <= as_of", "True"),
    "a state after another is no login": ("states", "stints_of", 'before is None or before.state == "offline" or begin - before.occurred_at > longest', "True"),
    "talks that go on": ("present", "open_sessions_of", "leg.handled_at is None", "False"),
    "a talk whose end was lost": ("present", "open_sessions_of", "leg.answered_at < as_of <= leg.answered_at + rules.stale_ms", "leg.answered_at < as_of"),
    "a ticket is no talk": ("present", "open_sessions_of", "not is_async(rules, leg.channel)", "True"),
    "agents are in a state now": ("present", "present_state", "last.occurred_at < as_of <= last.occurred_at + rules.agent_state_max_ms", "False"),
    "a talk that goes on is none finished": ("present", "present_quarters", "quarter.sessions - len(opened)", "quarter.sessions"),
    "training is a pause": ("states", "state_measures", "stint.state in PAUSES", 'stint.state == "break"'),
    "first responses by length": ("first_response", "by_length", "bisect_left(RESPONSE_LIMITS_MS, first_ms)", "bisect_left(RESPONSE_LIMITS_MS, first_ms + 1)"),
    "first responses beyond all limits": ("first_response", "by_length", "first_ms is None or first_ms > RESPONSE_LIMITS_MS[-1]", "first_ms is None or first_ms >= RESPONSE_LIMITS_MS[-1]"),
    "first responses within T": ("first_response", "response_amounts", "first <= target", "first < target"),
    "first response in business hours": ("response", "with_first_response", "business_span(rules, leg.queue, started_at, created_ms)", "created_ms"),
    "resolution in business hours": ("contact_amounts", "in_business", "business_span(rules, contact.queue, contact.started_at, length_ms)", "length_ms"),
    "an inquiry is no backlog": ("backlog", "is_open", "contact.consult_of is not None or contact.started_at > as_of", "contact.started_at > as_of"),
    "closed is no backlog": ("backlog", "is_open", "(contact.ended_at, contact.closed_at)", "(contact.ended_at,)"),
    "a call whose end was lost is no backlog": ("backlog", "is_open", "silent and not is_async(rules, contact.channel)", "False"),
    "a silent ticket is": ("backlog", "is_open", "silent and not is_async(rules, contact.channel)", "silent"),
    "solved, opened again": ("backlog", "is_open", "not had_ended(legs, as_of)", "True"),
    "not yet opened again": ("backlog", "had_ended", "leg.entered_at <= as_of", "True"),
    "an agent still on another leg": ("backlog", "had_ended", "leg is begun[-1] or (leg.handled and closes(leg))", "leg is begun[-1]"),
    "older than a day": ("backlog", "backlog_measures", "age > days * DAY_MS", "age >= days * DAY_MS"),
    "an answered leg counts once": ("offers", "fold_offers", 'event.outcome == "answered" and not (leg and leg.answered)', 'event.outcome == "answered"'),
    "only answered beside a queue": ("offers", "fold_offers", 'event.outcome == "answered" and not (leg and leg.answered)', "not (leg and leg.answered)"),
    "offers of the queue of their leg": ("offers", "fold_offers", 'leg.queue if leg else ""', '""'),
    "dimensions of an offer": ("offers", "fold_offers", "leg.dimensions if leg else own", "own"),
    "offers before anything else": ("fold", "fold_unique", "fold_offers(events, None, ())", "()"),
    "who took it elsewhere missed nothing": ("offer_tally", "offer_amounts", "offer.outcome in NOT_TAKEN", 'offer.outcome != "answered"'),
    "resolved by an agent's leg": ("tallies", "activity", 'leg.handled and leg.end_type == "resolved" and leg.ended_at is not None', 'leg.end_type == "resolved" and leg.ended_at is not None'),
    "waits as a contact": ("contact_amounts", "first_entered", "int(not answered and not ended)", "int(not answered)"),
    "solved": ("contact_amounts", "is_solved", 'contact.end_type == "resolved" and contact.end_detail != "unresolved"', 'contact.end_type == "resolved"'),
    "causes of rejections": ("contact_amounts", "rejections", "cause in REJECTIONS", "False"),
    "fulfilled": ("callbacks", "callback_measures", "any((contact.handled for contact in known))", "bool(known)"),
    "kind of a link": ("relations", "linked_to", "type(event) is ContactLinked and event.kind == kind", "type(event) is ContactLinked"),
    "limits of a date": ("rules", "limits_at", "limits.from_ms <= at_ms", "False"),
    "limits from the moment on": ("rules", "limits_at", "limits.from_ms <= at_ms", "limits.from_ms < at_ms"),
    "target of a date": ("rules", "target_ms", "limits_at(rules, at_ms) if rules.dated else rules", "rules"),
    "short of a date": ("leg", "is_short", "limits_at(rules, leg.entered_at)", "rules"),
    "a contact short by its date": ("contact_amounts", "first_entered", "limits_at(rules, contact.entered_at)", "rules"),
    "calendar of a queue": ("rules", "calendar_of", "rules.calendar_by_queue.get(queue, rules.calendar_default)", "rules.calendar_default"),
    "only time in queues": ("course", "wait_of", "leg.offered", "True"),
    "hours of a clock change": ("business_hours", "open_spans", "max(midnight + opens, begin), min(midnight + closes, end)", "midnight + opens, midnight + closes"),
    "number of measured holds": ("hold", "fold_holds", "int(told.hold_ms > 0)", "1"),
    "replies of those nobody had": ("contact_amounts", "at_end", 'contact.handled and inbound and contact.channel != "voice"', 'inbound and contact.channel != "voice"'),
    "service level in business hours": ("tallies", "entered", "int(business <= target)", "within"),
}  # fmt: skip


def planted(name: str) -> tuple[str, str]:
    """File of a fault, and its source with the fault. Raises CannotPlant, naming both."""
    module, function, old, new = FAULTS[name]
    path = MODULES[module]
    try:
        return path, plant((ROOT / path).read_text(encoding="utf-8"), function, old, new)
    except CannotPlant as error:
        raise CannotPlant(f"{name}: {path}, {error}") from None


def survives(folder: Path, name: str) -> str | None:
    """What is wrong with a fault: no table notices it, or it makes the tables crash instead of differ."""
    copy = folder / name.replace(" ", "_")
    shutil.copytree(ROOT / "kpis", copy / "kpis")
    path, source = planted(name)
    (copy / path).write_text(source, encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "support.golden_runner", str(ROOT / "tests" / "golden")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(copy), str(ROOT / "tests"), str(ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return f"{name}: no table notices"
    return None if result.stdout.strip() else f"{name}: {result.stderr.strip().splitlines()[-1]}"


def test_every_rule_is_where_its_row_says() -> None:
    """Quick, so that `make check` tells whoever moves or rewrites a rule."""
    wrong = []
    for name in FAULTS:
        try:
            planted(name)
        except CannotPlant as error:
            wrong.append(str(error))
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_every_rule_is_missed(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        wrong = [fault for fault in pool.map(lambda name: survives(tmp_path, name), FAULTS) if fault]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_without_a_fault_the_tables_hold() -> None:
    from support.golden_runner import wrong

    assert list(wrong(ROOT / "tests" / "golden")) == []
