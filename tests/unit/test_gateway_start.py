"""What keeps a gateway from starting: a door left open, secrets that are none."""

from pathlib import Path

import pytest
from support.command import ringback

from deploy.local.ports import free_port


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"RINGBACK_GATEWAY_HOST": "0.0.0.0"}, "RINGBACK_GATEWAY_TOKEN"),  # noqa: S104
        ({"RINGBACK_GATEWAY_TOKEN": "short"}, "16 bytes"),
        ({"RINGBACK_GATEWAY_TOKEN": " \n"}, "is empty"),
        ({"RINGBACK_GATEWAY_TOKEN_FILE": "absent"}, "cannot be read"),
        ({"RINGBACK_GATEWAY_TOKEN": "x" * 32, "RINGBACK_GATEWAY_TOKEN_FILE": "absent"}, "one of them"),
        ({"RINGBACK_GATEWAY_CERTIFICATE_KEY": "key.pem"}, "RINGBACK_GATEWAY_CERTIFICATE"),
        ({"RINGBACK_GATEWAY_BODY_MAX_BYTES": "1"}, "1000"),
    ],
)
def test_a_gateway_that_may_not_start_says_why(variables: dict[str, str], said: str) -> None:
    done = ringback("gateway", **variables)
    assert done.status == 2
    assert said in done.output


def test_a_spool_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "RINGBACK_GATEWAY_PORT": str(free_port())}
    done = ringback("gateway", RINGBACK_GATEWAY_SPOOL=str(file), **kafka)
    assert done.status == 3
    assert f"cannot use {file}: File exists; RINGBACK_GATEWAY_SPOOL names" in " ".join(done.output.split())
