"""KPIs of callbacks (docs/facts.md 7)."""

from kpis.catalogue.kpi import SPEC, Kpi

BRIGHT_PATTERN = "Bright Pattern virtual queue (callback) report"


def number(id_: str, name: str, measure: str, definition: str) -> Kpi:
    """A plain number of requests or calls, at the queue entry of the leg that asked."""
    return Kpi(
        id_, name, "count", "contact", "entered", definition, BRIGHT_PATTERN, {measure: 1}, table="callbacks"
    )


CALLBACKS = (
    Kpi("callback_wait", "Callback wait", "ms", "contact", "entered",
        "Mean time from the request of a callback to the first attempt, answered or not.", BRIGHT_PATTERN,
        {"attempt_wait_ms": 1}, {"callbacks_attempted": 1}, table="callbacks"),
    Kpi("callback_wait.answered", "Callback wait, to the answer", "ms", "contact", "entered",
        "Mean time from the request of a callback to the answer of the call that fulfils it.", SPEC,
        {"answer_wait_ms": 1}, {"answer_wait_n": 1}, table="callbacks", variant_of="callback_wait"),
    number("callbacks_requested", "Callbacks requested", "callbacks_requested", "Contacts that asked to be called back."),
    number("callbacks_attempted", "Callbacks attempted", "callbacks_attempted",
           "Requests that somebody was called back for, answered or not."),
    number("callback_attempts", "Callback attempts", "callback_attempts", "Calls that were made for requests."),
    number("callbacks_unanswered", "Callback attempts, no answer", "callback_attempts_unanswered",
           "Calls for requests that ended without an agent having had the customer."),
    number("callbacks_fulfilled", "Callbacks fulfilled", "callbacks_fulfilled",
           "Requests whose customer was reached."),
    Kpi("callback_fulfilment_rate", "Callback fulfilment rate", "ratio", "contact", "entered",
        "Requests whose customer was reached, of all.", SPEC,
        {"callbacks_fulfilled": 1}, {"callbacks_requested": 1}, table="callbacks"),
)  # fmt: skip
