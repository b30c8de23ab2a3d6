"""A panel of the dashboards for Grafana."""

from dataclasses import dataclass, field

WIDTH, HEIGHT = 24, 8


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture: its kind, the query behind it, and the unit of each column."""

    title: str
    kind: str
    sql: str
    units: dict[str, str] = field(default_factory=dict)
    width: int = 12
    height: int = HEIGHT
    about: str = ""
