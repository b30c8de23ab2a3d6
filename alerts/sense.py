"""What is well written in a rule file and makes no sense, with what to write instead."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from alerts.counting import OF_AGENTS, is_counted, is_gauge, is_share, percent_of
from alerts.receivers import Receivers
from alerts.route_faults import doubtful_routes
from alerts.rule import Rule, RuleFile
from alerts.when import (
    AbsenceWhen,
    BurnRateWhen,
    LogMeanWhen,
    MaturedWhen,
    ObjectiveWhen,
    SeasonalWhen,
    SqlWhen,
    ThresholdWhen,
)
from kpis.catalogue.kpi import Kpi

Where = tuple[str | int, ...]
OWN_DIMENSIONS = ("channel", "queue", "agent", "team", "reason")
WRITE_TICKET = "write labels: {severity: ticket}"
FIGURES = ("value", "n")  # columns of a query beside its labels
BRACES = re.compile(r"\{\{(.*?)\}\}")
MESSAGE_WORDS = ("value", "n", "window", "target", "alert", "kpi")  # beside the names in `by`


def meaningless(file: RuleFile, kpis: dict[str, Kpi]) -> Iterator[tuple[Where, str]]:
    """Where it stands, and what to write instead."""
    seen: set[str] = set()
    for g, group in enumerate(file.groups):
        for r, rule in enumerate(group.rules):
            where: Where = ("groups", g, "rules", r)
            kpi = kpis.get(rule.kpi)
            severity = (group.labels | rule.labels).get("severity", "page")
            if isinstance(rule.when, SqlWhen):
                yield from odd_query(rule, severity, where)
            elif not rule.kpi:
                yield where, "kpi is missing; see `ringback kpi --list`"
            elif kpi is None:
                close = get_close_matches(rule.kpi, kpis, 1)
                said = f"did you mean {close[0]}?" if close else "see `ringback kpi --list`"
                yield (*where, "kpi"), f"no KPI {rule.kpi}; {said}"
            elif fault := unfit(rule, kpi, kpis):
                yield (*where, "kpi"), fault
            elif fault := without(rule, kpi):
                yield (*where, "by"), fault
            if kpi is not None and (fault := odd_no_data(rule, kpi)):
                yield (*where, "no_data"), fault
            if isinstance(rule.when, BurnRateWhen) and severity == "page":
                yield (*where, "when"), f"burn_rate is for tickets: {WRITE_TICKET}"
            for name, text in rule.annotations.items():
                if fault := unknown_words(rule, text):
                    yield (*where, "annotations", name), fault
            if rule.alert in seen:
                yield (*where, "alert"), f"{rule.alert} is there twice; give one of them another name"
            seen.add(rule.alert)


def odd_query(rule: Rule, severity: str, where: Where) -> Iterator[tuple[Where, str]]:
    """What a query cannot have: nothing can decide it again, so it wakes nobody and has no minutes."""
    if severity != "ticket":
        yield (*where, "when"), f"sql is for tickets, as nothing can decide it again: {WRITE_TICKET}"
    if rule.kpi:
        yield (*where, "kpi"), "leave kpi out: with type: sql the query says what is looked at"
    if rule.where:
        yield (*where, "where"), "leave where out: write it in the query"
    if taken := {*rule.by} & {*FIGURES}:
        yield (
            (*where, "by"),
            f"{min(taken)} is a figure and no label: give the column another name",
        )
    if rule.no_data == "alert":
        yield (*where, "no_data"), "a row that is not there has no labels: let the query return one with 0"


def doubtful(file: RuleFile, told: Receivers) -> Iterator[str]:
    """What may be meant so, and rarely is: dimensions that are nearly ours, labels that no rule has."""
    labels: dict[str, set[str]] = {}
    for group in file.groups:
        for rule in group.rules:
            for name, value in (group.labels | rule.labels).items():
                labels.setdefault(name, set()).add(value)
            if rule.no_data == "alert":
                yield f"{rule.alert} fires whenever nobody comes, at night too: mute its receivers then"
            for name in sorted({*rule.by, *rule.where} - {*OWN_DIMENSIONS}):
                if close := get_close_matches(name, OWN_DIMENSIONS, 1, 0.75):
                    yield f"{rule.alert} looks at the dimension {name}: did you mean {close[0]}?"
    for receiver in told.receivers:
        for name, values in receiver.only.items():
            if name in labels and labels[name].isdisjoint(values):
                there = ", ".join(sorted(labels[name]))
                wants = f"{receiver.name} wants {name} {', '.join(values)}"
                yield f"{wants}, which no rule has; there are {there}"
    yield from doubtful_routes(told, labels)


def odd_no_data(rule: Rule, kpi: Kpi) -> str:
    """Why a rule cannot take a time without contacts as it says; "" if it can."""
    is_count = is_gauge(kpi) or not (kpi.den or percent_of(kpi))
    if rule.no_data != "hold" and isinstance(rule.when, ThresholdWhen) and is_count:
        return f"{rule.kpi} is never without data: it is 0 then; leave no_data out"
    if rule.no_data == "alert" and isinstance(rule.when, AbsenceWhen):
        return "absence is itself about nobody coming; write hold or ok, for nights and holidays"
    if rule.no_data == "alert" and isinstance(rule.when, SeasonalWhen):
        return "seasonal is without data on holidays alone, as no contacts are a count of 0; write hold or ok"
    return ""


def unknown_words(rule: Rule, text: str) -> str:
    """What stands in {{ }} and is filled in by nothing; "" where all of it is."""
    known = [*MESSAGE_WORDS, *rule.by]
    for found in BRACES.findall(text):
        if found.strip() not in known:
            close = get_close_matches(found.strip().rpartition(".")[2].partition("|")[0].strip(), known, 1)
            said = f"did you mean {{{{ {close[0]} }}}}?" if close else f"there are {', '.join(known)}"
            return f"nothing is filled in for {{{{{found}}}}}; {said}"
    return ""


def unfit(rule: Rule, kpi: Kpi, kpis: dict[str, Kpi]) -> str:
    """Why a rule of this type cannot look at this KPI; "" if it can."""
    kind = rule.when.type
    if isinstance(rule.when, MaturedWhen):
        missing = [days for days in rule.when.targets if f"{kpi.id}.w{days}d" not in kpis]
        if kpi.table == "fcr" and kpi.maturity == "final" and kpi.variant_of:
            return uncounted(kpi)
        if kpi.table != "fcr" or kpi.maturity != "final" or kpi.unit != "ratio" or kpi.variant_of:
            return f"{rule.kpi} does not ripen; `type: matured` is for fcr_gross, fcr_net and the like"
        return (
            f"{kpi.id} is not counted for {missing[0]} days; RINGBACK_RULES can add that" if missing else ""
        )
    if isinstance(rule.when, LogMeanWhen):
        if kpi.table == "windows" and kpi.unit == "ms" and [*kpi.num.values()] == [*kpi.den.values()] == [1]:
            return ""
        return f"{rule.kpi} is no mean of durations; `type: log_mean` is for asa, aht, art and the like"
    if isinstance(rule.when, ThresholdWhen):
        return "" if is_gauge(kpi) or is_counted(kpi) or percent_of(kpi) else uncounted(kpi)
    if isinstance(rule.when, ObjectiveWhen | BurnRateWhen):
        if is_share(kpi):
            return ""
        if kpi.grain == "agent" and kpi.unit == "ratio":
            return f"{rule.kpi} is a share of time, which is no matter of chance; write `type: threshold`"
        if kpi.table == "fcr" and kpi.unit == "ratio":
            return uncounted(kpi)
        return f"{rule.kpi} is no share of legs, contacts or answers; `type: {kind}` is for shares"
    if kpi.unit == "count" and is_counted(kpi) and kpi.grain != "agent":
        return ""
    return f"{rule.kpi} is no count; `type: {kind}` is for counts such as offered and volume"


def without(rule: Rule, kpi: Kpi) -> str:
    """A dimension that the rule looks at and the KPI has not, with what to write; "" if it has all."""
    known = OF_AGENTS.get(kpi.table)
    odd = [name for name in (*rule.by, *rule.where) if known is not None and name not in known]
    if known is None or not odd:
        return ""
    return f"{kpi.id} is of agents, not by {odd[0]}; write by: [] for all, or some of {', '.join(known)}"


def uncounted(kpi: Kpi) -> str:
    """Why a KPI has no minutes to be added up, and what to write instead."""
    if kpi.table == "fcr" and kpi.maturity == "final":
        plain, days = kpi.variant_of or kpi.id, kpi.days
        return f"{kpi.id} ripens; write kpi: {plain} and when: {{type: matured, targets: {{{days}: ...}}}}"
    if kpi.table == "fcr" and kpi.maturity == "all":
        return f"{kpi.id} has another window from a date on; write one, such as {kpi.id}.w7d"
    return f"{kpi.id} is not counted by minute: take a KPI that is, or write a ticket with `type: sql`"
