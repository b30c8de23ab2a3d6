"""Receivers that keep incidents: what opens one, and what closes it again."""

from typing import Any
from urllib.parse import quote

import orjson

from alerts.ledger import ENDS, Outgoing
from alerts.notify.post import JSON, Request
from alerts.notify.text import clipped, details, place, title
from alerts.receivers import Opsgenie, PagerDuty

SUMMARY_MAX, MESSAGE_MAX, ALIAS_MAX = 1_024, 130, 512
SOURCE_MAX = 255
DETAILS_MAX, VALUE_MAX, TAG_MAX = 20, 300, 50  # Opsgenie takes 8,000 characters of details in all
PAGERDUTY_SEVERITY = {"page": "critical", "ticket": "warning"}
OPSGENIE_PRIORITY = {"page": "P1", "ticket": "P3"}


def severity(body: dict[str, Any]) -> str:
    """The label of the rule: page, ticket, or another word."""
    return str(body.get("labels", {}).get("severity", "page"))


def source(body: dict[str, Any]) -> str:
    """What it is about: channel and queue."""
    return clipped(place(body), SOURCE_MAX) or "all"


def pagerduty(receiver: PagerDuty, outgoing: Outgoing) -> Request:
    """Events API version 2. The key is the episode's: what is sent again changes the same incident."""
    body: dict[str, Any] = outgoing.body
    event: dict[str, Any] = {
        "routing_key": receiver.routing_key.read(),
        "dedup_key": outgoing.episode,
        "event_action": "resolve" if body["status"] in ENDS else "trigger",
    }
    if body["status"] not in ENDS:
        event["payload"] = {
            "summary": clipped(title(body), SUMMARY_MAX),
            "source": source(body),
            "severity": PAGERDUTY_SEVERITY.get(severity(body), "error"),
            "timestamp": body["at"],
            "component": body["kpi"] or "alerting",
            "class": body["alert"],
            "custom_details": {**body["labels"], **body["annotations"], "details": details(body)},
        }
        event["client"] = "Ringback"
        if runbook := body["annotations"].get("runbook_url"):
            event["links"] = [{"href": runbook, "text": "runbook"}]
    return Request(receiver.url, orjson.dumps(event), JSON, receiver.allow_private)


def opsgenie(receiver: Opsgenie, outgoing: Outgoing) -> Request:
    """Alert API. The alias is the episode: a second creation counts up the same alert."""
    body: dict[str, Any] = outgoing.body
    headers = JSON | {"Authorization": f"GenieKey {receiver.api_key.read()}"}
    base, alias = receiver.url.rstrip("/") + "/v2/alerts", outgoing.episode[:ALIAS_MAX]
    if body["status"] in ENDS:
        note = orjson.dumps({"source": "Ringback", "note": title(body)})
        url = f"{base}/{quote(alias, safe='')}/close?identifierType=alias"
        return Request(url, note, headers, receiver.allow_private)
    found = {
        name: clipped(str(value), VALUE_MAX)
        for name, value in {**body["labels"], **body["annotations"]}.items()
    }
    alert = {
        "message": clipped(title(body), MESSAGE_MAX),
        "alias": alias,
        "description": "\n".join((title(body), *details(body))),
        "details": dict([*found.items()][:DETAILS_MAX]),
        "entity": source(body),
        "source": "Ringback",
        "priority": OPSGENIE_PRIORITY.get(severity(body), "P2"),
        "tags": [clipped(word, TAG_MAX) for word in (body["alert"], body["kpi"]) if word],
    }
    return Request(base, orjson.dumps(alert), headers, receiver.allow_private)
