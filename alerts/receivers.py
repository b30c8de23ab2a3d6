"""Who is told: the file of receivers. Secrets come from the environment or from files, never from it."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from alerts.rule import Closed, Word


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


Receiver = Annotated[Webhook | Slack | Alertmanager, Field(discriminator="type")]


class Receivers(Closed):
    """The file of receivers: all of them are told everything."""

    version: Literal[1]
    receivers: Annotated[tuple[Receiver, ...], Field(max_length=20)] = ()


def url_of(receiver: Receiver) -> str:
    """Address of a receiver. Raises KeyError, OSError."""
    return receiver.url if isinstance(receiver.url, str) else receiver.url.read()
