"""Which states of which agents are behind a KPI of login and pause."""

from collections import defaultdict
from collections.abc import Iterator

from kpis.agents.states import Stint, state_measures, stints_of
from kpis.catalogue.kpi import total
from reports.explain.reading import Contributor, Reader, Shown, add_up, own_denominator, relevant, utc_text
from sql import explain_queries as text


def of_states(reader: Reader) -> Iterator[Contributor | None]:
    """Agents' quarter-hours, with the states in them; the last state lasts until the moment asked about."""
    asked = reader.asked
    for agent, events in reader.states(text.later_states()).items():
        amounts: defaultdict[int, list[dict[str, int]]] = defaultdict(list)
        evidence: defaultdict[int, list[Shown]] = defaultdict(list)
        for stint in stints_of(events, asked.as_of_ms, reader.rules):
            for start, measures in state_measures(stint):
                if asked.holds(start):
                    amounts[start].append(measures)
                    evidence[start].append(shown(stint))
        for start, found in amounts.items():
            sums = add_up(found)
            measures = relevant(asked.kpi, sums)
            if measures:
                num, den = total(asked.kpi.num, sums), own_denominator(asked.kpi, sums)
                subject = {"agent": agent, "quarter": utc_text(start)}
                yield Contributor(subject, num, den, measures, events=tuple(evidence[start]))


def shown(stint: Stint) -> Shown:
    """A state as explanations show it."""
    times = {"at": utc_text(stint.begin, exact=True), "until": utc_text(stint.end, exact=True)}
    reason = {"reason": stint.reason} if stint.reason else {}
    return {**times, "type": "state", "state": stint.state, **reason}
