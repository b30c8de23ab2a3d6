"""Agent events: the agent and his contacts before and after a change. What changed is what is told.

The time of a change is that of the event, for StateStartTimestamp is not moved by every change. Heartbeats
repeat the last change under another time and tell nothing.
"""

from collections.abc import Iterator

from adapters.amazon_connect.fields import id_of, inner, low
from adapters.kit.journeys import Fact, Said
from adapters.kit.outcomes import build
from adapters.kit.payload_fields import given, moment, need, objects, text, word
from adapters.kit.payloads import Ignored, Payload, unknown_kind

CONNECTED, ON_HOLD = "CONNECTED", "CONNECTED_ONHOLD"
UNANSWERED = {"MISSED": "missed", "ERROR": "missed", "REJECTED": "refused"}
STATES = {"ROUTABLE": "available", "OFFLINE": "offline"}
NAMED = {"training": "training", "coaching": "training", "meeting": "meeting"}
STATUS = ("arn", "name", "type")
Contacts = dict[str, Payload]


def agent_facts(event: Payload) -> list[Said]:
    """What an agent event says; its names are in lower case. Raises InvalidInput, Ignored."""
    kind = word(event, "eventtype")
    if kind == "HEART_BEAT":
        raise Ignored("heartbeat")
    if kind not in ("STATE_CHANGE", "LOGIN", "LOGOUT"):
        raise unknown_kind()
    at = need(moment(event, "eventtimestamp"), "EventTimestamp")
    agent = need(id_of(event, "agentarn"), "AgentARN")
    before, after = inner(event, "previousagentsnapshot"), inner(event, "currentagentsnapshot")
    said: list[Said] = [*state_of(kind, agent, before, after, at)]
    past, now = contacts_of(before), contacts_of(after)
    for contact in past.keys() | now.keys():
        said += changed(contact, past.get(contact, {}), now.get(contact, {}), agent, at)
    return said


def contacts_of(snapshot: Payload) -> Contacts:
    """The contacts of an agent by their ids."""
    lowered = [low(each) for each in objects(snapshot, "contacts")]
    return {need(text(each, "contactid"), "ContactId"): each for each in lowered}


def state_of(kind: str, agent: str, before: Payload, after: Payload, at: int) -> Iterator[Said]:
    """The state of the agent, if it is another now."""
    was, now = inner(before, "agentstatus"), inner(after, "agentstatus")
    state, name = "offline", text(now, "name")
    if kind != "LOGOUT":
        begun = moment(now, "starttimestamp")
        again = begun == moment(was, "starttimestamp")
        if not now or (again and all(was.get(each) == now.get(each) for each in STATUS)):
            return
        usual = NAMED.get((name or "").casefold(), "break")
        state = STATES.get(word(now, "type"), usual)
        at = begun if begun and not again else at
    fields = given(
        event_id=f"state-{at}-{state}",
        agent=agent,
        state=state,
        occurred_at=at,
        source="amazon_connect",
        reason=name if state not in ("available", "offline") else None,
    )
    yield build("agent_state_changed", fields)


def changed(contact: str, was: Payload, now: Payload, agent: str, at: int) -> Iterator[Fact]:
    """What became of one contact of the agent's."""
    journey = text(was, "initialcontactid") or text(now, "initialcontactid") or contact
    before, after = word(was, "state"), word(now, "state")
    if before == CONNECTED and after == ON_HOLD:
        yield Fact(journey, f"{contact}|HELD|{at}", {"held": at})
    elif before == ON_HOLD and after == CONNECTED:
        yield Fact(journey, f"{contact}|RESUMED|{at}", {"resumed": at})
    elif before == "ENDED" and not now:
        yield Fact(journey, f"{contact}|GONE", {"agent": agent, "wrapped": at})
    elif after in UNANSWERED and before != after:
        since = moment(was, "statestarttimestamp") if before == "CONNECTING" else None
        ring_ms = at - since if since is not None and since <= at else None
        offer = given(at=at, agent=agent, outcome=UNANSWERED[after], ring_ms=ring_ms)
        yield Fact(journey, f"{contact}|OFFER|{agent}|{at}", {"offer": offer})
