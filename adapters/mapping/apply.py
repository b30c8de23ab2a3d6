"""A payload through a mapping: pure, and the same whatever came before it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import islice
from typing import Any

from adapters.kit.outcomes import InvalidInput, attempt, build
from adapters.kit.payload_fields import earliest_wins, hashed
from adapters.kit.payloads import Ignored, Payload, PayloadAdapter, Told, unknown_kind
from adapters.mapping.expressions import Bounded, Expression, Scope, evaluate, is_true
from adapters.mapping.functions import Functions, key_text
from adapters.mapping.rules import Emit, Mapped, Variant
from adapters.mapping.values import Value, value_of
from schemas.events import Event

ID_MAX_CHARS = 256
ITEMS_MAX = 10_000  # of one payload
AGENT_STATE, HEARTBEAT = "agent_state_changed", "source_heartbeat"


MakeRun = Callable[[Mapped, bytes], Bounded]


def runner(mapped: Mapped, secret: bytes) -> Bounded:
    """What evaluates expressions for one payload."""
    return Bounded(Functions(mapped.tables, secret))


def adapter_of(mapped: Mapped, make_run: MakeRun = runner) -> PayloadAdapter:
    """How the payloads of a mapping are read."""

    def is_mine(payload: Payload) -> bool:
        return variant_of(mapped, payload) is not None

    def to_events(payload: Payload, secret: bytes) -> Sequence[Told]:
        return events_of(mapped, payload, make_run(mapped, secret))

    def customers(payload: Payload) -> Iterable[object]:
        return customers_of(mapped, payload)

    return PayloadAdapter(is_mine, to_events, customers, received=mapped.received)


def variant_of(mapped: Mapped, payload: Payload, run: Bounded | None = None) -> Variant | None:
    """The first variant that the payload has the shape of."""
    run = run or runner(mapped, b"")
    for variant in mapped.variants:
        try:
            if is_true(evaluate(variant.applies, {"payload": payload}, run)):
                return variant
        except InvalidInput:
            continue
    return None


def events_of(mapped: Mapped, payload: Payload, run: Bounded) -> list[Told]:
    """The events of a payload, and refusals of single items of its list. Raises InvalidInput, Ignored."""
    variant = variant_of(mapped, payload, run)
    if variant is None:
        raise InvalidInput("wrong_shape", "the payload has the shape of no variant of the mapping")
    made: list[Told] = []
    unknown = 0
    for number, scope in enumerate(scopes(variant, payload, run)):
        found = attempt(item_events, mapped, variant, scope, run)
        if isinstance(found, InvalidInput):
            if not variant.for_each or found.reason == "mapping_limit":
                raise found
            made.append(found.at(number))
        elif found is None:
            unknown += 1
        else:
            made += found
    if not made:
        raise unknown_kind() if unknown else Ignored("no_fact")
    return made


def item_events(mapped: Mapped, variant: Variant, scope: dict[str, Any], run: Bounded) -> list[Event] | None:
    """The events of an item of a payload, or of all of it; None where its kind is not known.

    Raises InvalidInput.
    """
    name_values(variant, scope, run)
    emits = emits_of(variant, scope, run)
    if emits is None:
        return None
    key = hashed(named(variant, scope, run), run.secret)
    whole = scope | {"customer_key": key}
    return [event for emit in emits for event in told(mapped, emit, whole, key, run)]


Evaluate = Callable[[Expression, Scope, Bounded], Any]


def or_nothing(expression: Expression, scope: Scope, run: Bounded) -> Any:
    """The value of an expression, None where it has none."""
    try:
        return evaluate(expression, scope, run)
    except InvalidInput:
        return None


def scopes(
    variant: Variant, payload: Payload, run: Bounded, evaluate: Evaluate = evaluate
) -> list[dict[str, Any]]:
    """What expressions read: the payload, an item of it where the variant goes through a list.

    Raises InvalidInput.
    """
    found: list[dict[str, Any]] = [{"payload": payload, "item": None}]
    for name, expression in variant.for_each.items():
        inner = (outer | {name: item} for outer in found for item in items(evaluate(expression, outer, run)))
        found = list(islice(inner, ITEMS_MAX + 1))
        if len(found) > ITEMS_MAX:
            raise InvalidInput("mapping_limit", f"more than {ITEMS_MAX:,} items in one payload")
    return found


def name_values(variant: Variant, scope: dict[str, Any], run: Bounded, evaluate: Evaluate = evaluate) -> None:
    """Add what `let` names to a scope. Raises InvalidInput."""
    for name, expression in variant.let.items():
        scope[name] = evaluate(expression, scope, run)


def items(found: Any) -> list[Any]:
    """The items of a list; what is none is one item, null none at all."""
    return [] if found is None else found if isinstance(found, list) else [found]


def emits_of(variant: Variant, scope: Scope, run: Bounded) -> tuple[Emit, ...] | None:
    """What a payload emits; None where its kind is not known. Raises InvalidInput where that is refused."""
    if variant.switch is None:
        return variant.always
    found = evaluate(variant.switch, scope, run)
    word = "null" if found is None else key_text(found) if not isinstance(found, list | dict) else ""
    for case in variant.cases:
        if word in case.words:
            return (*variant.always, *case.emit)
    if variant.otherwise == "ignore" or any(matches(word, each) for each in variant.ignore):
        return ()
    if variant.otherwise == "refuse":
        raise InvalidInput(
            "unknown_kind", f"line {variant.switch.line}: no case for this value of the switch"
        )
    return None


def matches(word: str, pattern: str) -> bool:
    """Is a word meant by an entry of `ignore`? A star at its end stands for any rest."""
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


def told(mapped: Mapped, emit: Emit, scope: Scope, key: str | None, run: Bounded) -> Iterator[Event]:
    """The event of an emit, unless its condition does not hold. Raises InvalidInput."""
    if emit.when is not None and not is_true(evaluate(emit.when, scope, run)):
        return
    at = value_of(emit.at, scope, run)
    fields = {name: filled(mapped, value, scope, run) for name, value in emit.fields.items()}
    fields = {name: value for name, value in fields.items() if value is not None}
    owner = mapped.name
    if emit.contact_id:
        owner = fields["contact_id"] = joined(mapped.name, emit.contact_id, scope, run)
    fields |= {"source": mapped.name, "occurred_at": at}
    fields["event_id"] = joined(owner, emit.event_id, scope, run)
    if key is not None and emit.type == "contact_started":
        fields["customer_key"] = key
    if emit.revision is not None:
        number = value_of(emit.revision, scope, run)
        fields["revision"] = earliest_wins(number) if emit.earliest else number
    yield build(emit.type, fields)


def filled(mapped: Mapped, value: Value, scope: Scope, run: Bounded) -> Any:
    """The value of a field; of another contact its id, or none where a part is null and may be."""
    if value.kind != "contact":
        return value_of(value, scope, run)
    loose = [value_of(replace(part, required=False), scope, run) for part in value.ids]
    return None if None in loose and not value.required else joined(mapped.name, value.ids, scope, run)


def joined(first: str, parts: Iterable[Value], scope: Scope, run: Bounded) -> str:
    """An id of several parts, which no others can make; a longer one than may be is hashed."""
    said = [str(value_of(part, scope, run)).replace("%", "%25").replace("/", "%2F") for part in parts]
    whole = "/".join([first, *said])
    return whole if len(whole) <= ID_MAX_CHARS else f"{first[:64]}/{sha256(whole.encode()).hexdigest()}"


def identifiers(expression: Expression, scope: Scope, run: Bounded) -> list[str]:
    """Raw identifiers of customers; none where there is something else."""
    return [
        key_text(each)
        for each in items(or_nothing(expression, scope, run))
        if isinstance(each, str | int) and not isinstance(each, bool)
    ]


def customers_of(mapped: Mapped, payload: Mapping[str, Any]) -> list[str]:
    """The raw identifiers of customers in a payload."""
    variant = variant_of(mapped, payload)
    if variant is None:
        return []
    run = runner(mapped, b"")
    raws = []
    for scope in scopes(variant, payload, run, or_nothing):  # what is refused names customers all the same
        name_values(variant, scope, run, or_nothing)
        raws += named(variant, scope, run)
    return raws


def named(variant: Variant, scope: Scope, run: Bounded) -> list[str]:
    """The customers that a payload names, the best identifier first."""
    return [raw for each in variant.customers for raw in identifiers(each, scope, run)]
