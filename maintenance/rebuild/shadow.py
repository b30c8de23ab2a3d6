"""Shadow tables: rows that stand otherwise than recomputed, made beside what readers read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from maintenance.rebuild.ledger import Rebuild
from maintenance.rebuild.targets import targets_of
from sql import rebuild_queries as text
from sql.rebuild_queries import Target
from sql.verify_queries import FactTable, TallyTable

DRAFT, KEYS, BEFORE, UNDO = "draft", "keys", "before", "undo"
ROWS_PER_SLICE = 300_000  # whose keys are in memory at once


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared: windows by partition, and facts, each with the relation of what was recomputed."""

    windows: Mapping[str, TallyTable]
    facts: Mapping[str, FactTable]


class Shadow:
    """The tables of one rebuild. `parameters` are rules, span and queues; `settings` bound the memory."""

    def __init__(
        self, client: Client, rebuild: Rebuild, parameters: dict[str, object], settings: dict[str, int | str]
    ) -> None:
        self._client = client
        self.rebuild = rebuild
        self._parameters = parameters
        self._settings = settings
        self.targets = targets_of(len(rebuild.versions["contacts"]))

    def make(self, compared: Compared, queues: bool) -> None:
        """Make drafts of all rows that differ."""
        for target in self.targets:
            if target.facts and not (queues and target.table == "agent_quarters"):
                self._facts(target, compared.facts[target.table], queues)
            elif not target.facts:
                draft = self._create(target, DRAFT)
                self._do(text.windows(target, draft, compared.windows[target.table], queues), target)

    def _facts(self, target: Target, facts: FactTable, queues: bool) -> None:
        draft, keys = self._create(target, DRAFT), self.rebuild.table(target.table, KEYS)
        select = text.differing_facts(facts, queues)
        self._client.command(text.keys_table(target, keys))
        self._do(f"INSERT INTO {keys} {select}", target)
        statements = text.facts(target, draft, facts.relation, keys), text.facts_gone(target, draft, keys)
        self._in_slices(statements, target, self._count(keys))

    def settle(self) -> dict[str, int]:
        """Leave out what the stream has overtaken, and keep what stands of the rest; rows by table.

        All raw events that were recomputed from must be applied and stored by now: then what differs only
        because it was under way is overtaken.
        """
        made = {}
        for target in self.drafted():
            rebuilt, before = self._create(target), self._create(target, BEFORE)
            draft = self.rebuild.table(target.table, DRAFT)
            statements = text.still_due(target, rebuilt, draft), text.before(target, before, rebuilt)
            self._in_slices(statements, target, self._count(draft))
            made[target.table] = self._count(rebuilt)
            for kind in (DRAFT, KEYS):
                self._client.command(f"DROP TABLE IF EXISTS {self.rebuild.table(target.table, kind)}")
        return made

    def undo(self, versions: dict[str, list[int]]) -> dict[str, int]:
        """Make rows of what stood before, where what was put in place still stands; rows by table."""
        made = {}
        for target in self.targets:
            names = (self.rebuild.table(target.table, kind) for kind in (UNDO, BEFORE, ""))
            into, before, rebuilt = names
            self._client.command(f"DROP TABLE IF EXISTS {into}")
            if not self._exists(rebuilt):
                continue
            self._create(target, UNDO)
            statement = text.undone(target, into, before, rebuilt)
            self._do(statement, target, versions)
            made[target.table] = self._count(into)
        return made

    def put_in_place(self, kind: str = "") -> None:
        """Rows made become rows of each table, all at once. Done again, it comes to the same."""
        for target in self.targets:
            source = self.rebuild.table(target.table, kind)
            if self._exists(source):
                self._client.command(text.put_in_place(target.table, source))
                if not target.facts:
                    self._client.command(text.published(target, source))

    def drafted(self) -> list[Target]:
        """Targets of which there is a draft."""
        return [t for t in self.targets if self._exists(self.rebuild.table(t.table, DRAFT))]

    def _exists(self, table: str) -> bool:
        return bool(self._client.command(f"EXISTS TABLE {table}"))

    def _create(self, target: Target, kind: str = "") -> str:
        name = self.rebuild.table(target.table, kind)
        self._client.command(f"CREATE TABLE {name} AS {target.table}")
        return name

    def _count(self, table: str) -> int:
        return int(self._client.query(f"SELECT count() FROM {table}").result_rows[0][0])  # noqa: S608

    def _in_slices(self, statements: Sequence[str], target: Target, rows: int) -> None:
        slices = rows // ROWS_PER_SLICE + 1
        for number in range(slices):
            for statement in statements:
                self._do(statement, target, part={"slices": slices, "slice": number})

    def _do(
        self,
        statement: str,
        target: Target,
        versions: dict[str, list[int]] | None = None,
        part: dict[str, object] | None = None,
    ) -> None:
        own = {"versions": (versions or self.rebuild.versions)[target.stage]}
        self._client.command(
            statement, parameters=self._parameters | own | (part or {}), settings=self._settings
        )
