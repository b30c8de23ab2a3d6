"""One bad item of a list is refused by itself, whatever the source, from a file and at the gateway."""

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from support.samples import SECRET, samples

from adapters.formbricks.payloads import JOURNEYS
from adapters.kit.check import lines_of, payloads_of, read_lines
from adapters.kit.contract import events_of, refused_of
from adapters.kit.outcomes import InvalidInput
from adapters.kit.payloads import Payload, given_by
from adapters.kit.source import Source, load
from adapters.mapping.source import adapter as mapped_adapter
from adapters.registry import SOURCES, source_of
from gateway.sources_route import take_payloads
from schemas.dead_letter import DeadLetter
from schemas.events import ContactSurveyed, Event
from schemas.shape import is_shape

POSTED = [source for source in SOURCES if source.adapter]
TOO_FINE = 999_999.5  # ten times it is more than a score may be
BAD: list[Any] = [7, None, {}, {"a": "b"}, ["x"]]


def objects(source: Source) -> list[Payload]:
    """Payloads of a source's samples that are JSON."""
    lines = [line for sample in samples(source) for line in payloads_of(source, sample)]
    values = [value for line in lines for value in json_values(line)]
    return [each for value in values for each in (value if isinstance(value, list) else [value])][:40]


def json_values(line: bytes) -> list[Any]:
    try:
        return [json.loads(line)]
    except ValueError:
        return []  # a form, or a sample that is refused


def in_file(source: Source, body: bytes) -> tuple[list[Event], list[DeadLetter]]:
    outcomes = [*read_lines(source.load_series(), "list.json", [body], SECRET)]
    return [*events_of(outcomes)], refused_of(outcomes)


def fresh(source: Source) -> Any:
    """Its adapter; of one that remembers, with nothing remembered."""
    adapter = source.load_adapter()
    if adapter.remember is None:
        return adapter
    return load(source.adapter.partition(":")[0] + ":JOURNEYS").remembering(posted=True)


@pytest.mark.parametrize("source", POSTED, ids=lambda source: source.name)
def test_bad_items_take_no_good_ones_along(source: Source) -> None:
    good = objects(source)
    mixed = [good[0], *BAD, *good[1:]]
    events, refused = in_file(source, orjson.dumps(good))
    assert events, "the samples say nothing in a list"
    told, letters = in_file(source, orjson.dumps(mixed))
    assert told == events
    assert len(letters) == len(refused) + len(BAD)
    assert len({(letter.position, letter.payload) for letter in letters}) == len(letters)
    assert all(is_shape(letter.payload) for letter in letters)
    taken = take_payloads(fresh(source), source, orjson.dumps(mixed), SECRET)
    if not source.load_adapter().received:  # else the time of a request is in the ids
        assert {event.event_id for event in taken.events} == {event.event_id for event in events}
        assert len(taken.refused) == len(letters)
    first = len(source.load_adapter().parse(orjson.dumps([good[0]])))
    assert [each["index"] for each in taken.errors][: len(BAD)] == [*range(first, first + len(BAD))]


def test_a_body_with_no_payload_at_all_is_refused_whole() -> None:
    adapter = source_of("libredesk").load_adapter()
    with pytest.raises(InvalidInput, match="not_an_object"):
        [*given_by(adapter, b'[1, "x"]', SECRET)]
    assert [*given_by(adapter, b"[]", SECRET)] == []


def answers(*scores: float) -> Payload:
    """A response of Typeform: questions from 1 to 5, answered so."""
    field = {"type": "opinion_scale", "properties": {"steps": 5, "start_at_one": True}}
    refs = [f"{kind}_{number}" for number, kind in enumerate(("csat", "ces", "aes"))]
    return {
        "event_type": "form_response",
        "form_response": {
            "token": "r1",
            "submitted_at": "2026-01-05T08:00:00Z",
            "definition": {"fields": [field | {"ref": ref} for ref in refs]},
            "answers": [
                {"type": "number", "number": score, "field": {"ref": ref}}
                for ref, score in zip(refs, scores, strict=True)
            ],
        },
    }


def test_an_answer_beyond_its_scale_takes_no_other_along() -> None:
    adapter = source_of("typeform").load_adapter()
    (given,) = given_by(adapter, orjson.dumps(answers(4, TOO_FINE, 2)), SECRET)
    assert [event.kind for event in given.events if isinstance(event, ContactSurveyed)] == ["csat", "aes"]
    ((item, reason),) = [(each.item, each.why.reason) for each in given.refused]
    assert (item, reason) == ("1", "invalid_event")


def test_an_item_of_a_list_in_a_payload_of_a_mapping() -> None:
    cxone = source_of("cxone")
    found = json.loads(lines_of(samples(cxone)[0])[0])
    contacts, adapter = found["resultSet"]["completedContacts"], mapped_adapter(cxone.mapping)
    (alone,) = given_by(adapter, orjson.dumps(found), SECRET)
    broken = contacts[0] | {"contactStart": "soon"}
    found["resultSet"]["completedContacts"] = [broken, *contacts, broken]
    (given,) = given_by(adapter, orjson.dumps(found), SECRET)
    assert given.events == alone.events
    assert [each.item for each in given.refused] == ["0", str(len(contacts) + 1)]
    assert "item 0: " in given.refused[0].why.detail


def responses(*scores: tuple[int, float]) -> Iterator[Payload]:
    """Webhooks of one response of Formbricks: the score of csat at a second."""
    for second, score in scores:
        at = f"2026-01-05T08:00:{second:02}Z"
        data = {"id": "r1", "updatedAt": at, "data": {"csat": score, "nps": 9, "contact_id": "c1"}}
        yield {"webhookId": "w", "event": "responseUpdated", "data": data}


def test_a_bad_fact_does_not_stand_in_the_way_of_what_comes_later() -> None:
    adapter = JOURNEYS.remembering(posted=True)
    body = orjson.dumps([*responses((1, 3), (2, TOO_FINE), (3, 5))])
    found = [*given_by(adapter, body, SECRET)]
    scores = [
        (e.kind, e.score)
        for given in found
        for e in given.events
        if isinstance(e, ContactSurveyed) and e.kind == "csat"
    ]
    assert scores == [("csat", 3), ("csat", 5)]
    assert [each.item for given in found for each in given.refused] == ["1.0"]


def test_customers_are_found_beside_payloads_of_another_form() -> None:
    """Found by a fuzzer: a payload with a field named otherwise ended `ringback adapter check`."""
    delighted = source_of("delighted")
    good = objects(delighted)[0]
    strange = {"event_type": "survey_response.created", "event_id": "e", "event_daua": {}}
    find = delighted.load_customers()
    assert find(orjson.dumps(strange)) == ()
    assert find(orjson.dumps([strange, good])) == find(orjson.dumps(good)) != ()
