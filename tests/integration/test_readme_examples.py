"""Examples of README and docs/start print what stands there, run in order on one stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.console_examples import difference, examples
from support.stack import Stack, background, run_ringback

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/start.md")
WIDE = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


@pytest.fixture(scope="module")
def env(stack: Stack) -> Iterator[dict[str, str]]:
    """Settings of the commands, with a worker and a sink at work, in a folder that has the documents."""
    (stack.data_dir / "docs").symlink_to(ROOT / "docs")
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        yield stack.env(**WIDE)


@pytest.mark.parametrize("page", PAGES)
def test_examples_print_what_stands_there(env: dict[str, str], page: str) -> None:
    wrong = []
    found = examples(ROOT / page)
    for example in found:
        done = run_ringback(env, *example.arguments)
        assert "Traceback" not in done.stderr
        said = difference(example.expected, done.stdout + done.stderr)
        wrong += [f"{example.place}: {example.command}\n{said}"] if said else []
    assert found
    assert not wrong, "\n\n".join(wrong)
