"""Columns of a table and their types, as the migrations make them: the one place where types are written."""

import re
from functools import cache

from sql.migrate import migrations

CREATED = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)\s*\((.*?)\n\)\s*ENGINE", re.DOTALL)
ALTERED = re.compile(r"ALTER TABLE (\w+)(.*)", re.DOTALL)
ADDED = re.compile(r"ADD COLUMN IF NOT EXISTS (\w+) (.+?)(?: AFTER (\w+))?,?\s*(?=\n\s*ADD COLUMN|$)")
MODIFIER = re.compile(r" (CODEC|DEFAULT|MATERIALIZED|COMMENT)\b.*", re.DOTALL)


def placed(columns: dict[str, str], name: str, kind: str, after: str) -> dict[str, str]:
    """The columns with one more, behind another."""
    listed = [item for item in columns.items() if item[0] != name]
    names = [known for known, _ in listed]
    place = names.index(after) + 1 if after else len(listed)
    return dict([*listed[:place], (name, kind), *listed[place:]])


@cache
def every_table() -> dict[str, dict[str, str]]:
    """Types of columns by table, in the order of the table."""
    found: dict[str, dict[str, str]] = {}
    for statement in (text for migration in migrations() for text in migration.statements):
        if made := CREATED.search(statement):
            lines = (line.strip().rstrip(",").partition(" ") for line in made[2].splitlines())
            found[made[1]] = {name: MODIFIER.sub("", kind) for name, _, kind in lines if name}
        elif altered := ALTERED.search(statement):
            for name, kind, after in ADDED.findall(altered[2]):
                known = found[altered[1]]
                found[altered[1]] = placed(known, name, MODIFIER.sub("", kind), after)
    return found


def table_columns(table: str) -> dict[str, str]:
    """Columns of a table, in its order, and the type of each."""
    return every_table()[table]
