"""Mappings: what is wrong with one is said with its place, and none can do more than map."""

import hmac
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples import FOLDER, SECRET
from typer.testing import CliRunner

from adapters.kit.outcomes import InvalidInput
from adapters.kit.payloads import Ignored, told
from adapters.kit.signatures import Signed, problem
from adapters.mapping.apply import adapter_of
from adapters.mapping.document import BadMapping
from adapters.mapping.load import load_mapping, mapping_of
from adapters.mapping.source import FOLDER as SHIPPED
from adapters.mapping.source import shipped
from adapters.mapping.watching import Watch
from adapters.registry import sources_with
from cli import console
from cli.main import app
from schemas.events import ContactAnswered, ContactStarted, Event

GOOD = """mapping: 1
source: acme
version: 1
title: "Acme: calls"
layout: JSON with call and type
signature:
  header: X-Acme-Token
  static: true
tables:
  channels: {tel: voice, "1": chat, "true": email}
variants:
  - applies: payload.call.id
    let:
      call: payload.call
    customers: [call.from]
    contact_id: [call.id]
    channel: {path: call.via, table: channels}
    switch: payload.type
    cases:
      - is: begun
        emit:
          - contact_started:
              at: {path: call.at, unit: s}
      - is: taken
        emit:
          - contact_answered:
              at: {path: call.at, unit: iso, zone: Europe/Berlin}
              agent: call.agent.id
              wait_ms: {path: call.waited, unit: s}
    ignore: ["ping*"]
"""


def events_of(text: str, payload: dict[str, Any]) -> list[Event]:
    return [*told(adapter_of(mapping_of(text)), payload, SECRET)]


def call(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "call": {"id": 7, "via": "tel", "at": 1767600000, **fields}}


def test_a_mapping_maps() -> None:
    (started,) = events_of(GOOD, call("begun", **{"from": "+49 30 1234"}))
    assert isinstance(started, ContactStarted)
    assert (started.contact_id, started.event_id) == ("acme/7", "acme/7/started")
    assert (started.occurred_at, started.channel) == (1_767_600_000_000, "voice")
    assert started.customer_key is not None
    (answered,) = events_of(
        GOOD, call("taken", at="2026-07-01T10:00:00", agent={"id": 5}, waited="2.5", via=1)
    )
    assert isinstance(answered, ContactAnswered)
    assert (answered.occurred_at, answered.agent, answered.wait_ms) == (1_782_892_800_000, "5", 2500)
    assert answered.channel == "chat"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"type": "begun"}, "wrong_shape"),
        (call("begun", at="soon"), "bad_time"),
        (call("begun", at=10**30), "bad_time"),
        (call("begun", at=None), "missing_field"),
        (call("begun", at={}), "wrong_shape"),
        (call("begun", via="drum"), "unknown_value"),
        (call("begun", via=[]), "wrong_shape"),
        (call("begun", id=[7]), "wrong_shape"),
        (call("taken", waited="long", at="2026-07-01T10:00:00"), "wrong_shape"),
        (call("taken", waited="-1", at="2026-07-01T10:00:00"), "invalid_event"),
        (call("begun", via=True, **{"from": {"a": 1}}), ""),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_with_the_line(payload: dict[str, Any], reason: str) -> None:
    if not reason:
        assert events_of(GOOD, payload)
        return
    with pytest.raises(InvalidInput) as refused:
        events_of(GOOD, payload)
    assert refused.value.reason == reason
    assert "drum" not in refused.value.detail


def test_known_kinds_are_ignored_and_unknown_ones_counted() -> None:
    for type_, reason in (("ping", "no_fact"), ("pinged", "no_fact"), ("other", "unknown_kind")):
        with pytest.raises(Ignored) as ignored:
            events_of(GOOD, call(type_))
        assert ignored.value.reason == reason


