"""Tests of rules: what they try, what they say, and what is wrong with a file of them."""

from pathlib import Path

import pytest
from support.command import ringback

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "alert-tests.yaml"
RULES = """version: 1
groups:
  - name: g
    rules:
      - {alert: Low, kpi: service_level, by: [queue], when: {type: objective, op: "<", target: 0.8}}
      - alert: Usual
        kpi: service_level.genesys
        by: []
        when: {type: objective, op: "<", target: 0.8, usual: true}
      - {alert: Long, kpi: longest_wait_now, by: [], when: {type: threshold, op: ">", limit: 90s, clear: 60s}}
      - {alert: Silent, kpi: offered, by: [channel], when: {type: absence, at_least_weeks: 2, weeks: 2}}
      - {alert: Slow, kpi: aht, by: [], when: {type: log_mean, op: ">", target: 345s}}
      - {alert: Limit, kpi: aht, by: [], when: {type: threshold, op: ">", limit: 10m}}
      - alert: Gone
        kpi: hold_rate
        by: [queue]
        no_data: alert
        when: {type: objective, op: ">", target: 0.6}
      - {alert: Fine, kpi: transfer_rate, by: [], no_data: ok, when: {type: objective, op: ">", target: 0.1}}
      - alert: Fcr
        kpi: fcr_net
        by: [queue]
        when: {type: matured, op: "<", targets: {1: 0.87, 7: 0.72}}
        labels: {severity: ticket}
"""
HEAD = "version: 1\nrules: rules.yaml\ntests:\n  - name: t\n"


def tried(tmp_path: Path, test: str) -> tuple[int, str]:
    """Status and all that is said of a test."""
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "tests.yaml").write_text(HEAD + test)
    ended = ringback("alerts", "test", str(tmp_path / "tests.yaml"))
    return ended.status, ended.output


def test_the_example_passes() -> None:
    ended = ringback("alerts", "test", str(EXAMPLE))
    assert (ended.status, ended.stdout.splitlines()[-1]) == (0, "2 tests, 0 failed")


def test_what_is_otherwise_is_said(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace("1h8m", "1h7m").replace("time: 59m", "time: 89m")
    (tmp_path / "t.yaml").write_text(text)
    ended = ringback("alerts", "test", str(tmp_path / "t.yaml"))
    assert ended.status == 1
    came = "ServiceLevelLow channel=voice queue=sales fired 1h8m ended 2h16m resolved 52.7 % n=150"
    assert [line.strip() for line in ended.stdout.splitlines()] == [
        "FAILED  a bad hour of sales is told within minutes, and that it is over",
        "missing: ServiceLevelLow queue=sales fired 1h7m ended 2h16m resolved",
        f"unexpected: {came}",
        f"at 1h29m, unexpected: {came}",
        "passed  three callers in vain say nothing",
        "2 tests, 1 failed",
    ]


@pytest.mark.parametrize(
    "test",
    [
        # Two queues that are judged together, one of them of a channel that is no queue of callers.
        """    series:
      - {kpi: service_level, queue: a, counts: "9/10x60 1/10x60"}
      - {kpi: service_level, queue: a, channel: chat, counts: "9/10x60 1/10x60"}
    expect: [{alert: Low, labels: {queue: a}, ending: firing}]
""",
        # A queue that answers 60 % every day, and then 20 %.
        """    from: 28d
    series: [{kpi: service_level.genesys, queue: a, every: 1h, counts: "12/20x672 12/20x6 4/20x3"}]
    expect: [{alert: Usual, labels: {}, ending: firing}]
""",
        """    series: [{kpi: longest_wait_now, queue: a, counts: "30sx10 95s/3x10 70sx10 59sx30"}]
    expect: [{alert: Long, fired: 13m, ended: 45m, ending: resolved}]
""",
        # 270 s in the mean for an hour, then 540.
        """    series:
      - {kpi: aht, queue: a, counts: "90s,240s,480sx60 180s,480s,960sx60 90s,240s,480sx60"}
    expect: [{alert: Slow, labels: {}, fired: 1h16m, ending: resolved, n: 45}]
""",
        # One very long call raises the mean as it is, and is no rise by logarithms.
        """    series: [{kpi: aht, queue: a, counts: "100s,500sx59 4h 100s,500sx60"}]
    expect: [{alert: Limit, ending: resolved}]
""",
        """    from: 14d
    series: [{kpi: offered, queue: a, every: 1h, counts: "20x341 _x6"}]
    expect: [{alert: Silent, labels: {channel: voice}, ending: firing}]
""",
        """    series:
      - {kpi: fcr_net, queue: a, days: 1, every: 1h, counts: "9/10x24 7/10x72"}
      - {kpi: fcr_net, queue: a, days: 7, every: 1h, counts: "9/10x96"}
    expect: [{alert: Fcr, ending: firing}]
""",
        # Nobody calls for an hour: an alert, or the end of one.
        """    series: [{kpi: hold_rate, queue: a, counts: "1/10x60 _x60 1/10x60"}]
    expect: [{alert: Gone, fired: 78m, ended: 135m, ending: resolved, value: no data}]
""",
        """    series: [{kpi: transfer_rate, queue: a, counts: "0/10x60 8/10x30 _x60"}]
    expect: [{alert: Fine, ended: 119m, ending: resolved}]
""",
    ],
)
def test_every_kind_of_rule_can_be_tried(tmp_path: Path, test: str) -> None:
    assert tried(tmp_path, test) == (0, "passed  t\n1 tests, 0 failed\n")


SERIES = '    series: [{kpi: service_level, queue: a, counts: "9/10x60"}]\n'


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        (SERIES, "write what is expected: `expect:` with episodes, [] for none, or `at:`"),
        (SERIES + "    expect: [{alert: Lo}]\n", "tests.yaml:6: no rule Lo; did you mean Low?"),
        (
            SERIES + "    expect: [{alert: Low, labels: {team: x}}]\n",
            "Low has no label team; its labels: queue",
        ),
        (SERIES + "    expct: []\n", "tests.yaml:6: tests.expct: unknown word; did you mean expect?"),
        (
            SERIES.replace("9/10x60", "9-10x60") + "    expect: []\n",
            "9-10x60 is no count: write 9/10x60, 5x60",
        ),
        (SERIES.replace("9/10x60", "9x60") + "    expect: []\n", "write both, such as 9/10x60"),
        (SERIES.replace("9/10x60", "11/10x60") + "    expect: []\n", "not more than all of them"),
        (SERIES.replace("9/10x60", "9/10x9999999") + "    expect: []\n", "more than 600,000 spells"),
        (SERIES.replace("service_level", "asa") + "    expect: []\n", "no rule looks at asa; they look at"),
        (SERIES.replace("9/10", "9,10") + "    expect: []\n", "service_level is no time"),
        (SERIES.replace("9/10", "9,10/3") + "    expect: []\n", "write single durations, such as 60s,90s"),
        (
            SERIES.replace("service_level", "aht").replace("9/10x60", "600s/2") + "    expect: []\n",
            "single durations of aht are looked at: write each",
        ),
        ("    begin: monday\n" + SERIES + "    expect: []\n", "write a time such as 2026-01-05T09:00Z"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, test: str, fault: str) -> None:
    status, said = tried(tmp_path, test)
    assert (status, fault in said) == (2, True), said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    ended = ringback("alerts", "test", str(tmp_path / "none.yaml"))
    assert (ended.status, "none.yaml cannot be read" in ended.stderr) == (2, True)
