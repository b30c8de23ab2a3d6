"""`python -m bench.alert_load`: what 100 rules over 200 label sets cost a minute, in CPU of the evaluator.

Rules are objectives of ten KPIs at ten sensitivities, each per channel and queue; every queue has contacts in
every minute of the four hours that are looked at. ClickHouse is the embedded one, in a process of its own in
`ringback up`; here it is part of the reading. `--replay-days 90` replays history under the evaluator. With
`--profile default` they are as sensitive as that says, at ten targets; `--for`, `--no-data` are the rules'.
"""

import argparse
import tempfile
import time
from pathlib import Path

import clickhouse_connect
import structlog
from clickhouse_connect.driver.client import Client

from alerts.evaluate import Evaluator
from alerts.label_sets import minutes_of
from alerts.ledger import Ledger
from alerts.receivers import Webhook
from alerts.rule import Group, RuleFile
from alerts.service import catch_up, edge
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import total
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES
from sinks.connection import SETTINGS
from sinks.rows import WINDOW_COLUMNS
from sql.migrate import migrations

M, DAY_MS = 60_000, 86_400_000
NOW = 1_767_616_200_000  # Monday 2026-01-05T12:30Z
SHARES = (
    "service_level", "abandonment_rate", "service_level.genesys", "service_level.within_10s",
    "service_level.within_30s", "service_level.within_60s", "transfer_rate", "hold_rate", "contact_share",
    "abandonment_rate.contact",
)  # fmt: skip


def rules(number: int, profile: str = "", **own: str) -> Group:
    """So many objectives, none like another: of ten probabilities, or by a profile of ten targets."""
    kpis = every_kpi(DEFAULT_RULES)
    shares = [kpi.id for kpi in kpis.values() if kpi.unit == "ratio" and kpi.table == "windows"]
    known = [each for each in SHARES if each in shares] + [each for each in shares if each not in SHARES]
    found = []
    for place in range(number):
        kpi = kpis[known[place % 10]]
        num, den = total(kpi.num, minute(False)), total(kpi.den, minute(False))
        low = den > 0 and num / den < 0.5  # what is low is not to rise
        when: dict[str, object] = {"type": "objective", "op": ">" if low else "<"}
        target = (0.3, 1) if low else (0.6, -1)
        if profile:
            when["target"] = round(target[0] + target[1] * 0.005 * (place // 10), 3)
            how = {"profile": profile}
        else:
            when |= {"target": target[0], "p_value": 0.001 / (1 + place // 10)}
            how = {"for": "2m"}
        found.append({"alert": f"R{place}", "kpi": kpi.id, "when": when} | how | own)
    return RuleFile.model_validate({"version": 1, "groups": [{"name": "g", "rules": found}]}).groups[0]


def minute(bad: bool) -> dict[str, int]:
    """Sums of a minute in which five were to be answered in time, and four or one were."""
    sums = dict.fromkeys(MEASURES, 0)
    for name in MEASURES:
        if name.endswith("_n") or name in ("offered", "handled", "answered", "contacts"):
            sums[name] = 5
        elif "in_target" in name:
            sums[name] = 1 if bad else 4
    return sums


def store(folder: Path) -> Client:
    """An empty embedded ClickHouse."""
    client: Client = clickhouse_connect.get_client(dsn=f"chdb://{folder}", settings=SETTINGS)
    for migration in migrations():
        for statement in migration.statements:
            client.command(statement)
    return client


def fill(client: Client, queues: int, begin: int, end: int, every_ms: int) -> None:
    """Minutes of queues in which most is well, and in every tenth queue not."""
    rows = []
    for at in range(begin, end, every_ms):
        for queue in range(queues):
            sums = minute(queue % 10 == 0 and at // M % 600 < 60)
            place = {"window_start": at, "channel": "voice", "queue": f"q{queue}", "partition": 0}
            row = place | {"version": 1} | sums
            rows.append([row[name] for name in WINDOW_COLUMNS])
        if len(rows) > 20_000 or at + every_ms >= end:
            client.insert("kpi_windows", rows, column_names=WINDOW_COLUMNS)
            rows = []


def minute_costs(client: Client, evaluator: Evaluator, group: Group, steps: int) -> tuple[float, float]:
    """Seconds of CPU a minute: to read, and to decide and write down."""
    reading = deciding = 0.0
    for number in range(steps + 1):
        end = edge(group, NOW + number * M)
        span = end - group.interval, end
        begun = time.process_time()
        minutes = minutes_of(
            client, group, evaluator.kpis, evaluator.detectors(group), span, evaluator.rules, evaluator.memory
        )
        read = time.process_time()
        evaluator.evaluate(group, minutes, span, NOW + number * M)
        if number:  # the first one also makes the tables of critical counts
            reading += read - begun
            deciding += time.process_time() - read
    return reading / steps, deciding / steps


def replayed(client: Client, evaluator: Evaluator, group: Group, days: int) -> dict[str, int]:
    """What is to be sent when history is replayed under an evaluator that is at the present."""
    catch_up(group, evaluator, client, NOW)
    fill(client, 5, NOW - (days + 1) * DAY_MS, NOW - DAY_MS, M)
    for number in range(1, 30):
        catch_up(group, evaluator, client, NOW + number * M)
    return evaluator.ledger.counts()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.alert_load", description=__doc__)
    parser.add_argument("--rules", type=int, default=100)
    parser.add_argument("--queues", type=int, default=200)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--replay-days", type=int, default=0)
    parser.add_argument("--profile", choices=("", "fast", "default", "quiet"), default="")
    parser.add_argument("--for", dest="for_", default="")
    parser.add_argument("--no-data", choices=("hold", "ok", "alert"), default="hold")
    given = parser.parse_args()
    own = {"no_data": given.no_data} | ({"for": given.for_} if given.for_ else {})
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        client, group = store(Path(folder) / "clickhouse"), rules(given.rules, given.profile, **own)
        hook = Webhook(name="hook", type="webhook", url="http://127.0.0.1:9/", allow_private=True)
        evaluator = Evaluator(DEFAULT_RULES, Ledger(Path(folder) / "alerts.sqlite"), (hook,))
        if given.replay_days:
            counts = replayed(client, evaluator, group, given.replay_days)
            print(f"{given.replay_days} days, {given.rules} rules: notifications {counts or 'none'}")
            return
        fill(client, given.queues, NOW - 260 * M, NOW + given.steps * M, M)
        reading, deciding = minute_costs(client, evaluator, group, given.steps)
        print(
            f"{given.rules} rules, {given.queues} label sets: {reading:.2f} s read, {deciding:.2f} s decide"
        )


if __name__ == "__main__":
    main()
