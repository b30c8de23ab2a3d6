"""`python -m bench.bi`: what a chart of one day costs by contacts stored, as a BI tool asks it over HTTP.

A year of contacts is made by ClickHouse itself (bi_data.py); the reporting zone is Europe/Rome. Every query
is asked several times; shown is the best, as the machine is shared, and the CPU time ClickHouse took for it.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from clickhouse_connect.driver.client import Client

from bench.bi_data import fill
from bench.table import columns, console, machine
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from kpis.rules import DEFAULT_RULES
from sinks.connection import connect
from sinks.views.statements import apply_views
from sinks.writer import migrate

TIMES = 7
SUMS = "local_time, queue, offered, service_level, asa, aht, abandonment_rate"
QUERIES = {
    "quarter-hours, sums": f"SELECT {SUMS} FROM kpi_quarter_hour WHERE local_date = '2025-07-03'",
    "hours, sums": f"SELECT {SUMS} FROM kpi_hour WHERE local_date = '2025-07-03'",
    "days of a month, sums": "SELECT local_date, sum(asa_num) / nullIf(sum(asa_den), 0) FROM kpi_day "
    "WHERE local_date >= '2025-07-01' AND local_date < '2025-08-01' GROUP BY local_date",
    "quarter-hours, longest, percentiles": "SELECT local_time, queue, longest_wait, wait_p90 "
    "FROM kpi_quarter_hour_figures WHERE local_date = '2025-07-03'",
    "hours, sums by brand": "SELECT window_start, value, offered, service_level, asa, aht, abandonment_rate "
    "FROM dimension_hour WHERE dimension = 'brand' AND local_date = '2025-07-03'",
    "days of a month, sums by brand": "SELECT local_date, value, sum(asa_num) / nullIf(sum(asa_den), 0) "
    "FROM dimension_day WHERE dimension = 'brand' AND local_date >= '2025-07-01' "
    "AND local_date < '2025-08-01' GROUP BY ALL",
    "quarter-hours, wide": "SELECT * FROM kpi_quarter_hour_wide WHERE local_date = '2025-07-03'",
}
HEADINGS = ("contacts", "one day", "rows", "ms", "CPU ms")


def measured(client: Client, process: psutil.Process, query: str) -> tuple[int, float, float]:
    """Rows, and the least time and CPU time of several runs."""
    best, cpu, rows = float("inf"), float("inf"), 0
    for _ in range(TIMES):
        used, began = sum(process.cpu_times()[:2]), time.perf_counter()
        rows = len(client.query(query).result_rows)
        best = min(best, time.perf_counter() - began)
        cpu = min(cpu, sum(process.cpu_times()[:2]) - used)
    return rows, best * 1000, cpu * 1000


def measurements(folder: Path, contacts: int) -> Iterator[tuple[str, ...]]:
    """A row per query, with so many contacts stored. What a folder holds already is not made again."""
    server = LocalClickHouse(folder, free_port())
    server.start()
    try:
        client = connect(server.address)
        migrate(client)
        if not client.command("SELECT count() FROM legs"):
            fill(client, contacts)
        apply_views(client, DEFAULT_RULES, "Europe/Rome")
        process = psutil.Process(server.pid)
        for name, query in QUERIES.items():
            rows, wall, cpu = measured(client, process, query)
            yield f"{contacts:,}", name, f"{rows:,}", f"{wall:.0f}", f"{cpu:.0f}"
    finally:
        server.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.bi", description=__doc__)
    parser.add_argument("--contacts", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep what was made here, to measure again"
    )
    wanted = parser.parse_args()
    table = columns(HEADINGS, ("one day",))
    for contacts in wanted.contacts:
        with TemporaryDirectory(prefix="ringback-bench-") as name:
            folder = wanted.keep / str(contacts) if wanted.keep else Path(name)
            folder.mkdir(parents=True, exist_ok=True)
            for row in measurements(folder, contacts):
                table.add_row(*row)
    console().print(table)
    console().print(machine(), highlight=False)


if __name__ == "__main__":
    main()
