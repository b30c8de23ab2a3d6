"""Events in the notation of the scenarios: `s, q@10(A), a@25, res@325; #2 t[cold]@400{agent=x}`.

s started (@0 unless given), q queued, a answered, h held, r resumed, t transferred, ab abandoned, w
wrapped, res resolved by an agent, reopened, sv surveyed, of offered, re replied, rej rejected, cl closed,
wd withdrawn, li linked. [..] is what the type is about (kind, place, party, outcome, direction or entry,
hold number), (..) a queue, {..} any other field or dimension, #n the leg of all that follows. Times are
seconds after BASE_MS.
"""

import re
from decimal import Decimal

from schemas.events import MODELS, ContactEvent

BASE_MS = 1_767_571_200_000  # 2026-01-05T00:00Z
QUEUE = "A"  # of a q without (..)

TYPES = {
    "s": "contact_started",
    "q": "contact_queued",
    "a": "contact_answered",
    "h": "contact_held",
    "r": "contact_resumed",
    "t": "contact_transferred",
    "ab": "contact_abandoned",
    "res": "contact_resolved",
    "w": "contact_wrapped",
    "reopened": "contact_reopened",
    "sv": "contact_surveyed",
    "of": "contact_offered",
    "re": "contact_replied",
    "rej": "contact_rejected",
    "cl": "contact_closed",
    "wd": "contact_withdrawn",
    "li": "contact_linked",
}
ABOUT = {  # what a word in [..] means
    "s": {
        **dict.fromkeys(("outbound", "inbound"), "direction"),
        **dict.fromkeys(("ivr", "bot", "direct"), "entry"),
    },
    "t": dict.fromkeys(("cold", "warm", "external", "queue_flow", "callback", "voicemail"), "kind"),
    "ab": {**dict.fromkeys(("ivr", "queue", "ring", "hold"), "place"), "system": "by"},
    "res": {
        **dict.fromkeys(("agent", "bot", "customer", "system"), "by"),
        **dict.fromkeys(("resolved", "unresolved", "unknown"), "outcome"),
    },
    "sv": dict.fromkeys(("csat", "nps", "ces", "aes", "fcr"), "kind"),
    "of": dict.fromkeys(("answered", "missed", "refused", "timed_out", "withdrawn"), "outcome"),
    "re": dict.fromkeys(("agent", "customer", "bot", "system"), "by"),
    "rej": dict.fromkeys(("closed", "full", "empty", "blocked", "other"), "cause"),
    "cl": dict.fromkeys(("agent", "customer", "bot", "system"), "by"),
    "wd": dict.fromkeys(("merged", "spam", "test", "deleted", "duplicate", "other"), "cause"),
    "li": dict.fromkeys(("consult", "parent", "forwarded", "related"), "kind"),
}
NUMBERS = {"hold_no", "score", "scale_min", "scale_max", "revision", "hold_n", "leg"}
TOKEN = re.compile(
    r"(?:#(?P<leg>\d+)\s+)?(?P<name>[a-z]+)(?:\[(?P<about>[^]]*)\])?(?:@(?P<at>-?[\d.]+))?"
    r"(?:\((?P<queue>[^)]*)\))?(?:\{(?P<more>[^}]*)\})?\s*(?:[,;]\s*|$)"
)


def to_ms(seconds: str) -> int:
    """Seconds with up to three decimals as milliseconds."""
    milliseconds = Decimal(seconds) * 1000
    assert milliseconds == int(milliseconds), f"{seconds} has more than 3 decimals"
    return int(milliseconds)


def value_of(field: str, text: str) -> object:
    """Value of a field written as text: durations in seconds, true and false, numbers, else the text."""
    if field.endswith("_ms"):
        return to_ms(text)
    if text in ("true", "false"):
        return text == "true"
    return int(text) if field in NUMBERS else text


EVENT_FIELDS = {name: MODELS[kind].model_fields for name, kind in TYPES.items()}


def fields_of(name: str, token: re.Match[str], hold_no: int) -> dict[str, object]:
    """The fields that a token gives beside the envelope."""
    fields: dict[str, object] = {}
    if name == "q":
        fields["queue"] = QUEUE
    if name == "sv":
        fields |= {"scale_min": 1, "scale_max": 5}
    if name == "res":
        fields["outcome"] = "resolved"
    if name in ("h", "r"):
        fields["hold_no"] = int(token["about"] or hold_no)
    elif token["about"]:
        fields |= {ABOUT[name][word]: word for word in token["about"].split()}
    if token["queue"]:
        fields["queue"] = token["queue"]
    for pair in (token["more"] or "").split():
        field, text = pair.split("=", 1)
        if field in EVENT_FIELDS[name]:
            fields[field] = value_of(field, text)
        else:
            own = fields.setdefault("dimensions", {})
            assert isinstance(own, dict)
            own[field] = text
    return fields


def read_events(text: str, channel: str = "voice", contact_id: str = "contact") -> list[ContactEvent]:
    """The events that a line of the notation stands for."""
    events: list[ContactEvent] = []
    leg, hold_no, position = 1, {1: 0}, 0
    while position < len(text):
        token = TOKEN.match(text, position)
        assert token, f"not in the notation: {text[position:]!r}"
        position = token.end()
        leg = int(token["leg"] or leg)
        name = token["name"]
        hold_no[leg] = hold_no.get(leg, 0) + (name == "h")
        assert token["at"] or name == "s", f"{name} has no time in {text!r}"
        fields = {
            "event_id": f"e{len(events) + 1:02}",
            "contact_id": contact_id,
            "leg": leg,
            "occurred_at": BASE_MS + to_ms(token["at"] or "0"),
            "source": "golden",
            "channel": channel,
        } | fields_of(name, token, hold_no[leg])
        events.append(MODELS[TYPES[name]](**fields))  # type: ignore[arg-type]
    return events
