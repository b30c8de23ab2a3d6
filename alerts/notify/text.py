"""A message in words, for people: a line, and the lines below it."""

from datetime import datetime
from typing import Any

from alerts.message import REASON_NO_DATA, of_episode
from alerts.rule import SQL
from schemas.time_units import MINUTE_MS

# However long labels and templates are, a receiver takes all of it: Teams no more than 28 KB.
TITLE_MAX, LINE_MAX = 1_000, 500
LISTED = 20


def clipped(text: str, most: int) -> str:
    """Text of bounded length, that says so where it was longer."""
    return text if len(text) <= most else text[: most - 1] + "…"


def summary(body: dict[str, Any]) -> str:
    """What the rule says, or what and where, how far, over what and on how many contacts."""
    if written := body["annotations"].get("summary"):
        return clipped(str(written), TITLE_MAX)
    name = f"{body['alert']} {place(body)}".rstrip()
    n = "" if body["kpi"] == SQL else f", n={body['n']}"
    return clipped(f"{name}: {body['value']}{length(body)}{n}", TITLE_MAX)


def place(body: dict[str, Any]) -> str:
    """What it is about: channel and queue."""
    return "/".join(body["labels"][name] for name in ("channel", "queue") if name in body["labels"])


def title(body: dict[str, Any]) -> str:
    """A line for people."""
    return clipped(f"[{str(body['status']).upper()}] {summary(body)}", TITLE_MAX)


def length(body: dict[str, Any]) -> str:
    """Over which window."""
    minutes = body["window_ms"] // MINUTE_MS
    return f" over {minutes} min" if minutes else ""


def details(body: dict[str, Any]) -> list[str]:
    """What, where, how far, since when, on how many contacts, and what to do next."""
    lines = [member_line(each) for each in body.get("alerts", ())[:LISTED]]
    if body["value"]:
        lines += [figures(body), *unseen(body), *ended(body)]
    lines += [f"explain: {body['explain']}"]
    if body["value"] and body.get("episode") and body["kpi"] != SQL:
        lines.append(f"episode: {of_episode(body['episode'])}")
    if runbook := body["annotations"].get("runbook_url"):
        lines.append(f"runbook: {runbook}")
    return [clipped(line, LINE_MAX) for line in lines]


def figures(body: dict[str, Any]) -> str:
    """How far it is off, on how many contacts, where, and since when."""
    contacts = f", {body['n']:,} contact{'' if body['n'] == 1 else 's'}" if body["kpi"] != SQL else ""
    where = ", ".join(f"{name} {value or '(none)'}" for name, value in body["labels"].items())
    provisional = " (provisional)" if body.get("provisional") else ""
    what = (
        f"{body['kpi']} {body['value']}{length(body)}, objective {body['objective']}{contacts}{provisional}"
    )
    return f"{what}; {where}; since {body['opened_at']}"


def unseen(body: dict[str, Any]) -> list[str]:
    """That it fires as nobody came."""
    if body["status"] != "firing" or body.get("reason") != REASON_NO_DATA:
        return []
    return ["nobody came, or too few to judge by: the rule says no_data: alert"]


def ended(body: dict[str, Any]) -> list[str]:
    """Of an end: when, and that the figures are those of the beginning."""
    if body["status"] not in ("resolved", "expired"):
        return []
    opened, at = (datetime.fromisoformat(body[name].replace("Z", "+00:00")) for name in ("opened_at", "at"))
    lasted = int((at - opened).total_seconds()) // 60
    is_query = body["kpi"] == SQL
    why = {
        "expired": f"closed, as {'no row was returned' if is_query else 'nobody came'} for four hours",
        "rule_removed": "closed, as its rule is gone",
        REASON_NO_DATA: f"closed, as {'no row was returned' if is_query else 'nobody came'} (no_data: ok)",
    }
    said = why.get(body.get("reason") or body["status"], "over")
    edited = "; the rule was edited meanwhile" if body.get("rule_edited") else ""
    return [f"{said} at {body['at']}, after {lasted} min; the figures are those it fired with{edited}"]


def member_line(one: dict[str, Any]) -> str:
    """One alert of several."""
    return (
        f"{str(one['status']).upper()} {summary(one)}, objective {one['objective']}, since {one['opened_at']}"
    )
