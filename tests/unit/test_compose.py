"""docker-compose.yml, the image and the ClickHouse users, as far as they can be judged without Docker."""

import copy
import json
import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from support import compose_rules as rules
from support.compose_rules import Compose
from support.containers import USERS, compose

from cli.endpoint import SINK_PORT_OFFSET
from cli.settings import Settings
from deploy.local.clickhouse.names import DATABASE
from deploy.local.kafka.broker import new_cluster_id
from deploy.local.kafka.config import FIXED_PROPERTIES, LOG4J2_YAML
from deploy.local.kafka.pins import KAFKA_VERSION
from deploy.local.kafka.runtime import default_cache_dir, ensure_runtime
from streams.health.ready_file import VARIABLE

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
# The local broker has no listener for other containers.
DIFFERENT = {"listener.security.protocol.map"}

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
    assert service["image"] == f"clickhouse/clickhouse-server:{branch}"
    assert service["environment"]["CLICKHOUSE_DB"] == DATABASE
    url = compose()["services"]["sink"]["environment"]["CLICKHOUSE_URL"]
    assert url.startswith(f"http://{service['environment']['CLICKHOUSE_USER']}:")
    assert url.endswith(f"@clickhouse:8123/{DATABASE}")


def test_every_variable_is_in_the_example_and_no_password_is() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^#?(\w+)=(.*)$", example, re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)", text)) == set(documented)
    assert [name for name, value in documented.items() if rules.SECRET_NAME.search(name) and value] == []


def test_the_image_runs_as_the_user_that_compose_names() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert all(rules.PINNED.fullmatch(stage.split()[0]) for stage in stages)
    users = re.findall(r"^USER (\S+)$", stages[-1], re.MULTILINE)
    assert users == ["10001:10001"]
    for name in ("worker", "sink"):
        assert compose()["services"][name]["user"] == users[-1]
    assert "--require-hashes" in DOCKERFILE


def python_versions(dockerfile: str) -> set[str]:
    return set(re.findall(r"^FROM python:(\d+\.\d+)[-. ]", dockerfile, re.MULTILINE))


def test_the_image_has_the_python_of_the_lock() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    locked = re.findall(r"--python-version (\S+)", makefile)
    assert python_versions(DOCKERFILE) == set(locked)
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    assert python_versions("FROM python:3.12-slim AS a\nFROM python:3.11-slim") == {"3.11", "3.12"}


def test_the_image_is_healthy_when_the_process_says_it_is_ready() -> None:
    ready = re.search(rf"{VARIABLE}=(\S+)", DOCKERFILE)
    probe = re.search(r"^HEALTHCHECK .*\\\n\s*CMD (.+)$", DOCKERFILE, re.MULTILINE)
    assert ready is not None
    assert probe is not None
    assert json.loads(probe[1]) == ["test", "-f", ready[1]]
    # Gone with the container: a file of the run before would call the next one healthy.
    assert any(mount.startswith(f"{Path(ready[1]).parent}:") for mount in compose()["x-ringback"]["tmpfs"])


def test_the_image_shows_its_metrics_to_its_network_and_compose_to_nobody_else() -> None:
    port = Settings.model_fields["metrics_port"].default
    assert "RINGBACK_METRICS_HOST=0.0.0.0" in DOCKERFILE
    assert f"EXPOSE {port} {port + SINK_PORT_OFFSET}" in DOCKERFILE
    assert not any("ports" in compose()["services"][name] for name in ("worker", "sink"))


def test_the_build_gets_every_package_and_nothing_unasked() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.rstrip("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    let_in = {line.removeprefix("!") for line in patterns if line.startswith("!")}
    assert let_in == packages | {
        "pyproject.toml",
        "requirements.run.lock",
        "requirements.build.lock",
        "README.md",
    }


def test_the_bi_user_reads_within_limits() -> None:
    tree = ET.parse(USERS)  # noqa: S314 - our own file
    texts = {
        name: tree.findtext(f"profiles/bi/{name}")
        for name in (
            "readonly",
            "max_execution_time",
            "max_memory_usage",
            "max_result_rows",
            "max_rows_to_read",
        )
    }
    assert texts.pop("readonly") == "1"
    assert all(int(text or 0) > 0 for text in texts.values())
    limit = tree.find("profiles/bi/constraints/max_execution_time")
    assert limit is not None
    assert limit.find("changeable_in_readonly") is not None
    assert (limit.findtext("min"), limit.findtext("max")) == ("1", "120")
    assert tree.findtext("users/bi/profile") == "bi"
    assert [query.text for query in tree.findall("users/bi/grants/query")] == [
        f"GRANT SELECT ON {DATABASE}.*"
    ]
    password = tree.find("users/bi/password")
    assert password is not None
    assert password.attrib == {"from_env": "RINGBACK_BI_PASSWORD"}
    assert not password.text


ASK_ENGINE = """
import sys
from chdb.state.sqlitelike import Connection
handle = Connection(f"{sys.argv[1]}/data?config-file={sys.argv[1]}/config.xml")
for sql in ("SHOW CREATE SETTINGS PROFILE bi", "SHOW GRANTS FOR bi"):
    print(handle.query(sql, "TSVRaw").bytes().decode().strip())
"""
SERVER_USERS = """<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default>
<password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
<access_management>1</access_management></default></users></clickhouse>"""


@pytest.mark.stack
def test_clickhouse_itself_understands_the_bi_user(tmp_path: Path) -> None:
    (tmp_path / "users.d").mkdir()
    # The embedded engine has this word, but not the server setting (on by default) that allows it.
    users = USERS.read_text(encoding="utf-8").replace("<changeable_in_readonly/>", "")
    (tmp_path / "users.d" / "bi.xml").write_text(users, encoding="utf-8")
    (tmp_path / "users.xml").write_text(SERVER_USERS, encoding="utf-8")
    (tmp_path / "config.xml").write_text(
        f"<clickhouse><users_config>{tmp_path}/users.xml</users_config></clickhouse>", encoding="utf-8"
    )
    answer = subprocess.run(  # of its own: the engine opens once in a process
        [sys.executable, "-c", ASK_ENGINE, str(tmp_path)],
        env=os.environ | {"RINGBACK_BI_PASSWORD": "x"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    profile, *grants = answer.stdout.splitlines()
    assert "readonly = 1, max_execution_time = 30. MIN 1. MAX 120.," in profile
    assert grants == [f"GRANT SELECT ON {DATABASE}.* TO bi"]


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
    assert properties.keys() - FIXED_PROPERTIES.keys() == extra
    assert (data / "meta.properties").exists()  # Kafka took the properties and formatted the folder
