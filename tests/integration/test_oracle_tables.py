"""The columns that are written down for the oracle's tables are those that its SELECTs return."""

from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest
from support.clickhouse import connect

from kpis.rules import DEFAULT_RULES
from reports.oracle import Recomputed, agent_step, contact_steps, fcr_step, fcr_windows_step, recomputed
from sinks.rule_parameters import rule_parameters
from sql.oracle_queries import EVENTS

pytestmark = pytest.mark.stack
SLICES = {"slice_begin": "", "slice_end": "FF", "slices": 1, "slice": 0}
# Cast when they are inserted: name, as returned, as written down. A NULL would be refused.
CAST = [("hold_n", "Int64", "UInt32"), ("acw_ms", "Nullable(Int64)", "Int64")]


@pytest.mark.parametrize("partitions", [0, 3])
def test_columns_are_those_of_the_selects(tmp_path: Path, partitions: int) -> None:
    cast: list[tuple[str, str, str]] = []
    parameters = rule_parameters(DEFAULT_RULES) | SLICES
    with (
        closing(connect(tmp_path / "db")) as client,
        recomputed(client, DEFAULT_RULES, None, partitions=partitions) as tables,
    ):
        steps = [
            *contact_steps(tables, EVENTS, partitions),
            fcr_step(tables, ranged=False),
            fcr_windows_step(tables, partitions),
            agent_step(tables),
        ]
        assert len({step.table for step in steps}) == len(fields(Recomputed)) - 1  # contacts come by moving
        for step in steps:
            found = client.query(
                f"DESCRIBE (SELECT * FROM {step.select})",
                parameters=parameters,
                settings={"print_pretty_type_names": 0},
            )
            returned = {row[0]: row[1] for row in found.result_rows}
            assert returned.keys() == step.columns.keys()
            kinds = [(name, returned[name], kind) for name, kind in step.columns.items()]
            cast += [each for each in kinds if each[1] != each[2]]
    assert cast == CAST
