"""Who is told: the file of receivers. Secrets come from the environment or from files, never from it."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from alerts.words import Closed, Word


class Secret(Closed):
    """Where a secret stands: the name of a variable, or the path of a file."""

    env: str | None = None
    file: Path | None = None

    def read(self) -> str:
        """The secret. Raises KeyError with what to set, OSError."""
        if self.file is not None:
            return self.file.read_text("utf-8").strip()
        found = os.environ.get(self.env or "")
        if not found:
            raise KeyError(f"{self.env} is not set")
        return found


class Webhook(Closed):
    """Any HTTP service: the message as JSON, signed by Standard Webhooks where there is a secret."""

    name: Word
    type: Literal["webhook"]
    url: str | Secret
    secret: Secret | None = None
    allow_private: bool = False  # may the address be one of a private network or of this machine?


class Slack(Closed):
    """An incoming webhook of Slack; its URL is a secret."""

    name: Word
    type: Literal["slack"]
    url: Secret
    allow_private: bool = False


class Alertmanager(Closed):
    """Prometheus Alertmanager, API version 2."""

    name: Word
    type: Literal["alertmanager"]
    url: str
    allow_private: bool = False


class PagerDuty(Closed):
    """PagerDuty, Events API version 2: an incident per episode, resolved with it."""

    name: Word
    type: Literal["pagerduty"]
    routing_key: Secret
    url: str = "https://events.pagerduty.com/v2/enqueue"  # or that of the EU service region
    allow_private: bool = False


class Opsgenie(Closed):
    """Opsgenie, Alert API: an alert per episode, closed with it."""

    name: Word
    type: Literal["opsgenie"]
    api_key: Secret
    url: str = "https://api.opsgenie.com"  # or https://api.eu.opsgenie.com
    allow_private: bool = False


class Teams(Closed):
    """A workflow of Microsoft Teams that begins when a webhook request is received; its URL is a secret."""

    name: Word
    type: Literal["teams"]
    url: Secret
    allow_private: bool = False


Mailbox = Annotated[str, Field(pattern=r"^[^\s<>@,;:\"]{1,64}@[A-Za-z0-9.-]{1,255}$")]


class Email(Closed):
    """E-mail by SMTP. `tls`: starttls (port 587), implicit (port 465), or none, for a relay of one's own."""

    name: Word
    type: Literal["email"]
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,255}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str | None = None
    password: Secret | None = None
    sender: Annotated[Mailbox, Field(alias="from")]
    to: Annotated[tuple[Mailbox, ...], Field(min_length=1, max_length=50)]
    allow_private: bool = False

    @model_validator(mode="after")
    def _both_or_none(self) -> "Email":
        if (self.username is None) != (self.password is None):
            raise ValueError("write both username and password, or neither")
        if self.username is not None and self.tls == "none":
            raise ValueError("a password is sent over TLS only: tls: starttls or tls: implicit")
        return self


Receiver = Annotated[
    Webhook | Slack | Alertmanager | PagerDuty | Opsgenie | Teams | Email, Field(discriminator="type")
]


class Receivers(Closed):
    """The file of receivers: all of them are told everything."""

    version: Literal[1]
    receivers: Annotated[tuple[Receiver, ...], Field(max_length=20)] = ()


def url_of(receiver: Webhook | Slack | Teams) -> str:
    """Address of a receiver. Raises KeyError, OSError."""
    return receiver.url if isinstance(receiver.url, str) else receiver.url.read()
