"""Settings of a source that are pairs, such as `q2=csat,QID7=nps`."""

import os


def pairs(setting: str) -> dict[str, str]:
    """Name to value by a variable of the environment; what is no pair is left out."""
    found = (pair.partition("=") for pair in os.environ.get(setting, "").split(","))
    return {name.strip(): value.strip() for name, _, value in found if name.strip() and value.strip()}
