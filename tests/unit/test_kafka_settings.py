"""How Kafka is reached: mistakes are named, passwords are not shown, and no client goes past the settings."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from cli.console import settings
from cli.doctor import settings_rows
from cli.main import app
from cli.settings import Settings
from cli.wallboard_settings import WallboardSettings
from schemas.brokers import Brokers, Security, librdkafka_settings, security_of
from streams.kafka.connecting import aiokafka_settings

ROOT = Path(__file__).parents[2]
OURS = (
    "adapters",
    "alerts",
    "cli",
    "deploy",
    "gateway",
    "maintenance",
    "reports",
    "sinks",
    "streams",
    "wallboard",
)
CLIENTS = {
    "AIOKafkaConsumer",
    "AIOKafkaProducer",
    "AIOKafkaAdminClient",
    "Consumer",
    "Producer",
    "AdminClient",
}
MADE_BY = {"aiokafka_settings", "librdkafka_settings"}
PASSWORD = "not to be seen"
GIVEN = {
    "KAFKA_BOOTSTRAP_SERVERS": "broker.example:9094",
    "RINGBACK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "RINGBACK_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "RINGBACK_KAFKA_SASL_USERNAME": "ringback",
    "RINGBACK_KAFKA_SASL_PASSWORD": PASSWORD,
}


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields.values():
        monkeypatch.delenv(str(name.validation_alias), raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def given(monkeypatch: pytest.MonkeyPatch, **changes: str | None) -> None:
    for name, value in (GIVEN | changes).items():
        if value is not None:
            monkeypatch.setenv(name, value)


def test_settings_reach_both_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch)
    servers = Settings().bootstrap_servers
    assert servers == "broker.example:9094"
    assert security_of(servers) == Security("sasl_ssl", "SCRAM-SHA-512", "ringback", PASSWORD)
    assert librdkafka_settings(servers) == {
        "bootstrap.servers": "broker.example:9094",
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ringback",
        "sasl.password": PASSWORD,
    }
    made = aiokafka_settings(servers)
    assert made.pop("ssl_context").check_hostname
    assert made == {
        "bootstrap_servers": "broker.example:9094",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ringback",
        "sasl_plain_password": PASSWORD,
    }


def test_the_local_kafka_is_reached_in_plain_text() -> None:
    servers = Settings().bootstrap_servers
    assert security_of(servers) == security_of("127.0.0.1:9092") == Security()
    assert aiokafka_settings(servers)["ssl_context"] is None


def test_a_password_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    given(monkeypatch, RINGBACK_KAFKA_SASL_PASSWORD=None, RINGBACK_KAFKA_SASL_PASSWORD_FILE=str(file))
    assert Settings().security.password == PASSWORD


def test_no_password_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, RINGBACK_KAFKA_SSL_KEY_PASSWORD=PASSWORD)
    config = WallboardSettings()
    for shown in (config, config.security, config.bootstrap_servers, settings_rows(config)):
        assert PASSWORD not in f"{shown!r} {shown!s}"
    assert ("RINGBACK_KAFKA_SASL_PASSWORD", "set, not shown", "environment") in settings_rows(config)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": None}, "the local one has neither TLS nor passwords"),
        (
            {"RINGBACK_KAFKA_SASL_PASSWORD": None},
            "set RINGBACK_KAFKA_SASL_USERNAME, and RINGBACK_KAFKA_SASL_PASS",
        ),
        ({"RINGBACK_KAFKA_SASL_PASSWORD_FILE": "x"}, "RINGBACK_KAFKA_SASL_PASSWORD_FILE: set one of them"),
        (
            {"RINGBACK_KAFKA_SASL_PASSWORD": None, "RINGBACK_KAFKA_SASL_PASSWORD_FILE": "none"},
            "RINGBACK_KAFKA_SASL_PASSWORD_FILE: none cannot be read: No such file",
        ),
        (
            {"RINGBACK_KAFKA_SECURITY_PROTOCOL": None},
            "USERNAME is not used with RINGBACK_KAFKA_SECURITY_PROTOCOL=",
        ),
        (
            {"RINGBACK_KAFKA_SECURITY_PROTOCOL": "sasl_plaintext", "RINGBACK_KAFKA_SSL_CA_FILE": "x"},
            "RINGBACK_KAFKA_SSL_CA_FILE is not used",
        ),
        (
            {"RINGBACK_KAFKA_SSL_CA_FILE": "none"},
            "RINGBACK_KAFKA_SSL_CA_FILE: none cannot be read: No such file",
        ),
        ({"RINGBACK_KAFKA_SSL_CA_FILE": __file__}, "holds no certificates in PEM"),
        ({"RINGBACK_KAFKA_SSL_CERT_FILE": __file__}, "and the key do not fit together"),
        ({"RINGBACK_KAFKA_SSL_KEY_FILE": __file__}, "needs RINGBACK_KAFKA_SSL_CERT_FILE"),
        (
            {"RINGBACK_KAFKA_SECURITY_PROTOCOL": "tls"},
            "kafka_security_protocol|RINGBACK_KAFKA_SECURITY_PROTOCOL",
        ),
        ({"SCHEMA_REGISTRY_CA_FILE": __file__}, "holds no certificates in PEM"),
    ],
)
def test_a_mistake_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str | None], said: str
) -> None:
    given(monkeypatch, **changes)
    with pytest.raises(ValidationError, match=said) as caught:
        Settings()
    assert PASSWORD not in str(caught.value)
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 2
    assert "error: settings: " in done.output
    assert PASSWORD not in done.output


def clients_made_otherwise(text: str) -> list[str]:
    """Clients of Kafka whose arguments do not come from the one place that knows how to connect."""
    return [
        f"{node.lineno}: {name}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and (name := getattr(node.func, "id", "")) in CLIENTS
        if not MADE_BY & {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    ]


def test_every_client_is_made_from_the_settings() -> None:
    """But for two producers, whose arguments are put together in the lines above."""
    found = {
        f"{path.relative_to(ROOT)}:{client.partition(' ')[2]}"
        for package in OURS
        for path in (ROOT / package).rglob("*.py")
        for client in clients_made_otherwise(path.read_text(encoding="utf-8"))
    }
    assert found == {"adapters/sending/producer.py:Producer", "gateway/kafka.py:Producer"}
    for name in ("adapters/sending/producer.py", "gateway/kafka.py"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "librdkafka_settings(" in text
        assert "bootstrap.servers" not in text
    assert clients_made_otherwise("AIOKafkaConsumer(bootstrap_servers=servers)") == ["1: AIOKafkaConsumer"]


def test_addresses_keep_how_they_are_reached() -> None:
    servers = Settings(kafka_bootstrap_servers="a:1").brokers_at("b:2")
    assert isinstance(servers, Brokers)
    assert f"{servers}" == "b:2"
