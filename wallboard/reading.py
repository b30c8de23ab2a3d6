"""Reads the wall from ClickHouse: the present every second, the rest less often."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from reports.kpi.answer import answer
from reports.kpi.question import Question
from reports.queries import rows
from schemas.time_units import DAY_MS, MINUTE_MS
from sinks.rule_parameters import rule_parameters
from sql import wallboard_queries as text
from wallboard.alerts import Change, episodes, firing_by_queue
from wallboard.board import Document, day_measures, now_document
from wallboard.config import WallConfig
from wallboard.course import MEASURES, Slots, columns, empty, slots_by_queue, usual_documents
from wallboard.local_day import day_end, day_start, slot_of, zones_of
from wallboard.sources import BEHIND_AFTER_MS, agents_document, freshness_document

RECENT_MS = 30 * MINUTE_MS
SLOW_KPIS = ("fcr_gross", "fcr_gross_provisional")


@dataclass(slots=True)
class Reader:
    """Where the wall is read, and how: `clock` says the moment in UTC ms, a simulated one in the demo."""

    client: Client
    rules: Rules
    config: WallConfig
    zone: ZoneInfo
    clock: Callable[[], int]
    zone_by_queue: Mapping[str, str] = field(default_factory=dict)
    changes: Callable[[], list[Change] | None] = lambda: None  # of alerts; None: nobody evaluates any
    behind_after_ms: int = BEHIND_AFTER_MS

    def zone_of(self, queue: str) -> ZoneInfo:
        """Whose days count for a queue."""
        return ZoneInfo(self.zone_by_queue.get(queue, self.zone.key))

    def parameters(self, as_of_ms: int) -> dict[str, object]:
        """The rules, the moment and when the day began."""
        others = zones_of(self.zone, self.zone_by_queue)
        starts = [day_start(as_of_ms, zone) for zone in others.values()]
        first = day_start(as_of_ms, self.zone)
        return rule_parameters(self.rules) | {
            "as_of_ms": as_of_ms,
            "recent_ms": as_of_ms - RECENT_MS,
            "since_ms": as_of_ms - DAY_MS,
            "day_ms": first,
            "earliest_ms": min([first, *starts]),
            "zoned_queues": [*others],
            "zoned_starts": starts,
        }

    def ask(self, sql: str, as_of_ms: int, **more: object) -> list[dict[str, Any]]:
        """Rows of a query at a moment."""
        return rows(self.client, sql, self.parameters(as_of_ms) | more)

    def now(self) -> Document:
        """The present and its alerts, by one query."""
        as_of_ms = self.clock()
        found = self.ask(text.now(day_measures(self.rules)), as_of_ms)
        changes = self.changes()
        alerts = None if changes is None else episodes(changes, as_of_ms)

        def day_of(queue: str) -> int:
            return day_start(as_of_ms, self.zone_of(queue))

        firing = firing_by_queue(alerts or ())
        document = now_document(found, as_of_ms, self.config, self.rules, firing, day_of)
        return document | {"alerts": None if alerts is None else [alert.document() for alert in alerts]}

    def day(self) -> Document:
        """The course of the day, agents and sources."""
        as_of_ms = self.clock()
        busy = self.ask(text.busy(), as_of_ms)
        return {
            "as_of": as_of_ms,
            "zone": self.zone.key,
            "course": self.course(as_of_ms),
            "agents": agents_document(self.ask(text.agents(), as_of_ms), busy),
            **freshness_document(
                self.ask(text.freshness(), as_of_ms),
                as_of_ms,
                self.config.silent_after_s,
                self.behind_after_ms,
            ),
        }

    def course(self, as_of_ms: int) -> Document:
        """Today's quarter-hours by queue, those that are over; queues that are named without any too."""
        days = {one.queue: empty() for one in self.config.queues} | self.slots(as_of_ms, 0)
        return {queue: columns(day, slot_of(as_of_ms, self.zone_of(queue))) for queue, day in days.items()}

    def slots(self, as_of_ms: int, weeks_ago: int) -> dict[str, Slots]:
        """A day's quarter-hours by queue, each on its own clock."""
        found: dict[str, Slots] = {}
        for zone in {self.zone, *zones_of(self.zone, self.zone_by_queue).values()}:
            end = day_end(as_of_ms, zone, weeks_ago) if weeks_ago else as_of_ms
            day = {"from_ms": day_start(as_of_ms, zone, weeks_ago), "to_ms": end}
            found |= slots_by_queue(
                (row["queue"], slot_of(row["at_ms"], zone), row["sums"])
                for row in self.ask(text.course(MEASURES), as_of_ms, **day)
                if self.zone_of(row["queue"]) == zone
            )
        return found

    def slow(self) -> Document:
        """What moves by the hour: first contact resolution, satisfaction, the usual course."""
        as_of_ms = self.clock()
        days = [self.slots(as_of_ms, week) for week in range(1, self.config.usual_weeks + 1)]
        return {"as_of": as_of_ms, "usual": usual_documents(days), "quality": self.quality(as_of_ms)}

    def quality(self, as_of_ms: int) -> Document:
        """FCR and CSAT by queue."""
        end = as_of_ms // MINUTE_MS * MINUTE_MS
        found: Document = defaultdict(dict)
        spans = ((SLOW_KPIS, self.config.fcr_days), (("csat",), self.config.csat_days))
        for kpis, days in spans:
            begin = day_start(end - days * DAY_MS, self.zone)
            question = Question(begin, end, by=("queue",), kpis=kpis, zone=self.zone.key, as_of_ms=as_of_ms)
            for row in answer(self.client, question, self.rules):
                for name, value in row["kpis"].items():
                    found[row["queue"]][name] = {
                        "num": value["num"], "den": value["den"], "n": value["n"], "final": value["final"],
                        "from": begin, "to": end,
                    }  # fmt: skip
        return dict(found)
