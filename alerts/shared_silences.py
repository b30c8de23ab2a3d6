"""Silences of evaluators on several machines: made in the ledger's topic, whence who speaks takes them."""

from collections.abc import Mapping

from alerts.ledger_topic import read_all, write_all
from alerts.silences import Row, Silence, asked_in, new_row, record_of, silence_of


class SharedSilences:
    """The silences in Kafka. Each method raises KafkaException where it does not answer."""

    def __init__(self, servers: str) -> None:
        self._servers = servers

    def add(
        self, matchers: Mapping[str, str], starts: int, ends: int, author: str, comment: str, now: int
    ) -> Silence:
        """A new one. Raises ValueError for one of no time or of no labels."""
        row = new_row(matchers, starts, ends, author, comment, now)
        self._rows()  # only where there is a ledger
        self._write(row)
        return silence_of(row)

    def expire(self, id_: str, now: int) -> bool:
        """End one now; False if there is none that still lasts."""
        row = self._rows().get(id_)
        if row is None or row[3] <= now:
            return False
        self._write((*row[:3], now, *row[4:]))
        return True

    def all(self, since: int = 0) -> list[Silence]:
        """Those that end after a time, by their end."""
        found = [silence_of(row) for row in self._rows().values() if row[3] > since]
        return sorted(found, key=lambda each: (each.ends, each.id))

    def _rows(self) -> dict[str, Row]:
        """By id: as they were made or ended, else as the evaluator that speaks has copied them."""
        records = read_all(self._servers)
        copied = [asked_in(*each, name="silence") for each in records.items()]
        asked = [asked_in(*each) for each in records.items()]
        return {row[0]: row for row in (*copied, *asked) if row is not None}

    def _write(self, row: Row) -> None:
        write_all(self._servers, dict([record_of(row)]))
