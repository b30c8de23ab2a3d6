"""Rule files: what is wrong is said with its line, and what to write instead."""

import re
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import yaml
from support.command import ringback

from alerts.detectors import detector_of
from alerts.estimate import MEASURED, estimate
from alerts.json_schema import schema_of
from alerts.rule_file import BadRules, load_rules, read_receivers, read_rules
from alerts.when import TYPES
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.profiles import DIP_SLACK, PROFILES
from kpis.rules import DEFAULT_RULES

KPIS = every_kpi(DEFAULT_RULES)
GOOD = """version: 1
groups:
  - name: service
    rules:
      - alert: Low
        kpi: service_level
        where: {channel: [voice]}
        when: {type: objective, op: "<", target: 0.8, windows: [15m, 1h]}
        for: 2m
        labels: {severity: page}
"""
A_LIST = "write a list, such as [a, b], or items that begin with -"
WHEN = "r.yaml:8: groups.rules.when"


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(BadRules) as caught:
        read_rules(text, "r.yaml", KPIS)
    return caught.value.faults


def test_a_good_file() -> None:
    (group,) = read_rules(GOOD, "r.yaml", KPIS).groups
    (rule,) = group.rules
    assert (rule.for_ms, rule.when.windows, float(rule.when.target)) == (120_000, (900_000, 3_600_000), 0.8)


def test_the_default_rules_are_in_order() -> None:
    text = (files("alerts") / "default_rules.yaml").read_text("utf-8")
    assert read_rules(text, "default", KPIS).groups


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (": service_level", ": servce_level", "r.yaml:6: no KPI servce_level; did you mean service_level?"),
        (
            ": service_level",
            ": asa",
            "r.yaml:6: asa is no share of legs, contacts or answers; `type: objective` is for shares",
        ),
        ("version: 1", "version: 2", "r.yaml:1: version: write 1"),
        (
            "target: 0.8",
            "target: 80",
            f"{WHEN}.target: a share lies between 0 and 1, both excluded: 80 % is 0.8",
        ),
        (
            "for: 2m",
            "for: 120",
            "r.yaml:9: groups.rules.for: write a duration with its unit, such as 90s, 15m, 4h or 7d",
        ),
        ("[15m, 1h]", "[1h, 15m]", f"{WHEN}.windows: write each window once, the shortest first"),
        ("labels:", "lables:", "r.yaml:10: groups.rules.lables: unknown word; did you mean labels?"),
        ("for: 2m", "for: 2m\n        for: 3m", "r.yaml:10: 'for' is written twice"),
        ('op: "<"', 'op: "<="', f"{WHEN}.op: write '<' or '>'"),
        ("[15m, 1h]", "[0m, 1h]", f"{WHEN}.windows: write a duration of more than 0"),
        ("target: 0.8", 'target: "1/0"', f"{WHEN}.target: write a share such as 0.8"),
        (
            "name: service",
            "interval: 0s\n    name: s",
            "r.yaml:3: groups.interval: write a duration of more than 0",
        ),
        (
            "type: objective",
            "type: objektive",
            f"{WHEN}: unknown type; there are {', '.join(TYPES)}",
        ),
        ("type: objective, ", "", f"{WHEN}: type is missing; there are {', '.join(TYPES)}"),
        ("[voice]", "voice", f"r.yaml:7: groups.rules.where.channel: {A_LIST}"),
        (
            "for: 2m",
            "expr: up == 0",
            "r.yaml:9: groups.rules.expr: write kpi and when; a query of your own as "
            "when: {type: sql, query: ...}",
        ),
        (
            "{severity: page}",
            "{severity: 3}",
            "r.yaml:10: groups.rules.labels.severity: write text; numbers and yes or no in quotes",
        ),
        (
            "alert: Low",
            "alert: so low",
            "r.yaml:5: groups.rules.alert: a name has letters, digits and _ alone, and begins with a letter",
        ),
        (
            "labels:",
            "annotations: {summary: '{{ $labels.queue }}'}\n        labels:",
            "r.yaml:10: nothing is filled in for {{ $labels.queue }}; did you mean {{ queue }}?",
        ),
        (
            "labels:",
            "annotations: {summary: '{{ value|percent }}'}\n        labels:",
            "r.yaml:10: nothing is filled in for {{ value|percent }}; did you mean {{ value }}?",
        ),
        (
            "  - name",
            "\t- name",
            "r.yaml:3: no YAML: found character '\\t' that cannot start any token; write spaces instead",
        ),
        ("groups:", "groups: &g [*g]\nold:", "r.yaml: no YAML: nested too deeply"),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, fault: str) -> None:
    assert faults(GOOD.replace(old, new)) == (fault,)


