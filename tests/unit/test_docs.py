"""README and docs say what the code says. A check takes the text, so that a fault can be planted in it."""

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import AliasChoices

from cli.main import app
from cli.settings import Settings
from kpis.catalogue.every_kpi import every_kpi
from kpis.page import page
from kpis.rules import DEFAULT_RULES
from schemas.events import MODELS, Envelope
from sinks.rows import COLUMNS
from sinks.views.statements import statements
from streams.health.metrics import Metrics

KPIS = every_kpi(DEFAULT_RULES)
ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KPI_PAGE = (ROOT / "docs" / "kpis.md").read_text(encoding="utf-8")
VIEWS = statements(DEFAULT_RULES, "UTC")
ADR = ROOT / "docs" / "adr"
ADR_LIST = (ADR / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"`([\w.-]+/[\w./-]+\.(?:py|sql|md|yml|avsc))`")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ENVELOPE = {*Envelope.model_fields, "type"}

Check = Callable[[str], list[str]]


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level = heading.count("#")
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def table(text: str, heading: str, first: str) -> list[list[str]]:
    """Cells of the table under a heading whose first column has that title, without the title row."""
    lines = section(text, heading).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return rows


def bare(cell: str) -> str:
    return cell.strip("`")


def variable(name: str) -> str:
    alias = Settings.model_fields[name].validation_alias
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias)


def settings_wrong(readme: str) -> list[str]:
    """Settings that the table lacks, has twice, has with another default, or makes up."""
    stated = [(bare(row[0]), bare(row[1])) for row in table(readme, "## Configuration", "Variable")]
    defaults = {variable(name): field.default for name, field in Settings.model_fields.items()}
    real = [(name, "none" if value is None else str(value)) for name, value in defaults.items()]
    return [f"{name}={default}" for name, default in sorted({*stated} ^ {*real})] + twice(stated)


def twice(rows: list[tuple[str, ...]]) -> list[str]:
    return [f"twice: {row[0]}" for row in rows if rows.count(row) > 1]


def kpis_wrong(readme: str) -> list[str]:
    """KPIs that the table lacks, states otherwise, or makes up; variants are on the page of KPIs alone."""
    stated = [(bare(row[0]), *row[1:]) for row in table(readme, "## KPIs", "Id")]
    plain = [kpi for kpi in KPIS.values() if not kpi.variant_of]
    real = [(kpi.id, kpi.name, kpi.unit, kpi.booked, kpi.definition) for kpi in plain]
    return [" | ".join(row) for row in sorted({*stated} ^ {*real})] + twice(stated)


def commands(group: Any, name: str) -> Iterator[str]:
    """All commands with their groups before them."""
    if hasattr(group, "commands"):
        for sub in group.commands.values():
            yield from commands(sub, f"{name} {sub.name}")
    else:
        yield name


def commands_wrong(readme: str) -> list[str]:
    """Commands that the table lacks or makes up."""
    stated = {bare(row[0]) for row in table(readme, "## Commands", "Command")}
    return sorted(stated ^ set(commands(typer.main.get_command(app), "ringback")))


def events_wrong(readme: str) -> list[str]:
    """Event types and envelope fields that the tables lack or make up, other fields that they lack."""
    rows = {bare(row[0]): row[2] for row in table(readme, "### JSON lines", "Type")}
    wrong = sorted(rows.keys() ^ MODELS.keys())
    for type_ in rows.keys() & MODELS.keys():
        stated = {word for word in re.findall(r"`([a-z0-9_]+)`", rows[type_]) if word.isidentifier()}
        real = MODELS[type_].model_fields.keys() - ENVELOPE
        wrong += [f"{type_}: {name}" for name in sorted(real - stated)]
    stated_envelope = {bare(row[0]) for row in table(readme, "### JSON lines", "Field")}
    return wrong + sorted(stated_envelope ^ ENVELOPE)


def metrics_wrong(readme: str) -> list[str]:
    """Metrics that the table lacks, makes up, or has with another type or labels."""
    stated = [
        (bare(row[0]), row[1], row[2].replace("`", "")) for row in table(readme, "### Metrics", "Metric")
    ]
    return [" | ".join(row) for row in sorted({*stated} ^ {*Metrics().described()})] + twice(stated)


def page_wrong(kpis: str) -> list[str]:
    """The first line of the page of KPIs that is not as `make docs` writes it."""
    real = page(DEFAULT_RULES).splitlines()
    pairs = zip_longest(kpis.splitlines(), real, fillvalue="(end)")
    return [f"{said!r}, not {line!r}" for said, line in pairs if said != line][:1]


def count_wrong(readme: str) -> list[str]:
    """How many KPIs there are."""
    found = re.search(r"(\d+) in all", readme)
    real = sum(not kpi.variant_of for kpi in KPIS.values())
    return [] if found and int(found[1]) == real else [f"{real} KPIs"]


