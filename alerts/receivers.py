"""Who is told: the file of receivers. Secrets come from the environment or from files, never from it."""

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from alerts.route import Inhibition, Route
from alerts.time_intervals import NamedTimes, known_zone
from alerts.words import Closed, Length, Word, by_type


class Secret(Closed):
    """Where a secret stands: the name of a variable, or the path of a file."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Secret":
        if (self.env is None) == (self.file is None):
            raise ValueError("write env, the name of a variable, or file, a path")
        return self

    def read(self) -> str:
        """The secret. Raises KeyError with what to set, OSError; none of them says what it is."""
        name, found = self.env, os.environ.get(self.env or "", "")
        if self.file is not None:
            name, found = str(self.file), self.file.read_text("utf-8")
        if not (found := found.strip()):
            raise KeyError(f"{name} is not set" if self.file is None else f"{name} is empty")
        if any(ord(sign) < ord(" ") for sign in found):
            raise KeyError(f"{name} holds more than one line")
        return found


def unread(error: KeyError | OSError | ValueError) -> str:
    """Why a secret could not be used, in words, and without it."""
    if isinstance(error, OSError):
        return f"its secret: {error.filename or 'its file'}: {error.strerror or type(error).__name__}"
    return f"its secret: {error.args[0] if error.args else type(error).__name__}"


def http_url(text: str) -> str:
    """An address that can be posted to, without a name and a password in it."""
    try:
        parts = urlsplit(text)
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well = False
    if not well or any(ord(sign) <= ord(" ") for sign in text):
        raise ValueError("write an address such as https://example.org/hook")
    if parts.username is not None or parts.password is not None:
        raise ValueError("secrets never stand in this file: write url as {env: NAME} or {file: PATH}")
    return text


IN_FILE, ELSEWHERE = "(text)", "(secret)"  # tags of the two ways in which an address may be written
Url = Annotated[str, AfterValidator(http_url)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class Mute(Closed):
    """Hours in which this receiver is told of nothing new; what still fires afterwards is told then."""

    days: tuple[Day, ...] = DAYS
    dates: Annotated[tuple[date, ...], Field(max_length=1_000)] = ()  # in place of days, such as holidays
    begin: Annotated[Clock, Field(alias="from")] = "00:00"
    to: Clock = "24:00"
    zone: Annotated[str, AfterValidator(known_zone)] = "UTC"

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Mute":
        if self.begin >= self.to:
            raise ValueError("it ends before it begins; write a night as two: to 24:00, and from 00:00 on")
        if self.dates and "days" in self.model_fields_set:
            raise ValueError("write days or dates; both are two mutes")
        return self


class Whom(Closed):
    """What all receivers have: which alerts they want, when not, and who is told in their stead."""

    name: Word
    only: dict[Word, tuple[str, ...]] = Field(default_factory=dict)
    mute: Annotated[tuple[Mute, ...], Field(max_length=20)] = ()
    fallback: Word | None = None
    storm: Annotated[int, Field(ge=1, le=10_000)] = 10  # more new ones in five minutes are told of in one

    def wants(self, labels: Mapping[str, str]) -> bool:
        """Has the alert one of the wanted values of each label?"""
        return all(labels.get(name) in values for name, values in self.only.items())


class Grouped(Whom):
    """A receiver of messages, not of incidents: those of several alerts can be one."""

    group_by: Annotated[tuple[Word, ...], Field(max_length=10)] | None = None  # labels, and `alert`
    group_wait: Length = 30_000  # others that belong to a first one are waited for
    group_interval: Length = 300_000  # the next message of a group comes no sooner
    repeat_interval: Length | None = None  # what still fires is told of again so often


UrlOrSecret = Annotated[
    Annotated[Url, Tag(IN_FILE)] | Annotated[Secret, Tag(ELSEWHERE)],
    Discriminator(lambda given: IN_FILE if isinstance(given, str) else ELSEWHERE),
]


class Webhook(Grouped):
    """Any HTTP service: the message as JSON, signed by Standard Webhooks where there is a secret."""

    type: Literal["webhook"]
    url: UrlOrSecret
    secret: Secret | None = None
    allow_private: bool = False  # may the address be one of a private network or of this machine?


class Slack(Grouped):
    """An incoming webhook of Slack; its URL is a secret."""

    type: Literal["slack"]
    url: Secret
    allow_private: bool = False


class Alertmanager(Whom):
    """Prometheus Alertmanager, API version 2."""

    type: Literal["alertmanager"]
    url: Url
    allow_private: bool = False


class PagerDuty(Whom):
    """PagerDuty, Events API version 2: an incident per episode, resolved with it."""

    type: Literal["pagerduty"]
    routing_key: Secret
    url: Url = "https://events.pagerduty.com/v2/enqueue"  # or that of the EU service region
    allow_private: bool = False


class Opsgenie(Whom):
    """Opsgenie, Alert API: an alert per episode, closed with it."""

    type: Literal["opsgenie"]
    api_key: Secret
    url: Url = "https://api.opsgenie.com"  # or https://api.eu.opsgenie.com
    allow_private: bool = False


class Teams(Grouped):
    """A workflow of Microsoft Teams that begins when a webhook request is received; its URL is a secret."""

    type: Literal["teams"]
    url: Secret
    allow_private: bool = False


Mailbox = Annotated[str, Field(pattern=r"^[^\s<>@,;:\"]{1,64}@[A-Za-z0-9.-]{1,255}$")]


class Email(Grouped):
    """E-mail by SMTP. `tls`: starttls (port 587), implicit (port 465), or none, for a relay of one's own."""

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


RECEIVER_TYPES = by_type(Receiver)


class SelfTest(Closed):
    """A test alert every day and its end, so that a way that is broken is found before it is needed."""

    receiver: Word
    at: Clock = "09:00"
    zone: Annotated[str, AfterValidator(known_zone)] = "UTC"

    @model_validator(mode="after")
    def _is_a_time_of_day(self) -> "SelfTest":
        if self.at == "24:00":
            raise ValueError("a day ends before 24:00; write 00:00")
        return self


class Receivers(Closed):
    """Who is told. `meta` hears of what is wrong with alerting itself, `heartbeat` that all is well."""

    version: Literal[1]
    receivers: Annotated[tuple[Receiver, ...], Field(max_length=20)] = ()
    route: Route | None = None
    time_intervals: Annotated[tuple[NamedTimes, ...], Field(max_length=100)] = ()
    inhibit_rules: Annotated[tuple[Inhibition, ...], Field(max_length=100)] = ()
    meta: Word | None = None
    heartbeat: Webhook | None = None
    self_test: SelfTest | None = None


def secrets_missing(file: Receivers) -> list[str]:
    """Whose secrets cannot be read now, and why."""
    found = []
    for receiver in (*file.receivers, *([file.heartbeat] if file.heartbeat else [])):
        for name in type(receiver).model_fields:
            if isinstance(secret := getattr(receiver, name), Secret):
                try:
                    secret.read()
                except (KeyError, OSError, ValueError) as error:
                    found.append(f"{receiver.name}.{name}: {unread(error)}")
    return found


def url_of(receiver: Webhook | Slack | Teams) -> str:
    """Address of a receiver. Raises KeyError, OSError."""
    return receiver.url if isinstance(receiver.url, str) else receiver.url.read()