WRONG = {
    "contact_answered:": (
        "contact_anwsered:",
        "26:13: contact_anwsered is no type of event; did you mean contact_answered?",
    ),
    "agent: call": ("agnet: call", "28:15: agnet means nothing here; did you mean agent?"),
    "unit: s}\n      - is": (
        "unit: weeks}\n      - is",
        "23:41: 'weeks' is none of ns, us, ms, s, min, h, iso",
    ),
    "wait_ms: {path: call.waited, unit: s}": ("wait_ms: call.waited", "29:24: wait_ms is a duration"),
    "call.agent.id": (
        "cal.agent.id",
        "28:22: cal is not known here; a path begins with one of call, customer_key",
    ),
    "payload.call.id\n": ("payload.call[\n", "12:14: no expression"),
    "call.from": ("shout(call.from)", "15:17: there is no function shout()"),
    "[call.id]": ("['floor(`1`, `2`)']", "16:18: floor() takes 1 values, not 2"),
    "table: channels": ("table: chanels", "17:38: there is no table 'chanels'"),
    "Europe/Berlin": ("Europe/Bern", "27:52: the zone is none that is known"),
    "source: acme": ("source: Acme!", "2:9: a source's name is lower case"),
    "version: 1": ("version: 1\nversion: 2", "4:1: version is written twice"),
    "static: true": ("statik: true", "8:3: statik means nothing here"),
    "  static: true": ('  static: "no"', "8:11: static is true or false"),
    "  static: true\n": ('  message: "{body}"\n', "8:12: message is a list of texts"),
    "X-Acme-Token\n  static: true": (
        'X-Acme-Token\n  message: ["{timestamp}"]',
        "7:3: message holds no {body}",
    ),
    "X-Acme-Token": ("5", "7:11: header is a text"),
    "signature:\n  header: X-Acme-Token\n  static: true": (
        "signature: [static]",
        "6:12: ['static'] is none of",
    ),
    "title:": ('received: "no"\ntitle:', "4:11: received is true or false"),
    "at: {path: call.at, unit: s}": ("agent: call.id", "contact_started needs `at`"),
    "mapping: 1": ("mapping: &a 1\nlacks: [*a]", "1:1: aliases (*name) are not read here"),
    "signature:": ("signature: [", "no YAML"),
    "switch: payload.type": ("switch: \"a.b == 'x' || payload.type\"", "18:13: `||` takes false for missing"),
    "call.waited, unit": ("call.waited, is: 3, unit", "`is` stands alone"),
    "applies: payload.call.id": ('applies: "!payload.call"', "`!` takes the first name alone"),
}


@pytest.mark.parametrize("good", WRONG)
def test_what_is_wrong_is_said_with_line_and_column(good: str) -> None:
    bad, said = WRONG[good]
    assert good in GOOD
    with pytest.raises(BadMapping) as refused:
        mapping_of(GOOD.replace(good, bad, 1), "acme.yaml")
    assert f"{said}" in str(refused.value)
    assert all(fault.startswith("acme.yaml:") for fault in refused.value.faults)


BOMBS = {
    "flattened": "payload.call | " + "[@,@][]|" * 30 + "@",
    "compared": "payload.call | " + "[@,@]|" * 30 + "[@, @] | @ == [@, @]",
    "map in map": "map(&map(&map(&map(&a, $), $), $), $)".replace("$", "payload.many"),
    "map": "payload.many | map(&[@,@,@], @)[] | map(&[@,@,@], @)[] | map(&[@,@,@], @)[] | map(&[@,@,@], @)[]",
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_expression_ends_soon_and_makes_little(name: str) -> None:
    """Doublings, comparisons of what they make, and loops in loops."""
    adapter = adapter_of(mapping_of(GOOD.replace("[call.id]", f'["{BOMBS[name]}"]')))
    began = time.process_time()
    with pytest.raises(InvalidInput) as refused:
        told(adapter, call("begun") | {"many": [{"a": 1}] * 1000}, SECRET)
    assert refused.value.reason in ("mapping_limit", "mapping_type")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("payload." * 70 + "a", "at most 500"),
        ("[" * 200 + "payload" + "]" * 200, "deeply"),
        ("abs(" * 60 + "`1`" + ")" * 60, "deeply"),
    ],
)
def test_an_expression_is_small(expression: str, said: str) -> None:
    with pytest.raises(BadMapping, match=said):
        mapping_of(GOOD.replace("call.from", f'"{expression}"'))


def test_many_items_in_lists_in_lists_are_too_many() -> None:
    text = GOOD.replace(
        "    let:\n", "    for_each: {a: payload.many, b: payload.many, c: payload.many}\n    let:\n"
    )
    with pytest.raises(InvalidInput, match="10,000 items"):
        told(adapter_of(mapping_of(text)), call("begun") | {"many": [1] * 1000}, SECRET)


