"""The Helm chart says what docker-compose.yml says; what it renders is judged where there is a `helm`."""

import os
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.containers import compose

from cli.port_offsets import (
    ALERTS_PORT_OFFSET,
    GATEWAY_PORT_OFFSET,
    SINK_PORT_OFFSET,
    VERIFY_PORT_OFFSET,
    WALLBOARD_PORT_OFFSET,
)
from cli.settings import Settings

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "ringback"
SETTINGS = ROOT / "docs" / "reference" / "settings.md"
OFFSETS = {
    "worker": 0,
    "sink": SINK_PORT_OFFSET,
    "gateway": GATEWAY_PORT_OFFSET,
    "verify": VERIFY_PORT_OFFSET,
    "wallboard": WALLBOARD_PORT_OFFSET,
    "alerts": ALERTS_PORT_OFFSET,
}
HELM = shutil.which(os.environ.get("RINGBACK_HELM", "helm"))
GIVEN = ("--set", "kafka.bootstrapServers=kafka:9092")
needs_helm = pytest.mark.skipif(
    HELM is None, reason="no helm here: go install helm.sh/helm/v3/cmd/helm@v3.19.2"
)
Document = dict[str, Any]


def read(name: str) -> Document:
    parsed: Document = yaml.safe_load((CHART / name).read_text("utf-8"))
    return parsed


def rendered(*arguments: str) -> list[Document]:
    """What Kubernetes would be given. Raises CalledProcessError with helm's words."""
    command = [str(HELM), "template", "rb", str(CHART), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def pods(documents: list[Document]) -> dict[str, Document]:
    """Pods by part."""
    made = [document for document in documents if document["kind"] in ("Deployment", "StatefulSet")]
    return {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"]["template"]["spec"]
        for one in made
    }


def test_the_chart_is_of_this_version() -> None:
    chart = read("Chart.yaml")
    assert chart["version"] == chart["appVersion"] == version("ringback")


def test_parts_are_those_of_compose() -> None:
    """The same commands and ports; what has no place of its own for data there has none here."""
    services, parts = compose()["services"], read("values.yaml")["parts"]
    assert set(parts) == set(services) - {"kafka", "clickhouse"} == set(OFFSETS)
    for name, part in parts.items():
        assert part["args"] == services[name]["command"], name
        assert part["metricsPort"] == Settings().metrics_port + OFFSETS[name], name
        published = [port.split(":")[-1] for port in services[name].get("ports", [])]
        assert published == ([str(part["port"])] if "port" in part else []), name
        needs_clickhouse = "CLICKHOUSE_URL" in services[name]["environment"]
        assert ("clickhouse" in part["secrets"]) == needs_clickhouse, name


def test_every_setting_is_one() -> None:
    """By the generated table of all settings."""
    known = set(re.findall(r"^\| `(\w+)` \|", SETTINGS.read_text("utf-8"), re.MULTILINE))
    values = read("values.yaml")
    given = [
        *values["settings"],
        *(name for part in values["parts"].values() for name in part.get("env", ())),
    ]
    assert set(given) - known == set()


@needs_helm
def test_pods_are_hardened() -> None:
    found = pods(rendered(*GIVEN))
    assert set(found) == set(OFFSETS)
    for name, pod in found.items():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["enableServiceLinks"] is False, name
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"], (
            name
        )
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted - volumes == ({"data"} if name == "gateway" else set()), name


@needs_helm
def test_a_part_is_given_the_secrets_it_needs_alone() -> None:
    refs = {
        name: [one["secretRef"]["name"] for one in pod["containers"][0]["envFrom"] if "secretRef" in one]
        for name, pod in pods(rendered(*GIVEN)).items()
    }
    assert refs["worker"] == []
    assert refs["gateway"] == ["ringback-gateway"]
    assert refs["alerts"] == refs["verify"] == ["ringback-clickhouse"]


@needs_helm
def test_how_kafka_is_reached_comes_from_secrets() -> None:
    """Every part has all settings, so every part has the password and the files that belong to them."""
    given = ("--set", "secrets.kafka=kafka-user", "--set", "kafka.tlsSecret=kafka-ca")
    for name, pod in pods(rendered(*GIVEN, *given)).items():
        (container,) = pod["containers"]
        assert {"secretRef": {"name": "kafka-user"}} in container["envFrom"], name
        (volume,) = [each for each in pod["volumes"] if each["name"] == "kafka-tls"]
        assert volume["secret"] == {"secretName": "kafka-ca"}, name
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounted["kafka-tls"] == "/etc/ringback-kafka", name


@needs_helm
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name your Kafka"),
        ((*GIVEN, "--set", "parts.worker.replicas=5"), "above RINGBACK_PARTITIONS (4)"),
        ((*GIVEN, "--set", "parts.worker.replica=5"), "replica"),
        ((*GIVEN, "--set", "settings.RINGBACK_PARTITIONS=8"), "string"),
    ],
)
def test_a_mistake_is_named(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        rendered(*arguments)
    assert said in caught.value.stderr


@needs_helm
def test_a_part_can_be_left_out_and_files_are_mounted() -> None:
    documents = rendered(
        *GIVEN, "--set", "parts.gateway.replicas=0", "--set-string", "files.rules\\.yaml=version: 1"
    )
    assert "gateway" not in pods(documents)
    (files,) = [one for one in documents if one["metadata"]["name"] == "rb-files"]
    assert files["data"] == {"rules.yaml": "version: 1"}
