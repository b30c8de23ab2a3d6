"""Conversation detail records: a whole conversation, read as the detail events that would have told it."""

from collections.abc import Iterator
from typing import Any

from adapters.genesys.fields import BESIDE
from adapters.kit.journeys import Fact
from adapters.kit.payload_fields import given, hashed, moment, need, objects, text, word
from adapters.kit.payloads import Ignored, Payload

CUSTOMERS = ("CUSTOMER", "EXTERNAL")
Times = list[tuple[str, int, int]]


def record_facts(record: Payload, secret: bytes) -> list[Fact]:
    """What a record says. Raises InvalidInput, Ignored."""
    conversation = need(text(record, "conversationId"), "conversationId")
    began = moment(record, "conversationStart")
    facts = []
    if began is not None:
        value = given(at=began, direction=word(record, "originatingDirection"))
        facts.append(Fact(conversation, "conversation|start", value))
    for participant in objects(record, "participants"):
        for session in objects(participant, "sessions"):
            if word(session, "mediaType") not in BESIDE:
                facts += [Fact(conversation, *each) for each in of_session(participant, session, secret)]
    if not facts:
        raise Ignored("no_fact")
    return facts


def segments_of(session: Payload) -> Times:
    """Kind, begin and end of each part of a session that is over."""
    found = []
    for each in objects(session, "segments"):
        start, end = moment(each, "segmentStart"), moment(each, "segmentEnd")
        if start is not None and end is not None:
            found.append((word(each, "segmentType"), start, end))
    return sorted(found, key=lambda each: each[1:])


def texts(session: Payload, name: str) -> list[str]:
    """What the segments of a session say under a name, in their order."""
    return [found for each in objects(session, "segments") if (found := text(each, name))]


def of_session(participant: Payload, session: Payload, secret: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and values of the facts of one session."""
    times, name = segments_of(session), need(text(session, "sessionId"), "sessionId")
    if not times:
        return
    purpose = word(participant, "purpose")
    queues, ends = (texts(session, each) for each in ("queueId", "disconnectType"))
    common = given(
        session=name,
        participant=text(participant, "participantId"),
        media=word(session, "mediaType"),
        direction=word(session, "direction"),
        queue=queues[0] if queues else None,
        user=text(participant, "userId"),
        disconnect=ends[-1].upper() if ends else None,
    )
    start, end = times[0][1], max(until for _, _, until in times)
    if purpose in CUSTOMERS:
        raw = text(session, "ani") or text(session, "addressFrom") or ""
        key = hashed([raw.removeprefix("tel:")], secret)
        yield f"customer.start|{name}", common | given(at=start, customer=key)
        yield f"customer.end|{name}", common | {"at": end}
    elif purpose == "ACD":
        yield f"acd.start|{name}", common | {"at": start}
        yield f"acd.end|{name}", common | {"at": end, "connected_ms": end - start} | outcome(session, common)
    elif purpose == "VOICEMAIL":
        yield f"voicemail.start|{name}", common | {"at": start}
    elif purpose in ("AGENT", "USER"):
        yield from of_agent(name, common, times, session)


def outcome(session: Payload, common: Payload) -> dict[str, str]:
    """How a wait in a queue ended; an answered one ends by the transfer to the agent."""
    counted = {text(each, "name") for each in objects(session, "metrics")}
    if "tAbandon" in counted:
        return {"outcome": "ABANDON"}
    if "tFlowOut" in counted:
        return {"outcome": "FLOW_OUT"}
    if "tAnswered" in counted or common.get("disconnect") == "TRANSFER":
        return {"outcome": "ANSWERED"}
    return {"outcome": "ABANDON"} if common.get("disconnect") in ("PEER", "ENDPOINT", "CLIENT") else {}


def total(times: Times, *kinds: str) -> int:
    """How long all segments of these kinds were."""
    return sum(until - start for kind, start, until in times if kind in kinds)


def of_agent(
    name: str, common: Payload, times: Times, session: Payload
) -> Iterator[tuple[str, dict[str, Any]]]:
    """An agent's part: when he talked, held and wrapped up."""
    rang = [each for each in times if each[0] != "WRAPUP"]
    work = [each for each in rang if each[0] not in ("ALERT", "DIALING", "CONTACTING")]
    end = max((until for _, _, until in work or rang or times), default=0)
    talks = [each for each in times if each[0] == "INTERACT"]
    value = given(
        at=end,
        alert_ms=total(times, "ALERT"),
        talk_ms=total(times, "INTERACT"),
        hold_ms=total(times, "HOLD"),
        answered=min((start for _, start, _ in talks), default=None),
        holds=[[start, until] for kind, start, until in times if kind == "HOLD"] or None,
    )
    yield f"user.end|{name}", dict(common) | value
    wraps = [(start, until) for kind, start, until in times if kind == "WRAPUP"]
    if wraps:
        codes = texts(session, "wrapUpCode")
        done = given(at=wraps[-1][1], acw_ms=total(times, "WRAPUP"), code=codes[-1] if codes else None)
        yield f"acw|{name}", dict(common) | done
