"""Dead letters end: what can be read now is replayed and leaves the list, what was mended is closed."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.numbers import answer, ended, json_lines, stored, verified
from support.registry import registry
from support.stack import Stack, background

from adapters.sending.producer import EventSender
from adapters.sending.records import OutgoingRecord
from adapters.sending.schema_registry import SchemaRegistry
from schemas.confluent import encode_confluent
from schemas.events import AgentStateChanged, ContactStarted
from schemas.topics import CONTACT_EVENTS

pytestmark = pytest.mark.stack
AT = 1_767_600_000_000
STARTED = ContactStarted(event_id="s", contact_id="c", occurred_at=AT, source="test")
AGENT = AgentStateChanged(event_id="a", agent="ann", state="available", occurred_at=AT, source="test")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with registry(tmp_path) as address:
        yield address


async def test_replayed_letters_leave_the_list(url: str, fresh_stack: Stack) -> None:
    """Events of contacts and of agents that came framed by Confluent before a registry was set."""
    stack, env = fresh_stack, fresh_stack.env(SCHEMA_REGISTRY_URL=url)
    framed = partial(encode_confluent, ids=SchemaRegistry(url))
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        async with EventSender(stack.bootstrap_servers, encode=framed) as sender:
            await sender.send(STARTED)
            await sender.send(AGENT)
            await sender.send_record(OutgoingRecord(CONTACT_EVENTS, b"x", b"no event at all"))
        await stored(stack)
        assert len(answer(env, "dead-letters", "list")) == 3
        still = ended(stack.env(), 0, "dead-letters", "replay")
        assert "2 records still cannot be read" in still.stderr  # there is no registry in these settings
        assert len(answer(env, "dead-letters", "list")) == 3
    with background(env, "worker"), background(env, "sink"):
        done = ended(env, 0, "dead-letters", "replay")
        assert "sent again 2" in done.stdout
        assert "of 1 records only the shape was kept" in done.stderr
        await stored(stack)
        assert stack.value("SELECT count() FROM events FINAL WHERE contact_id = 'c'") == 1
        assert stack.value("SELECT count() FROM agent_events FINAL WHERE agent = 'ann'") == 1
        (left,) = answer(env, "dead-letters", "list")
        everything = answer(env, "dead-letters", "list", "--all")
        assert sorted(letter["how"] for letter in everything) == ["", "replayed", "replayed"]
        assert all((letter["how"] == "") == (letter["closed_at"] is None) for letter in everything)
        assert "sent again 0" in ended(env, 0, "dead-letters", "replay").stdout
        ended(env, 0, "dead-letters", "close", left["origin"], str(left["position"]))
        assert answer(env, "dead-letters", "list") == []
        ended(env, 1, "dead-letters", "close", left["origin"])
        verified(env)


async def test_mended_lines_are_closed_and_open_again_when_refused_again(fresh_stack: Stack) -> None:
    stack, env = fresh_stack, fresh_stack.env()
    path = stack.data_dir / "calls.jsonl"
    with background(env, "worker"), background(env, "sink"):
        path.write_bytes(json_lines([STARTED]) + b'{"type": "nonsense"}\n{"type": "contact_startled"}\n')
        answer(env, "import", "events", str(path))
        await stored(stack)
        assert len(answer(env, "dead-letters", "list")) == 2
        assert "closed 2" in ended(env, 0, "dead-letters", "close", "calls.jsonl").stdout
        assert answer(env, "dead-letters", "list") == []
        answer(env, "import", "events", str(path))  # nobody had mended it
        await stored(stack)
        assert [letter["position"] for letter in answer(env, "dead-letters", "list")] == [3, 2]
        shown = ended(env, 0, "dead-letters", "show", "calls.jsonl", "2").stdout
        assert shown.startswith("calls.jsonl:2 unknown_type")
