"""JSON as sources read it: what is none is refused with a reason."""

from typing import Any

import orjson

from adapters.kit.outcomes import InvalidInput


def json_value(data: bytes) -> Any:
    """The JSON value of a line or body. Raises InvalidInput."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("invalid_utf8", f"byte {error.start} is not UTF-8") from None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("invalid_json", str(error)) from None


def json_object(value: Any) -> dict[str, Any]:
    """The value, if it is an object. Raises InvalidInput."""
    if not isinstance(value, dict):
        raise InvalidInput("not_an_object", f"a JSON {type(value).__name__}, expected an object")
    return value
