"""`ringback explain --where`: by several dimensions at once, as the command of an alert asks."""

from typing import Any

import pytest
import typer
from support.notation import BASE_MS
from support.stub_clickhouse import StubClient

from alerts.message import explain_command
from cli.explain import further_dimension
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from reports.explain.explanation import Asked, document, explain

KPIS = every_kpi(DEFAULT_RULES)
CONTACTS = [
    f"s{{brand={brand} country={country}}}, q@10, a@20{{agent={agent} team=t1}}, res@30"
    for brand, country, agent in (("north", "it", "ann"), ("north", "de", "ann"), ("north", "it", "bob"),
                                  ("south", "it", "ann"))
]  # fmt: skip


@pytest.mark.parametrize("kpi", ["offered", "volume", "aht", "longest_wait", "peak_hour"])
@pytest.mark.parametrize(
    ("where", "found"),
    [
        ((("brand", "north"), ("country", "it"), ("agent", "ann")), ["c0"]),
        ((("brand", "north"), ("country", "it")), ["c0", "c2"]),
        ((("brand", "south"), ("team", "t1")), ["c3"]),
        ((("agent", "bob"), ("team", "t2")), []),
    ],
)
def test_contacts_have_all_of_them(kpi: str, where: tuple[tuple[str, str], ...], found: list[str]) -> None:
    client: Any = StubClient(CONTACTS)
    asked = Asked(KPIS[kpi], BASE_MS, BASE_MS + 3_600_000, BASE_MS + 3_600_000, where=where)
    said = document(explain(client, asked, DEFAULT_RULES))
    ids = [contact["contact_id"] for contact in said["contacts"]]
    assert ids == (found[-1:] if kpi == "longest_wait" else found)
    assert {name: said[name] for name, _ in where} == dict(where)


def test_an_alert_names_all_its_labels() -> None:
    labels = (("channel", "voice"), ("brand", "north"), ("agent", "ann lee"))
    assert explain_command(KPIS["asa"], labels, BASE_MS) == (
        "ringback explain asa --window 2026-01-05T00:00Z --every 15m --channel voice --where brand=north "
        "--where 'agent=ann lee'"
    )


@pytest.mark.parametrize(
    ("text", "fault"), [("brand", "brand=north"), ("queue=a", "write --queue a"), ("Brand=a", "brand=north")]
)
def test_what_is_no_further_dimension_is_refused(text: str, fault: str) -> None:
    with pytest.raises(typer.BadParameter, match=fault):
        further_dimension(text)
