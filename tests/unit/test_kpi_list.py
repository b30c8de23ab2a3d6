"""What the registry answers: `ringback kpi --list` and the JSON schema, of every KPI."""

import json
import re
from datetime import UTC, datetime

import jsonschema
import orjson
import pytest
from support.command import ringback
from support.samples import expected_events, samples

from adapters.details import CHANNELS
from adapters.kit.source import Source
from adapters.registry import ANY, SOURCES
from cli.kpi_list import card
from docs.build.kpis import answers
from docs.build.pages import read
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.formula import formula
from kpis.catalogue.kpi import Kpi
from kpis.catalogue.origin import BY_BOOKING, BY_MEASURE, BY_TABLE, final_when, origin
from kpis.catalogue.vendors import SAME_AS
from kpis.rules import DEFAULT_RULES
from reports.kpi.answer import row_of
from reports.kpi.question import Question
from reports.kpi.sums import nothing
from schemas.events import MODELS

KPIS = every_kpi(DEFAULT_RULES)


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS)
def test_every_kpi_says_where_it_comes_from(kpi: Kpi) -> None:
    found = origin(kpi)
    assert found.needs
    assert {*found.needs, *found.moved_by} <= MODELS.keys()
    assert not {*found.needs} & {*found.moved_by}
    assert "events" in card(kpi)["sources"]  # which gives all there are


@pytest.mark.parametrize("kpi", KPIS.values(), ids=KPIS)
def test_every_kpi_answers_every_question(kpi: Kpi) -> None:
    """In the list, and on the page in its own section, or in its line among the variants of another."""
    found = card(kpi)
    for question in (
        "definition",
        "formula",
        "unit",
        "grain",
        "counted_at",
        "comes_from",
        "final",
        "after",
        "sources",
    ):
        assert found[question], question
    page = read("docs/reference/kpis.md").split(f"\n### {kpi.variant_of or kpi.id}\n")[1].split("\n### ")[0]
    section, _, variants = page.partition("\n| Variant")
    line = next((one for one in variants.splitlines() if one.startswith(f"| `{kpi.id}`")), section)
    for said in (kpi.definition, formula(kpi), kpi.source):
        assert said.replace("|", "\\|") in line
    for said in answers(kpi):
        head = said.split(": ")[0].removeprefix("- ")
        assert said in section or said.removeprefix("- ") in line or head == "Moved as well by", said


def test_no_line_of_the_tables_is_left_over() -> None:
    names = {name for kpi in KPIS.values() if kpi.table == "windows" for name in (*kpi.num, *kpi.den)}
    for pattern, _ in BY_MEASURE:
        first = [n for n in names if next((p for p, _ in BY_MEASURE if re.fullmatch(p, n)), "") == pattern]
        assert first, pattern
    assert BY_TABLE.keys() <= {kpi.table for kpi in KPIS.values()}
    assert BY_BOOKING.keys() <= {kpi.booked for kpi in KPIS.values()}
    assert SAME_AS.keys() <= KPIS.keys()


@pytest.mark.parametrize(
    ("kpi", "needs", "final"),
    [
        ("asa", {"contact_queued", "contact_answered"}, "stale limit"),
        ("acw_avg", {"contact_answered", "contact_wrapped", "contact_resolved"}, "after-contact work"),
        ("hold_rate", {"contact_answered", "contact_held", "contact_resolved"}, "after-contact work"),
        ("volume", {"contact_started"}, "period is over"),
        ("fcr_gross", {"contact_started", "contact_answered", "contact_resolved"}, "7 days"),
        ("nps", {"contact_surveyed"}, "come too late"),
        ("occupancy", {"contact_answered", "contact_resolved", "agent_state_changed"}, "quarter-hour"),
        ("concurrency", {"contact_answered", "contact_resolved"}, "quarter-hour"),
        ("waiting_now", {"contact_queued", "contact_answered"}, "never"),
        ("callback_wait", {"contact_started", "contact_queued", "contact_transferred"}, "every request"),
        ("rejected.full", {"contact_rejected"}, "period is over"),
        ("art", {"contact_started", "contact_resolved"}, "opened again"),
    ],
)
def test_known_origins(kpi: str, needs: set[str], final: str) -> None:
    assert {*origin(KPIS[kpi]).needs} == needs
    assert final in final_when(KPIS[kpi])


def test_sources_are_told_apart_by_what_is_in_their_events() -> None:
    assert card(KPIS["rejected.full"])["sources"] == ["events", "asterisk"]
    assert card(KPIS["aes"])["sources"] == ["events"]
    assert {*card(KPIS["nps"])["sources"]} & {"zendesk", "formbricks"} == {"formbricks"}
    assert card(KPIS["callbacks_fulfilled"])["sources"] == ["events", "asterisk", "amazon_connect"]


def test_the_command_prints_them() -> None:
    listed = ringback("kpi", "--list", "--variants", "--format", "json")
    assert [one["id"] for one in json.loads(listed.stdout)] == [*KPIS]
    one = ringback("kpi", "--list", "--kpi", "service_level.amazon")
    assert "same as: Amazon Connect: Service level X" in one.stdout
    assert "rules: service_level_s" in one.stdout
    wrong = ringback("kpi", "--list", "--kpi", "service_levle")
    assert wrong.status == 2
    table = ringback("kpi", "--list", "--format", "csv")
    assert len(table.stdout.splitlines()) == 1 + sum(not kpi.variant_of for kpi in KPIS.values())


def test_what_is_printed_fits_the_schema() -> None:
    schema = json.loads(read("docs/reference/kpi.schema.json"))
    at = datetime(2026, 1, 5, tzinfo=UTC)
    question = Question(0, 60_000, by=("queue", "brand"))
    row = row_of(question, (at, at, "A", "acme"), {kpi.id: nothing(kpi) for kpi in KPIS.values()})
    jsonschema.validate([row], schema)
    for broken in ({**row, "kpis": {"asa": {"value": 1}}}, {**row, "queue": 5}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([broken], schema)


def test_a_source_of_calls_alone_gives_no_first_response() -> None:
    """Nor one of tickets alone a speed of answer."""
    replies, answers = card(KPIS["first_response_time"])["sources"], card(KPIS["asa"])["sources"]
    assert "asterisk" not in replies
    assert "chatwoot" in replies
    assert "rocketchat" not in replies
    assert "asterisk" in answers
    assert "zammad" not in answers
    any_written = card(KPIS["first_response_time.any"])["sources"]
    assert "rocketchat" in any_written
    assert "asterisk" not in any_written


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_samples_are_on_no_other_channels_than_their_source_has(source: Source) -> None:
    told = [orjson.loads(line) for sample in samples(source) for line in expected_events(sample).splitlines()]
    channels = {event["channel"] for event in told if "channel" in event and event["channel"] in ANY}
    assert channels <= {*CHANNELS.get(source.name, ANY)}
