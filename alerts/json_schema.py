"""JSON schemas of the files, so that editors complete and check them while they are written."""

from typing import Any

from alerts.receivers import Receivers
from alerts.rule import RuleFile
from alerts.words import Closed

FILES: dict[str, type[Closed]] = {"rules": RuleFile, "receivers": Receivers}


def schema_of(name: str) -> dict[str, Any]:
    """Schema of a file. Raises KeyError for a name that is not in FILES."""
    found = FILES[name].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
