"""Cases from public reports give the values of their sources, from the stream's tables and by the oracle."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.cases import Check, Row, case_names, read_case, world_of, wrong_in
from support.clickhouse import connect
from support.kpi_world import Stored, store

from kpis.rules import DEFAULT_RULES
from reports.kpi import relations
from reports.kpi.answer import answer
from reports.oracle import Recomputed, recomputed

pytestmark = pytest.mark.stack


def values(stored: Stored, check: Check, from_oracle: bool) -> dict[tuple[str, ...], dict[str, Row]]:
    question = replace(check.question, from_oracle=from_oracle)
    return {
        tuple(row[name] for name in question.by): row["kpis"]
        for row in answer(stored.client, question, stored.world.rules)
    }


@contextmanager
def recomputed_once(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every question is answered from one recomputation: forty of them would take two minutes."""
    with recomputed(stored.client, stored.world.rules, None) as tables:

        @contextmanager
        def same(*_: Any) -> Iterator[Recomputed]:
            yield tables

        monkeypatch.setattr(relations, "recomputed", same)
        yield


def test_cases_from_stream_and_oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case for name in case_names() if (case := read_case(name)).rules == DEFAULT_RULES]
    # The ranges of the cases do not overlap, so that one database is enough.
    muddle = [event for case in cases for event in case.orders()["doubled"]]
    client = connect(tmp_path / "db")
    stored = store(client, world_of(muddle))
    with recomputed_once(stored, monkeypatch):
        wrong = [
            f"{case.name}, {'oracle' if from_oracle else 'stream'}: {line}"
            for case in cases
            for check in case.checks
            for from_oracle in (False, True)
            for line in wrong_in(check, values(stored, check, from_oracle))
        ]
    client.close()
    assert cases
    assert not wrong, "\n".join(wrong)