def test_anchors_are_read_as_far_as_files_go() -> None:
    more = "      - {alert: Two, kpi: abandonment_rate, when: {<<: *low, op: '>'}}\n"
    (group,) = read_rules(GOOD.replace("when: {", "when: &low {") + more, "r.yaml", KPIS).groups
    assert [rule.when.op for rule in group.rules] == ["<", ">"]
    assert group.rules[1].when.windows == group.rules[0].when.windows
    bomb = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 15))
    assert faults(bomb) == ("r.yaml: no YAML: its anchors stand for too much",)


SCHEMA = jsonschema.Draft202012Validator(schema_of("rules"))


def as_json(text: str) -> Any:
    """What an editor holds against the schema: dates are text to it."""
    return orjson.loads(orjson.dumps(yaml.safe_load(text), option=orjson.OPT_NON_STR_KEYS))


def guide() -> list[str]:
    """The files in the guide."""
    text = (Path(__file__).parents[2] / "docs" / "guide" / "alerts.md").read_text("utf-8")
    return [
        found for found in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if found.startswith("version")
    ]


def test_editors_take_what_is_right() -> None:
    rules, trials, told = guide()[:3]
    for text in (GOOD, (files("alerts") / "default_rules.yaml").read_text("utf-8"), rules):
        SCHEMA.validate(as_json(text))
        assert read_rules(text, "r.yaml", KPIS)
    assert "tests:" in trials
    jsonschema.Draft202012Validator(schema_of("receivers")).validate(as_json(told))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "version: 2"), ("target: 0.8", "target: 80"), ("for: 2m", "for: 120"),
        ("labels:", "lables:"), ('op: "<"', 'op: "<="'), ("type: objective", "type: objektive"),
        ("[voice]", "voice"), ("{severity: page}", "{severity: 3}"), ("alert: Low", "alert: so low"),
        ("kpi: service_level", "expr: up"), ("[15m, 1h]", "[]"), ("[15m, 1h]", "[15]"),
    ],
)  # fmt: skip
def test_editors_refuse_what_is_wrong(old: str, new: str) -> None:
    assert not SCHEMA.is_valid(as_json(GOOD.replace(old, new)))
    assert faults(GOOD.replace(old, new))


TYPED = """version: 1
groups:
  - name: more
    rules:
      - alert: A
        kpi: {kpi}
        when: {when}
        labels: {{severity: {severity}}}
"""


