"""A Kafka that wants TLS, a password and rights: all parts on it once, and what is said where it refuses."""

import asyncio
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AclOperation, ResourceType
from pydantic import SecretStr
from support.gateway import BEARER, client_of, config_of
from support.secure_kafka import PASSWORD, PLAIN_PASSWORD, USER, Right, SecureKafka
from support.stack import Stack, background, local_stack, run_ringback, wait_until

from alerts.ledger import Ledger
from alerts.voice import Voice
from cli.doctor import kafka_findings
from cli.settings import Settings
from schemas.brokers import Brokers, Security, librdkafka_settings
from schemas.topics import CHANGELOGS
from streams.kafka.connecting import KafkaRefuses, refusal
from streams.kafka.forgotten import stored_ledger
from streams.kafka.topics import ensure_topics, topic_specs, wait_for_topics

pytestmark = pytest.mark.stack
PAGE = Path(__file__).parents[2] / "docs" / "operating" / "kafka.md"
CALLS = Path(__file__).parents[2] / "docs" / "examples" / "calls.jsonl"
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional id": ResourceType.TRANSACTIONAL_ID,
}
LIMIT_S = 60  # a wait that does not end is what is tested against
PARTS = ("worker", "sink", "gateway", "alerts", "operator")
EVENT = {
    "type": "contact_started", "event_id": "g1", "contact_id": "by-gateway", "occurred_at": 1_767_600_000_000,
    "source": "test", "channel": "voice",
}  # fmt: skip


def documented() -> dict[str, list[Right]]:
    """The rights of each part, by the table of the page."""
    found: dict[str, list[Right]] = defaultdict(list)
    rows = re.findall(r"^\| ([\w ]+) \| ([\w ]+) \| (.+) \| ([\w, ]+) \|$", PAGE.read_text("utf-8"), re.M)
    for part, resource, names, operations in rows:
        if resource not in RESOURCES:
            continue
        spelt = [re.sub("(?<=[a-z])(?=[A-Z])", "_", one).upper() for one in operations.split(", ")]
        wanted = [
            Right(RESOURCES[resource], *name, AclOperation[one]) for name in names_in(names) for one in spelt
        ]
        for owner in PARTS if part == "all" else (part,):
            found[owner] += wanted
    return found


def names_in(cell: str) -> list[tuple[str, bool]]:
    """Names in a cell, and whether each is a prefix."""
    if cell == "all topics":
        return [(spec.name, False) for spec in topic_specs(1)]
    found = [(name, bool(star)) for name, star in re.findall(r"`([\w-]+)`(\*?)", cell)]
    return found + [(name, False) for name in CHANGELOGS if "changelogs" in cell]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with local_stack(tmp_path_factory.mktemp("secure"), SecureKafka) as running:
        kafka = cast(SecureKafka, running.kafka)
        kafka.add_users(USER, *PARTS)
        rights = documented()
        assert rights.keys() == set(PARTS)
        for part in PARTS:
            kafka.allow(part, rights[part])
        yield running


@pytest.fixture
def kafka(stack: Stack) -> SecureKafka:
    return cast(SecureKafka, stack.kafka)


def security(kafka: SecureKafka, user: str = USER) -> Security:
    """How one gets in."""
    authority = kafka.certificates.authority
    return Security("sasl_ssl", "SCRAM-SHA-512", user, PASSWORD, ca_file=authority)


def env(stack: Stack, user: str, password: str = PASSWORD) -> dict[str, str]:
    """Settings of a process that comes as a user."""
    kafka = cast(SecureKafka, stack.kafka)
    return stack.env(
        KAFKA_BOOTSTRAP_SERVERS=kafka.address("sasl_ssl"),
        RINGBACK_KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        RINGBACK_KAFKA_SASL_MECHANISM="SCRAM-SHA-512",
        RINGBACK_KAFKA_SASL_USERNAME=user,
        RINGBACK_KAFKA_SASL_PASSWORD=password,
        RINGBACK_KAFKA_SSL_CA_FILE=str(kafka.certificates.authority),
    )


async def test_every_part_with_its_rights_alone(stack: Stack, kafka: SecureKafka) -> None:
    """From file and gateway through worker and sink to a verification without a difference."""
    sent = run_ringback(env(stack, "operator"), "import", "events", str(CALLS), "--no-wait")
    assert sent.returncode == 0, sent.stderr
    gateway = Brokers(kafka.address("sasl_ssl"), security(kafka, "gateway"))
    assert await ensure_topics(gateway, 4, 1)
    assert not await stored_ledger(gateway)
    async with client_of(config_of(gateway)) as (_, session):
        answer = await session.post("/v1/events", json=EVENT, headers=BEARER)
        assert answer.status == 202, await answer.text()
    with background(env(stack, "worker"), "worker") as worker, background(env(stack, "sink"), "sink") as sink:
        verified = run_ringback(env(stack, "operator"), "verify")
        seen = run_ringback(env(stack, "operator"), "doctor")
        said = [worker.log(), sink.log(), *(done.stdout + done.stderr for done in (sent, verified, seen))]
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert seen.returncode == 0, seen.stdout
    assert stack.value("SELECT count() FROM events FINAL WHERE contact_id = 'by-gateway'") == 1
    assert not any(PASSWORD in text or "Traceback" in text or "AUTHORIZATION" in text for text in said), said


