"""Today's version goes on with the data folder of version 0.1: topics, changelogs, tables, state on disk."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from support.old_folder import EVENTS, PARTITIONS, unpack_folder, what_it_said
from support.stack import Running, run_ringback, wait_until

from deploy.local.ports import free_port

pytestmark = pytest.mark.stack
SAID = what_it_said()
# Defined otherwise since events version 2 (CHANGELOG).
REDEFINED = {"callback_wait", "csat.normalised"}
NEW_TOPICS = {"rules-in-use-0", "forgotten-customers-0", "alert-ledger-0"}
KPIS, VERIFY = next(iter(SAID)), "verify --format json"
Env = dict[str, str]
GROUPS = {"ringback", "ringback-sink"}
CHANGELOG_RECORDS = 797  # that the old version wrote: this much its state on disk knows
START_S = 120.0

# Of contacts and agents that the old version knew: the open call ends, and by its customer is a repeat of
# known-6; a survey is corrected once more, from 3 to 1; an agent turns out to have left earlier.
NEWS = [
    {
        "type": "contact_resolved",
        "event_id": "known-5-4",
        "contact_id": "known-5",
        "occurred_at": "2026-01-08T08:05:25Z",
        "source": "oldpbx",
        "outcome": "resolved",
        "customer_key": "customer-c",
        "reason": "billing",
    },
    {
        "type": "contact_wrapped",
        "event_id": "known-5-5",
        "contact_id": "known-5",
        "occurred_at": "2026-01-08T08:05:40Z",
        "source": "oldpbx",
        "agent": "ada",
    },
    {
        "type": "contact_surveyed",
        "event_id": "known-1-11",
        "contact_id": "known-1",
        "occurred_at": "2026-01-05T12:00:00Z",
        "source": "oldpbx",
        "kind": "csat",
        "revision": 2,
        "score": 1,
        "scale_min": 1,
        "scale_max": 5,
    },
    {
        "type": "agent_state_changed",
        "event_id": "ada-8-1740",
        "agent": "ada",
        "team": "north",
        "occurred_at": "2026-01-08T08:15:00Z",
        "source": "oldpbx",
        "revision": 1,
        "state": "offline",
    },
]
# Numerator and denominator, by hand from docs/facts.md. Started 08:00:00, answered 08:00:25, resolved
# 08:05:25, wrapped 08:05:40: 300 s of talk, 15 s of work after it. The agent left 840 s earlier.
MOVED = {
    "handled": (1, 0),
    "aht": (315_000, 1),
    "handle_time_per_contact": (315_000, 1),
    "talk_time_avg": (300_000, 1),
    "acw_avg": (15_000, 1),
    "hold_rate": (0, 1),
    "hold_time_avg.per_handled": (0, 1),
    "transfer_rate": (0, 1),
    "contacts_transferred_rate": (0, 1),
    "art": (325_000, 1),
    "art.first": (325_000, 1),
    "reopen_rate": (0, 1),
    "fcr_coverage": (1, 1),
    "csat": (-2, 0),
    "csat.by_response": (-2, 0),
    "occupancy": (315_000, -840_000),
    "utilisation": (-840_000, -840_000),
    "concurrency": (315_000, 315_000),
    "concurrent_aht": (315_000, 1),
}
# The same for every window: the repeat began within a day. known-6 has failed, known-5 has not.
JUDGED = {
    "fcr_gross": (0, 1),
    "fcr_gross_provisional": (0, 1),
    "fcr_net": (0, 1),
    "fpr": (0, 1),
    "one_and_done_rate": (-1, 0),
    "returned_rate": (1, 1),
    "repeat_contact_rate": (1, 1),
}
WINDOWS = ("", ".w1d", ".w3d", ".w7d", ".w14d", ".w30d")
MOVED |= {f"{name}{window}": by for name, by in JUDGED.items() for window in WINDOWS}


def said(env: Env, command: str) -> Any:
    """What a command says now."""
    ended = run_ringback(env, *shlex.split(command))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def moved(before: Any, after: Any) -> dict[str, tuple[int, int]]:
    """How numerators and denominators have moved, by KPI, where one has."""
    (old,), (new,) = (([window["kpis"] for window in windows]) for windows in (before, after))
    assert old.keys() <= new.keys()
    by = {name: (new[name]["num"] - old[name]["num"], new[name]["den"] - old[name]["den"]) for name in old}
    return {name: change for name, change in by.items() if change != (0, 0) and name not in REDEFINED}


def restated(before: Any, after: Any) -> set[str]:
    """KPIs of the old version that have another value now."""
    (old,), (new,) = (([window["kpis"] for window in windows]) for windows in (before, after))
    return {name for name, value in old.items() if new[name] != value}


def send(env: Env, path: Path) -> None:
    """Import a file; returns when all is applied and stored."""
    ended = run_ringback(env, "import", "events", str(path))
    assert ended.returncode == 0, ended.stdout + ended.stderr


@contextmanager
def up(folder: Path, store: str) -> Iterator[Env]:
    """`ringback up` on a folder; gives the settings that reach it."""
    ports = ("RINGBACK_KAFKA_PORT", "RINGBACK_CLICKHOUSE_PORT", "RINGBACK_METRICS_PORT")
    env = {name: str(free_port()) for name in ports} | {
        "RINGBACK_DATA_DIR": str(folder),
        "RINGBACK_PARTITIONS": str(PARTITIONS),
        "RINGBACK_STATE_STORE": store,
    }
    running = Running(env, "up")
    try:
        wait_until(lambda: "ready kafka=" in running.log() or not running.process.alive(), "not up", START_S)
        assert running.process.alive(), running.log()
        yield env
        assert "Traceback" not in running.log() + worker_log(folder)
    finally:
        running.process.stop()


def worker_log(folder: Path) -> str:
    """What the worker has printed; the old version's logs are not in the folder."""
    return (folder / "logs" / "worker-1.log").read_text(encoding="utf-8")


