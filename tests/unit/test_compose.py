"""docker-compose.yml, as far as it can be judged without Docker."""

import copy
import os
import re
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from support import compose_rules as rules
from support.compose_rules import Compose
from support.containers import compose

from cli.kafka_settings import KafkaSettings
from cli.settings import Settings
from cli.stream_settings import stream_config
from deploy.local.clickhouse.names import DATABASE
from deploy.local.kafka.broker import new_cluster_id
from deploy.local.kafka.config import FIXED_PROPERTIES, LOG4J2_YAML
from deploy.local.kafka.pins import KAFKA_VERSION
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from streams.kafka.writer import REQUEST_MAX_BYTES

ROOT = Path(__file__).parents[2]
# The local broker has no listener for other containers.
DIFFERENT = {"listener.security.protocol.map"}

OURS = ("worker", "sink")
# Settings that worker and sink get not by compose, each with its reason.
LOCAL = "of the local stack, which compose replaces"
ALERTS = "of the evaluator of alerts, which is another container"
IMPORTS = "of imports, which do not run in a container of ours"
ALIASES = [str(field.validation_alias) for field in KafkaSettings.model_fields.values()]
SECURITY = [name for name in ALIASES if name.startswith("RINGBACK_KAFKA_S")]
NOT_NEEDED = {
    "RINGBACK_DATA_DIR": "the image sets it",
    "RINGBACK_METRICS_HOST": "the image sets it",
    "RINGBACK_METRICS_PORT": "each container has its own address",
    "RINGBACK_KAFKA_PORT": LOCAL,
    **dict.fromkeys(SECURITY, "Kafka is compose's own, in a network that leads nowhere else"),
    "SCHEMA_REGISTRY_CA_FILE": "who mounts such a file sets it there as well",
    "RINGBACK_CLICKHOUSE_PORT": LOCAL,
    "RINGBACK_CLICKHOUSE_HOST": LOCAL,
    "RINGBACK_CLICKHOUSE_ALLOWED_HOSTS": LOCAL,
    "RINGBACK_CACHE_DIR": LOCAL,
    "RINGBACK_MAVEN_REPOSITORY": LOCAL,
    "RINGBACK_CUSTOMER_KEY_SECRET": IMPORTS,
    "RINGBACK_UNKNOWN_CUSTOMERS": IMPORTS,
    "RINGBACK_REPLICATION": "there is one broker",
    "RINGBACK_STATE_STORE": "/data goes with the container and counts as its memory",
    "RINGBACK_ALERT_RULES": ALERTS,
    "RINGBACK_ALERT_RECEIVERS": ALERTS,
    "RINGBACK_ALERT_LEDGER": ALERTS,
    "RINGBACK_EPOCH": "for a worker that counted wrongly: once, by hand (docs/operating/rebuild.md)",
}
NOT_BY_WORKERS = {"CLICKHOUSE_URL"}

