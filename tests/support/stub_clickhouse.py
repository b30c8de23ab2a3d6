"""A client in place of ClickHouse, for what a reader asks and what it makes of an answer."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from support.notation import read_events

from schemas.codec import encode


class StubClient:
    """It gives the events of contacts c0, c1, ... (support.notation) to whoever asks for events, and one row
    of the period to a query that names all columns of the row."""

    def __init__(self, contacts: Sequence[str], span: tuple[int, int] = (0, 0), **row: object) -> None:
        self.events = [e for n, text in enumerate(contacts) for e in read_events(text, contact_id=f"c{n}")]
        begin, end = (datetime.fromtimestamp(ms // 1000, UTC) for ms in span)
        self.period: dict[str, object] = {"window_start": begin, "window_end": end}
        self.row, self.asked = row, cast("list[str]", [])

    def query(self, sql: str, parameters: object = None) -> Any:
        self.asked.append(sql)
        if "canonical64" in sql:
            lines = [[base64.b64encode(encode(event)).decode()] for event in self.events]
            return SimpleNamespace(column_names=["canonical64"], result_rows=lines)
        if not self.row or not all(f" AS {name}" in sql for name in self.row):
            return SimpleNamespace(column_names=[], result_rows=[])
        found = self.period | self.row
        return SimpleNamespace(column_names=[*found], result_rows=[[*found.values()]])
