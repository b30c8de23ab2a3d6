"""What an alert rule says: models of the rule file, closed, with words close to Prometheus."""

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from alerts.when import ObjectiveWhen, SqlWhen, When
from alerts.words import Closed, Duration, Label, Length, Text, Word
from kpis.dips.machine import NoData
from kpis.dips.profiles import DIP_SLACK, PROFILES

PLACE = ("channel", "queue")
FURTHER_MAX = 4
SQL = "sql"  # in place of a KPI; none is called so
Words = Annotated[dict[Word, Text], Field(max_length=20)]
# For editors; where both or none are written, `sense` says it.
KPI_OR_QUERY: dict[str, Any] = {
    "oneOf": [
        {"required": ["kpi"]},
        {"properties": {"when": {"properties": {"type": {"const": "sql"}}}}},
    ]
}


class Rule(Closed):
    """One alert rule. `by` are the labels it is evaluated for, `where` restricts their values.

    Without `kpi` it is a query of one's own, whose `by` are columns.
    """

    model_config = ConfigDict(json_schema_extra=KPI_OR_QUERY)

    alert: Word
    kpi: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,99}$")] = ""
    by: tuple[Label, ...] = PLACE
    where: dict[Label, tuple[str, ...]] = Field(default_factory=dict)
    when: When
    profile: Literal["fast", "default", "quiet"] = "default"
    for_: Annotated[Duration | None, Field(alias="for")] = None
    keep_firing_for: Duration = 900_000
    settle: Duration = 60_000
    no_data: NoData = "hold"
    max_age: Duration = 1_800_000
    labels: Words = Field(default_factory=dict)
    annotations: Words = Field(default_factory=dict)

    @model_validator(mode="after")
    def _few_labels(self) -> "Rule":
        if len({*self.by}) != len(self.by):
            raise ValueError("write each dimension of by once")
        if len(self.further) > FURTHER_MAX:
            raise ValueError(f"at most {FURTHER_MAX} dimensions beside channel and queue")
        return self

    @property
    def about(self) -> str:
        """Its KPI, or `sql` where it is a query: what messages and ClickHouse have for one."""
        return self.kpi or SQL

    @property
    def further(self) -> tuple[str, ...]:
        """Dimensions beside channel and queue: those of one's own, or agent, team and reason."""
        return tuple(sorted({*self.by, *self.where} - {*PLACE}))

    @property
    def for_ms(self) -> int:
        """How long it must last: as written, else as its profile says."""
        own = PROFILES[self.profile]
        by_chance = "p_value" in type(self.when).model_fields
        return self.for_ if self.for_ is not None else own.for_ms if by_chance else own.limit_for_ms

    @property
    def p_value(self) -> Fraction:
        """Probability of a false alarm: as written, else as its profile says."""
        written: Fraction | None = getattr(self.when, "p_value", None)
        own = PROFILES[self.profile]
        if written is not None:
            return written
        if isinstance(self.when, ObjectiveWhen):
            return own.p_rise if self.when.op == ">" else own.p_dip
        return own.p_value

    @property
    def slack(self) -> Fraction:
        """How much worse than the target a share is to be, in log odds: as written, else as profiles say."""
        if not isinstance(self.when, ObjectiveWhen):
            return Fraction(0)
        if self.when.slack is not None:
            return self.when.slack
        return DIP_SLACK if self.when.op == "<" and self.when.p_value is None else Fraction(0)


class Group(Closed):
    """Rules with an owner."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    interval: Length = 60_000
    labels: Words = Field(default_factory=dict)
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @property
    def counted(self) -> tuple[Rule, ...]:
        """Rules about minutes of KPIs: whoever has the minutes can decide them again."""
        return tuple(rule for rule in self.rules if not isinstance(rule.when, SqlWhen))

    @property
    def queries(self) -> tuple[tuple[Rule, SqlWhen], ...]:
        """Rules that are queries: decided once, on ClickHouse as it stands then."""
        return tuple((rule, rule.when) for rule in self.rules if isinstance(rule.when, SqlWhen))


class RuleFile(Closed):
    """A file of alert rules."""

    version: Literal[1]
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            raise ValueError("a rule file begins with `version: 1` and `groups:`")
        return given

    @property
    def queries(self) -> list[str]:
        """Names of the rules that are queries: nothing can decide them again."""
        return [rule.alert for group in self.groups for rule, _ in group.queries]
