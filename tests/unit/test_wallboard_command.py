"""`ringback wallboard`: a mistake ends it with status 2 and says what to do."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.console import settings
from cli.main import app


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def said(*arguments: str) -> tuple[int, str]:
    settings.cache_clear()
    done = CliRunner().invoke(app, ["wallboard", *arguments])
    return done.exit_code, " ".join(done.output.split())


def test_check_says_what_hangs_on_the_wall(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text("queues: [{queue: a, name: Alpha, targets: {asa_s: 30}}]")
    status, text = said("--check", "--file", "w.yaml")
    assert status == 0
    assert "Alpha: service_level 0.8, abandonment_rate 0.05, asa_s 30" in text
    assert "then every other queue" in text


@pytest.mark.parametrize(
    ("content", "reason"),
    [("queues: 7", "queues"), ("\x00", "no YAML"), (None, "cannot be read: No such file")],
)
def test_a_file_that_makes_no_sense(tmp_path: Path, content: str | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "w.yaml").write_text(content)
    status, text = said("--file", "w.yaml")
    assert status == 2
    assert reason in text
    assert "docs/guide/wallboard.md" in text


def test_off_this_machine_it_wants_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_WALLBOARD_HOST", "192.0.2.1")
    status, text = said()
    assert status == 2
    assert "RINGBACK_WALLBOARD_TOKEN" in text
    monkeypatch.setenv("RINGBACK_WALLBOARD_TOKEN", "short")
    assert "fewer than 16 bytes" in said()[1]
