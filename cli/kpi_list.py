"""`ringback kpi --list`: what each KPI is, from what it comes, when it is final, and what others call it."""

import csv
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from rich.table import Table

from adapters.registry import able
from cli.console import WRONG_USE, fail, out, print_json
from cli.settings import Settings, rules_of
from kpis.catalogue.details import details_of
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.formula import formula
from kpis.catalogue.kpi import Kpi, applicable
from kpis.catalogue.origin import final_when, origin, settings_of
from kpis.catalogue.vendors import SAME_AS
from kpis.rules import DEFAULT_RULES
from reports.kpi.question import CannotAnswer, known_kpi


def means_anything(kpi: Kpi, channel: str) -> bool:
    """Can the KPI be other than null there, by the default rules? On the telephone nobody replies."""
    written = any(name.startswith("first_response") for name in kpi.num)
    return applicable(kpi, channel, DEFAULT_RULES.async_channels) and not (written and channel == "voice")


def sources_of(kpi: Kpi) -> list[str]:
    """Names of the sources that can give it."""
    return able(origin(kpi).needs, details_of(kpi), partial(means_anything, kpi))


def card(kpi: Kpi) -> dict[str, Any]:
    """All that the registry says of a KPI."""
    found = origin(kpi)
    return {
        "id": kpi.id,
        "name": kpi.name,
        "variant_of": kpi.variant_of or None,
        "definition": kpi.definition,
        "formula": formula(kpi).replace("`", ""),
        "unit": kpi.unit,
        "grain": kpi.grain,
        "counted_at": kpi.booked,
        "channels": kpi.applies,
        "comes_from": [*found.needs],
        "moved_by": [*found.moved_by],
        "rules": [*settings_of(kpi)],
        "final": final_when(kpi),
        "after": kpi.source,
        "same_as": [{"product": product, "name": name} for product, name in SAME_AS.get(kpi.id, ())],
        "sources": sources_of(kpi),
    }


def list_kpis(config: Settings, names: Sequence[str], variants: bool, form: str) -> None:
    """Print the KPIs named, else all, with their variants where asked for."""
    known = every_kpi(rules_of(config))
    try:
        chosen = [known_kpi(name, known) for name in names]
    except CannotAnswer as error:
        fail(str(error), WRONG_USE)
    cards = [card(kpi) for kpi in chosen or known.values() if names or variants or not kpi.variant_of]
    if form == "json":
        print_json(cards)
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, cards[0].keys())
        writer.writeheader()
        writer.writerows({name: flat(value) for name, value in one.items()} for one in cards)
    elif names:
        for one in cards:
            print_card(one)
    else:
        print_overview(cards)


def flat(value: Any) -> str:
    """A value in one cell."""
    if isinstance(value, list):
        return ", ".join(f"{v['product']}: {v['name']}" if isinstance(v, dict) else v for v in value)
    return value or ""


def print_card(one: dict[str, Any]) -> None:
    """A KPI, one answer a line."""
    for name, value in one.items():
        if value:
            out.print(
                f"{name.replace('_', ' ')}: {flat(value)}", markup=False, highlight=False, soft_wrap=True
            )
    out.print()


def print_overview(cards: list[dict[str, Any]]) -> None:
    """All KPIs, one a line."""
    table = Table("id", "unit", "counted at", "definition", box=None)
    for one in cards:
        table.add_row(one["id"], one["unit"], one["counted_at"], one["definition"])
    out.print(table)
    out.print("all about one: ringback kpi --list --kpi ID; as JSON: --format json", highlight=False)
