"""What the data-protection officer is told: what was done, what is left until when, what is for others.

Of the person it has the digest of the ledger alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from maintenance.forget.forget import Done, Where
from maintenance.forget.topics import COMPACTED, COMPACTION_MS, LOGS, TOMBSTONE_MS, Found

OTHERS = (
    "backups and snapshots of Kafka's and ClickHouse's disks, and copies of them: Ringback does not reach "
    "them. Where "
    "one is restored, run the command again",
    "exported files that were not named",
    "state on the disks of other machines' workers (RINGBACK_STATE_STORE=rocksdict): remove their folder "
    "`state`; a "
    "worker makes it anew when it starts",
    "the source systems, the gateway's spool, and logs of your own",
)


def moment(time_ms: int) -> str:
    """A time for people."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def kept_log(topic: str, found: Found, retention_ms: int) -> dict[str, Any]:
    """Records of a log that cannot be deleted one by one: where they are, and until when."""
    return {
        "topic": topic,
        "records": found.records,
        "offsets": {str(number): [offsets[0], offsets[-1]] for number, offsets in found.offsets.items()},
        "until": None if retention_ms < 0 else moment(found.latest_ms + retention_ms),
    }


def where(found: Where, retentions: Mapping[str, int]) -> dict[str, Any]:
    """Where customers stood."""
    return {
        "tables": {table: rows for table, rows in found.rows.items() if rows},
        "topics": {topic: found.topics[topic].records for topic in COMPACTED if found.topics[topic].records},
        "logs": [
            kept_log(topic, found.topics[topic], retentions[topic])
            for topic in LOGS
            if found.topics[topic].records
        ],
    }


def document(
    done: Done, keys: Sequence[str], now_ms: int, retentions: Mapping[str, int], differences: int | None
) -> dict[str, Any]:
    """The report as JSON; `differences` are those of verify, None where it was not asked."""
    rewritten = [topic for topic in COMPACTED if done.found.topics[topic].records]
    gone = max((COMPACTION_MS[topic] for topic in rewritten), default=0) + TOMBSTONE_MS
    return {
        "at": moment(now_ms),
        "digests": [done.ledger.digest(key) for key in keys],
        "found": where(done.found, retentions),
        "files": dict(done.files),
        "compacted_until": moment(now_ms + gone) if rewritten else None,
        "totals": {
            table: {"rows": int(before[0]), "before": before[1], "after": done.after[table][1]}
            for table, before in done.before.items()
        },
        "differences": differences,
        "not_reached": [*OTHERS],
    }


def text(report: Mapping[str, Any]) -> str:
    """The same in Markdown, for people."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Customers forgotten, {report['at']}\n"
    yield f"Digests in the ledger: {', '.join(report['digests'])}. The report names nobody.\n"
    yield "## What was done\n"
    yield "In place of each customer's key stands a name drawn at random, the same in all their contacts.\n"
    for table, rows in report["found"]["tables"].items():
        yield f"- table `{table}`: {rows:,} rows rewritten, the old ones deleted"
    for topic, records in report["found"]["topics"].items():
        yield f"- topic `{topic}`: {records:,} records that stand rewritten, old keys deleted"
    for path, events in report["files"].items():
        yield f"- file `{path}`: {events:,} events rewritten" if events else f"- file `{path}`: not in it"
    yield "- searched again: no text of any table and no record that stands in these topics names them\n"
    yield "## What is left until when\n"
    if report["compacted_until"]:
        yield (
            "- replaced records of compacted topics are in Kafka's files until "
            f"{report['compacted_until']} at the latest "
            "(max.compaction.lag.ms and delete.retention.ms were set to that)"
        )
    yield "- parts of tables that were replaced are removed from ClickHouse's disk within some ten minutes"
    for log in report["found"]["logs"]:
        spans = "; ".join(f"partition {n}, offsets {a:,} to {b:,}" for n, (a, b) in log["offsets"].items())
        until = (
            f"until {log['until']}, by its retention"
            if log["until"]
            else "for ever: give the topic a retention"
        )
        yield (
            f"- topic `{log['topic']}` is a log, of which no single record can be deleted: "
            f"{log['records']:,} records with the hashed key stay {until} ({spans}). "
            "What Ringback makes of them has the name"
        )
    yield "\n## Numbers are the same\n"
    for table, total in report["totals"].items():
        same = "the same before and after" if total["before"] == total["after"] else "DIFFERENT"
        yield f"- `{table}`: {total['rows']:,} rows, digest {total['before']}, {same}"
    said = report["differences"]
    yield f"- `ringback verify`: {'not asked' if said is None else f'{said} differences'}\n"
    yield "## Not reached, for others to do\n"
    yield from (f"- {line}" for line in report["not_reached"])
