"""The main job: a call log goes in, and the KPIs that come out are those computed elsewhere."""

import gzip
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support import february
from support.bank_file import EXPECTED, HEADER, ROWS, bank_bytes, write_bank_file
from support.numbers import answer, ended, totals, verified, windows
from support.shared_data import FEBRUARY, JANUARY, shared_data
from support.stack import Stack, background

FEBRUARY_1999 = ("--from", "1999-02-01", "--to", "1999-03-01")
MARCH_1999 = ("--from", "1999-03-01", "--to", "1999-03-03")
SOURCES = [pytest.param((), id="stream"), pytest.param(("--from-oracle",), id="oracle")]
MARCH_MS = 920_239_200_000  # 1999-03-01 in Jerusalem
AGENTS = {"MAYA": 9, "NAAMA": 1, "ANAT": 1, "": 1}
Kpis = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def env(stack: Stack) -> Iterator[dict[str, str]]:
    """Settings of the commands, with a worker and a sink at work; neither may ever print a traceback."""
    with background(stack.env(), "worker") as worker, background(stack.env(), "sink") as sink:
        yield stack.env(RINGBACK_TIMEZONE="Asia/Jerusalem")
        assert "Traceback" not in worker.log() + sink.log()


def kpis(env: dict[str, str], *args: str) -> Kpis:
    """The one row of KPIs of a range."""
    (row,) = answer(env, "kpi", *args)
    found: Kpis = row["kpis"]
    return found


def parts(kpi: dict[str, Any]) -> tuple[int, int]:
    """The two integers of a KPI."""
    return kpi["num"], kpi["den"]


def by(env: dict[str, str], dimension: str, *args: str) -> dict[str, Kpis]:
    """KPIs by the values of a dimension."""
    return {row[dimension]: row["kpis"] for row in answer(env, "kpi", "--by", dimension, *args)}