Change = Callable[[dict[str, Any]], object]
FAULTS: list[tuple[Callable[[Compose], list[str]], Change]] = [
    (rules.schema, lambda s: s["kafka"].update(prots=[])),
    (rules.schema, lambda s: s["worker"].update(depends_on={"kafka": {"condition": "healthy"}})),
    (rules.pinned, lambda s: s["kafka"].update(image="apache/kafka:latest")),
    (rules.pinned, lambda s: s["clickhouse"].update(image="clickhouse/clickhouse-server")),
    (rules.unprivileged, lambda s: s["clickhouse"].pop("user")),
    (rules.unprivileged, lambda s: s["worker"].update(user="0:0")),
    (rules.unprivileged, lambda s: s["worker"].update(user="root")),
    (rules.unprivileged, lambda s: s["sink"].update(read_only=False)),
    (rules.unprivileged, lambda s: s["sink"].update(cap_add=["SYS_ADMIN"])),
    (rules.unprivileged, lambda s: s["kafka"].pop("security_opt")),
    (rules.unprivileged, lambda s: s["kafka"].update(volumes=["/var/run/docker.sock:/var/run/docker.sock"])),
    (rules.secret_free, lambda s: s["clickhouse"]["environment"].update(CLICKHOUSE_PASSWORD="hunter2")),
    (
        rules.secret_free,
        lambda s: s["clickhouse"]["environment"].update(CLICKHOUSE_PASSWORD="${PW:-hunter2}"),
    ),
    (rules.secret_free, lambda s: s["sink"]["environment"].update(CLICKHOUSE_URL="http://a:b@clickhouse/x")),
    (rules.on_loopback, lambda s: s["kafka"].update(ports=["9092:9094"])),
    (rules.on_loopback, lambda s: s["kafka"].update(ports=["0.0.0.0:9092:9094"])),
    (rules.dependable, lambda s: s["sink"]["depends_on"]["kafka"].update(condition="service_started")),
    (rules.dependable, lambda s: s["kafka"].pop("healthcheck")),
    (rules.dependable, lambda s: s["worker"].pop("restart")),
    (rules.pinned, lambda s: s["clickhouse"].update(image="clickhouse/clickhouse-server:26.9")),
    (rules.limited, lambda s: s["kafka"].pop("mem_limit")),
    (rules.limited, lambda s: s["worker"].update(mem_limit="0")),
    (rules.limited, lambda s: s["sink"].pop("pids_limit")),
    (rules.limited, lambda s: s["clickhouse"].update(pids_limit=-1)),
    (rules.apart, lambda s: s["kafka"].update(networks=["stream", "kafka-port", "bi"])),
    (rules.apart, lambda s: s["clickhouse"].update(networks=["store", "bi", "stream"])),
    (rules.apart, lambda s: s["sink"].pop("networks")),
    (rules.apart, lambda s: s.update(grafana={"image": "grafana:1.2.3", "networks": ["stream"]})),
    (rules.secret_free, lambda s: s["clickhouse"]["environment"].update(RINGBACK_BI_PASSWORD="${PW}")),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_compose_keeps_to_the_rule(rule: Callable[[Compose], list[str]]) -> None:
    assert rule(compose()) == []


@pytest.mark.parametrize(
    ("rule", "change"), FAULTS, ids=[f"{r.__name__}-{n}" for n, (r, _) in enumerate(FAULTS)]
)
def test_the_rule_sees_a_planted_fault(rule: Callable[[Compose], list[str]], change: Change) -> None:
    faulty = copy.deepcopy(compose())
    change(faulty["services"])
    assert rule(faulty) != []


def kafka_settings() -> dict[str, str]:
    return {k: str(v) for k, v in compose()["services"]["kafka"]["environment"].items()}


def differing(settings: dict[str, str]) -> dict[str, str | None]:
    """Settings of the local broker that compose has otherwise or not at all."""
    found = {name: settings.get("KAFKA_" + name.replace(".", "_").upper()) for name in FIXED_PROPERTIES}
    return {k: v for k, v in found.items() if k not in DIFFERENT and v != FIXED_PROPERTIES[k]}


def test_the_broker_is_the_local_one() -> None:
    assert compose()["services"]["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert differing(kafka_settings()) == {}
    assert differing(kafka_settings() | {"KAFKA_AUTO_CREATE_TOPICS_ENABLE": "true"}) == {
        "auto.create.topics.enable": "true"
    }


def takes_ours_and_little_more(settings: dict[str, str]) -> bool:
    """Is a request of ours let in, and do those that wait leave half of the heap?"""
    largest = int(settings.get("KAFKA_SOCKET_REQUEST_MAX_BYTES", 100 * 1024 * 1024))
    together = int(settings.get("KAFKA_QUEUED_MAX_REQUEST_BYTES", -1))
    heap = re.search(r"-Xmx(\d+)m", settings["KAFKA_HEAP_OPTS"])
    assert heap is not None
    half = int(heap[1]) * 1024 * 1024 // 2
    return REQUEST_MAX_BYTES < largest <= 2 * REQUEST_MAX_BYTES < together <= half


def test_kafka_sets_no_memory_aside_for_what_is_only_announced() -> None:
    settings = kafka_settings()
    assert takes_ours_and_little_more(settings)
    for name, fault in (
        ("KAFKA_SOCKET_REQUEST_MAX_BYTES", "104857600"),
        ("KAFKA_SOCKET_REQUEST_MAX_BYTES", str(REQUEST_MAX_BYTES)),
        ("KAFKA_QUEUED_MAX_REQUEST_BYTES", "-1"),
        ("KAFKA_HEAP_OPTS", "-Xmx200m"),
    ):
        assert not takes_ours_and_little_more(settings | {name: fault})


def test_kafka_tells_containers_and_host_each_their_address() -> None:
    settings, service = kafka_settings(), compose()["services"]["kafka"]
    listeners = dict(item.split("://") for item in settings["KAFKA_LISTENERS"].split(","))
    advertised = dict(item.split("://") for item in settings["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert (
        advertised["PLAINTEXT"] == compose()["services"]["worker"]["environment"]["KAFKA_BOOTSTRAP_SERVERS"]
    )
    assert service["ports"] == [f"{advertised['HOST']}:{listeners['HOST'].split(':')[1]}"]
    assert listeners["CONTROLLER"] == settings["KAFKA_CONTROLLER_QUORUM_VOTERS"].removeprefix("1@")
    protocols = settings["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert {item.split(":")[0] for item in protocols} == set(listeners)


def test_clickhouse_is_the_branch_of_the_embedded_engine() -> None:
    service = compose()["services"]["clickhouse"]
    branch = ".".join(version("chdb-core").split(".")[:2])
    assert service["image"].startswith(f"clickhouse/clickhouse-server:{branch}.")
    assert service["environment"]["CLICKHOUSE_DB"] == DATABASE
    url = compose()["services"]["sink"]["environment"]["CLICKHOUSE_URL"]
    assert url.startswith(f"http://{service['environment']['CLICKHOUSE_USER']}:")
    assert url.endswith(f"@clickhouse:8123/{DATABASE}")


def environment(part: str) -> dict[str, str | None]:
    found: dict[str, str | None] = compose()["services"][part]["environment"]
    return found


def not_passed(part: str, passed: dict[str, str | None]) -> set[str]:
    """Settings of docs/reference/settings.md that a part does not get, and of which no reason says why."""
    every = {str(field.validation_alias) for field in Settings.model_fields.values()}
    return every - passed.keys() - NOT_NEEDED.keys() - (NOT_BY_WORKERS if part == "worker" else set())


@pytest.mark.parametrize("part", OURS)
def test_every_setting_is_passed_or_known_not_to_be_needed(part: str) -> None:
    passed = environment(part)
    assert not_passed(part, passed) == set()
    assert not NOT_NEEDED.keys() & passed.keys()
    assert not_passed(part, {k: v for k, v in passed.items() if k != "RINGBACK_RULES"}) == {"RINGBACK_RULES"}


@pytest.mark.parametrize("part", OURS)
def test_a_part_takes_what_compose_gives_it(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the examples' own values; without any it is as if they were not there."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    given = {k: v.strip("'") for k, v in re.findall(r"^#?(\w+)=(.*)$", example, re.MULTILINE)}
    for name, value in environment(part).items():
        filled = re.sub(r"\$\{(\w+):[^}]*\}", lambda found: given[found[1]], str(value))
        monkeypatch.setenv(name, given[name] if value is None else filled)
    settings = Settings()
    assert settings.rules is not None
    assert settings.schema_registry_url == given["SCHEMA_REGISTRY_URL"]
    assert stream_config(settings).rules.short_abandon_ms == 5_000


def test_every_variable_is_in_the_example_and_no_password_is() -> None:
    files = ("docker-compose.yml", "docker-compose.grafana.yml")
    text = "".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^#?(\w+)=(.*)$", example, re.MULTILINE))
    passed = {name for part in OURS for name, value in environment(part).items() if value is None}
    assert set(re.findall(r"\$\{(\w+)", text)) | passed == set(documented)
    assert [name for name, value in documented.items() if rules.SECRET_NAME.search(name) and value] == []


def run_image_setup(settings: dict[str, str], folder: Path) -> dict[str, str]:
    """What the image runs first, kafka.docker.KafkaDockerWrapper, on our settings; it is among our jars."""
    cache_dir = Path(os.environ.get("RINGBACK_CACHE_DIR") or default_cache_dir())
    runtime = ensure_runtime(cache_dir, os.environ.get("RINGBACK_MAVEN_REPOSITORY"), print)
    setup = ["setup"]
    for option, name in (("-D", "default"), ("-M", "mounted"), ("-F", "final")):
        (folder / name).mkdir()
        setup += [option, str(folder / name)]
    for name in ("log4j2.yaml", "tools-log4j2.yaml"):
        (folder / "default" / name).write_text(LOG4J2_YAML, encoding="utf-8")
    java = [str(runtime.java), *runtime.jvm_options, "-cp", runtime.classpath]
    subprocess.run([*java, "kafka.docker.KafkaDockerWrapper", *setup], env=settings, check=True, timeout=60)
    lines = (folder / "final" / "server.properties").read_text(encoding="utf-8").split()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.stack
def test_the_image_turns_our_variables_into_the_properties_of_the_local_broker(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = kafka_settings() | {"KAFKA_LOG_DIRS": str(data)}
    settings["CLUSTER_ID"] = new_cluster_id()  # the image has a default for it
    settings = {k: re.sub(r"\$\{\w+:-(\w+)\}", r"\1", v) for k, v in settings.items()}
    properties = run_image_setup(settings, tmp_path)
    same = FIXED_PROPERTIES.keys() - DIFFERENT
    assert {k: properties.get(k) for k in same} == {k: FIXED_PROPERTIES[k] for k in same}
    extra = {"advertised.listeners", "controller.quorum.voters", "listeners", "log.dirs"}
    limits = {"socket.request.max.bytes", "queued.max.request.bytes"}
    assert properties.keys() - FIXED_PROPERTIES.keys() - limits == extra
    assert {name: properties.get(name) for name in limits} == {
        name: settings["KAFKA_" + name.replace(".", "_").upper()] for name in limits
    }
    assert (data / "meta.properties").exists()  # Kafka took the properties and formatted the folder
