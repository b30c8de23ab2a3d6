"""docs/reference/settings.md, from the models in cli/*settings.py."""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from cli.business_hours import CalendarSettings
from cli.rule_settings import FcrSettings, RuleSettings
from cli.settings import TOML
from cli.wallboard_settings import WallboardSettings
from docs.build.markdown import MADE, code, page, table
from kpis.rules import DEFAULT_RULES

HEAD = f"""From the environment, or from a file `{TOML}` in the working directory (`RINGBACK_TIMEZONE =
"Europe/Rome"`, one setting a line); the environment goes first. `ringback doctor` shows each value and
its origin. Passwords in addresses and the customer secret are not shown."""
OTHERS = """Not settings, but read from the environment as well:

- `RINGBACK_READY_FILE`, of a worker or sink, names a file that exists while the process is ready. The
  image sets it.
- `JAVA_HOME` is used only where the packaged Java does not exist for the machine.
- `XDG_CACHE_HOME` decides where the cache folder is, as everywhere."""
RULES = f"""What vendors count differently; [rules](../guide/rules.md) has an example and says what to
watch. In `{TOML}` a table `[rules]`, in the environment JSON in `RINGBACK_RULES`, which replaces the
whole table of the file. Limits are inclusive. Names ending in `_s` are seconds, in `_h` hours, in
`_days` days."""
KINDS = {
    "str": "text",
    "SecretStr": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "Path": "path",
}


def variable(name: str, field: FieldInfo) -> str:
    """Variable of a setting."""
    alias = field.validation_alias
    return str(alias.choices[0] if isinstance(alias, AliasChoices) else alias or name)


def kind(annotation: Any) -> str:
    """What a value is, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind(inner[0])
    if origin is Literal:
        return " or ".join(code(value) for value in inner)
    if origin in (Union, UnionType):
        return kind(next(part for part in inner if part is not type(None)))
    if origin is tuple:
        return f"list: {kind(inner[0])}"
    if origin is dict:
        return f"table: {kind(inner[1])}"
    name = getattr(annotation, "__name__", str(annotation))
    return KINDS.get(name, "table")


def limits(field: FieldInfo) -> str:
    """Between what a number must lie, if anything says so; limits of the parts of a list are not shown."""
    signs = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
    found = [
        f"{word} {value:,}"
        for item in field.metadata
        for sign, word in signs.items()
        if (value := getattr(item, sign, None)) is not None
    ]
    return " ".join(found)


def value_of(value: object) -> str:
    """A default as it is written in the file."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, float):
        return code(f"{value:g}")
    if isinstance(value, Mapping):
        inside = ", ".join(f"{name} = {part:g}" for name, part in value.items())
        return code(f"{{{inside}}}")
    if isinstance(value, tuple):
        inside = ", ".join(f'"{part}"' if isinstance(part, str) else str(part) for part in value)
        return code(f"[{inside}]")
    return "below" if isinstance(value, BaseModel) else code(value)


def default(name: str, field: FieldInfo) -> str:
    """Default of a setting; targets that are not named keep theirs, so those are the default."""
    if name == "service_level_s":
        return value_of({channel: ms / 1000 for channel, ms in DEFAULT_RULES.service_level_ms.items()})
    return value_of(field.default)


def row(name: str, field: FieldInfo, shown: str) -> tuple[str, str, str, str]:
    """A setting in its table."""
    if not field.description:
        raise ValueError(f"{name} has no description")
    values = " ".join(part for part in (kind(field.annotation), limits(field)) if part)
    return code(shown), default(name, field), values, field.description


def rows(model: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    """All fields of a model."""
    named = model is WallboardSettings
    return [
        row(name, field, variable(name, field) if named else name)
        for name, field in model.model_fields.items()
    ]


def reference() -> str:
    """docs/reference/settings.md: every setting and rule, with its default."""
    return page(
        "# Settings",
        MADE,
        HEAD,
        table(("Variable", "Default", "Value", "Meaning"), rows(WallboardSettings)),
        OTHERS,
        "## Rules",
        RULES,
        table(("Rule", "Default", "Value", "Meaning"), rows(RuleSettings)),
        "### Repeat contacts",
        f"The table `[rules.fcr]` of `{TOML}`, or `fcr` inside the JSON.",
        table(("Rule", "Default", "Value", "Meaning"), rows(FcrSettings)),
        "### Business hours",
        f"A table `[rules.calendars.NAME]` of `{TOML}` each, or `calendars` inside the JSON. Local time "
        "that the clock shows twice in autumn counts twice, what it leaves out in spring does not count.",
        table(("Rule", "Default", "Value", "Meaning"), rows(CalendarSettings)),
    )