@pytest.mark.parametrize(
    ("kpi", "when", "severity", "fault"),
    [
        ("longest_wait_now", '{type: threshold, op: ">", limit: 90s, clear: 60s}', "page", ""),
        ("asa", '{type: threshold, op: ">", limit: 45s}', "page", ""),
        ("offered", "{type: absence, holidays: [2026-12-25]}", "page", ""),
        ("volume", '{type: seasonal, op: ">"}', "page", ""),
        ("fcr_net", '{type: matured, op: "<", targets: {1: 0.87, 7: 0.72}}', "ticket", ""),
        (
            "service_level",
            '{type: burn_rate, op: "<", target: 0.8, burns: [{factor: 2, long: 1h, short: 5m}]}',
            "ticket",
            "",
        ),
        (
            "asa",
            '{type: threshold, op: ">", limit: 45s, clear: 60s}',
            "page",
            ":7: groups.rules.when: clear lies",
        ),
        ("csat", '{type: threshold, op: "<", limit: 4}', "page", ""),
        ("csat_t2b.by_response", '{type: objective, op: "<", target: 0.8}', "page", ""),
        (
            "csat.normalised",
            '{type: objective, op: "<", target: 0.8}',
            "page",
            ":6: csat.normalised is no share",
        ),
        (
            "occupancy",
            '{type: threshold, op: ">", limit: 0.9}',
            "page",
            "write by: [] for all, or some of agent",
        ),
        ("occupancy", '{type: objective, op: ">", target: 0.9}', "page", ":6: occupancy is a share of time"),
        ("logins", '{type: seasonal, op: "<"}', "page", ":6: logins is no count"),
        ("callbacks_requested", '{type: seasonal, op: ">"}', "page", ""),
        ("fcr_net.w7d", '{type: objective, op: "<", target: 0.7}', "page", ":6: fcr_net.w7d ripens"),
        (
            "fcr_net.w7d",
            '{type: threshold, op: "<", limit: 0.7}',
            "page",
            "write kpi: fcr_net and when: {type: matured",
        ),
        (
            "fcr_net.w7d",
            '{type: matured, op: "<", targets: {7: 0.7}}',
            "ticket",
            "write kpi: fcr_net and when",
        ),
        ("fcr_pending", '{type: threshold, op: ">", limit: 5}', "page", ":6: fcr_pending"),
        ("fcr_gross_provisional.w7d", '{type: objective, op: "<", target: 0.7}', "page", ""),
        (
            "peak_hour",
            '{type: threshold, op: ">", limit: 5}',
            "page",
            ":6: peak_hour is not counted by minute",
        ),
        ("wait_p90", '{type: threshold, op: ">", limit: 60s}', "page", ""),
        ("longest_wait", '{type: threshold, op: ">", limit: 5m}', "page", ""),
        ("wait_p90", '{type: objective, op: ">", target: 0.9}', "page", ":6: wait_p90 is no share"),
        ("service_level", "{type: absence}", "page", ":6: service_level is no count"),
        ("fcr_net", '{type: matured, op: "<", targets: {2: 0.8}}', "ticket", "for 2 days; RINGBACK_RULES"),
        ("service_level", '{type: matured, op: "<", targets: {1: 0.8}}', "ticket", "does not ripen"),
        (
            "service_level",
            '{type: burn_rate, op: "<", target: 0.8, burns: [{factor: 14.4, long: 1h, short: 5m}]}',
            "ticket",
            "14.4 can never be reached: with this target it is 5.00 when all fail",
        ),
        (
            "service_level",
            '{type: burn_rate, op: "<", target: 0.8, burns: [{factor: 2, long: 1h, short: 5m}]}',
            "page",
            ":7: burn_rate is for tickets",
        ),
    ],
)
def test_rule_types(kpi: str, when: str, severity: str, fault: str) -> None:
    text = TYPED.format(kpi=kpi, when=when, severity=severity)
    if not fault:
        (rule,) = read_rules(text, "r.yaml", KPIS).groups[0].rules
        assert detector_of(rule, KPIS[kpi], "Europe/Rome").spans(0, 60_000)
    else:
        assert fault in faults(text)[0]


@pytest.mark.parametrize(
    ("kpi", "when", "no_data", "fault"),
    [
        ("asa", '{type: threshold, op: ">", limit: 45s}', "alert", ""),
        ("offered", "{type: absence}", "ok", ""),
        ("offered", "{type: absence}", "alert", ":8: absence is itself about nobody coming"),
        ("volume", '{type: seasonal, op: ">"}', "alert", "holidays alone"),
        ("offered", '{type: threshold, op: ">", limit: 4}', "ok", "never without data"),
        ("waiting_now", '{type: threshold, op: ">", limit: 4}', "alert", "never without data"),
        ("asa", '{type: threshold, op: ">", limit: 45s}', "nothing", "write 'hold', 'ok' or 'alert'"),
    ],
)
def test_what_no_data_may_be(kpi: str, when: str, no_data: str, fault: str) -> None:
    text = TYPED.format(kpi=kpi, when=f"{when}\n        no_data: {no_data}", severity="page")
    if not fault:
        assert read_rules(text, "r.yaml", KPIS).groups[0].rules[0].no_data == no_data
    else:
        assert fault in faults(text)[0]


