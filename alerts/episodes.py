"""Episodes of a rule over a stretch of history: what would have been paged, and when."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alerts.label_sets import LabelSet, series_of
from alerts.rule import Group, ObjectiveWhen, Rule
from kpis.catalogue.kpi import Kpi
from kpis.dips.critical import CriticalCounts
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Look, Objective, Series, counts_of, look
from kpis.dips.machine import Timing
from reports.minutes import MinuteSums


@dataclass(frozen=True, slots=True)
class Episode:
    """A time for which an alert was firing, event time in UTC ms; `ended_at` None: it still is."""

    alert: str
    kpi: str
    labels: LabelSet
    began_at: int  # of the breach
    fired_at: int
    ended_at: int | None
    ending: str  # resolved, expired, or "" while it is firing
    seen: Look  # when it fired


def objective_of(when: ObjectiveWhen) -> Objective:
    """The objective of a rule as the decision takes it."""
    return Objective(
        when.target, when.op == "<", when.p_value, when.windows, when.min_samples, when.fresh_min
    )


def timing_of(rule: Rule) -> Timing:
    """The times of a rule."""
    return Timing(rule.for_, rule.keep_firing_for)


def episodes(
    group: Group,
    rule: Rule,
    kpi: Kpi,
    minutes: Iterable[MinuteSums],
    span: tuple[int, int],
    async_channels: tuple[str, ...],
) -> Iterator[Episode]:
    """Episodes of an objective rule in [begin, end), all label sets, each by its own history."""
    objective = objective_of(rule.when)
    counts = counts_of(objective)
    for labels, series in series_of(rule, kpi, minutes, async_channels).items():
        yield from of_series(group, rule, labels, series, span, objective, counts)


def of_series(
    group: Group,
    rule: Rule,
    labels: LabelSet,
    series: Series,
    span: tuple[int, int],
    objective: Objective,
    counts: CriticalCounts,
) -> Iterator[Episode]:
    """Episodes of one label set."""
    firing: Episode | None = None
    for now, changed in transitions(series, span, group.interval, objective, timing_of(rule), counts):
        if changed is None:
            continue
        if changed.to == "firing":
            seen = look(series, changed.at, now.restart, objective, counts)
            firing = Episode(rule.alert, rule.kpi, labels, changed.opened_at, changed.at, None, "", seen)
        elif firing is not None and changed.to in ("resolved", "expired"):
            yield Episode(
                firing.alert,
                firing.kpi,
                labels,
                firing.began_at,
                firing.fired_at,
                changed.at,
                changed.to,
                firing.seen,
            )
            firing = None
    if firing is not None:
        yield firing
