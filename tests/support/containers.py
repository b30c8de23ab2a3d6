"""The stack on containers: the images and settings of docker-compose.yml, started by testcontainers."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import docker
import yaml
from docker.errors import DockerException
from support.stack import Stack
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy

ASK = "RINGBACK_TEST_CONTAINERS"
ROOT = Path(__file__).parents[2]
USERS = ROOT / "deploy" / "clickhouse" / "users.d" / "bi.xml"
STARTER = "/tmp/start-kafka.sh"
KAFKA_PORT, HTTP_PORT = 9094, 8123


@cache
def compose() -> dict[str, Any]:
    """The parsed docker-compose.yml."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return parsed


@cache
def why_not() -> str:
    """Why tests cannot run on containers here; empty when they can."""
    if os.environ.get(ASK) != "1":
        return f"containers are used when {ASK}=1, as in `make test-containers`"
    try:
        client = docker.from_env(timeout=10)
        client.ping()
        client.close()
    except (DockerException, OSError) as error:
        return f"no Docker engine can be reached: {error}"
    return ""


def kafka_environment() -> dict[str, str]:
    """Settings of the broker as compose has them; where it is found from outside is known after its start."""
    settings = {key: str(value) for key, value in compose()["services"]["kafka"]["environment"].items()}
    settings.pop("KAFKA_ADVERTISED_LISTENERS")
    return settings


@contextmanager
def kafka_container() -> Iterator[str]:
    """A broker; gives its address. testcontainers' own KafkaContainer knows only Confluent's image.

    A client is sent to the advertised address, whose port Docker gives out after the start: so the container
    waits for a script that names it.
    """
    container = (
        DockerContainer(compose()["services"]["kafka"]["image"])
        .with_envs(**kafka_environment())
        .with_exposed_ports(KAFKA_PORT)
        .with_command(["sh", "-c", f"until [ -s {STARTER} ]; do sleep 0.1; done; exec bash {STARTER}"])
    )
    with container:
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(KAFKA_PORT)}"
        listeners = f"PLAINTEXT://localhost:9092,HOST://{address}"
        script = f"export KAFKA_ADVERTISED_LISTENERS={listeners}\nexec /etc/kafka/docker/run\n"
        container.copy_into_container(script.encode(), STARTER, 0o755)
        LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(90).wait_until_ready(container)
        yield address


@contextmanager
def clickhouse_container() -> Iterator[str]:
    """A ClickHouse server with the users of compose; gives its URL."""
    password = secrets.token_hex(16)
    container = (
        DockerContainer(compose()["services"]["clickhouse"]["image"])
        .with_envs(
            CLICKHOUSE_DB="ringback",
            CLICKHOUSE_USER="ringback",
            CLICKHOUSE_PASSWORD=password,
            RINGBACK_BI_PASSWORD=secrets.token_hex(16),
        )
        .with_exposed_ports(HTTP_PORT)
        .with_copy_into_container(USERS.read_bytes(), "/etc/clickhouse-server/users.d/bi.xml", 0o644)
        .waiting_for(HttpWaitStrategy(HTTP_PORT, "/ping").with_startup_timeout(90))
    )
    with container:
        host, port = container.get_container_host_ip(), container.get_exposed_port(HTTP_PORT)
        yield f"http://ringback:{password}@{host}:{port}/ringback"


@contextmanager
def container_stack(data_dir: Path) -> Iterator[Stack]:
    """Kafka and ClickHouse as containers, on ports that Docker picks."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with kafka_container() as kafka, clickhouse_container() as clickhouse:
        yield Stack(kafka, clickhouse, data_dir)
