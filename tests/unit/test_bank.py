import gzip
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest
from support import february
from support.bank_file import bank_bytes, line_number, write_bank_file
from support.reading import read_file
from support.shared_data import FEBRUARY, shared_data

from adapters.bank.file import read_bank
from adapters.bank.times import to_date, utc_ms
from adapters.kit.outcomes import Accepted, Skipped, WrongFile
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES, ZERO, add, contribution
from schemas.dead_letter import DeadLetter

SECRET = b"test"


def totals(contacts):
    total = ZERO
    for facts in contacts:
        for tally in contribution(facts, DEFAULT_RULES).values():
            total = add(total, tally)
    return dict(zip(MEASURES, total, strict=True))


def utc(text):
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


@pytest.fixture(params=["calls.txt", "calls.txt.gz"])
def imported(request, tmp_path):
    path = tmp_path / request.param
    expected = write_bank_file(path)
    return list(read_file(read_bank, path, SECRET)), expected


def accepted(items):
    return {item.position: item.events for item in items if isinstance(item, Accepted)}


def test_counts_of_the_made_up_file(imported):
    items, expected = imported
    calls = accepted(items)
    assert len(calls) == expected.contacts
    assert sum(map(len, calls.values())) == expected.events
    assert [(i.position, i.reason) for i in items if isinstance(i, DeadLetter)] == expected.rejected
    assert [i.reason for i in items if isinstance(i, Skipped)] == ["phantom"] * expected.phantom
    found = totals(fold(events) for events in calls.values())
    assert {name: found[name] for name in expected.totals} == expected.totals
    queues = defaultdict(Counter)
    for events in calls.values():
        for leg in fold(events).legs:
            queues[leg.queue].update(answered=leg.answered, abandoned=leg.abandoned)
    assert {q: (c["answered"], c["abandoned"]) for q, c in queues.items() if q} == expected.by_queue


@pytest.mark.parametrize(
    ("trap", "agent"), [("NAAMA", "NAAMA"), ("ANAT", "ANAT"), ("no agent", ""), ("plain", "MAYA")]
)
def test_agent_names_are_repaired(imported, trap, agent):
    contact = fold(accepted(imported[0])[line_number(trap)]).contact
    assert contact.agent == agent
    assert contact.handled == 1


@pytest.mark.parametrize(
    ("trap", "started", "queued"),
    [
        ("plain", "1999-03-01T09:00:00+02:00", "1999-03-01T09:00:10+02:00"),
        ("never queued", "1999-03-01T09:10:00+02:00", "1999-03-01T09:10:05+02:00"),
        ("backwards", "1999-03-01T10:50:00+02:00", "1999-03-01T10:48:30+02:00"),
        ("over midnight", "1999-03-01T23:59:50+02:00", "1999-03-02T00:00:05+02:00"),
        ("at midnight", "1999-03-01T23:59:30+02:00", "1999-03-02T00:00:00+02:00"),
        ("back over it", "1999-03-02T00:00:10+02:00", "1999-03-01T23:59:40+02:00"),
    ],
)
def test_local_times_become_utc(imported, trap, started, queued):
    events = accepted(imported[0])[line_number(trap)]
    assert [event.occurred_at for event in events[:2]] == [utc(started), utc(queued)]


def test_shifted_rows_are_read_as_their_type(imported):
    calls = accepted(imported[0])
    for trap in ("shifted", "padded"):
        started, abandoned = calls[line_number(trap)]
        assert (started.reason, abandoned.place) == ("TT", "ivr")


def test_customers_are_hashed_and_zero_is_nobody(imported):
    calls = accepted(imported[0])
    assert calls[line_number("never queued")][0].customer_key is None
    left, short = (calls[line_number(trap)][0].customer_key for trap in ("left", "short"))
    assert left == short
    assert "9000002" not in left
    assert all(b"9000001" not in item.payload for item in imported[0] if isinstance(item, DeadLetter))


def test_two_reads_give_the_same_events(tmp_path):
    write_bank_file(tmp_path / "calls.txt")
    one, two = (accepted(read_file(read_bank, tmp_path / "calls.txt", SECRET)) for _ in range(2))
    assert one == two
    identities = [(event.contact_id, event.event_id) for events in one.values() for event in events]
    assert len(identities) == len(set(identities))


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    path = tmp_path / "calls.txt"
    path.write_bytes(b"\xef\xbb\xbf" + bank_bytes().replace(b"\n", b"\r\n"))
    assert len(accepted(read_file(read_bank, path, SECRET))) == 17


@pytest.mark.parametrize("content", [b"", b"a,b,c\n1,2,3\n", b"\x00\xff\n", b"x" * 2_000_000])
def test_a_file_that_is_no_call_log_says_what_it_is(tmp_path, content):
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(WrongFile, match=r"(?s)other\.csv .*vru\+line call_id"):
        next(read_file(read_bank, path, SECRET))


def test_a_cut_off_gzip_file_gives_what_it_holds_and_a_rejection(tmp_path):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(bank_bytes())[:-20])
    items = list(read_file(read_bank, path, SECRET))
    assert len(accepted(items)) > 10
    assert isinstance(items[-1], DeadLetter)
    assert items[-1].reason == "damaged_file"


