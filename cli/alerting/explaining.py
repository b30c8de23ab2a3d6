"""`ringback alerts explain`: the windows, counts and contacts behind an episode."""

from typing import Annotated

import typer

from alerts.ledger import Change
from alerts.message import REASON_NO_DATA, further_labels, quotient
from alerts.when import SqlWhen
from cli.alerting import listing
from cli.alerting.files import rules_in
from cli.clickhouse import client
from cli.console import NO, Format, fail, out, print_json, settings
from cli.explain import LISTED, Limit, print_text
from cli.kpi import answering
from cli.printable import printable
from cli.settings import rules_of
from cli.shown import local_minute
from kpis.catalogue.every_kpi import every_kpi
from reports.explain.explanation import Asked, document, explain
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS

ASKED = "decided by a query, on ClickHouse as it stood then; asked again it may say something else"


def explain_episode(
    episode: Annotated[str, typer.Argument(help="Its id, as notifications and `alerts list` have it.")],
    limit: Limit = LISTED,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """What was decided about an episode, on which counts, and the contacts that were in them.

    Example: ringback alerts explain 7c1f2e9ab03d44519f0e
    """
    config = settings()
    ledger = listing.ledger_in(config)
    changes = ledger.of_episode(episode)
    ledger.close()
    if not changes:
        fail(f"no episode {printable(episode)} here; `ringback alerts list` shows the last ones", NO)
    own, first = rules_of(config), changes[0]
    kpis = every_kpi(own)
    file = rules_in(None, config, kpis)
    rule = next((each for group in file.groups for each in group.rules if each.alert == first.alert), None)
    is_query = rule is not None and isinstance(rule.when, SqlWhen)
    if format is Format.text:
        for change in changes:
            out.print(said(change, config.timezone, is_query), highlight=False, markup=False, soft_wrap=True)
    if rule is None:
        fail(f"the rule {first.alert} is not in the rule file any more: RINGBACK_ALERT_RULES names it", NO)
    if isinstance(rule.when, SqlWhen):
        told = [listing.document(change) for change in changes]
        if format is Format.json:
            print_json({"changes": told, "query": rule.when.query, "contacts": []})
        else:
            out.print(f"{ASKED}:\n\n{rule.when.query.strip()}", highlight=False, markup=False, soft_wrap=True)
        return
    labels, length = dict(first.labels), max(int(first.seen["window_ms"]), MINUTE_MS)
    asked = Asked(
        kpis[rule.kpi], first.at - length, first.at, first.at, labels.get("channel"), labels.get("queue"),
        config.timezone, further_labels(first.labels),
    )  # fmt: skip
    with answering():
        found = explain(client(config), asked, own)
    if format is Format.json:
        print_json({"changes": [listing.document(change) for change in changes], "contacts": document(found)})
    else:
        print_text(found, limit)


def said(change: Change, zone: str, is_query: bool) -> str:
    """A change with the counts it was decided by."""
    seen = change.seen
    where = listing.labels_shown(change.labels)
    if seen.get("reason") == REASON_NO_DATA:
        window = "nobody came, or too few to judge by"
    elif is_query:
        window = quotient(seen["successes"], seen["n"])
    else:
        window = f"{seen['successes']:,} of {seen['n']:,} in {seen['window_ms'] // MINUTE_MS} min"
    since = local_minute(utc_text(change.opened_at), zone)
    head = f"{local_minute(utc_text(change.at), zone)} {change.kind}: {change.alert} {where}, since {since}"
    return f"{head}: {window}" if change.kind == "firing" or seen.get("reason") == REASON_NO_DATA else head
