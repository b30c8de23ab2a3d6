"""`ringback alerts schema`: for editors."""

from enum import StrEnum
from typing import Annotated

import typer

from alerts.json_schema import schema_of
from cli.console import print_json


class What(StrEnum):
    """Which file."""

    rules = "rules"
    receivers = "receivers"


def schema(file: Annotated[What, typer.Argument(help="rules or receivers.")]) -> None:
    """The JSON schema of rule files or of files of receivers: editors complete and check by it.

    Write `# yaml-language-server: $schema=alert-rules.schema.json` above a file, as many editors understand.

    Example: ringback alerts schema rules
    """
    print_json(schema_of(file))
