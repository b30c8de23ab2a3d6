"""Which requests for a call back are behind a KPI, each with the contacts that called back."""

from collections.abc import Iterator
from dataclasses import replace

from kpis.tallies.callbacks import callback_measures, is_attempt, request_of
from reports.explain.reading import Contributor, Reader, contributor_of, dimensions_of
from sql import explain_queries as text


def of_callbacks(reader: Reader) -> Iterator[Contributor | None]:
    """Contacts that asked for a call back in the time asked about."""
    asked, rules = reader.asked, reader.rules
    folded = reader.contacts(text.of_callbacks_in_range())
    children: dict[str, list[str]] = {}
    for contact_id, facts in folded.facts.items():
        if facts.contact is not None and facts.contact.callback_of is not None:
            children.setdefault(facts.contact.callback_of, []).append(contact_id)
    for contact_id, facts in folded.facts.items():
        request = request_of(facts.legs)
        if request is None or not asked.holds(request.entered_at):
            continue
        if not asked.fits(request.channel, request.queue, dimensions_of(request)):
            continue
        ids = [
            child
            for child in children.get(contact_id, ())
            if is_attempt(folded.facts[child], request.ended_at or 0, rules)
        ]
        sums = callback_measures(request, [folded.facts[child] for child in ids], rules)
        found = contributor_of(asked.kpi, contact_id, sums, folded)
        if found is not None:
            role = "a contact that called back"
            related = tuple((child, role, folded.shown(child)) for child in sorted(ids))
            said = "; ".join(part for part in (f"asked for on leg {request.leg}", found.note) if part)
            yield replace(found, note=said, related=related)
