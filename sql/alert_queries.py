"""SQL that decides again when an alert fired and ended, from minutes: the oracle of alert_transitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sql.kpi_queries import column_of, moment_minutes
from sql.templates import fill, template

# Where a KPI means anything (kpis.catalogue.kpi.applicable).
APPLIES = {
    "all": "1",
    "sync": "NOT has({async_channels:Array(String)}, channel)",
    "async": "has({async_channels:Array(String)}, channel)",
    "not_email": "channel != 'email'",
}
# Of a week of the past: is it behind the begin of history, by itself or with all of its window?
KNOWN = {"absence": "due > first_ms", "seasonal": "due - length > first_ms"}
# How a type looks at minutes.
LOOKS = {
    "objective": "alert_objective",
    "matured": "alert_objective",
    "log_mean": "alert_log_mean",
    "threshold": "alert_threshold",
    "quantile": "alert_quantile",  # threshold, of a percentile
    "absence": "alert_absence",
    "seasonal": "alert_seasonal",
    "burn_rate": "alert_burn_rate",
}
# What is off may depend on when an episode ended last; else it is GIVEN.
LADDER = ("alert_objective_steps", "alert_objective_looked")
STEPS = {
    "objective": LADDER,
    "matured": LADDER,
    "log_mean": ("alert_log_mean_steps", "alert_log_mean_looked"),
}
GIVEN = ("alert_given_steps", "alert_given_looked")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a rule counts minute by minute: expressions of numerator and denominator, and the source."""

    num: str
    den: str
    source: str
    part: str = "0"  # the age of a cohort in days
    together: str = "sum(good)"  # of the rows of a minute


def terms(amounts: Mapping[str, int]) -> str:
    """A sum of measures with their coefficients."""
    return " + ".join(f"{factor:d} * m_{name}" for name, factor in amounts.items())


def sums_counted(
    num: Mapping[str, int], den: Mapping[str, int], is_share: bool, source: str, part: str = "0"
) -> Counted:
    """Sums of measures. A count is its own denominator; no share is beyond 0 and 1."""
    together = "least(greatest(sum(good), 0), n)" if is_share else "sum(good)"
    return Counted(terms(num), terms(den or num), source, part, together)


def logs_counted(source: str) -> Counted:
    """Logarithms of durations: sums of them, and of their squares."""
    source = f"(SELECT *, arrayJoin([0, 1]) AS log_part FROM {source})"  # noqa: S608 -- ours
    return Counted("if(log_part = 0, m_log_sum, m_log_squares)", "m_log_n", source, "log_part")


def beyond_counted(source: str) -> Counted:
    """Single durations: how many are beyond a limit, and beyond another."""
    source = f"(SELECT *, arrayJoin([0, 1]) AS beyond_part FROM {source})"  # noqa: S608 -- ours
    return Counted(
        "if(beyond_part = 0, m_beyond_limit, m_beyond_clear)", "m_durations", source, "beyond_part"
    )


def moment_counted(moment: str, longest: bool, further: Sequence[str]) -> Counted:
    """What legs are at the end of each minute: how many, or the longest of them."""
    source = f"(SELECT begin_ms AS minute_ms, * FROM ({moment_minutes(moment, further)}))"  # noqa: S608 -- ours
    if longest:
        return Counted("longest_ms", "legs_n", source, together="max(good)")
    return Counted("legs_n", "legs_n", source)


def since_known(source: str) -> str:
    """Read from {known_ms} on: as far back as windows and the weeks before reach."""
    return source.replace("{from_ms:Int64}", "{known_ms:Int64}")


def alert_transitions(
    kind: str, counted: Counted, by: Sequence[str], where: Sequence[str], applies: str
) -> str:
    """labels (values of `by`), at, kind, opened_at, window_ms, successes, n of a rule of a type.

    `where` are dimensions of which only some values count: {values_0}, {values_1} and so on.
    """
    among = (
        f"has({{values_{number}:Array(String)}}, {column_of(name)})" for number, name in enumerate(where)
    )
    steps, looked = STEPS.get(kind, GIVEN)
    parts = {
        "counts": fill(
            "oracle",
            "alert_counts",
            labels=f"[{', '.join(map(column_of, by))}]::Array(String)",
            num=counted.num,
            den=counted.den,
            source=since_known(counted.source),
            part=counted.part,
            together=counted.together,
            applies=" AND ".join((APPLIES[applies], *among)),
        ),
        "machine": fill(
            "oracle",
            "alert_machine",
            looked=template("oracle", looked),
            steps=template("oracle", steps),
            nothing="arrayMap(part -> toInt64(0), {parts:Array(UInt16)})",
        ),
    }
    if kind in KNOWN:
        parts["weekly"] = fill("oracle", "alert_weeks", known=KNOWN[kind])
    return fill("oracle", LOOKS[kind], **parts)
