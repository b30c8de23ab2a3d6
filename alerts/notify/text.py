"""A message in words, for people: a line, and the lines below it."""

from typing import Any


def title(body: dict[str, Any]) -> str:
    """A line for people."""
    summary = body["annotations"].get("summary") or f"{body['alert']}: {body['value']}, n={body['n']}"
    return f"[{str(body['status']).upper()}] {summary}"


def details(body: dict[str, Any]) -> list[str]:
    """What, where, how far, since when, on how many contacts, and what to do next."""
    where = ", ".join(f"{name} {value}" for name, value in body["labels"].items())
    lines = [
        f"{body['kpi']} {body['value']}, objective {body['objective']}, {body['n']} contacts"
        + (" (provisional)" if body.get("provisional") else ""),
        f"{where}; since {body['opened_at']}",
        str(body["explain"]),
    ]
    if runbook := body["annotations"].get("runbook_url"):
        lines.append(f"runbook: {runbook}")
    return lines
