"""POST /v1/sources/<name>: webhooks of a source, believed when they are signed.

What is signed and makes no event is a dead letter, in Kafka before it is answered: whoever sends webhooks
cannot mend them. What is not signed leaves no trace but a count.
"""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from adapters.kit.outcomes import InvalidInput, reject
from adapters.kit.payloads import RECEIVED_AT, UNKNOWN_KIND, PayloadAdapter, Refused, given_by
from adapters.kit.signatures import Signed, problem
from adapters.kit.source import Source
from gateway.challenges import after_signature, before_signature, on_get
from gateway.config import GatewayConfig
from gateway.problems import ERRORS_MAX, Problem
from gateway.proxies import address_of
from gateway.requests import body_of
from gateway.taking import Gateway, answered, taken
from schemas.dead_letter import DeadLetter
from schemas.events import Event

log = structlog.get_logger()
NOT_SIGNED = {
    "no_signature": "the header with the signature is missing",
    "no_timestamp": "the header with the time that was signed is missing",
    "bad_timestamp": "the time that was signed is no number",
    "old_timestamp": "the time that was signed is more than five minutes away from ours",
    "wrong_signature": "no secret of this source makes this signature of this body",
}


@dataclass(slots=True)
class Taken:
    """What the payloads of a request gave."""

    events: list[Event] = field(default_factory=list)
    refused: list[DeadLetter] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, source: Source, each: Refused) -> None:
        """Say what is wrong with a payload, or with an item of one."""
        why = each.why
        self.refused.append(letter(source, why, each.payload, each.item))
        self.errors.append({"index": each.index, "reason": why.reason, "detail": why.detail})


def check_signature(source: Source, request: web.Request, body: bytes, config: GatewayConfig) -> None:
    """Raise Problem unless a secret of the source has signed the body."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), value)
    scheme = source.load_scheme()
    address = address_of(request, config.trusted_proxies) if scheme.has_address else ""
    signed = Signed(headers, body, request.method, address)
    wrong = problem(scheme, signed, config.secrets[source.name], time.time())
    if wrong:
        raise Problem(401, wrong, NOT_SIGNED[wrong])


def letter(source: Source, refused: InvalidInput, body: bytes, item: str = "") -> DeadLetter:
    """The dead letter of a request or an item of it; its position is when it came, in microseconds."""
    return reject(f"gateway/{source.name}", time.time_ns() // 1000, refused, body, item=item)


def take_payloads(adapter: PayloadAdapter, source: Source, body: bytes, secret: bytes) -> Taken:
    """What the payloads of a body give. Raises InvalidInput where the body is no payload at all."""
    taken = Taken()
    more = {RECEIVED_AT: time.time_ns() // 1_000_000} if adapter.received else {}
    for given in given_by(adapter, body, secret, **more):
        taken.events += given.events
        taken.ignored += filter(None, (given.ignored,))
        for each in given.refused:
            taken.refuse(source, each)
    return taken


def secrets_of(source: Source, config: GatewayConfig) -> tuple[bytes, ...]:
    """The secrets of a source. Raises Problem where there is none."""
    secrets = config.secrets.get(source.name, ())
    if not secrets:
        raise Problem(404, "no_secret", f"this gateway has no secret for it; set {' '.join(source.secrets)}")
    return secrets


async def be_asked(source: Source, request: web.Request, gateway: Gateway) -> web.Response:
    """Answer a challenge that comes by GET."""
    return on_get(source.challenge, request, secrets_of(source, gateway.config))


async def take(source: Source, request: web.Request, gateway: Gateway) -> web.Response:
    """Check, write, and answer when Kafka or the spool has it."""
    config = gateway.config
    secrets = secrets_of(source, config)
    challenge = before_signature(source.challenge, request)
    if challenge is not None:
        return challenge
    body = await body_of(request, config.limits)
    check_signature(source, request, body, config)
    gateway.heartbeats.heard(source.name)
    gateway.metrics.heard.labels(source.name).set_to_current_time()
    challenge = after_signature(source.challenge, body, secrets[0])
    if challenge is not None:
        return challenge
    try:
        found = take_payloads(source.load_adapter(), source, body, config.customer_secret)
    except InvalidInput as refused:
        await gateway.write(source.name, (), [letter(source, refused, body)])
        raise Problem(422, refused.reason, refused.detail) from None
    await gateway.write(source.name, found.events, found.refused)
    for reason in found.ignored:
        if reason == UNKNOWN_KIND:
            gateway.metrics.unknown.labels(source.name).inc()
        else:
            gateway.metrics.ignored.labels(source.name, reason).inc()
    counts = {"accepted": len(found.events), "ignored": len(found.ignored), "refused": len(found.refused)}
    return taken(**counts, **({"errors": found.errors[:ERRORS_MAX]} if found.errors else {}))


async def post_source(source: Source, request: web.Request) -> web.Response:
    """The route of one source."""
    return await answered(request, source.name, partial(take, source))


async def get_source(source: Source, request: web.Request) -> web.Response:
    """The route of a source that asks first."""
    return await answered(request, source.name, partial(be_asked, source))
