"""docs/reference/commands.md, from the command line itself.

The tree is walked by `list_commands` and `get_command`, which also load commands that are loaded late.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer.main

from cli.console import DONE, NO, UNREACHABLE, WRONG_USE
from cli.main import app
from cli.std_streams import CUT_OFF
from docs.build.markdown import MADE, code, page, table

HEAD = """`ringback COMMAND --help` says the same on the terminal. Results go to stdout, progress and
logs to stderr. Most commands take `--format json`, which prints one JSON document."""
STATUSES = (
    (DONE, "done"),
    (NO, "the answer is no: a difference, a failed check, nothing found"),
    (WRONG_USE, "wrong use or wrong input"),
    (UNREACHABLE, "something needed cannot be reached"),
    (130, "interrupted; what to do is said"),
    (CUT_OFF, "nobody read the output, as behind `head`"),
)


def commands(command: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Every command that does something, with its context; groups themselves do nothing."""
    if not hasattr(command, "list_commands"):
        yield command, context
        return
    for name in command.list_commands(context):
        sub = command.get_command(context, name)
        if not sub.hidden:
            yield from commands(sub, sub.context_class(sub, info_name=name, parent=context))


def every_command() -> list[tuple[Any, Any]]:
    """All commands of `ringback`."""
    root = typer.main.get_command(app)
    return [*commands(root, root.context_class(root, info_name="ringback"))]


def paths() -> list[str]:
    """All commands as they are typed: `ringback import bank`."""
    return [context.command_path for _, context in every_command()]


def said(command: Any) -> tuple[list[str], str]:
    """Paragraphs of the help of a command, and its example."""
    text, _, example = (command.help or "").partition("Example: ")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]
    if not paragraphs or not example:
        raise ValueError(f"{command.name} has no help or no example")
    return paragraphs, " ".join(example.split())


def default(parameter: Any) -> str:
    """Default of an argument or option."""
    value = parameter.default
    if parameter.required:
        return "required"
    if value is None or value == "":
        return "none"
    if parameter.is_flag:
        return code(parameter.opts[0]) if value else "off"
    return code(value.value if isinstance(value, Enum) else value)


def name_of(parameter: Any) -> str:
    """An argument or option as it is typed."""
    if parameter.param_type_name == "argument":
        return code(parameter.metavar or parameter.name.upper())
    return ", ".join(map(code, (*parameter.opts, *parameter.secondary_opts)))


def parameters(command: Any, context: Any) -> list[tuple[str, str, str]]:
    """Arguments and options of a command but --help."""
    return [
        (name_of(parameter), default(parameter), parameter.help or "")
        for parameter in command.get_params(context)
        if parameter.name != "help" and not parameter.hidden
    ]


def entry(command: Any, context: Any) -> Iterator[str]:
    """A command."""
    paragraphs, example = said(command)
    yield f"## {context.command_path}"
    yield from paragraphs
    rows = parameters(command, context)
    if rows:
        yield table(("Argument or option", "Default", "Meaning"), rows)
    yield f"```\n{example}\n```"


def reference() -> str:
    """docs/reference/commands.md: every command of `ringback`, with its options."""
    found = every_command()
    listed = [
        (f"[`{context.command_path}`](#{context.command_path.replace(' ', '-')})", said(command)[0][0])
        for command, context in found
    ]
    return page(
        "# Commands",
        MADE,
        HEAD,
        table(("Exit status", "Meaning"), [(code(status), meaning) for status, meaning in STATUSES]),
        table(("Command", "What it does"), listed),
        *(block for command, context in found for block in entry(command, context)),
    )
