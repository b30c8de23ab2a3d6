"""Golden worlds as text: several contacts and agents, and the tables expected of them.

    contact | day | channel | customer | reason | events     a contact; times count from that day
    state | agent | at | to | team                           an agent's states; the first cell is the event id
    kpi | as_of | value                                      a KPI over everything
    judged | as_of | c1 | c2 ...                             per length of the window: failed, success ...
    quarter | busy_ms | ...                                  quarter-hours of the agent, seconds from midnight
    live | as_of | ...                                       a KPI in each column

`name: value` lines are settings of the repeat-contact rules. Times and durations are seconds, `d` days.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from support.evaluate import World, fcr_facts, judgement, kpi_value, quarters
from support.notation import BASE_MS, read_events, to_ms
from support.tables import cells, show, tidy

from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import FcrRules, Rules
from schemas.events import AgentStateChanged, ContactEvent
from schemas.time_units import DAY_MS

Row = dict[str, str]
Table = tuple[str, list[Row]]


def moment(text: str) -> int:
    """A time: seconds, or days with a d."""
    offset = round(float(text[:-1]) * DAY_MS) if text.endswith("d") else to_ms(text)
    return BASE_MS + offset


def read_tables(path: Path) -> tuple[dict[str, str], list[Table]]:
    """Settings and tables of a file."""
    settings: dict[str, str] = {}
    tables: list[Table] = []
    header: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            header = []
        elif "|" not in line:
            name, _, value = line.partition(":")
            settings[name.strip()] = value.strip()
        elif not header:
            header = cells(line)
            tables.append((header[0], []))
        else:
            tables[-1][1].append(dict(zip(header, cells(line), strict=True)))
    return settings, tables


def read_contact(row: Row) -> list[ContactEvent]:
    """Events of a contact row."""
    shift = round(float(row.get("day") or 0) * DAY_MS)
    events = read_events(row["events"], row.get("channel") or "voice", row["contact"])
    known = {"customer_key": row.get("customer"), "reason": row.get("reason")}
    found = []
    for event in events:
        moved = event.model_copy(update={"occurred_at": event.occurred_at + shift})
        if moved.type == "contact_started":
            moved = moved.model_copy(
                update={name: text for name, text in known.items() if text and text != "-"}
            )
        found.append(moved)
    return found


def read_state(row: Row) -> AgentStateChanged:
    """A row of agent states."""
    return AgentStateChanged(
        event_id=row["state"],
        agent=row["agent"],
        team=row.get("team") or None,
        state=row["to"],  # type: ignore[arg-type]
        occurred_at=moment(row["at"]),
        source="golden",
    )


def read_world(path: Path) -> tuple[World, list[Table]]:
    """The world of a file, and the tables expected of it."""
    settings, tables = read_tables(path)
    chosen: dict[str, Any] = {
        name: {"true": True, "false": False}.get(value, value) for name, value in settings.items()
    }
    if "min_gap_s" in chosen:
        chosen["min_gap_ms"] = to_ms(chosen.pop("min_gap_s"))
    world = World(rules=Rules(fcr=replace(FcrRules(), **chosen)))
    expected = []
    for kind, rows in tables:
        if kind == "contact":
            world.contacts |= {row["contact"]: read_contact(row) for row in rows}
        elif kind == "state":
            world.states += [read_state(row) for row in rows]
        else:
            expected.append((kind, rows))
    return world, expected


def number(kpi_id: str, world: World, as_of: int, like: str) -> str:
    """A KPI as text with as many digits as another has."""
    value = kpi_value(kpi_id, world, as_of)
    if value is None:
        return "-"
    unit = every_kpi(world.rules)[kpi_id].unit
    digits = len(like.split()[0].partition(".")[2])
    scaled = {"ratio": value * 100, "ms": value / 1000}.get(unit, value)
    return f"{scaled:.{digits}f}{' %' if unit == 'ratio' else ''}"


def mismatches(world: World, tables: list[Table]) -> list[str]:
    """What came out other than expected, one line each."""
    wrong: list[str] = []

    def check(what: str, want: str, got: str) -> None:
        if want != got:
            wrong.append(f"{what}: expected {want}, got {got}")

    for kind, rows in tables:
        for row in rows:
            if kind == "kpi":
                as_of = moment(row.get("as_of") or "3650d")
                check(f"{row['kpi']} {row}", row["value"], number(row["kpi"], world, as_of, row["value"]))
            elif kind == "live":
                for name, want in list(row.items())[1:]:
                    check(f"{name} at {row['live']}", want, number(name, world, moment(row["live"]), want))
            elif kind == "judged":
                facts = {fact.contact_id: fact for fact in fcr_facts(world.facts(), world.rules)}
                for name, want in list(row.items())[2:]:
                    got = judgement(facts[name], int(row["judged"]), moment(row["as_of"]))
                    check(f"{name} in {row['judged']} d at {row['as_of']}", want, got)
            elif kind == "quarter":
                found = {quarter.window_start: quarter for quarter in quarters(world)}
                quarter = found[moment(row["quarter"])]
                for name, want in list(row.items())[1:]:
                    check(f"{name} of {row['quarter']}", tidy(want), show(getattr(quarter, name), name))
    return wrong
