"""Do worker, sink and whoever asks count by the same rules? What differs is named, setting by setting."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from sinks.rules_in_use import SINK

IN_USE = "SELECT part, rules FROM rules_in_use FINAL ORDER BY length(part), part"
ABSENT = "not known"
SHOWN = 80  # characters of a value


def flat(rules: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Each rule with its value as text; those of tables by table.name."""
    found: dict[str, str] = {}
    for name, value in rules.items():
        if isinstance(value, dict):
            found |= flat(value, f"{above}{name}.")
        else:
            found[above + name] = orjson.dumps(value).decode()
    return found


def shown(text: str) -> str:
    """A value, or its beginning: calendars are long."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Which rules are others; empty where none is."""
    one, other = flat(theirs), flat(ours)
    names = [name for name in {**other, **one} if one.get(name) != other.get(name)]
    values = ((name, shown(one.get(name, ABSENT)), shown(other.get(name, ABSENT))) for name in names)
    return ", ".join(f"{name} {theirs_is}, here {ours_is}" for name, theirs_is, ours_is in values)


def differing_rules(client: Client, rules: Rules) -> list[str]:
    """Who counts by other rules than these, and which: a sentence for each difference."""
    ours = orjson.loads(orjson.dumps(rules))
    by_difference: defaultdict[str, list[str]] = defaultdict(list)
    for part, theirs in client.query(IN_USE).result_rows:
        by_difference[difference(orjson.loads(theirs), ours)].append(part)
    by_difference.pop("", None)
    return [f"{who(parts)} by other rules: {found}" for found, parts in by_difference.items()]


def who(parts: list[str]) -> str:
    """The worker, with the partitions it counts so, or the sink."""
    partitions = [part.removeprefix("partition ") for part in parts if part != SINK]
    named = [f"the worker (partition {', '.join(partitions)}) counts"] if partitions else []
    return " and ".join([*named, *(["the sink makes the views"] if SINK in parts else [])])
