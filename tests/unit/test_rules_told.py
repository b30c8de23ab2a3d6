"""Parts that count by different rules are noticed, and what differs is named."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from clickhouse_connect.driver.client import Client

from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from reports.rules_in_use import difference, differing_rules
from sinks.rules_in_use import rules_row
from streams.commit.rules_in_use import rules_record

OTHER = replace(
    DEFAULT_RULES,
    short_abandon_ms=10_000,
    service_level_by_queue_ms={"billing": 30_000},
    fcr=FcrRules(default_days=3),
)
SAID = "short_abandon_ms 10000, here 5000, fcr.default_days 3, here 7, "
SAID += "service_level_by_queue_ms.billing 30000, here not known"


def kept(*rules: Rules) -> Client:
    """What ClickHouse holds once workers of these rules have each taken a partition."""
    rows = [rules_row(9, orjson.loads(rules_record(n, one)[1]))[:2] for n, one in enumerate(rules)]
    return cast(Client, SimpleNamespace(query=lambda _: SimpleNamespace(result_rows=rows)))


def test_what_differs_is_named() -> None:
    assert differing_rules(kept(DEFAULT_RULES, OTHER, OTHER), DEFAULT_RULES) == [
        f"the worker (partition 1, 2) counts by other rules: {SAID}"
    ]
    assert differing_rules(kept(OTHER, OTHER), OTHER) == []
    assert differing_rules(kept(), OTHER) == []


def test_another_version_of_the_code_is_other_rules() -> None:
    """A worker that was not upgraded."""
    (said,) = differing_rules(kept(replace(DEFAULT_RULES, version="2")), DEFAULT_RULES)
    assert said.endswith(f'version "2", here "{DEFAULT_RULES.version}"')


def test_a_rule_that_the_other_does_not_know() -> None:
    assert difference({"new_ms": 1}, {}) == "new_ms 1, here not known"
    assert difference({}, {"new_ms": 1}) == "new_ms not known, here 1"


@pytest.mark.parametrize("document", [{}, {"partition": "0", "rules": {}}, {"partition": 0, "rules": []}])
def test_what_are_no_rules_is_refused(document: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        rules_row(1, document)