def test_a_profile_is_a_probability_and_a_time() -> None:
    rule = read_rules(GOOD.replace("for: 2m", "profile: quiet"), "r.yaml", KPIS).groups[0].rules[0]
    assert (rule.for_ms, rule.p_value) == (300_000, PROFILES["quiet"].p_dip)
    text = GOOD.replace("        for: 2m\n", "").replace("service_level", "abandonment_rate")
    (fall, rise) = (
        read_rules(text.replace('op: "<"', f'op: "{op}"'), "r.yaml", KPIS).groups[0].rules[0] for op in "<>"
    )
    assert (fall.p_value, rise.p_value) == (PROFILES["default"].p_dip, PROFILES["default"].p_rise)
    assert (fall.slack, rise.slack) == (DIP_SLACK, 0)
    assert fall.for_ms == rise.for_ms == PROFILES["default"].for_ms


@pytest.mark.parametrize(("given", "wanted"), [("", Fraction(0)), ("slack: 0.25, ", Fraction(1, 4))])
def test_slack_is_as_written_where_a_probability_is(given: str, wanted: Fraction) -> None:
    text = GOOD.replace("windows:", f"{given}p_value: 0.001, windows:")
    assert read_rules(text, "r.yaml", KPIS).groups[0].rules[0].slack == wanted


@pytest.mark.parametrize("given", ["-0.1", "1", "'x'", "true"])
def test_a_slack_that_is_none_is_refused(given: str) -> None:
    (fault,) = faults(GOOD.replace("windows:", f"slack: {given}, windows:"))
    assert "write a number from 0" in fault


def test_the_estimate_counts_label_sets() -> None:
    (_, middle, _) = MEASURED
    file = read_rules(GOOD.replace("windows:", f"p_value: {middle[0]}, windows:"), "r.yaml", KPIS)
    assert estimate(file, {"Low": 100}) == (pytest.approx(100 * middle[1]), [])
    rise = GOOD.replace('op: "<"', 'op: ">"').replace("service_level", "abandonment_rate")
    for text in (GOOD, rise):
        for name, profile in PROFILES.items():
            file = read_rules(text.replace("for: 2m", f"profile: {name}"), "r.yaml", KPIS)
            assert estimate(file, {"Low": 100})[0] == pytest.approx(100 * profile.false_a_week)


def test_what_is_no_yaml_is_said() -> None:
    (fault,) = faults(GOOD.replace("[15m, 1h]}", "[15m, 1h]"))
    assert fault.startswith("r.yaml:9: no YAML: ")


def test_the_same_alert_twice() -> None:
    rules = GOOD[GOOD.index("      - alert") :]
    assert faults(GOOD + rules) == ("r.yaml:11: Low is there twice; give one of them another name",)


@pytest.mark.parametrize(
    "text", ["", "[]", "- 1", "a: &x [*x]", "!!python/object:os.system {}", "x: " + "[" * 2_000, "\x00"]
)
def test_no_text_is_a_traceback(text: str) -> None:
    assert all(fault.startswith("r.yaml") for fault in faults(text))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(BadRules, match="split it"):
        load_rules(path, KPIS)


def test_receivers(tmp_path: Path) -> None:
    path = tmp_path / "receivers.yaml"
    good = "version: 1\nreceivers:\n  - {name: hook, type: webhook, url: https://example.org/x}\n"
    path.write_text(good)
    assert read_receivers(path).receivers[0].name == "hook"
    path.write_text(good + "  - {name: hook, type: slack, url: {env: SLACK}}\n")
    with pytest.raises(BadRules, match=r":4: hook is there twice"):
        read_receivers(path)
    path.write_text("version: 1\nreceivers:\n  - {name: chat, type: slack, url: https://hooks.slack.com/x}\n")
    with pytest.raises(BadRules, match=r":3: receivers.url: "):
        read_receivers(path)


