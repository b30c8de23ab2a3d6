"""A rebuild makes all that `verify` compares, by the same keys, and the columns that the sink writes."""

from maintenance.rebuild.targets import targets_of
from reports.verification import FACTS, WINDOW_KEYS
from sinks.rows import COLUMNS


def test_a_rebuild_makes_all_that_verify_compares() -> None:
    targets = {target.table: target for target in targets_of(4)}
    assert {name for name, target in targets.items() if target.facts} == {*FACTS}
    assert all(targets[name].keys == keys for name, (_, keys, _) in FACTS.items())
    for name in ("kpi_windows", "fcr_windows"):
        assert {*WINDOW_KEYS} <= {*targets[name].keys}
    for name, target in targets.items():
        assert {*target.keys, *target.columns} == {*COLUMNS[name]} - {"version", "is_deleted"}
