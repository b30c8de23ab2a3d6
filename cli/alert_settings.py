"""Settings of alerts."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class AlertSettings(BaseSettings):
    """What rules there are, who is told, and where evaluators meet."""

    alert_rules: Path | None = Field(
        None,
        validation_alias="RINGBACK_ALERT_RULES",
        description="[Rule file](../guide/alerts.md#rules) of `ringback alerts` and of `ringback up`. None: "
        "the default rules.",
    )
    alert_receivers: Path | None = Field(
        None,
        validation_alias="RINGBACK_ALERT_RECEIVERS",
        description="File of [receivers](../guide/alerts.md#receivers), those who are told. None: alerts are "
        "recorded only, see `ringback alerts list`.",
    )
    alert_ledger: Literal["file", "kafka"] = Field(
        "file",
        validation_alias="RINGBACK_ALERT_LEDGER",
        description="Where evaluators of alerts meet: `file`, alerts.sqlite in the data folder, or `kafka`, "
        "a topic that those of [several machines](../guide/alerts.md#several-machines) share.",
    )
