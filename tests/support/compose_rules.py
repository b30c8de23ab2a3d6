"""What docker-compose.yml must keep to: each rule takes the parsed file and returns what is wrong with it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema.validators import validator_for

Compose = dict[str, Any]
SCHEMA = Path(__file__).with_name("compose-spec.json")
# Services that may run as root, each with its reason. None needs to.
ROOT_ALLOWED: dict[str, str] = {}
# Services that write beside their programs, each with its reason.
WRITABLE_ALLOWED = {
    "kafka": "the image writes its configuration and logs below /etc/kafka and /opt/kafka",
    "clickhouse": "the entrypoint writes the user into /etc/clickhouse-server/users.d",
}
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY$")
REQUIRED = re.compile(r"\$\{\w+:\?[^}]*\}")
# Down to the patch: a branch such as 26.9 is another image next month.
PINNED = re.compile(r"[\w./-]+:\d+(\.\d+){2,}[\w.-]*(@sha256:[0-9a-f]{64})?")
MEMORY = re.compile(r"(?:\$\{\w+:-)?(\d+)([mg])\}?")
# Who is in which network; a service beside them, such as a BI tool, joins one of them.
NETWORKS = {
    "stream": {"kafka", "worker", "sink", "verify", "gateway"},
    "store": {"clickhouse", "sink", "verify", "wallboard", "alerts"},
    "metrics": {"worker", "sink", "verify", "wallboard", "gateway", "alerts"},
    "bi": {"clickhouse"},
    "kafka-port": {"kafka"},
    "wallboard-port": {"wallboard"},
    "gateway-port": {"gateway"},
    "receivers": {"alerts"},
}

# Networks that lead out though no port is published.
TELLING = {"receivers": "alerts are told to services outside"}


def settings_of(compose: Compose) -> Iterator[tuple[str, str, str]]:
    """(service, variable, value) of every environment entry."""
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            yield name, variable, str(value)


def schema(compose: Compose) -> list[str]:
    """The compose specification's own JSON schema."""
    spec = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = validator_for(spec)
    validator.check_schema(spec)
    return [f"{error.json_path}: {error.message}" for error in validator(spec).iter_errors(compose)]


def pinned(compose: Compose) -> list[str]:
    """Images are named with a version: a stack of tomorrow is the stack of today."""
    images = {name: service.get("image", "") for name, service in compose["services"].items()}
    return [
        f"{name}: {image!r} is not pinned" for name, image in images.items() if not PINNED.fullmatch(image)
    ]


def unprivileged(compose: Compose) -> list[str]:
    """Nobody is root, keeps a capability or gains one."""
    wrong = []
    for name, service in compose["services"].items():
        if re.fullmatch(r"[1-9]\d*:[1-9]\d*", service.get("user", "")) is None and name not in ROOT_ALLOWED:
            wrong.append(f"{name}: runs as {service.get('user')!r}")
        if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
            wrong.append(f"{name}: keeps capabilities")
        if "no-new-privileges:true" not in service.get("security_opt", []):
            wrong.append(f"{name}: may gain privileges")
        if not service.get("read_only") and name not in WRITABLE_ALLOWED:
            wrong.append(f"{name}: may change its own programs")
        if service.get("network_mode") == "host" or any("docker.sock" in str(v) for v in volumes_of(service)):
            wrong.append(f"{name}: reaches out of its container")
    return wrong


def volumes_of(service: Compose) -> list[Any]:
    """Volumes of a service."""
    found: list[Any] = service.get("volumes", [])
    return found


def secret_free(compose: Compose) -> list[str]:
    """Passwords come from the environment and have no default."""
    wrong = []
    for name, variable, value in settings_of(compose):
        if SECRET_NAME.search(variable) and not REQUIRED.fullmatch(value):
            wrong.append(f"{name}: {variable} is not a required variable")
        for password in re.findall(r"://[^/:@]*:(.*)@", value):
            if not REQUIRED.fullmatch(password):
                wrong.append(f"{name}: {variable} has a password in it")
    return wrong


def on_loopback(compose: Compose) -> list[str]:
    """Ports are open to this machine only: neither Kafka nor ClickHouse is encrypted here."""
    return [
        f"{name}: port {port} is open to the network"
        for name, service in compose["services"].items()
        for port in service.get("ports", [])
        if not (isinstance(port, str) and port.startswith("127.0.0.1:"))
    ]


def dependable(compose: Compose) -> list[str]:
    """Services restart, tell how they are, and start when what they need is healthy."""
    wrong = []
    for name, service in compose["services"].items():
        if service.get("restart") != "unless-stopped":
            wrong.append(f"{name}: is not restarted")
        if "build" not in service and "test" not in service.get("healthcheck", {}):
            wrong.append(f"{name}: has no health check")  # ours has one in its image
        for needed, how in service.get("depends_on", {}).items():
            if how.get("condition") != "service_healthy":
                wrong.append(f"{name}: does not wait for {needed}")
    return wrong


def memory_bytes(service: Compose) -> int:
    """The memory limit of a service, as it is unless .env says otherwise; 0 if it has none."""
    match = MEMORY.fullmatch(str(service.get("mem_limit", "")))
    return int(match[1]) * 1024 ** {"m": 2, "g": 3}[match[2]] if match else 0


def limited(compose: Compose) -> list[str]:
    """No service can take all memory or all processes of the machine."""
    wrong = []
    for name, service in compose["services"].items():
        if not memory_bytes(service):
            wrong.append(f"{name}: has no memory limit")
        pids = service.get("pids_limit", 0)
        if not (isinstance(pids, int) and pids > 0):
            wrong.append(f"{name}: has no limit of processes")
    return wrong


def apart(compose: Compose) -> list[str]:
    """Each service is in the networks it needs; only those with a port, or that tell others, lead out."""
    members: dict[str, set[str]] = {name: set() for name in compose.get("networks", {})}
    for name, service in compose["services"].items():
        for network in service.get("networks", ["default"]):
            members.setdefault(network, set()).add(name)
    wrong = [
        f"{network}: has {sorted(members.get(network, ()))}, not {sorted(NETWORKS.get(network, ()))}"
        for network in sorted(members.keys() | NETWORKS.keys())
        if members.get(network) != NETWORKS.get(network)
    ]
    for network, names in members.items():
        publishes = any("ports" in compose["services"][name] for name in names)
        # Who publishes or tells others has a network of its own for it, in which nobody else of ours is.
        leads_out = (publishes or network in TELLING) and len(names) == 1
        internal = (compose.get("networks", {}).get(network) or {}).get("internal", False)
        if internal == leads_out:
            wrong.append(f"{network}: must {'' if leads_out else 'not '}lead out")
    return wrong


RULES = (schema, pinned, unprivileged, secret_free, on_loopback, dependable, limited, apart)
