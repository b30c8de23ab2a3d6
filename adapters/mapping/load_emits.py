"""What a mapping emits, checked against the fields of events."""

from difflib import get_close_matches

from adapters.mapping.apply import AGENT_STATE, HEARTBEAT
from adapters.mapping.document import Part
from adapters.mapping.load_values import TIME, Reading, read_ids, read_value
from adapters.mapping.rules import Emit
from adapters.mapping.targets import MADE, Target, targets
from adapters.mapping.values import Value
from schemas.events import MODELS

OWN = ("at", "when", "event_id", "contact_id", "revision", "earliest")
REVISION, MOMENT = Target("number", True), Target("time", True)


def read_emits(
    part: Part, ids: tuple[Value, ...], channel: Value | None, reading: Reading
) -> tuple[Emit, ...]:
    """The events of a list `emit`. `ids` and `channel` are those of the variant."""
    if not isinstance(part.value, list) or not part.value:
        reading.faults.add(
            part, "a list of events is expected, each `- contact_...:` with its fields under it"
        )
        return ()
    found = []
    for each in part.value:
        if len(each.items) != 1:
            reading.faults.add(each, "one event is expected: `- contact_...:` with its fields under it")
            continue
        ((type_, fields),) = each.items.items()
        if type_ not in MODELS:
            near = get_close_matches(type_, MODELS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(MODELS)}"
            reading.faults.add(each.keys[type_], f"{type_} is no type of event; {hint}")
            continue
        found.append(read_emit(type_, fields, ids, channel, reading))
    return tuple(filter(None, found))


def read_emit(
    type_: str, part: Part, ids: tuple[Value, ...], channel: Value | None, reading: Reading
) -> Emit | None:
    """One event."""
    allowed = targets(type_)
    reading.known(part, (*OWN, *(name for name in allowed if name != "revision")))
    items = part.items
    if "at" not in items:
        reading.faults.add(
            part, f"{type_} needs `at`: when it happened, such as {{path: payload.time, unit: iso}}"
        )
        return None
    of_contact = type_ not in (AGENT_STATE, HEARTBEAT)
    if "contact_id" in items:
        ids = read_ids(items["contact_id"], "contact_id", reading)
    if of_contact and not ids:
        reading.faults.add(part, f"{type_} needs contact_id, here or for the whole variant")
    fields = {
        name: read_value(each, name, allowed[name], reading)
        for name, each in items.items()
        if name in allowed and name != "revision" and name not in MADE
    }
    if of_contact and "channel" not in fields and channel is not None:
        fields["channel"] = channel
    for name, target in allowed.items():
        if target.required and name not in fields:
            reading.faults.add(part, f"{type_} needs {name}")
    name = type_.removeprefix("contact_")
    event_id = (
        read_ids(items["event_id"], "event_id", reading)
        if "event_id" in items
        else (Value("text", "event_id", part.line, constant=name),)
    )
    return Emit(
        type_,
        read_value(items["at"], "at", TIME, reading),
        event_id,
        ids if of_contact else (),
        fields,
        reading.expression(items["when"], condition=True) if "when" in items else None,
        read_revision(items.get("revision"), reading),
        read_earliest(items.get("earliest"), part, reading),
    )


def read_revision(part: Part | None, reading: Reading) -> Value | None:
    """A counter, or a time with its unit."""
    if part is None:
        return None
    return read_value(part, "revision", MOMENT if "unit" in part.items else REVISION, reading)


def read_earliest(part: Part | None, of: Part, reading: Reading) -> bool:
    """`earliest`, which needs a revision."""
    if part is not None and "revision" not in of.items:
        reading.faults.add(part, "earliest needs `revision`: the time by which versions are told apart")
    return reading.truth(part, "earliest")
