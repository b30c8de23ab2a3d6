"""Live clients of AMI and of the event socket: over real sockets, from servers that replay recordings."""

import asyncio
import lzma
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.recorded_asterisk import RECORDED, SECRET, ami
from support.replay_server import Script, Serve, event_socket, frames, serving
from support.replay_server import ami as ami_server

from adapters.asterisk_ami.file import AmiFile
from adapters.asterisk_ami.live import AmiListener
from adapters.freeswitch.file import EventFile
from adapters.freeswitch.live import ASK, SocketListener
from adapters.kit.check import read_lines
from adapters.kit.contract import events_of
from adapters.kit.sessions import LONGEST_WAIT_S, BrokenProtocol, Listener, Refused, waits
from adapters.sending import listening
from adapters.sending.listening import Address, Listened, listen_until
from adapters.sending.metrics import registry_of
from adapters.sending.outcomes import Pulse
from adapters.sending.producer import Offsets
from schemas.dead_letter import DeadLetter
from schemas.events import ContactAbandoned, Event

SAMPLES = Path(__file__).parents[1] / "samples"
FREESWITCH = Path(__file__).parents[1] / "data" / "freeswitch" / "events.jsonl.xz"
QUICK = 0.01


class Broker:
    """Takes what is sent, and keeps it once it was asked whether it has it."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.refused: list[DeadLetter] = []
        self._waiting: list[Event] = []

    async def send(self, event: Event) -> None:
        self._waiting.append(event)

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        self.refused.append(refused)

    async def flush(self) -> Offsets:
        self.kept += self._waiting
        self._waiting = []
        return {}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.kit.sessions.FIRST_WAIT_S", QUICK)
    monkeypatch.setattr("adapters.kit.sessions.LONGEST_WAIT_S", 4 * QUICK)


def listeners() -> dict[Serve, Listener]:
    return {
        ami_server: AmiListener("ringback", "secret", SECRET),
        event_socket: SocketListener("", "secret", SECRET),
    }


def silent() -> Pulse:
    """Signs of life are not what is looked at."""
    return Pulse("asterisk_ami", said_s=float("inf"))


async def listened(
    serve: Serve, script: Script, blocks: int, quiet_s: float = 5.0, connections: int = 0
) -> tuple[Broker, Listened]:
    """What was sent when so many blocks, and connections, have been heard of."""
    broker, heard, stop = Broker(), Listened(), asyncio.Event()
    async with serving(serve, script) as port, asyncio.timeout(30):
        address = Address("127.0.0.1", port, quiet_s, random.Random(1))
        task = asyncio.create_task(listen_until(stop, listeners()[serve], address, broker, heard, silent()))
        while not task.done() and (heard.blocks < blocks or heard.connections < connections):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        stop.set()
        await task
    return broker, heard


def recorded_ami() -> list[bytes]:
    """The events of the recorded session, without what stood before the first."""
    data = lzma.decompress((RECORDED / "ami.raw.xz").read_bytes())
    found = [block + b"\r\n\r\n" for block in data.split(b"\r\n\r\n") if block.lstrip().startswith(b"Event:")]
    return found


def recorded_freeswitch() -> list[bytes]:
    return lzma.decompress(FREESWITCH.read_bytes()).splitlines()


def sample_blocks() -> list[bytes]:
    data = (SAMPLES / "asterisk_ami" / "session.log").read_bytes().replace(b"\r\n", b"\n")
    return [b + b"\n\n" for b in data.split(b"\n\n") if b.strip().startswith(b"Event:")]


async def test_all_of_a_recorded_ami_session() -> None:
    blocks = recorded_ami()
    script = Script([b"".join(blocks)])
    broker, _ = await listened(ami_server, script, len(blocks))
    assert broker.kept == [*events_of(ami())]
    assert len(broker.kept) > 1000
    assert script.asked[0].startswith(b"Action: Login\r\n")
    assert script.asked[0].count(b"Action: ") == 1


async def test_all_of_a_recorded_event_socket() -> None:
    lines = recorded_freeswitch()
    script = Script([b"".join(frames(lines))])
    broker, _ = await listened(event_socket, script, len(lines))
    assert broker.kept == [*events_of(read_lines(EventFile(), "x", lines, SECRET))]
    assert script.asked == [ASK]


def fed(listener: Listener, greeting: bytes, data: bytes, cut: int) -> tuple[list[Event], int]:
    """What a session tells of data that comes in two pieces."""
    session, events, letters = listener.session(), list[Event](), 0
    for piece in (greeting, data[:cut], data[cut:]):
        for outcome in session.feed(piece, 1_767_600_000_000):
            events += getattr(outcome, "events", ())
            letters += isinstance(outcome, DeadLetter)
    assert session.ready
    return events, letters


LOGGED_IN = b"Asterisk Call Manager/9.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n"
LET_IN = b"Content-Type: command/reply\nReply-Text: +OK\n\n" * 2


def protocols() -> Iterator[tuple[Serve, bytes, bytes]]:
    yield ami_server, LOGGED_IN, b"".join(sample_blocks()[:14])
    lines = (SAMPLES / "freeswitch" / "events.json").read_bytes().splitlines()
    found = [line for line in lines if line.startswith(b"{")] or recorded_freeswitch()[:8]
    yield event_socket, LET_IN, b"".join(frames(found[:6]))


@pytest.mark.parametrize(("serve", "greeting", "data"), [*protocols()], ids=["ami", "event_socket"])
def test_cut_at_every_byte(serve: Serve, greeting: bytes, data: bytes) -> None:
    whole = fed(listeners()[serve], greeting, data, 0)
    assert whole[0]
    for cut in range(len(data)):
        assert fed(listeners()[serve], greeting, data, cut) == whole, cut


async def test_byte_by_byte_over_a_socket() -> None:
    blocks = sample_blocks()
    at_once, _ = await listened(ami_server, Script([b"".join(blocks)]), len(blocks))
    broker, _ = await listened(ami_server, Script([b"".join(blocks)], piece_bytes=1), len(blocks))
    assert broker.kept == at_once.kept
    assert [letter.reason for letter in broker.refused] == [letter.reason for letter in at_once.refused]


async def test_connections_that_are_dropped_anywhere() -> None:
    """A block that was cut is lost, and no other; calls that were open go on."""
    blocks, chance = recorded_ami()[:1500], random.Random(7)
    cuts = sorted(chance.sample(range(1, len(blocks)), 12))
    pieces = [blocks[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(blocks)], strict=True)]
    parts = [b"".join(piece) + b"Event: Cut\r\nChannel: PJS" for piece in pieces]
    broker, heard = await listened(ami_server, Script(parts), len(blocks), connections=len(parts))
    whole, _ = await listened(ami_server, Script([b"".join(blocks)]), len(blocks))
    assert broker.kept == whole.kept
    assert (heard.blocks, heard.connections) == (len(blocks), 13)
    assert (heard.gaps, heard.connected) == (12, False)  # what was told meanwhile nobody heard


async def test_who_is_heard_is_alive() -> None:
    """Also one who has nothing to tell; what Prometheus is told of it."""
    broker, heard, stop = Broker(), Listened(), asyncio.Event()
    registry = registry_of("asterisk_ami", heard)
    async with serving(ami_server, Script([b"Event: FullyBooted\r\n\r\n"])) as port, asyncio.timeout(10):
        address, pulse = Address("127.0.0.1", port), Pulse("asterisk_ami")
        listening = listen_until(stop, listeners()[ami_server], address, broker, heard, pulse)
        task = asyncio.create_task(listening)
        while not broker.kept:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        stop.set()
        await task
    assert [event.type for event in broker.kept] == ["source_heartbeat"]
    source = {"source": "asterisk_ami"}
    assert registry.get_sample_value("ringback_source_gaps_total", source) == 0
    assert registry.get_sample_value("ringback_source_heard_timestamp_seconds", source) == heard.heard_s > 0


async def test_a_server_that_is_started_anew_or_late() -> None:
    blocks = sample_blocks()
    broker, heard, stop = Broker(), Listened(), asyncio.Event()
    async with serving(ami_server, Script([b""])) as port:
        pass  # nobody listens there any more
    address = Address("127.0.0.1", port, chance=random.Random(1))
    task = asyncio.create_task(listen_until(stop, listeners()[ami_server], address, broker, heard, silent()))
    await asyncio.sleep(3 * QUICK)
    script = Script([b"".join(blocks)])
    server = await asyncio.start_server(lambda r, w: ami_server(r, w, script), "127.0.0.1", port)
    async with asyncio.timeout(10):
        while heard.blocks < len(blocks):  # noqa: ASYNC110
            await asyncio.sleep(QUICK)
    stop.set()
    await task
    server.close()
    assert broker.kept


async def test_who_says_nothing_any_more_is_left() -> None:
    script = Script([b"", b""])
    script.parts = [b""]
    _, heard = await listened(ami_server, script, 0, quiet_s=0.05, connections=2)
    assert heard.connections >= 2
    assert any(asked.startswith(b"Action: Ping\r\n") for asked in script.asked)


@pytest.mark.parametrize(
    ("serve", "said"), [(ami_server, "Authentication failed"), (event_socket, "-ERR invalid")]
)
async def test_a_wrong_password_is_said_and_not_tried_again(serve: Serve, said: str) -> None:
    script = Script([b""], password="another")
    with pytest.raises(Refused, match=said):
        await listened(serve, script, 1)
    assert script.connections == 1


@pytest.mark.parametrize(
    ("serve", "data"),
    [
        (ami_server, b"x" * 100_000),
        (event_socket, b"Content-Length: many\n\n"),
        (event_socket, b"Content-Length: 99999999999\n\n"),
        (event_socket, b"x" * 5_000_000),
    ],
)
def test_what_is_no_protocol_ends_the_connection(serve: Serve, data: bytes) -> None:
    with pytest.raises(BrokenProtocol):
        [*listeners()[serve].session().feed(data, 0)]


def test_an_event_without_a_time_happened_when_it_was_received() -> None:
    session = listeners()[ami_server].session()
    block = b"Event: QueueCallerJoin\r\nUniqueid: 1.1\r\nQueue: q\r\nCallerIDNum: 0301234567\r\n\r\n"
    (outcome,) = session.feed(LOGGED_IN + block, 1_767_600_000_123)
    assert {event.occurred_at for event in outcome.events} == {1_767_600_000_123}  # type: ignore[union-attr]


@pytest.mark.parametrize(("uptime_s", "ends"), [(5, [1_795_740_095_000]), (3_600, [])])
def test_calls_of_before_asterisk_was_started_are_over(uptime_s: int, ends: list[int]) -> None:
    """A recording of two sessions: in the second one Asterisk says for how long it has run."""
    lines = f"""Event: QueueCallerJoin