def test_gzip_files_of_several_members_and_with_padding(tmp_path):
    data = bank_bytes()
    path = tmp_path / "members.gz"
    path.write_bytes(gzip.compress(data[:700]) + gzip.compress(data[700:]) + bytes(512))
    assert len(accepted(read_file(read_bank, path, SECRET))) == 17


def test_a_huge_line_is_refused_and_the_next_one_read(tmp_path):
    header, first, *_ = bank_bytes().split(b"\n")
    path = tmp_path / "huge.txt"
    path.write_bytes(b"\n".join([header, b"x" * 20_000_000, first, b""]))
    huge, call = read_file(read_bank, path, SECRET)
    assert (huge.reason, len(huge.payload), huge.position) == (
        "too_large",
        322,
        2,
    )
    assert call.position == 3


def test_hours_that_clocks_skip_or_show_twice_are_deterministic():
    # 1999 in Israel: forward on 2 April at 2:00 (+02 to +03), back on 3 September at 2:00.
    assert utc_ms(to_date("990402"), 2 * 3600 + 1800) == utc("1999-04-02T02:30:00+02:00")
    assert utc_ms(to_date("990903"), 1 * 3600 + 1800) == utc("1999-09-03T01:30:00+03:00")


def quantile(values, share):
    return sorted(values)[int((len(values) - 1) * share)]


@pytest.fixture(scope="module")
def february_facts():
    items = list(read_file(read_bank, shared_data(FEBRUARY), SECRET))
    return items, [fold(item.events) for item in items if isinstance(item, Accepted)]


def test_february_totals(february_facts):
    items, facts = february_facts
    assert len(items) == february.ROWS
    assert Counter(type(item) for item in items)[Skipped] == february.PHANTOM
    assert not any(isinstance(item, DeadLetter) for item in items)
    found = totals(facts)
    assert {name: found[name] for name in february.TOTALS} == february.TOTALS


def test_february_rates(february_facts):
    n = totals(february_facts[1])
    in_target, answered, offered = n["answered_in_target"], n["answered"], n["offered"]
    rates = {
        february.ABANDONMENT_RATE_RAW: 100 * n["abandoned"] / offered,
        february.ASA_S: n["wait_ms"] / n["wait_n"] / 1000,
        february.MEAN_WAIT_OFFERED_S: n["queue_ms"] / n["queue_n"] / 1000,
        february.MEAN_WAIT_ABANDONED_S: n["abandon_wait_ms"] / n["abandon_wait_n"] / 1000,
        february.AHT_S: n["handle_ms"] / n["handle_n"] / 1000,
        february.SERVICE_LEVEL_OFFERED: 100 * in_target / offered,
        february.SERVICE_LEVEL_ANSWERED: 100 * in_target / answered,
        february.SERVICE_LEVEL_IGNORE_ABANDONED: 100 * in_target / (offered - n["abandoned_in_target"]),
        february.SERVICE_LEVEL_POSITIVE_ABANDONED: 100 * (in_target + n["abandoned_in_target"]) / offered,
    }
    for expected, found in rates.items():
        assert round(found, 3) == expected


def test_february_legs(february_facts):
    legs = [leg for facts in february_facts[1] for leg in facts.legs if leg.offered]
    answered = [leg for leg in legs if leg.answered]
    assert max(leg.queue_ms for leg in legs) == february.LONGEST_WAIT_MS
    assert max(leg.talk_ms for leg in answered) == february.LONGEST_TALK_MS
    assert sum(leg.talk_ms < 10_000 for leg in answered) == february.TALK_UNDER_10_S
    for share, expected in february.WAIT_QUANTILES_MS.items():
        assert quantile([leg.queue_ms for leg in answered], share) == expected
    for queue, (n, abandoned, wait_s, talk_s) in february.BY_TYPE.items():
        own = [leg for leg in answered if leg.queue == queue]
        assert len(own) == n
        assert sum(leg.abandoned for leg in legs if leg.queue == queue) == abandoned
        assert sum(leg.queue_ms for leg in own) == wait_s * 1000
        assert sum(leg.talk_ms for leg in own) == talk_s * 1000
    for agent, (n, talk_s) in february.TOP_AGENTS.items():
        own = [leg for leg in answered if leg.agent == agent]
        assert (len(own), sum(leg.talk_ms for leg in own)) == (n, talk_s * 1000)


@pytest.mark.parametrize("days", list(february.REPEATS))
def test_february_repeats(february_facts, days):
    """Not a KPI yet: checks that customers, times and types are the ones the oracle saw."""
    window = days * 86_400_000
    month_end = utc("1999-03-01T00:00:00+02:00")
    by_customer = defaultdict(list)
    for facts in february_facts[1]:
        if facts.contact.handled and facts.contact.customer_key:
            offered_at = facts.legs[0].entered_at
            by_customer[facts.contact.customer_key].append(
                (offered_at, facts.contact.ended_at, facts.contact.queue)
            )
    base = repeats = same = 0
    for contacts in by_customer.values():
        for start, end, queue in contacts:
            if end + window < month_end:
                later = [other for other in contacts if start < other[0] <= end + window]
                base += 1
                repeats += bool(later)
                same += any(other[2] == queue for other in later)
    assert (base, repeats) == february.REPEATS[days]
    if days in february.REPEATS_SAME_TYPE:
        assert (base, same) == february.REPEATS_SAME_TYPE[days]
