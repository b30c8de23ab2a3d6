"""The OpenAPI document of the gateway, and schemathesis on a running `ringback gateway` with a real Kafka."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import orjson
import pytest
from jsonschema import Draft202012Validator
from support.gateway import TOKEN
from support.stack import Stack, background

from adapters.registry import SOURCES
from deploy.local.ports import free_port
from gateway.openapi import document, event_schema
from schemas.events import MODELS
from streams.kafka.topics import ensure_topics

EXAMPLES = os.environ.get("RINGBACK_FUZZ_API", "25")
SAMPLES = Path(__file__).parents[1] / "samples"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
OPTIONS = ("--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--seed", "20261127")


@pytest.mark.parametrize("type_", MODELS)
def test_schemas_of_events_are_schemas(type_: str) -> None:
    Draft202012Validator.check_schema(event_schema(type_))


def test_lines_of_the_samples_are_valid_by_the_document() -> None:
    lines = [*map(orjson.loads, (SAMPLES / "events" / "calls.jsonl.events.jsonl").read_bytes().splitlines())]
    validators = {type_: Draft202012Validator(event_schema(type_)) for type_ in MODELS}
    assert [error.message for line in lines for error in validators[line["type"]].iter_errors(line)] == []
    assert [*validators["contact_queued"].iter_errors(lines[0])]


def test_every_webhook_source_has_a_path() -> None:
    paths = document(SOURCES)["paths"]
    assert paths.keys() - {"/v1/events"} == {f"/v1/sources/{s.name}" for s in SOURCES if s.reads == "webhook"}


@pytest.mark.stack
def test_schemathesis_finds_nothing(stack: Stack) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed; it is in requirements.lock: make install")
    asyncio.run(ensure_topics(stack.bootstrap_servers, 4, 1))
    port = free_port()
    env = stack.env(
        RINGBACK_GATEWAY_PORT=str(port),
        RINGBACK_GATEWAY_TOKEN=TOKEN.decode(),
        **{name: "a-secret-that-nobody-knows" for source in SOURCES for name in source.secrets},
    )
    with background(env, "gateway") as running:
        url = f"http://127.0.0.1:{port}/v1/openapi.json"
        with urlopen(url, timeout=10) as answer:
            assert orjson.loads(answer.read()) == orjson.loads(orjson.dumps(document(SOURCES)))
        done = subprocess.run(
            [program, "run", url, "--header", f"Authorization: Bearer {TOKEN.decode()}", *OPTIONS],
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
            cwd=stack.data_dir,
        )
        assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
        assert "Traceback" not in running.log()
        assert running.process.alive()
