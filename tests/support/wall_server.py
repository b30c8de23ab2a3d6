"""A wallboard over a database of the test's own, at a moment that the test chooses."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client
from support.wall_world import NOW_MS, store_world

from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from kpis.rules import DEFAULT_RULES
from sinks.connection import connect
from sql.migrate import migrations
from wallboard.config import WallConfig
from wallboard.doors import Doors
from wallboard.reading import Reader
from wallboard.server import Wall, running

ZONE = ZoneInfo("Europe/Berlin")


@dataclass
class Database:
    """The embedded ClickHouse with the centre of wall_world in it."""

    process: LocalClickHouse
    client: Client

    def reader(self, config: WallConfig | None = None, now_ms: int = NOW_MS) -> Reader:
        return Reader(self.client, DEFAULT_RULES, config or WallConfig(), ZONE, lambda: now_ms)


@contextmanager
def database(folder: Path, weeks: int, share: float, billing: int) -> Iterator[Database]:
    process = LocalClickHouse(folder, free_port())
    process.start()
    try:
        with closing(connect(process.address)) as client:
            for migration in migrations():
                for statement in migration.statements:
                    client.command(statement)
            store_world(client, weeks, share, billing)
            yield Database(process, client)
    finally:
        process.stop()


@asynccontextmanager
async def served(wall: Wall, tokens: tuple[bytes, ...] = (), port: int = 0) -> AsyncIterator[str]:
    """The address of a wallboard that runs while the block does."""
    port = port or free_port()
    async with running(wall, Doors(tokens), "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"
