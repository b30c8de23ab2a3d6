"""Writes the documents that are made from code: `make docs`."""

from pathlib import Path

from kpis.page import page, table_rows
from kpis.rules import DEFAULT_RULES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "kpis.md"
README = ROOT / "README.md"
TABLE_HEAD = "| Id | Name | Unit | Counted at | Definition |\n|---|---|---|---|---|\n"


def with_table(readme: str) -> str:
    """README with the table of KPIs as the registry has it."""
    before, head, rest = readme.partition(TABLE_HEAD)
    if not head:
        raise SystemExit("README.md has no table of KPIs")
    after = rest[rest.index("\n\n") :]
    return before + head + "\n".join(table_rows(DEFAULT_RULES)) + after


def main() -> None:
    PAGE.write_text(page(DEFAULT_RULES), encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
