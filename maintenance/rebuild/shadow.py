"""Shadow tables: rows that stand otherwise than recomputed, made beside what readers read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from maintenance.rebuild.ledger import Rebuild
from maintenance.rebuild.targets import targets_of
from sql import rebuild_queries as text
from sql.oracle_slices import sliced
from sql.rebuild_queries import Target
from sql.verify_queries import FactTable, TallyTable

DRAFT, KEYS, BEFORE, UNDO = "draft", "keys", "before", "undo"
ROWS_PER_SLICE = 300_000  # whose keys are in memory at once
# Rows of a draft are of different keys: to merge what is written costs more than the rest.
DRAFTS: dict[str, int | str] = {"optimize_on_insert": 0, "max_block_size": 8_192}
# Of windows as well to sum key by key, in the order in which they lie. Facts of millions fit only so.
WINDOWS: dict[str, int | str] = {"optimize_aggregation_in_order": 0}


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
        self._settings = settings | DRAFTS
        self.targets = targets_of(len(rebuild.versions["contacts"]))

    def make(self, compared: Compared, queues: bool) -> None:
        """Make drafts of all rows that differ."""
        for target in self.targets:
            if queues and target.table == "agent_quarters":
                continue
            pairs = compared.facts if target.facts else compared.windows
            self._draft(target, pairs[target.table], queues)

    def _draft(self, target: Target, pair: FactTable | TallyTable, queues: bool) -> None:
        draft, keys = self._create(target, DRAFT), self.rebuild.table(target.table, KEYS)
        if not self._any(text.standing(pair), target):
            self._make_all(target, draft, pair, queues)
            return
        self._client.command(text.keys_table(target, keys))
        self._do(f"INSERT INTO {keys} {text.differing(pair, queues)}", target)
        statements = (
            text.made(target, draft, pair.relation, text.of_keys(target, keys)),
            text.gone(target, draft, keys),
        )
        self._in_slices(statements, target, self._count(keys))

    def _make_all(self, target: Target, draft: str, pair: FactTable | TallyTable, queues: bool) -> None:
        which = text.all_of(pair, queues)
        if target.facts:
            self._do(text.made(target, draft, pair.relation, which), target)
            return
        # Sums of all windows of some months at once would not fit: 360,000 have 70 each.
        statement = text.made(target, draft, sliced(pair.relation, target.key), which)
        self._in_slices([statement], target, self._count(pair.relation, f"uniq({target.key})"))

    def settle(self) -> dict[str, int]:
        """Leave out what the stream has overtaken, and keep what stands of the rest; rows by table.

        All raw events that were recomputed from must be applied and stored by now: then what differs only
        because it was under way is overtaken.
        """
        made = {}
        for target in self.drafted():
            draft, rebuilt = self.rebuild.table(target.table, DRAFT), self.rebuild.table(target.table)
            before = self._create(target, BEFORE)
            if self._any(text.any_overtaken(target), target):
                self._create(target)
                self._in_slices([text.still_due(target, rebuilt, draft)], target, self._count(draft))
            else:
                self._client.command(f"RENAME TABLE {draft} TO {rebuilt}")
            made[target.table] = self._count(rebuilt)
            if self._any(f"SELECT 1 FROM {target.table} LIMIT 1", target):  # noqa: S608
                self._in_slices([text.before(target, before, rebuilt)], target, made[target.table])
            for kind in (DRAFT, KEYS):
                self._client.command(f"DROP TABLE IF EXISTS {self.rebuild.table(target.table, kind)}")
        return made

    def undo(self, versions: dict[str, list[int]]) -> dict[str, int]:
        """Make rows of what stood before, where what was put in place still stands; rows by table."""
        made = {}
        for target in self.targets:
            into, before, rebuilt = (self.rebuild.table(target.table, kind) for kind in (UNDO, BEFORE, ""))
            self._client.command(f"DROP TABLE IF EXISTS {into}")
            if not self._exists(rebuilt):
                continue
            self._create(target, UNDO)
            statement = text.undone(target, into, before, rebuilt)
            self._in_slices([statement], target, self._count(rebuilt), versions)
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

    def _count(self, table: str, what: str = "count()") -> int:
        return int(self._client.query(f"SELECT {what} FROM {table}").result_rows[0][0])  # noqa: S608

    def _any(self, query: str, target: Target) -> bool:
        return bool(self._client.query(query, parameters=self._values(target)).result_rows)

    def _in_slices(
        self,
        statements: Sequence[str],
        target: Target,
        rows: int,
        versions: dict[str, list[int]] | None = None,
    ) -> None:
        slices = rows // ROWS_PER_SLICE + 1
        for number in range(slices):
            for statement in statements:
                self._do(statement, target, {"slices": slices, "slice": number}, versions)

    def _do(
        self,
        statement: str,
        target: Target,
        part: dict[str, object] | None = None,
        versions: dict[str, list[int]] | None = None,
    ) -> None:
        values = self._values(target, versions) | (part or {})
        settings = self._settings if target.facts else self._settings | WINDOWS
        self._client.command(statement, parameters=values, settings=settings)

    def _values(self, target: Target, versions: dict[str, list[int]] | None = None) -> dict[str, object]:
        """Parameters; rows get the rebuild's own versions, which are its line, unless others are given."""
        drawn = self.rebuild.versions[target.stage]
        given = versions[target.stage] if versions else drawn
        return self._parameters | {"versions": given, "drawn": drawn}