@pytest.fixture(scope="module")
def small(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The call log with every trap, and what its import said."""
    path = tmp_path_factory.mktemp("bank") / "march.txt.gz"
    write_bank_file(path)
    return path, answer(env, "import", "bank", str(path))


def test_every_trap_is_counted_as_expected(stack: Stack, small: tuple[Path, dict[str, Any]]) -> None:
    assert small[1] == {
        "sent": EXPECTED.events,
        "duplicates": 0,
        "dead_letters": len(EXPECTED.rejected),
        "skipped": EXPECTED.phantom,
        "contacts": EXPECTED.contacts,
    }
    found = totals(windows(stack, begin=MARCH_MS))
    assert {name: found[name] for name in EXPECTED.totals} == EXPECTED.totals


@pytest.mark.parametrize("source", SOURCES)
def test_kpis_of_the_small_file(
    env: dict[str, str], small: tuple[Path, dict[str, Any]], source: tuple[str, ...]
) -> None:
    want = EXPECTED.totals
    found = kpis(env, *MARCH_1999, *source)
    counts = ("offered", "answered", "abandoned", "short_abandoned", "ivr_abandoned", "handled")
    assert {name: parts(found[name]) for name in counts} == {name: (want[name], 1) for name in counts}
    assert parts(found["volume"]) == (EXPECTED.contacts, 1)
    assert parts(found["asa"]) == (want["wait_ms"], want["wait_n"])
    assert parts(found["service_level"]) == (want["answered_in_target"], want["service_level_n"])
    assert parts(found["talk_time_avg"]) == (want["talk_ms"], want["handled"])
    assert parts(found["abandonment_rate_raw"]) == (want["abandoned"], want["offered"])
    assert found["longest_wait"]["value"] == 90_000  # of the one who left


@pytest.mark.parametrize("source", SOURCES)
def test_kpis_of_the_small_file_by_queue_and_by_agent(
    env: dict[str, str], small: tuple[Path, dict[str, Any]], source: tuple[str, ...]
) -> None:
    queues = by(env, "queue", *MARCH_1999, *source)
    found = {name: (row["answered"]["num"], row["abandoned"]["num"]) for name, row in queues.items()}
    assert found.pop("") == (0, 0)  # those who never came out of the IVR
    assert found == EXPECTED.by_queue
    assert queues["NE"]["longest_wait"]["value"] == 90_000
    assert queues["PS"]["longest_wait"]["value"] == 20_000
    agents = by(env, "agent", *MARCH_1999, *source)
    assert {name: row["answered"]["num"] for name, row in agents.items()} == AGENTS
    assert agents[""]["abandoned"]["num"] == 2
    assert agents["MAYA"]["longest_wait"]["value"] == 40_000


def test_dead_letters_say_which_line_of_which_file_and_why(
    env: dict[str, str], small: tuple[Path, dict[str, Any]]
) -> None:
    listed = answer(env, "dead-letters", "list")
    assert sorted((row["origin"], row["position"], row["reason"]) for row in listed) == [
        ("march.txt.gz", line, reason) for line, reason in EXPECTED.rejected
    ]
    assert all(row["detail"] and row["payload"] for row in listed)
    line, reason = EXPECTED.rejected[0]
    shown = ended(env, 0, "dead-letters", "show", "march.txt.gz", str(line)).stdout
    assert f"march.txt.gz:{line} {reason}" in shown.replace("\n", " ")


def test_the_same_calls_again_change_nothing(
    env: dict[str, str], small: tuple[Path, dict[str, Any]], stack: Stack, tmp_path: Path
) -> None:
    path, first = small
    before, asked = windows(stack), answer(env, "kpi", *MARCH_1999)
    assert answer(env, "import", "bank", str(path)) == first | {"duplicates": EXPECTED.events}
    twice = tmp_path / "twice.txt"
    body = bank_bytes()[len(HEADER) + 1 :]
    twice.write_bytes(bank_bytes() + body)
    again = answer(env, "import", "bank", str(twice))
    assert (again["sent"], again["duplicates"]) == (EXPECTED.events, 2 * EXPECTED.events)
    assert again["dead_letters"] == 2 * len(EXPECTED.rejected)
    assert again["skipped"] == 2 * EXPECTED.phantom
    assert windows(stack) == before
    assert answer(env, "kpi", *MARCH_1999) == asked
    assert stack.value("SELECT count() FROM events FINAL") == EXPECTED.events
    report = verified(env)
    assert (report["facts"]["contacts"], report["facts"]["legs"]) == (EXPECTED.contacts, EXPECTED.contacts)
    assert len(ROWS) == EXPECTED.contacts + EXPECTED.phantom + len(EXPECTED.rejected)


def check_totals(found: Kpis) -> None:
    """KPIs of the whole of February against the published oracle, integers first."""
    want = february.TOTALS
    counts = ("offered", "answered", "abandoned", "ivr_abandoned", "flow_out", "handled")
    assert {name: parts(found[name]) for name in counts} == {name: (want[name], 1) for name in counts}
    assert parts(found["volume"]) == (want["contacts"], 1)
    assert parts(found["asa"]) == (want["wait_ms"], want["wait_n"])
    assert parts(found["talk_time_avg"]) == (want["talk_ms"], want["handled"])
    assert parts(found["aht"]) == (want["handle_ms"], want["handled"])
    within, left_within = want["answered_in_target"], want["abandoned_in_target"]
    assert parts(found["service_level_offered"]) == (within, want["offered"])
    assert parts(found["service_level_answered"]) == (within, want["answered"])
    assert parts(found["service_level_ignore_abandoned"]) == (within, want["offered"] - left_within)
    assert parts(found["service_level_positive_abandoned"]) == (within + left_within, want["offered"])
    assert found["longest_wait"]["value"] == february.LONGEST_WAIT_MS
    published = {
        "abandonment_rate_raw": february.ABANDONMENT_RATE_RAW / 100,
        "asa": february.ASA_S * 1000,
        "queue_time_avg": february.MEAN_WAIT_OFFERED_S * 1000,
        "abandon_time_avg": february.MEAN_WAIT_ABANDONED_S * 1000,
        "aht": february.AHT_S * 1000,
        "service_level_offered": february.SERVICE_LEVEL_OFFERED / 100,
        "service_level_answered": february.SERVICE_LEVEL_ANSWERED / 100,
        "service_level_ignore_abandoned": february.SERVICE_LEVEL_IGNORE_ABANDONED / 100,
        "service_level_positive_abandoned": february.SERVICE_LEVEL_POSITIVE_ABANDONED / 100,
    }
    assert {name: found[name]["value"] for name in published} == pytest.approx(published, rel=5e-5)


def check_parts(rows: list[dict[str, Any]]) -> None:
    """KPIs by queue and agent, added up by each, against the published oracle."""
    types: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    agents: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        kpi = {name: row["kpis"][name]["num"] for name in ("answered", "abandoned", "asa", "talk_time_avg")}
        for position, value in enumerate(kpi.values()):
            types[row["queue"]][position] += value
        agents[row["agent"]][0] += kpi["answered"]
        agents[row["agent"]][1] += kpi["talk_time_avg"]
    assert not any(types.pop("", []))
    want = {
        name: (n, left, wait * 1000, talk * 1000) for name, (n, left, wait, talk) in february.BY_TYPE.items()
    }
    assert {name: tuple(row) for name, row in types.items()} == want
    named = {name: tuple(row) for name, row in agents.items() if name}
    top = sorted(named, key=lambda name: named[name], reverse=True)[:3]
    assert {name: named[name] for name in top} == {
        name: (calls, talk * 1000) for name, (calls, talk) in february.TOP_AGENTS.items()
    }


def shuffled(packed: Path, path: Path) -> Path:
    """The same calls in another order."""
    header, *rows = gzip.decompress(packed.read_bytes()).splitlines()
    Random(7).shuffle(rows)
    path.write_bytes(b"\n".join([header, *rows]) + b"\n")
    return path


def test_february_of_the_anonymous_bank(env: dict[str, str], stack: Stack, tmp_path: Path) -> None:
    """Once as it lies on disk; then shuffled, after January, which must move no number of February."""
    log, january = shared_data(FEBRUARY), shared_data(JANUARY)
    counts = answer(env, "import", "bank", str(log))
    assert (counts["skipped"], counts["contacts"]) == (february.PHANTOM, february.TOTALS["contacts"])
    assert (counts["dead_letters"], counts["duplicates"]) == (0, 0)
    before = windows(stack, end=MARCH_MS)
    sums = totals(before)
    assert {name: sums[name] for name in february.TOTALS} == february.TOTALS
    levels = ",".join(str(level) for level in february.WAIT_QUANTILES_MS)
    waits = stack.value(f"SELECT quantilesExactLow({levels})(queue_ms) FROM legs FINAL "
                        f"WHERE answered AND entered_at < fromUnixTimestamp64Milli({MARCH_MS})")  # fmt: skip
    assert list(waits) == list(february.WAIT_QUANTILES_MS.values())
    for source in ((), ("--from-oracle",)):
        check_totals(kpis(env, *FEBRUARY_1999, *source))
        check_parts(answer(env, "kpi", *FEBRUARY_1999, "--by", "queue,agent", *source))
    again = shuffled(log, tmp_path / "shuffled.txt")
    more = answer(env, "import", "bank", str(january), str(again), limit_s=400)
    assert more["sent"] > counts["sent"]
    report = verified(env)
    assert report["facts"]["contacts"] > february.TOTALS["contacts"] * 1.5
    began = min(start for start, _, _ in before)
    assert windows(stack, begin=began, end=MARCH_MS) == before
