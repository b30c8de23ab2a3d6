"""wallboard.yaml: which queues hang on the wall, in which order, by which names and targets."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=30 * 86_400)]


class ConfigError(ValueError):
    """The file cannot be read, or says something that makes no sense."""


class Strict(BaseModel):
    """A part of the file: a word that is none of its own is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Targets(Strict):
    """What is wanted of a queue. Without a value nothing is judged by it."""

    service_level: Share | None = None
    abandonment_rate: Share | None = None
    longest_wait_s: Seconds | None = None
    asa_s: Seconds | None = None
    aht_s: Seconds | None = None
    fcr: Share | None = None
    csat: Annotated[float, Field(ge=1, le=5)] | None = None


DEFAULT_TARGETS = Targets(service_level=0.8, abandonment_rate=0.05)


class Queue(Strict):
    """A queue on the wall, by the name it has in events."""

    queue: str
    name: str = ""
    targets: Targets = Targets()


class WallConfig(Strict):
    """All of the file; every part has a default, so that there need be none."""

    title: str = "Contact centre"
    locale: str = Field("", pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")
    targets: Targets = DEFAULT_TARGETS
    queues: tuple[Queue, ...] = ()
    others: bool = True  # queues that are not named come after those that are
    hidden: tuple[str, ...] = ()
    silent_after_s: Seconds = 300  # a source that says nothing for longer is shown as silent
    usual_weeks: int = Field(4, ge=1, le=26)
    fcr_days: int = Field(28, ge=1, le=366)
    csat_days: int = Field(7, ge=1, le=366)

    def named(self, queue: str) -> Queue:
        """What is said of a queue; a plain one where nothing is."""
        return next((one for one in self.queues if one.queue == queue), Queue(queue=queue))

    def targets_of(self, queue: str) -> Targets:
        """Targets of a queue: its own, else those of all. One that it sets to null is none."""
        own = self.named(queue).targets
        return self.targets.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})

    def order(self, found: set[str]) -> list[str]:
        """Queues on the wall, in order; those that are named are there even without contacts."""
        named = [one.queue for one in self.queues if one.queue not in self.hidden]
        rest = sorted(found - {*named} - {*self.hidden} - {""}) if self.others else []
        return [*dict.fromkeys(named), *rest]


def parse(text: str) -> WallConfig:
    """The file's content. Raises ConfigError with every mistake named by its place."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"no YAML: {' '.join(str(error).split())}") from error
    try:
        config = WallConfig.model_validate({} if found is None else found)
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise ConfigError(said) from error
    names = [one.queue for one in config.queues]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"queues: {', '.join(twice)} stands there twice")
    return config


def load(path: Path) -> WallConfig:
    """A file. Raises ConfigError."""
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError("is no text in UTF-8") from error
