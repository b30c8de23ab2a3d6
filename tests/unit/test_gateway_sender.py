"""Events of a simulation through a real gateway over HTTP, into its spool."""

from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from support.gateway import TOKEN, client_of, config_of

from adapters.sending.producer import NotSent
from cli import gateway_sender
from cli.gateway_sender import GatewaySender
from gateway.limits import DEFAULTS
from gateway.spool.segments import Segments
from schemas.codec import decode
from simulator.deliveries import deliver
from simulator.simulation import Simulation

NOBODY = "127.0.0.1:9"  # nothing listens there
LIMITS = replace(DEFAULTS, spool_after_s=0.2, acknowledged_limit_s=1.0)


async def test_every_event_of_a_simulation_arrives_as_it_was(tmp_path: Path) -> None:
    config = config_of(NOBODY, spool=tmp_path, limits=LIMITS)
    sent = [
        delivery.event
        for delivery in islice(deliver(Simulation(3, contacts=200).everything(), seed=3), 1_200)
    ]
    address = f"http://{config.host}:{config.port}/"
    async with client_of(config), GatewaySender(address, TOKEN.decode()) as sender:
        for event in sent:
            await sender.send(event)
    segments = Segments(tmp_path)
    found = [decode(frame.record.value) for name in segments.names() for frame in segments.read(name)]
    segments.close()
    assert len({event.type for event in sent}) > 6
    assert Counter(found) == Counter(sent)


async def test_what_is_refused_is_said_and_what_is_busy_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_sender, "PAUSE_S", 0.01)
    monkeypatch.setattr(gateway_sender, "TRIES", 3)
    (event,) = (
        delivery.event for delivery in islice(deliver(Simulation(3, contacts=2).everything(), seed=3), 1)
    )
    config = config_of(NOBODY, spool=tmp_path, limits=replace(LIMITS, spool_max_bytes=10))
    async with client_of(config):
        for token, said in (("wrong", "refuses events with 401"), (TOKEN.decode(), "takes no events: 503")):
            with pytest.raises(NotSent, match=said):
                async with GatewaySender(f"http://{config.host}:{config.port}", token) as sender:
                    await sender.send(event)
    with pytest.raises(NotSent, match="takes no events"):
        async with GatewaySender(f"http://{NOBODY}", None) as sender:
            await sender.send(event)