@pytest.mark.parametrize(
    ("hook", "fault"),
    [
        ("mute: [{from: '22:00', to: '06:00'}]", "receivers.mute: it ends before it begins"),
        ("secret: {}", "receivers.secret: write env"),
        ("falback: x", "receivers.falback: unknown word; did you mean fallback?"),
        ("label: x", "receivers.label: unknown word; leave it out"),
        ("fallback: x", "there is no receiver x"),
        ("fallback: h", "h is its own fallback; name another receiver"),
        ("secret: whsec_abc", "receivers.secret: secrets never stand in this file: write {env: NAME}"),
        ("only: {severity: page}", f"receivers.only.severity: {A_LIST}"),
        ("mute: [{from: '7:00'}]", "receivers.mute.from: write a time such as 07:30"),
    ],
)
def test_a_receiver_that_would_never_do_what_it_says(tmp_path: Path, hook: str, fault: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"version: 1\nreceivers:\n  - {{name: h, type: webhook, url: http://x, {hook}}}\n")
    with pytest.raises(BadRules, match=rf":3: {re.escape(fault)}"):
        read_receivers(path)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("htp://x", "write an address such as https://example.org/hook"),
        ("example.org:9093", "write an address such as https://example.org/hook"),
        ("'http://x y'", "write an address such as https://example.org/hook"),
        ("'http://[::1'", "write an address such as https://example.org/hook"),
        ("https://me:word@example.org", "secrets never stand in this file"),
        ("{enf: X}", "unknown word; did you mean env?"),
        ("7", "secrets never stand in this file"),
    ],
)
def test_an_address_that_cannot_be_one(tmp_path: Path, url: str, fault: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"version: 1\nreceivers:\n  - {{name: h, type: webhook, url: {url}}}\n")
    with pytest.raises(BadRules) as caught:
        read_receivers(path)
    (said,) = caught.value.faults
    assert fault in said
    assert "word" not in said.replace("unknown word", "")


def test_check_says_what_is_doubtful_and_which_secret_is_missing(tmp_path: Path) -> None:
    rules, told = tmp_path / "rules.yaml", tmp_path / "told.yaml"
    rules.write_text(GOOD.replace("where: {channel:", "no_data: alert\n        where: {chanel:"))
    told.write_text(
        "version: 1\nreceivers:\n"
        "  - {name: h, type: webhook, url: {env: NOT_SET}, only: {severity: [pages]}}\n"
    )
    done = ringback("alerts", "check", str(rules), "--receivers", str(told))
    said = " ".join(done.output.split())
    assert done.status == 1
    assert "perhaps wrong: Low looks at the dimension chanel: did you mean channel?" in said
    assert "perhaps wrong: Low fires whenever nobody comes, at night too: mute its receivers then" in said
    assert "perhaps wrong: h wants severity pages, which no rule has; there are page" in said
    assert "h.url: its secret: NOT_SET is not set" in said


@pytest.mark.parametrize("name", ["RINGBACK_ALERT_RULES", "RINGBACK_ALERT_RECEIVERS"])
def test_up_says_what_is_wrong_with_its_rules_before_it_starts_anything(tmp_path: Path, name: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("version: 2\n")
    done = ringback("up", RINGBACK_DATA_DIR=str(tmp_path / "data"), **{name: str(path)})
    assert done.status == 2
    assert "own.yaml:1: version" in " ".join(done.output.split())
    assert not (tmp_path / "data").exists()


def test_a_ledger_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "alerts.sqlite").write_text("no ledger, but some text of a user's own")
    done = ringback("alerts", "list", RINGBACK_DATA_DIR=str(tmp_path))
    assert done.status == 2
    assert "alerts.sqlite cannot be opened: file is not a database" in " ".join(done.output.split())
