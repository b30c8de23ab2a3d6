"""A message in the form of each receiver, as a request."""

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Any

import orjson

from alerts.ledger import ENDS, Outgoing
from alerts.notify.incidents import opsgenie, pagerduty
from alerts.notify.post import JSON, Request
from alerts.notify.text import details, summary, title
from alerts.receivers import Alertmanager, Opsgenie, PagerDuty, Receiver, Slack, Teams, Webhook, url_of

OPEN_FOR, SAID_FOR = timedelta(days=30), timedelta(hours=1)  # what fires; what is only said


def request_of(receiver: Receiver, outgoing: Outgoing, now_s: int) -> Request:
    """What is posted. Raises KeyError and OSError where a secret is missing, TypeError for e-mail."""
    match receiver:
        case Webhook():
            return webhook(receiver, outgoing, now_s)
        case Slack():
            return slack(receiver, outgoing)
        case Alertmanager():
            return alertmanager(receiver, outgoing)
        case PagerDuty():
            return pagerduty(receiver, outgoing)
        case Opsgenie():
            return opsgenie(receiver, outgoing)
        case Teams():
            return teams(receiver, outgoing)
    raise TypeError(f"{receiver.type} is not posted")


def webhook(receiver: Webhook, outgoing: Outgoing, now_s: int) -> Request:
    """The message itself. `Idempotency-Key` and `webhook-id` are the same each time it is tried."""
    body = orjson.dumps(outgoing.body)
    headers = JSON | {
        "Idempotency-Key": outgoing.id,
        "webhook-id": outgoing.id,
        "webhook-timestamp": str(now_s),
    }
    if receiver.secret is not None:
        key = key_of(receiver.secret.read())
        signed = f"{outgoing.id}.{now_s}.".encode() + body
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        headers |= {"webhook-signature": f"v1,{digest}"}
    return Request(url_of(receiver), body, headers, receiver.allow_private)


def key_of(secret: str) -> bytes:
    """The key in a secret of Standard Webhooks. Raises ValueError with how it is written."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise ValueError("write it as Standard Webhooks do: whsec_ and base64") from None


def escaped(text: str) -> str:
    """Text that Slack takes for text: no mentions, no links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slack(receiver: Slack, outgoing: Outgoing) -> Request:
    """A line, and what to do, for a channel."""
    lines = [escaped(line) for line in (headline(outgoing), *details(outgoing.body))]
    return Request(url_of(receiver), orjson.dumps({"text": "\n".join(lines)}), JSON, receiver.allow_private)


def teams(receiver: Teams, outgoing: Outgoing) -> Request:
    """An adaptive card, whose text blocks take no markup from labels."""
    blocks = [{"type": "TextBlock", "text": plain(headline(outgoing)), "weight": "bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": plain(line), "wrap": True} for line in details(outgoing.body)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    body = orjson.dumps({"type": "message", "attachments": [attachment]})
    return Request(url_of(receiver), body, JSON, receiver.allow_private)


def headline(outgoing: Outgoing) -> str:
    """A line for people who cannot tell by a key that they have read it before."""
    return title(outgoing.body) + (" (perhaps told before)" if outgoing.unclear else "")


def plain(text: str) -> str:
    """Text that a card shows as it is: Markdown's own signs are escaped."""
    return re.sub(r"([\\`*_\[\]()#<>!|~])", r"\\\1", text)


def alertmanager(receiver: Alertmanager, outgoing: Outgoing) -> Request:
    """An alert of API version 2."""
    body: dict[str, Any] = outgoing.body
    alert = {
        "labels": {"alertname": body["alert"], **body["labels"]},
        "annotations": {
            "summary": summary(body),
            "description": "\n".join(details(body)),
            **body["annotations"],
            "explain": body["explain"],
        },
        "startsAt": body["opened_at"],
    }
    # Without an end Alertmanager takes what it does not hear of for five minutes to be over.
    end = datetime.fromisoformat(str(body["at"]).replace("Z", "+00:00"))
    end += timedelta(0) if body["status"] in ENDS else OPEN_FOR if body["status"] == "firing" else SAID_FOR
    alert["endsAt"] = end.isoformat().replace("+00:00", "Z")
    url = receiver.url.rstrip("/") + "/api/v2/alerts"
    return Request(url, orjson.dumps([alert]), JSON, receiver.allow_private)
