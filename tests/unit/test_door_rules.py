"""Who may ask the embedded ClickHouse: origins, users and the files with their passwords."""

import stat
from pathlib import Path

import pytest

from deploy.local.clickhouse.errors import QueryError
from deploy.local.clickhouse.origin import LOCAL_NAMES, check_origin
from deploy.local.clickhouse.passwords import keep_password, read_password
from deploy.local.clickhouse.users import authenticate, stack_users
from deploy.local.errors import LocalStackError

USERS = stack_users("s3cret", "b1")


def test_users() -> None:
    assert authenticate(USERS, {"X-ClickHouse-Key": "s3cret"}, {}).name == "default"
    assert authenticate(USERS, {"Authorization": "Basic ZGVmYXVsdDpzM2NyZXQ="}, {}).name == "default"
    assert authenticate(USERS, {}, {"user": "default", "password": "s3cret"}).name == "default"
    bi = authenticate(USERS, {}, {"user": "bi", "password": "b1"})
    assert bi.read_only
    assert "b1" not in repr(bi)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-ClickHouse-Key": "no"},
        {"X-ClickHouse-User": "eve"},
        {"X-ClickHouse-User": "eve", "X-ClickHouse-Key": "no such user"},
        {"X-ClickHouse-User": "bi", "X-ClickHouse-Key": "s3cret"},
        {"X-ClickHouse-Key": "\udcff\udcfe"},
        {"Authorization": "Basic %%"},
        {"Authorization": "Basic \udcff"},
        {"Authorization": "Basic /////w=="},
        {"Authorization": "Bearer s3cret"},
    ],
)
def test_nobody_else_gets_in(headers: dict[str, str]) -> None:
    with pytest.raises(QueryError, match="516") as failure:
        authenticate(USERS, headers, {})
    assert failure.value.status in (400, 403)


def test_an_empty_password_is_no_password() -> None:
    with pytest.raises(QueryError, match="516"):
        authenticate(stack_users("", ""), {}, {})


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1:8123"},
        {"Host": "LOCALHOST:8123"},
        {"Host": "[::1]:8123"},
        {"Host": "localhost:8123", "Origin": "http://localhost:8123", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:8123", "Sec-Fetch-Site": "none"},
    ],
)
def test_programs_and_typed_addresses_pass(headers: dict[str, str]) -> None:
    check_origin(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:8123"},
        {"Host": "localhost", "Origin": "https://evil.example"},
        {"Host": "localhost", "Origin": "null"},
        {"Host": "localhost:8123", "Origin": "http://localhost:8088"},
        {"Host": "localhost:8123", "Origin": "http://localhost:8123@evil.example"},
        {"Host": "localhost:8123", "Sec-Fetch-Site": "cross-site"},
        {"Host": "localhost:8123", "Sec-Fetch-Site": "same-site"},
        {"Host": "localhost:8123", "Sec-Fetch-Site": "Cross-Site "},
        {"Host": "localhost:8123", "Sec-Fetch-Site": "something new"},
        {"Host": "localhost.evil.example"},
        {},
    ],
)
def test_web_pages_are_kept_out(headers: dict[str, str]) -> None:
    with pytest.raises(QueryError, match="ACCESS_DENIED"):
        check_origin(headers)


@pytest.mark.parametrize(
    "host", ["[::1", "localhost:99999", "localhost:x", "a@localhost", "localhost/x", "localhost?x", "[x]"]
)
def test_a_host_that_cannot_be_read_is_400(host: str) -> None:
    with pytest.raises(QueryError) as failure:
        check_origin({"Host": host})
    assert failure.value.status == 400


def test_names_can_be_allowed() -> None:
    names = LOCAL_NAMES | {"host.docker.internal"}
    check_origin({"Host": "host.docker.internal:8123"}, names)
    with pytest.raises(QueryError, match="RINGBACK_CLICKHOUSE_ALLOWED_HOSTS"):
        check_origin({"Host": "docker.internal:8123"}, names)


def test_a_password_is_made_once_and_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "password"
    assert read_password(path) == ""
    made = keep_password(path)
    assert len(made) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (keep_password(path), read_password(path)) == (made, made)
    assert list(tmp_path.iterdir()) == [path]


def test_a_password_that_others_can_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("mine\n")
    path.chmod(0o644)
    assert keep_password(path) == "mine"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_password_file_gets_a_password(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("\n")
    assert keep_password(path)


def test_password_files_that_cannot_be_used_say_what_to_do(tmp_path: Path) -> None:
    folder, garbage = tmp_path / "folder", tmp_path / "garbage"
    folder.mkdir()
    garbage.write_bytes(b"\xff\xfe")
    for path in (folder, garbage):
        for use in (keep_password, read_password):
            with pytest.raises(LocalStackError) as failure:
                use(path)
            assert str(path) in failure.value.message
            assert failure.value.hint