def views_wrong(readme: str) -> list[str]:
    """Views that the table lacks or makes up, and columns of the views of facts."""
    rows = {bare(row[0]): row[2] for row in table(readme, "### ClickHouse", "View")}
    wrong = sorted(rows.keys() ^ VIEWS.keys())
    for view, name in {
        "contact": "contacts",
        "leg": "legs",
        "survey": "surveys",
        "repeat_contact": "fcr",
    }.items():
        real = {*COLUMNS[name]} - {"version", "is_deleted"}
        stated = {
            column for column in re.findall(r"`(\w+)`", rows.get(view, "")) if not column.endswith("_w7d")
        }
        wrong += [f"{view}.{column}" for column in sorted(stated ^ real)]
    tables = (
        section(readme, "### ClickHouse").partition("Below the views are tables")[2].partition("Whoever")[0]
    )
    return wrong + sorted({*re.findall(r"`(\w+)`", tables)} ^ COLUMNS.keys())


def adrs_wrong(listing: str) -> list[str]:
    """Decisions that the list lacks or makes up."""
    listed = {link for link in LINK.findall(listing) if re.match(r"\d{4}-", link)}
    return sorted(listed ^ {path.name for path in ADR.glob("[0-9]*.md")})


def changelog_wrong(changelog: str) -> list[str]:
    """A changelog begins with what is unreleased, or with a version."""
    first = re.search(r"^## (.*)", changelog, re.MULTILINE)
    fine = first and re.fullmatch(r"\[(?:Unreleased|\d+\.\d+\.\d+)\].*", first[1])
    return [] if fine else [first[1] if first else "no heading"]


def anchors(text: str) -> set[str]:
    """Anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.*)", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_wrong(page: Path, text: str) -> list[str]:
    """Links and paths in a page that lead nowhere."""
    wrong = []
    for link in LINK.findall(FENCE.sub("", text)):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = page.parent / target if target else page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text("utf-8"))):
            wrong.append(link)
    places = (ROOT, page.parent)
    return wrong + [
        path for path in PATH.findall(text) if not any((place / path).exists() for place in places)
    ]


def readme_links_wrong(text: str) -> list[str]:
    return links_wrong(ROOT / "README.md", text)


CHECKS: list[tuple[Check, str]] = [
    (settings_wrong, README),
    (kpis_wrong, README),
    (commands_wrong, README),
    (events_wrong, README),
    (metrics_wrong, README),
    (page_wrong, KPI_PAGE),
    (count_wrong, README),
    (views_wrong, README),
    (adrs_wrong, ADR_LIST),
    (changelog_wrong, CHANGELOG),
]


@pytest.mark.parametrize(("check", "text"), CHECKS, ids=lambda value: getattr(value, "__name__", ""))
def test_documents_and_code_agree(check: Check, text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert links_wrong(page, page.read_text(encoding="utf-8")) == []


FAULTS: list[tuple[Check, str, str, str]] = [
    (settings_wrong, README, "| `RINGBACK_KAFKA_PORT` | `9092` |", "| `RINGBACK_KAFKA_PORT` | `9093` |"),
    (settings_wrong, README, "| `CLICKHOUSE_URL` | none |", "| `CLICKHOUSE_URI` | none |"),
    (
        kpis_wrong,
        README,
        "| ratio | entered | Abandoned of offered. |",
        "| count | entered | Abandoned of offered. |",
    ),
    (kpis_wrong, README, "| Abandoned of offered. |", "| Abandoned of those offered. |"),
    (kpis_wrong, README, "| `asa` |", "| `asa2` |"),
    (commands_wrong, README, "| `ringback doctor` |", "| `ringback nurse` |"),
    (commands_wrong, README, "| `ringback dead-letters show` |", "| `ringback dead-letters` |"),
    (events_wrong, README, "(`parent_contact_id`) |", "|"),
    (events_wrong, README, "| `contact_held` |", "| `contact_parked` |"),
    (events_wrong, README, "| `revision` | Default 0.", "| `version` | Default 0."),
    (metrics_wrong, README, "| `ringback_ready` |", "| `ringback_well` |"),
    (metrics_wrong, README, "| `ringback_commits_total` | counter |", "| `ringback_commits_total` | gauge |"),
    (metrics_wrong, README, "| histogram | `topic`, `what` |", "| histogram | `topic` |"),
    (page_wrong, KPI_PAGE, "- Formula: `offered`", "- Formula: `answered`"),
    (page_wrong, KPI_PAGE, "| `service_level.genesys` |", "| `service_level.other` |"),
    (count_wrong, README, " in all.", "0 in all."),
    (views_wrong, README, "`transferred_out`, `hold_abandon`", "`hold_abandon`"),
    (views_wrong, README, "| `survey` |", "| `answer` |"),
    (views_wrong, README, "| `kpi_hour` |", "| `kpi_hourly` |"),
    (views_wrong, README, "`kpi_windows`, `fcr`,", "`kpi_windows`,"),
    (adrs_wrong, ADR_LIST, "0005-assignor-knows-topics.md", "0005-assignor.md"),
    (changelog_wrong, CHANGELOG, "## [Unreleased]", "## News"),
    (readme_links_wrong, README, "(docs/facts.md)", "(docs/fact.md)"),
    (readme_links_wrong, README, "(#known-limits)", "(#limits)"),
    (readme_links_wrong, README, "`streams/engine/batch_order.py`", "`streams/order.py`"),
]


@pytest.mark.parametrize(
    ("check", "text", "said", "planted"), FAULTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_planted_fault_is_found(check: Check, text: str, said: str, planted: str) -> None:
    assert said in text
    assert check(text.replace(said, planted, 1))
