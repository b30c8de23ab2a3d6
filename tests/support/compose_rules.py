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
PINNED = re.compile(r"[\w./-]+:\d+(\.\d+)+[\w.-]*(@sha256:[0-9a-f]{64})?")


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


RULES = (schema, pinned, unprivileged, secret_free, on_loopback, dependable)
