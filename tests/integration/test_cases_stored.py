"""Cases from public reports give the values of their sources, from the stream's tables and by the oracle."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from support.cases import Check, Row, case_names, read_case, world_of, wrong_in
from support.clickhouse import connect
from support.kpi_world import Stored, store

from kpis.rules import DEFAULT_RULES
from reports.kpi import answer as reading
from reports.kpi.relations import STREAM, oracle_relations
from reports.oracle import recomputed

pytestmark = pytest.mark.stack


def values(stored: Stored, check: Check) -> dict[tuple[str, ...], dict[str, Row]]:
    question = check.question
    return {
        tuple(row[name] for name in question.by): row["kpis"]
        for row in reading.answer(stored.client, question, stored.world.rules)
    }


def test_cases_from_stream_and_oracle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case for name in case_names() if (case := read_case(name)).rules == DEFAULT_RULES]
    # The ranges of the cases do not overlap, so that one database is enough.
    muddle = [event for case in cases for event in case.orders()["doubled"]]
    client = connect(tmp_path / "db")
    stored = store(client, world_of(muddle))
    wrong = []
    # Recomputed once and not for each question: that is tested elsewhere, and takes a second each.
    with recomputed(client, DEFAULT_RULES, None) as tables:
        for source, relations in (("stream", STREAM), ("oracle", oracle_relations(tables))):
            monkeypatch.setattr(reading, "relations_of", lambda *_, read=relations: nullcontext(read))
            wrong += [
                f"{case.name}, {source}: {line}"
                for case in cases
                for check in case.checks
                for line in wrong_in(check, values(stored, check))
            ]
    client.close()
    assert cases
    assert not wrong, "\n".join(wrong)
