"""Settings of sources: from the file or environment, told to sources, and what is said of mistakes."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import typer
from pydantic import ValidationError

from adapters.kit.options import SourceOptions, options
from adapters.kit.surveys import kind_of
from cli.console import settings
from cli.source_settings import SourceSettings

pytestmark = pytest.mark.usefixtures("source_options")
FILE = """
queue_log_zone = "Europe/Berlin"
RINGBACK_CALL_RECORDS_ZONE = "Asia/Tokyo"
call_records = "ours.toml"
[survey_questions]
q2 = "CSAT"
[agent_aliases]
"PJSIP/201" = "Ada, Example"
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_file_and_the_environment_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SourceSettings().source_options == SourceOptions()
    Path("ringback.toml").write_text(FILE, encoding="utf-8")
    expected = SourceOptions(
        {"q2": "csat"},
        {"PJSIP/201": "Ada, Example"},
        Path("ours.toml"),
        ZoneInfo("Asia/Tokyo"),
        ZoneInfo("Europe/Berlin"),
    )
    assert SourceSettings().source_options == expected
    monkeypatch.setenv("RINGBACK_SURVEY_QUESTIONS", " q7 = nps, QID1=ces,")
    monkeypatch.setenv("RINGBACK_AGENT_ALIASES", "SIP/1=Ada = Example")
    changed = SourceSettings()
    assert changed.survey_questions == {"q7": "nps", "QID1": "ces"}
    assert changed.agent_aliases == {"SIP/1": "Ada = Example"}


def test_a_command_tells_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ringback.toml").write_text(FILE, encoding="utf-8")
    assert kind_of("q2") is None
    settings.cache_clear()
    try:
        settings()
    finally:
        settings.cache_clear()
    assert kind_of("q2") == "csat"
    assert options().queue_log_zone == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RINGBACK_SURVEY_QUESTIONS", "q2", "'q2' is no pair; write name=value"),
        ("RINGBACK_SURVEY_QUESTIONS", "q2=stars", "q2=stars: a question measures one of csat, nps"),
        ("RINGBACK_AGENT_ALIASES", "=Ada", "'=Ada' is no pair"),
        ("RINGBACK_CALL_RECORDS_ZONE", "Mars/Olympus", "no time zone 'Mars/Olympus'"),
        ("RINGBACK_QUEUE_LOG_ZONE", "", "no time zone ''"),
    ],
)
def test_mistakes_are_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        SourceSettings()
    settings.cache_clear()
    with pytest.raises(typer.Exit):
        settings()
    shown = capsys.readouterr().err
    assert name in shown
    assert said in shown