Timestamp: 1795740000.5
Uniqueid: pbx-1.1
Queue: sales

Event: FullyBooted
Uptime: {uptime_s}

Event: PeerStatus
Timestamp: 1795740100.0

Event: QueueMemberAdded
Timestamp: 1795740200.0
Queue: sales
MemberName: Ada
""".encode().splitlines()
    told = events_of(read_lines(AmiFile(), "ami.log", lines, SECRET))
    abandoned = [event for event in told if isinstance(event, ContactAbandoned)]
    assert [event.occurred_at for event in abandoned] == ends
    assert {event.by for event in abandoned} <= {"system"}


def test_halves_of_local_channels_that_name_each_other() -> None:
    """No PBX says so, but a block that is wrong must not hang a reader."""
    lines = b"""Event: LocalBridge
Timestamp: 1795740000.1
LocalOneUniqueid: a
LocalTwoUniqueid: b

Event: LocalBridge
Timestamp: 1795740000.2
LocalOneUniqueid: b
LocalTwoUniqueid: a

Event: Hold
Timestamp: 1795740000.3
Uniqueid: a
""".splitlines()
    assert [*events_of(read_lines(AmiFile(), "ami.log", lines, SECRET))] == []


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    one, other = (
        [wait for wait, _ in zip(waits(random.Random(seed)), range(12), strict=False)] for seed in (1, 2)
    )
    assert one != other
    assert one[0] <= 0.5
    assert LONGEST_WAIT_S / 2 <= one[-1] <= LONGEST_WAIT_S
    assert listening.QUIET_S == 30.0
