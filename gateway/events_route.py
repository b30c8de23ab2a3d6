"""POST /v1/events: canonical events from any program, all of a request or none of it."""

from typing import Any

from aiohttp import web

from adapters.events.json_lines import parse_event
from adapters.kit.outcomes import InvalidInput
from gateway.bodies import events_in
from gateway.problems import ERRORS_MAX, Problem
from gateway.requests import body_of
from gateway.taking import Gateway, answered, taken
from gateway.tokens import check_token
from schemas.events import Event

NAME = "events"


def events_of(found: list[dict[str, Any]], customer_secret: bytes) -> list[Event]:
    """The events that objects describe. Raises Problem that says of each what is wrong with it."""
    events, errors = [], []
    for index, item in enumerate(found):
        try:
            events.append(parse_event(item, customer_secret))
        except InvalidInput as error:
            errors.append({"index": index, "reason": error.reason, "detail": error.detail})
    if errors:
        detail = f"{len(errors)} of {len(found)} are no events, so none was taken; mend them and send all"
        raise Problem(422, "invalid_events", detail, errors[:ERRORS_MAX])
    return events


async def take(request: web.Request, gateway: Gateway) -> web.Response:
    """Check, write, and answer when Kafka or the spool has it."""
    config = gateway.config
    check_token(request.headers.get("Authorization"), config.tokens)
    body = await body_of(request, config.limits)
    found = events_in(request.content_type, body)
    if len(found) > config.limits.events_max:
        raise Problem(
            413, "too_many", f"{len(found):,} events; a request has at most {config.limits.events_max:,}"
        )
    events = events_of(found, config.customer_secret)
    await gateway.write(NAME, events)
    return taken(accepted=len(events))


async def post_events(request: web.Request) -> web.Response:
    """The route."""
    return await answered(request, NAME, take)
