"""How others connect to the embedded ClickHouse: what `up` prints, and the addresses made of settings."""

from pathlib import Path

import pytest

from cli.connecting import connecting
from cli.settings import Settings
from deploy.local.clickhouse.passwords import BI_FILE, OWNER_FILE, keep_password
from deploy.local.clickhouse.process import netloc
from deploy.local.errors import LocalStackError


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("CLICKHOUSE_URL", "RINGBACK_CLICKHOUSE_HOST", "RINGBACK_CLICKHOUSE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RINGBACK_DATA_DIR", str(tmp_path))
    return tmp_path


def test_our_own_commands_find_the_password(folder: Path) -> None:
    assert Settings().clickhouse == "http://127.0.0.1:8123/ringback"
    password = keep_password(folder / OWNER_FILE)
    assert Settings().clickhouse == f"http://default:{password}@127.0.0.1:8123/ringback"


def test_a_password_of_ones_own_may_hold_anything(folder: Path) -> None:
    (folder / OWNER_FILE).write_text("a/b@c:ü %")
    assert Settings().clickhouse == "http://default:a%2Fb%40c%3A%C3%BC%20%25@127.0.0.1:8123/ringback"


def test_a_password_file_that_cannot_be_read(folder: Path) -> None:
    (folder / OWNER_FILE).mkdir()
    with pytest.raises(LocalStackError, match="cannot be read"):
        _ = Settings().clickhouse


def test_the_lines_name_the_file_and_not_the_password(folder: Path) -> None:
    passwords = [keep_password(folder / name) for name in (OWNER_FILE, BI_FILE)]
    text = "\n".join(connecting(Settings()))
    assert str(folder / BI_FILE) in text
    assert not any(password in text for password in passwords)
    for word in ("jdbc:clickhouse://127.0.0.1:8123/ringback?user=bi", "clickhousedb://bi:", "http://bi:"):
        assert word in text
    assert "TLS" not in text


def test_beyond_loopback_it_says_that_there_is_no_tls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_CLICKHOUSE_HOST", "0.0.0.0")  # noqa: S104 - what is tested
    assert "without TLS" in connecting(Settings())[-1]
    assert Settings().clickhouse == "http://127.0.0.1:8123/ringback"


def test_a_given_clickhouse_has_no_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://db/ringback")
    assert connecting(Settings()) == []


def test_addresses() -> None:
    assert netloc("::", 1) == netloc("::1", 1) == "[::1]:1"
    assert netloc("10.0.0.5", 1) == "10.0.0.5:1"
    assert netloc("db.example", 1) == "db.example:1"