def values() -> st.SearchStrategy[Any]:
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=8,
    )


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from leaves(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = put(value[path[0]], path[1:], new)
    return copied


ADAPTERS = [
    source.load_adapter() if source.adapter else adapter_of(load_mapping(Path(source.mapping)))
    for source in shipped()
]


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_any_value_anywhere_is_refused_and_crashes_nothing(data: st.DataObject) -> None:
    """A payload of any shipped mapping, with one value of it replaced by another of any kind."""
    payload = data.draw(st.sampled_from(PAYLOADS))
    where = data.draw(st.sampled_from([*leaves(payload)]))
    broken = put(payload, where, data.draw(values()))
    if not isinstance(broken, dict):
        return
    for adapter in ADAPTERS:
        with suppress(InvalidInput, Ignored):
            told(adapter, broken, SECRET)
        [*adapter.customers(broken)]


def payloads() -> Iterator[dict[str, Any]]:
    for source in shipped():
        for path in sorted((FOLDER / source.name).glob("*.jsonl")):
            if not path.name.endswith(".events.jsonl"):
                for line in path.read_bytes().splitlines():
                    found = orjson.loads(line)
                    yield from found if isinstance(found, list) else [found]


PAYLOADS = [*payloads()]


def test_ids_of_other_parts_are_other_ids() -> None:
    text = GOOD.replace("[call.id]", "[call.id, call.no]")
    ids = {
        events_of(text, call("begun", id=one, no=two))[0].event_id
        for one, two in (("a/b", "c"), ("a", "b/c"), ("a%2Fb", "c"), ("a", "b%2Fc"))
    }
    assert len(ids) == 4
    (long,) = events_of(text, call("begun", id="x" * 300, no="y"))
    assert len(long.event_id) <= 256


def test_paths_that_never_matched_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(mapping_of(GOOD.replace("call.from", '"default(call.form, call.from)"')))
    told(watch.adapter, call("begun", **{"from": "1234567"}), SECRET)
    never = watch.never_matched()
    assert "line 15: call.form" in never
    assert not any("call.from" in path for path in never)
    assert "line 28: call.agent.id" in never


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGBACK_CUSTOMER_KEY_SECRET", "samples")
    console.settings.cache_clear()
    yield tmp_path
    console.settings.cache_clear()
    structlog.reset_defaults()


def test_a_mapping_of_ones_own_is_tried_and_checked(own: Path) -> None:
    (own / "acme.yaml").write_text(GOOD)
    (own / "calls.jsonl").write_text('{"type":"begun","call":{"id":7,"via":"tel","at":1767600000}}\n')
    done = CliRunner().invoke(app, ["adapter", "try", "acme.yaml", "calls.jsonl"])
    assert done.exit_code == 0
    assert '"event_id":"acme/7/started"' in done.stdout
    assert "fold acme/7: voice, inbound, open" in done.stderr
    assert "never matched: line 28: call.agent.id" in done.stderr
    done = CliRunner().invoke(app, ["adapter", "check", "acme.yaml", "calls.jsonl", "--total", "contacts=1"])
    assert done.exit_code == 0, done.output
    assert "ok  a redelivery with more in it changes nothing" in done.output
    (own / "acme.yaml").write_text(GOOD.replace("unit: s}", "unit: week}"))


def test_a_bad_mapping_is_said_in_lines_and_ends_the_command(own: Path) -> None:
    (own / "bad.yaml").write_text(GOOD.replace("unit: s}", "unit: week}"))
    done = CliRunner().invoke(app, ["adapter", "try", "bad.yaml", "calls.jsonl"])
    assert done.exit_code == 2
    assert "bad.yaml:23:41: 'week' is none of" in done.output
    done = CliRunner().invoke(app, ["adapter", "try", "none.yaml", "calls.jsonl"])
    assert done.exit_code == 2
    assert "cannot read none.yaml" in done.output


def test_a_folder_of_mappings_adds_sources_and_replaces_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(GOOD)
    (tmp_path / "zoom.yaml").write_text((SHIPPED / "zoom.yaml").read_text())
    found = {source.name: source for source in sources_with(tmp_path)}
    assert found["acme"].secrets == ("RINGBACK_SECRET_ACME",)
    assert found["acme"].load_scheme().static
    assert found["zoom"].mapping == str(tmp_path / "zoom.yaml")
    assert len(found) == len(sources_with(None)) + 1


def test_the_example_of_the_documents_does_what_it_says(own: Path) -> None:
    """docs/examples/dixa.yaml: written by docs/guide/mappings.md alone, for a system that is in no list."""
    examples = Path(__file__).parents[2] / "docs" / "examples"
    files = [str(examples / "dixa.yaml"), str(examples / "dixa.jsonl")]
    totals = [
        "--total",
        "contacts=2",
        "--total",
        "answered=1",
        "--total",
        "abandoned=1",
        "--total",
        "queue_ms=180000",
    ]
    done = CliRunner().invoke(app, ["adapter", "check", *files, *totals])
    assert done.exit_code == 0, done.output
    scheme = load_mapping(examples / "dixa.yaml").scheme
    assert scheme is not None
    body, key, now = b"{}", bytes(range(32)), 1_767_600_000
    made = hmac.digest(key, f"{now}000.".encode() + body, "sha256").hex()
    secrets = [b"00ff", key.hex().encode()]
    for header, said in (
        (f"t={now}000,v1={made}", ""),
        (f"v1={made},t={now}000", ""),
        (f"t={now}001,v1={made}", "wrong_signature"),
        (f"v1={made}", "no_timestamp"),
        (f"t=soon,v1={made}", "bad_timestamp"),
        (f"t={now - 301}000,v1={made}", "old_timestamp"),
        (f"t={now}000", "wrong_signature"),
        ("", "no_timestamp"),
    ):
        assert problem(scheme, Signed({"x-dixa-signature": header}, body), secrets, now) == said