def topics(folder: Path) -> set[str]:
    """Folders of Kafka's data, one a partition: a topic under another name would be one more."""
    return {path.name for path in (folder / "kafka" / "data").iterdir() if path.is_dir()}


async def groups(env: Env) -> set[str]:
    """Groups that Kafka knows: under another name all would be read again, and nobody would notice."""
    admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{env['RINGBACK_KAFKA_PORT']}")
    await admin.start()
    try:
        return {group for group, *_ in await admin.list_consumer_groups()}
    finally:
        await admin.close()


def news_change_what_they_must(env: Env, folder: Path) -> None:
    """Later events of what the old version knew: of contacts, a customer and an agent."""
    news = folder / "news.jsonl"
    news.write_text("".join(json.dumps(event) + "\n" for event in NEWS), encoding="utf-8")
    send(env, news)
    assert moved(SAID[KPIS], said(env, KPIS)) == MOVED
    assert said(env, VERIFY)["differing"] == 0


async def test_state_on_disk_is_gone_on_with(tmp_path: Path) -> None:
    """Nothing is lost, the same events again change nothing, later ones change what they must."""
    pytest.importorskip("rocksdict", reason="state on disk needs the package rocksdict")
    folder = unpack_folder(tmp_path)
    before = topics(folder)
    with up(folder, "rocksdict") as env:
        log = worker_log(folder)
        assert "state on disk is used" in log
        assert "dropped" not in log
        assert restated(SAID[KPIS], said(env, KPIS)) == REDEFINED
        assert said(env, VERIFY)["differing"] == 0
        send(env, EVENTS)
        assert restated(SAID[KPIS], said(env, KPIS)) == REDEFINED
        news_change_what_they_must(env, folder)
        assert topics(folder) == before | NEW_TOPICS
        assert await groups(env) == GROUPS


async def test_changelogs_are_gone_on_with(tmp_path: Path) -> None:
    """The same folder, its state on disk left alone: all comes from the changelogs of the old version."""
    folder = unpack_folder(tmp_path)
    before = topics(folder)
    with up(folder, "memory") as env:
        recovered = re.search(r'"state read" records=(\d+)', worker_log(folder))
        assert recovered
        assert int(recovered[1]) >= CHANGELOG_RECORDS
        news_change_what_they_must(env, folder)
        assert topics(folder) == before | NEW_TOPICS
        assert await groups(env) == GROUPS
