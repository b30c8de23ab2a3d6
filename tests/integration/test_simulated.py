"""A simulated contact centre whose truth is known: the stream, SQL over raw events and the truth agree."""

import json
from pathlib import Path

from support.numbers import Windows, answer, totals, verified, windows
from support.stack import Stack, background

CONTACTS = 15_000
EVENTS_AT_LEAST = 80_000


def truth_windows(rows: list[dict]) -> Windows:
    """The simulator's windows, keyed as those of the stream."""
    return {(row["window_start"], row["channel"], row["queue"]): row["measures"] for row in rows}


def test_truth_stream_and_oracle_agree_on_every_measure_of_every_window(stack: Stack, tmp_path: Path) -> None:
    truth_file = tmp_path / "truth.json"
    command = ("simulate", "--seed", "7", "--contacts", str(CONTACTS), "--truth", str(truth_file))
    with background(stack.env(), "worker") as worker, background(stack.env(), "sink") as sink:
        counts = answer(stack.env(), *command)
        truth = json.loads(truth_file.read_bytes())
        report = verified(stack.env())
        assert "Traceback" not in worker.log() + sink.log()
    assert counts["sent"] >= EVENTS_AT_LEAST
    assert counts["contacts"] >= CONTACTS
    assert stack.value("SELECT count() FROM events FINAL") < counts["sent"]  # there were duplicates
    assert stack.value("SELECT count() FROM events FINAL WHERE revision > 0") > 30  # and corrections
    assert stack.value("SELECT uniqExact(partition) FROM kpi_windows") > 1
    found, expected = windows(stack), truth_windows(truth["windows"])
    assert found.keys() == expected.keys()
    assert {key: row for key, row in found.items() if row != expected[key]} == {}
    assert {name: total for name, total in totals(found).items() if total} == truth["totals"]
    assert report["facts"]["contacts"] == counts["contacts"]
    key, nothing = "window_start, channel, queue, days", "anchors + candidates = 0"
    of_repeats = stack.value(f"SELECT uniqExact({key}) FROM fcr_windows FINAL WHERE NOT {nothing}")
    assert report["windows"] == len(found) + of_repeats
