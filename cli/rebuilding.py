"""How a rebuild runs, from the line it draws to the rows in place."""

import asyncio
from dataclasses import asdict, dataclass, replace

from clickhouse_connect.driver.client import Client

from cli.settings import Settings, rules_of
from maintenance.rebuild import ledger
from maintenance.rebuild.fence import Fence, all_stored, draw
from maintenance.rebuild.ledger import SWAPPED, Rebuild
from maintenance.rebuild.shadow import Compared, Shadow
from maintenance.rebuild.swap import put_in_place, take_back
from reports.oracle import recomputed
from reports.rebuilt import RebuildReport, all_facts, by_partition, report_of
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle
from streams.health.group_lag import OffsetReader


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be rebuilt, and whether it is put in place."""

    span: tuple[int, int] | None
    queues: tuple[str, ...]
    dry_run: bool
    memory_bytes: int


def quiet(_: int) -> None:
    """How much is waited for."""


def fence(connection: Client, config: Settings) -> Fence:
    """Draw the line. Raises as `draw`."""
    return asyncio.run(draw(connection, config.bootstrap_servers, config.partitions, quiet))


async def stored(config: Settings) -> None:
    """Wait until all that is in Kafka is applied and stored."""
    async with OffsetReader(config.bootstrap_servers) as offsets:
        await all_stored(offsets, quiet)


def made(connection: Client, config: Settings, asked: Asked) -> tuple[str, RebuildReport]:
    """Recompute, compare, and put in place unless it is a dry run; its id and what it changes."""
    rules = rules_of(config)
    line = fence(connection, config)
    rebuild = ledger.write(connection, ledger.new(asdict(asked), line.versions), ledger.BEGUN)
    parameters = rule_parameters(rules) | {"queues": list(asked.queues)}
    if asked.span is not None:
        parameters |= {"from_ms": asked.span[0], "to_ms": asked.span[1]}
    shadow = Shadow(connection, rebuild, parameters, oracle.settings(asked.memory_bytes))
    ranged = asked.span is not None
    with recomputed(
        connection, rules, asked.span, asked.memory_bytes, partitions=line.partitions()
    ) as tables:
        shadow.make(Compared(by_partition(tables, ranged), all_facts(tables, ranged)), bool(asked.queues))
    asyncio.run(stored(config))
    report = report_of(connection, shadow.settle(), rebuild.table)
    summary = {"rows": report.rows, "windows": report.windows}
    if asked.dry_run or not report.changed:
        ledger.drop(connection, rebuild.id)
        ledger.write(connection, replace(rebuild, summary=summary), ledger.MADE)
    else:
        put_in_place(connection, rebuild, summary)
    return rebuild.id, report


def undone(connection: Client, config: Settings, name: str) -> dict[str, int]:
    """Take a rebuild back; rows by table. Raises NoSuchRebuild."""
    rebuild: Rebuild = ledger.find(connection, name, (SWAPPED,))
    _, made_again = take_back(connection, rebuild, fence(connection, config))
    return made_again
