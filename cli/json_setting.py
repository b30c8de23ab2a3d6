"""A setting that is JSON in the environment."""

import json
from typing import Any


def from_json(text: str, example: str) -> Any:
    """JSON of the environment. Raises ValueError with an example."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ValueError(f"no JSON ({said}); write {example}") from error