def test_evaluators_of_alerts_meet_there(kafka: SecureKafka, tmp_path: Path) -> None:
    ledger, leave = Ledger(tmp_path / "copied.sqlite", threads=True), threading.Event()
    voice = Voice(Brokers(kafka.address("sasl_ssl"), security(kafka, "alerts")), ledger)
    keeper = threading.Thread(target=voice.keep, args=(leave,), daemon=True)
    keeper.start()
    try:
        wait_until(voice.ours, "it is nobody's turn")
        assert voice.told()
    finally:
        leave.set()
        keeper.join()
        ledger.close()


@pytest.mark.parametrize(
    ("door", "change", "said"),
    [
        ("sasl_ssl", {"password": "another"}, r"refuses the user ringback by SCRAM-SHA-512: .*SASL_PASSWORD"),
        ("sasl_ssl", {"username": "nobody"}, r"refuses the user nobody by SCRAM-SHA-512"),
        ("sasl_ssl", {"mechanism": "PLAIN"}, r"refuses the user ringback by PLAIN: .*SASL_MECHANISM"),
        (
            "sasl_ssl",
            {"ca_file": None},
            r"not believed .*trusted: the authorities of the system.*SSL_CA_FILE",
        ),
        ("sasl_ssl", {"protocol": "ssl"}, r"wants a user and a password.*_SECURITY_PROTOCOL=sasl_ssl"),
        ("sasl_ssl", {"protocol": "sasl_plaintext"}, r"speaks TLS at this port: .*=sasl_ssl"),
        ("sasl_ssl", {"protocol": "plaintext"}, r"speaks TLS at this port: .*=sasl_ssl"),
        ("ssl", {"protocol": "ssl"}, r"hangs up on us, who have no certificate: .*SSL_CERT_FILE"),
        ("ssl", {"protocol": "plaintext"}, r"speaks TLS at this port"),
        ("sasl_plaintext", {}, r"does not speak TLS at this port"),
        ("sasl_plaintext", {"protocol": "plaintext"}, r"wants a user and a password: .*=sasl_plaintext"),
        ("plaintext", {}, r"does not speak TLS at this port"),
        (
            "plaintext",
            {"protocol": "sasl_plaintext"},
            r"wants no user and password at this port: .*=plaintext",
        ),
    ],
)
async def test_what_is_wrong_is_said(
    kafka: SecureKafka, door: str, change: dict[str, object], said: str
) -> None:
    servers = kafka.bootstrap_servers if door == "plaintext" else kafka.address(door)
    wrong = replace(security(kafka), **change)  # type: ignore[arg-type]
    with pytest.raises(KafkaRefuses, match=said) as caught:
        await asyncio.wait_for(wait_for_topics(Brokers(servers, wrong), 4, 1), LIMIT_S)
    assert str(caught.value).startswith(f"Kafka at {servers} ")
    assert PASSWORD not in repr((caught.value, wrong))


@pytest.mark.parametrize(
    ("door", "change"),
    [
        ("sasl_ssl", {"mechanism": "SCRAM-SHA-256"}),
        ("sasl_ssl", {"mechanism": "PLAIN", "password": PLAIN_PASSWORD}),
        ("sasl_plaintext", {"protocol": "sasl_plaintext"}),
        ("ssl", {"protocol": "ssl", "certificate_file": "client", "key_file": "client_key"}),
    ],
)
def test_every_way_in(kafka: SecureKafka, door: str, change: dict[str, str]) -> None:
    """By both libraries: neither is refused."""
    made = {k: getattr(kafka.certificates, v) if k.endswith("_file") else v for k, v in change.items()}
    servers = Brokers(kafka.address(door), replace(security(kafka), **made))  # type: ignore[arg-type]
    assert asyncio.run(refusal(servers)) is None
    assert Producer(librdkafka_settings(servers)).list_topics(timeout=30).brokers


async def test_a_name_that_is_not_in_the_certificate(kafka: SecureKafka) -> None:
    elsewhere = Brokers(kafka.address("sasl_ssl").replace("127.0.0.1", "localhost"), security(kafka))
    assert "Hostname mismatch" in str(await refusal(elsewhere))


async def test_a_user_without_rights_is_told_which(kafka: SecureKafka) -> None:
    servers = Brokers(kafka.address("sasl_ssl"), security(kafka))
    with pytest.raises(KafkaRefuses, match=r"does not allow it to ringback: .*topic .* is to be made"):
        await asyncio.wait_for(wait_for_topics(servers, 4, 1), LIMIT_S)


def test_a_command_ends_and_says_why(stack: Stack) -> None:
    """Nothing waits for a password to become right."""
    done = run_ringback(env(stack, "operator", "never shown"), "import", "events", str(CALLS))
    assert done.returncode == 2, done.stderr
    assert "refuses the user operator by SCRAM-SHA-512" in done.stderr
    assert "never shown" not in done.stdout + done.stderr


async def test_the_doctor_says_why(kafka: SecureKafka) -> None:
    config = Settings(
        kafka_bootstrap_servers=kafka.address("sasl_ssl"),
        kafka_security_protocol="sasl_ssl",
        kafka_sasl_username="operator",
        kafka_sasl_password=SecretStr(PASSWORD),
    )
    (finding,) = await kafka_findings(config)
    assert finding.unreachable
    assert "has a certificate that is not believed" in finding.seen
