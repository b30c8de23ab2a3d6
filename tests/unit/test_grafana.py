"""docker-compose.grafana.yml keeps to the rules of docker-compose.yml, and finds what it mounts."""

from typing import Any

import pytest
import yaml
from support import compose_rules
from support.compose_rules import RULES, Compose
from support.containers import ROOT, compose

from docs.build.grafana import DASHBOARDS, SOURCE

NETWORKS = {"dashboards": {"clickhouse", "grafana"}, "grafana-port": {"grafana"}}


def together() -> Compose:
    """Both files as compose joins them."""
    more: Compose = yaml.safe_load((ROOT / "docker-compose.grafana.yml").read_text("utf-8"))
    both = compose()
    services: dict[str, Any] = both["services"] | {"grafana": more["services"]["grafana"]}
    services["clickhouse"] = both["services"]["clickhouse"] | more["services"]["clickhouse"]
    return both | {"services": services} | {part: both[part] | more[part] for part in ("networks", "volumes")}


def test_grafana_keeps_to_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_rules, "NETWORKS", compose_rules.NETWORKS | NETWORKS)
    assert [wrong for rule in RULES for wrong in rule(together())] == []


def test_a_planted_fault_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose_rules, "NETWORKS", compose_rules.NETWORKS | NETWORKS)
    faulty = together()
    faulty["services"]["grafana"]["networks"] = ["store"]
    faulty["services"]["grafana"]["image"] = "grafana/grafana:latest"
    assert len([wrong for rule in RULES for wrong in rule(faulty)]) >= 3


def test_clickhouse_stays_where_it_was() -> None:
    assert {*compose()["services"]["clickhouse"]["networks"]} < {
        *together()["services"]["clickhouse"]["networks"]
    }


def test_what_is_mounted_is_there_and_fits() -> None:
    grafana = together()["services"]["grafana"]
    folder = ROOT / "deploy" / "grafana"
    mounted = {volume.split(":")[0] for volume in grafana["volumes"] if volume.startswith(".")}
    assert mounted == {"./deploy/grafana/provisioning", "./deploy/grafana/dashboards"}
    (source,) = yaml.safe_load((folder / "provisioning/datasources/ringback.yaml").read_text("utf-8"))[
        "datasources"
    ]
    assert (source["uid"], source["type"]) == (SOURCE["uid"], SOURCE["type"])
    assert source["secureJsonData"]["password"].lstrip("$") in grafana["environment"]
    assert source["jsonData"]["username"] == "bi"
    (provider,) = yaml.safe_load((folder / "provisioning/dashboards/ringback.yaml").read_text("utf-8"))[
        "providers"
    ]
    targets = {volume.split(":")[1] for volume in grafana["volumes"]}
    assert provider["options"]["path"] in targets
    assert {path.stem for path in (folder / "dashboards").glob("*.json")} == {*DASHBOARDS}


def test_the_password_is_in_the_example() -> None:
    assert "\nRINGBACK_GRAFANA_PASSWORD=\n" in (ROOT / ".env.example").read_text("utf-8")
