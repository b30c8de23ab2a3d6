"""docs/reference/kpi.schema.json: what `ringback kpi --format json` prints, and what each KPI in it is."""

import json

from cli.kpi_list import card
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES

WHOLE = {"type": "integer"}
VALUE = {
    "type": "object",
    "required": ["value", "unit", "n", "num", "den", "final"],
    "additionalProperties": False,
    "properties": {
        "value": {"type": ["number", "string", "null"], "description": "num / den; null where den is 0."},
        "unit": {"enum": ["count", "ms", "ratio", "points", "number", "hour"]},
        "n": WHOLE | {"description": "Of how many."},
        "num": WHOLE,
        "den": WHOLE,
        "final": {"type": "boolean", "description": "Can only a late or corrected event change it?"},
    },
}
TIME = {"type": "string", "format": "date-time"}


def reference() -> str:
    """The schema, by the default rules."""
    kpis = {
        kpi.id: {
            "$ref": "#/$defs/value",
            "title": kpi.name,
            "description": kpi.definition,
            "x-ringback": card(kpi),
        }
        for kpi in every_kpi(DEFAULT_RULES).values()
    }
    row = {
        "type": "object",
        "required": ["window_start", "window_end", "kpis"],
        "properties": {
            "window_start": TIME,
            "window_end": TIME,
            "timezone": {
                "type": "string",
                "description": "Of a queue, where queues have zones of their own.",
            },
            "kpis": {"type": "object", "properties": kpis, "additionalProperties": {"$ref": "#/$defs/value"}},
        },
        "additionalProperties": {"type": "string", "description": "A dimension that was asked for."},
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ringback kpi --format json",
        "type": "array",
        "items": row,
        "$defs": {"value": VALUE},
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
