"""Records of the customer stage as bytes (JSON by orjson): tallies by length of window, and facts."""

import orjson

from kpis.facts import FcrFact
from kpis.rules import FcrRules
from kpis.tallies.fcr import FCR_MEASURES, INDEX, FcrTally, by_days, zero
from kpis.tallies.windows import Window
from streams.stages.documents import compact

WIDTH = len(FCR_MEASURES)
Measures = dict[str, dict[str, int]]  # days -> measure -> value, without zeros


def named(tally: FcrTally, rules: FcrRules) -> Measures:
    """A flat tally by days and measure."""
    return {
        str(days): {name: amount for name, amount in zip(FCR_MEASURES, amounts, strict=True) if amount}
        for days, amounts in by_days(tally, rules)
    }


def fcr_tally_bytes(tally: FcrTally, rules: FcrRules) -> bytes:
    """Table value of a window's tally."""
    return compact(orjson.dumps(named(tally, rules), option=orjson.OPT_SORT_KEYS))


def with_days_of(value: bytes, before: bytes) -> bytes:
    """A table value that names the days of an earlier one as well.

    Days that the rules have no more stay named, with nothing in them: so readers are told that they are gone.
    """
    measures: Measures = orjson.loads(value)
    gone: Measures = {days: {} for days in orjson.loads(before) if days not in measures}
    return compact(orjson.dumps(measures | gone, option=orjson.OPT_SORT_KEYS)) if gone else value


def fcr_tally_of(value: bytes, rules: FcrRules) -> FcrTally:
    """The flat tally in a table value; what is not named there is 0."""
    measures: Measures = orjson.loads(value)
    flat = list(zero(rules))
    for place, days in enumerate(rules.windows_days):
        for name, amount in measures.get(str(days), {}).items():
            flat[place * WIDTH + INDEX[name]] = amount
    return tuple(flat)


def fcr_window_document(window: Window, partition: int, measures: bytes, version: int) -> bytes:
    """Output record of a window's new tally, whose table value is `measures`."""
    document = {
        "window_start": window.start,
        "channel": window.channel,
        "queue": window.queue,
        "partition": partition,
        "version": version,
        "days": orjson.Fragment(measures),
    }
    return orjson.dumps(document)


def fcr_document(customer: str, contact_id: str, fact: FcrFact | None, version: int) -> bytes:
    """Output record of a contact among its customer's contacts; without a fact it is no candidate there."""
    document = {"customer_key": customer, "contact_id": contact_id, "version": version, "fact": fact}
    return orjson.dumps(document)
