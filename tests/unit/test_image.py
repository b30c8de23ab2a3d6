"""The image and the locks it is made from, as far as they can be judged without Docker."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support import compose_rules as rules
from support.containers import compose

from cli.port_offsets import SINK_PORT_OFFSET
from cli.settings import Settings
from streams.health.ready_file import VARIABLE

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def project() -> dict[str, Any]:
    """pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return found


def text_of(lock: str) -> str:
    """A lock of ours."""
    return (ROOT / lock).read_text(encoding="utf-8")


def locked(lock: str) -> set[tuple[str, str, frozenset[str]]]:
    """Name, version and hashes of every package of a lock."""
    starts = [*REQUIREMENT.finditer(lock)]
    ends = [match.start() for match in starts[1:]] + [len(lock)]
    return {
        (match[1], match[2], frozenset(re.findall(r"sha256:[0-9a-f]{64}", lock[match.end() : end])))
        for match, end in zip(starts, ends, strict=True)
    }


def names(requirements: list[str]) -> set[str]:
    """Names of requirements as pyproject.toml has them."""
    return {re.split(r"[<>=!~;\[ ]", item)[0].lower() for item in requirements}


def wrong_packages(run: str) -> list[str]:
    """What the image would run beyond its dependencies, or otherwise than the tests do."""
    whole, found = locked(text_of("requirements.lock")), locked(run)
    wrong = [f"{name} {version} is not that of the tests" for name, version, _ in found - whole]
    wrong += [f"{name} has no hash" for name, _, hashes in found if not hashes]
    extras = project()["project"]["optional-dependencies"]
    wanted = names(project()["project"]["dependencies"] + extras["disk"])
    have = {name for name, _, _ in found}
    # What tests and linters bring along, too: a package of one of them may not come in by another name.
    tools = names(extras["dev"]) - wanted | {"pip", "wheel", "coverage", "docker", "pluggy", "iniconfig"}
    wrong += [f"{name} is for development" for name in have & tools]
    return wrong + [f"{name} is missing" for name in wanted - have]


def test_the_image_runs_what_the_tests_run_and_no_more() -> None:
    assert wrong_packages(text_of("requirements.run.lock")) == []
    built = locked(text_of("requirements.build.lock"))
    assert built <= locked(text_of("requirements.lock"))
    assert {name for name, _, _ in built} == names(project()["build-system"]["requires"])


@pytest.mark.parametrize(
    ("was", "fault"),
    [
        ("rich==", "rich==1"),
        ("sha256:065665c041c42a5938ed220bdcd7230f22527fbec085e1853d2402c8a3615d9d", "sha256:" + "0" * 64),
        ("rocksdict==", "other=="),
        ("aiohttp==", "pytest==9.0\naiohttp=="),
        ("aiohttp==", "setuptools==84.2.1\naiohttp=="),
    ],
)  # fmt: skip
def test_a_planted_package_is_seen(was: str, fault: str) -> None:
    text = text_of("requirements.run.lock")
    assert was in text
    assert wrong_packages(text.replace(was, fault)) != []


def unchecked_installs(dockerfile: str) -> list[str]:
    """Commands of pip that take what they find, and stages of what runs that have pip or build tools."""
    joined = dockerfile.replace("\\\n", " ")
    installs = re.findall(r"pip(?: --python \S+)? (?:install|wheel) [^&\n]*", joined)
    wrong = [line for line in installs if "--require-hashes" not in line and "--no-deps" not in line]
    if "--without-pip /opt/ringback" not in joined:
        wrong.append("what runs has pip")
    if "requirements.lock" in joined:
        wrong.append("what runs has development packages")
    return wrong if len(installs) == 4 else [*wrong, f"{len(installs)} installs"]


def test_every_package_of_the_image_is_checked_by_its_hash() -> None:
    assert unchecked_installs(DOCKERFILE) == []
    for was, fault in (
        ("--require-hashes ", ""),
        ("--no-deps --no-index", ""),
        ("--without-pip ", ""),
        ("requirements.run.lock\nRUN /opt", "requirements.lock\nRUN /opt"),
    ):
        assert was in DOCKERFILE
        assert unchecked_installs(DOCKERFILE.replace(was, fault)) != []


def test_the_image_runs_as_the_user_that_compose_names() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert all(rules.PINNED.fullmatch(stage.split()[0]) for stage in stages)
    users = re.findall(r"^USER (\S+)$", stages[-1], re.MULTILINE)
    assert users == ["10001:10001"]
    for name in ("worker", "sink"):
        assert compose()["services"][name]["user"] == users[-1]


def python_versions(dockerfile: str) -> set[str]:
    return set(re.findall(r"^FROM python:(\d+\.\d+)[-. ]", dockerfile, re.MULTILINE))


def test_the_image_has_the_python_of_the_lock() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    locked = re.findall(r"--python-version (\S+)", makefile)
    assert python_versions(DOCKERFILE) == set(locked)
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2
    assert python_versions("FROM python:3.12.1-slim AS a\nFROM python:3.11-slim") == {"3.11", "3.12"}


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
    packages = {name.rstrip("*") for name in project()["tool"]["setuptools"]["packages"]["find"]["include"]}
    let_in = {line.removeprefix("!") for line in patterns if line.startswith("!")}
    assert let_in == packages | {
        "pyproject.toml",
        "README.md",
        "requirements.run.lock",
        "requirements.build.lock",
    }
