"""The route tree of the file of receivers, in Alertmanager's words."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from alerts.matchers import ALERT, ALERTNAME, Matchers, all_match
from alerts.time_intervals import Name
from alerts.words import Closed, Duration, Length, Word

Where = tuple[str | int, ...]
EACH = "..."  # for group_by: every alert alone
DEFAULT_GROUP_BY = (ALERT, "channel")
DEFAULT_WAIT_MS, DEFAULT_INTERVAL_MS, DEFAULT_REPEAT_MS = 30_000, 300_000, 14_400_000


def once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Each label once; ... stands for all of them."""
    if len({*names}) != len(names):
        raise ValueError("write each label once")
    if EACH in names and len(names) > 1:
        raise ValueError(f"{EACH} is all labels already: leave the others out")
    return tuple(ALERT if name == ALERTNAME else name for name in names)


Labels = Annotated[
    tuple[Annotated[str, Field(pattern=r"^(?:[A-Za-z_][A-Za-z0-9_]{0,63}|\.\.\.)$")], ...],
    Field(max_length=10),
    AfterValidator(once),
]


class Route(Closed):
    """Which alerts go to whom. What a route does not say is as in the one above it, but for times by name."""

    receiver: Word | None = None
    matchers: Matchers = ()
    continue_: Annotated[bool, Field(alias="continue")] = False
    group_by: Labels | None = None
    group_wait: Duration | None = None
    group_interval: Length | None = None
    repeat_interval: Length | None = None
    mute_time_intervals: Annotated[tuple[Name, ...], Field(max_length=50)] = ()  # nobody is told then
    active_time_intervals: Annotated[tuple[Name, ...], Field(max_length=50)] = ()  # they are told then alone
    routes: Annotated[tuple["Route", ...], Field(max_length=200)] = ()

    def all(self, where: Where = ("route",)) -> Iterator[tuple[Where, "Route"]]:
        """Itself and all routes below it, with where they stand in the file."""
        yield where, self
        for index, child in enumerate(self.routes):
            yield from child.all((*where, "routes", index))


class Inhibition(Closed):
    """An alert that fires makes others superfluous, where the labels in `equal` are there and the same."""

    source_matchers: Annotated[Matchers, Field(min_length=1)]
    target_matchers: Annotated[Matchers, Field(min_length=1)]
    equal: Labels = ()

    @model_validator(mode="after")
    def _names_labels(self) -> "Inhibition":
        if EACH in self.equal:
            raise ValueError("write the labels in equal: all of them are never equal")
        return self

    def covers(self, source: Mapping[str, str], target: Mapping[str, str]) -> bool:
        """Does one alert say what the other would? Of two that could say it of each other neither does."""
        if not all_match(self.source_matchers, source) or not all_match(self.target_matchers, target):
            return False
        if all_match(self.source_matchers, target) and all_match(self.target_matchers, source):
            return False
        return all(source.get(name) and source[name] == target.get(name) for name in self.equal)
