"""Cases from public reports give the values of their sources, from the stream's tables and by the oracle."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.cases import Check, Row, case_names, read_case, world_of, wrong_in
from support.clickhouse import connect
from support.kpi_world import Stored, store

from kpis.rules import DEFAULT_RULES
from reports.kpi.answer import answer

pytestmark = pytest.mark.stack


def values(stored: Stored, check: Check, from_oracle: bool) -> dict[tuple[str, ...], dict[str, Row]]:
    question = replace(check.question, from_oracle=from_oracle)
    return {
        tuple(row[name] for name in question.by): row["kpis"]
        for row in answer(stored.client, question, stored.world.rules)
    }


def test_cases_from_stream_and_oracle(tmp_path: Path) -> None:
    cases = [case for name in case_names() if (case := read_case(name)).rules == DEFAULT_RULES]
    # The ranges of the cases do not overlap, so that one database is enough.
    muddle = [event for case in cases for event in case.orders()["doubled"]]
    client = connect(tmp_path / "db")
    stored = store(client, world_of(muddle))
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
