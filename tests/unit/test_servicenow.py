# ruff: noqa: E501  # the table of rows
"""The ServiceNow adapter: a made-up log with every trap of the real one, then the real one and its oracle."""

import gzip
import io
import sys
import zipfile
from bisect import bisect_right
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest
from support.reading import read_file
from support.shared_data import shared_data

from adapters.kit.lines import LineFile
from adapters.kit.outcomes import Accepted, Skipped, WrongFile
from adapters.servicenow.file import read_servicenow
from adapters.servicenow.incidents import in_order
from adapters.servicenow.rows import COLUMNS, parse_row
from kpis.fold.events import fold
from schemas.customer_key import customer_key
from schemas.dead_letter import DeadLetter

SECRET = b"test"
DAY_MS = 86_400_000
NAMES = ("number", "sys_mod_count", "incident_state", "reassignment_count", "reopen_count", "caller_id", "opened_at",
         "sys_updated_at", "category", "assignment_group", "assigned_to", "resolved_at", "closed_at")  # fmt: skip
# Incidents are told in pieces, as the file is in no order; resolved_at and closed_at are final on every row.
ROWS = """
A|0|New|0|0|7|1/3/2016 09:00|1/3/2016 09:05|net|g1|?|3/3/2016 09:00|8/3/2016 10:00
B|0|New|0|0|8|1/3/2016 10:00|1/3/2016 10:00|net|g1|?|2/3/2016 12:00|7/3/2016 12:00
A|1|Active|0|0|7|1/3/2016 09:00|1/3/2016 09:30|net|g1|ann|3/3/2016 09:00|8/3/2016 10:00
A|2|Awaiting User Info|0|0|7|1/3/2016 09:00|1/3/2016 10:00|net|g1|ann|3/3/2016 09:00|8/3/2016 10:00
A|3|Awaiting Vendor|1|0|7|1/3/2016 09:00|1/3/2016 11:00|net|g2|?|3/3/2016 09:00|8/3/2016 10:00
A|4|Active|1|0|7|1/3/2016 09:00|1/3/2016 12:00|net|g2|bob|3/3/2016 09:00|8/3/2016 10:00
A|5|Resolved|1|0|7|1/3/2016 09:00|1/3/2016 13:00|net|g2|bob|3/3/2016 09:00|8/3/2016 10:00
A|6|Closed|1|0|7|1/3/2016 09:00|2/3/2016 08:00|net|g2|bob|3/3/2016 09:00|8/3/2016 10:00
A|7|Active|1|1|7|1/3/2016 09:00|2/3/2016 09:00|net|g2|bob|3/3/2016 09:00|8/3/2016 10:00
A|8|Resolved|1|1|7|1/3/2016 09:00|2/3/2016 10:00|net|g2|bob|3/3/2016 09:00|8/3/2016 10:00
A|9|Resolved|1|1|9|1/3/2016 09:00|3/3/2016 09:00|disk|g2|bob|3/3/2016 09:00|8/3/2016 10:00
A|10|Closed|1|1|9|1/3/2016 09:00|8/3/2016 10:00|disk|g2|bob|3/3/2016 09:00|8/3/2016 10:00
B|2|Resolved|1|0|8|1/3/2016 10:00|2/3/2016 12:00|net|g2|?|2/3/2016 12:00|7/3/2016 12:00
B|1|Resolved|0|0|8|1/3/2016 10:00|2/3/2016 11:00|net|g1|?|2/3/2016 12:00|7/3/2016 12:00
B|3|Closed|1|0|8|1/3/2016 10:00|7/3/2016 12:00|net|g2|?|2/3/2016 12:00|7/3/2016 12:00
C|0|New|0|0|?|1/3/2016 11:00|1/3/2016 11:00|?|?|?|?|1/3/2016 11:20
C|1|Closed|0|0|?|1/3/2016 11:00|1/3/2016 11:10|?|?|?|?|1/3/2016 11:20
C|2|Closed|0|0|?|1/3/2016 11:00|1/3/2016 11:20|?|?|?|?|1/3/2016 11:20
D|7|Active|0|0|7|1/3/2016 12:00|1/3/2016 11:00|net|g1|?|1/3/2016 13:00|5/3/2016 17:00
D|5|Resolved|2|0|7|1/3/2016 12:00|1/3/2016 12:30|net|g2|ann|1/3/2016 13:00|5/3/2016 17:00
D|6|Resolved|2|0|7|1/3/2016 12:00|1/3/2016 13:00|net|g2|ann|1/3/2016 13:00|5/3/2016 17:00
D|7|Closed|2|0|7|1/3/2016 12:00|5/3/2016 17:00|net|g2|ann|1/3/2016 13:00|5/3/2016 17:00
E|0|Resolved|0|0|7|1/3/2016 14:00|1/3/2016 14:05|net|g1|ann|?|6/3/2016 14:00
E|1|Closed|0|0|7|1/3/2016 14:00|6/3/2016 14:00|net|g1|ann|?|6/3/2016 14:00
F|0|New|0|0|7|1/3/2016 15:00|1/3/2016 15:01|net|g1|ann|?|?
""".strip().split("\n")  # fmt: skip
PUBLISHED = ",".join(COLUMNS).replace("incident_state", "ident_state").replace("subcategory", "category")


def line(text):
    given = dict(zip(NAMES, text.split("|"), strict=True))
    return ",".join(given.get(name, "x") for name in COLUMNS)


def log(rows=ROWS, header=PUBLISHED):
    return "\n".join([header, *map(line, rows), ""]).encode()


def read(data):
    stored = io.BufferedReader(io.BytesIO(data))
    return list(read_servicenow(LineFile("log.csv", stored, len(data)), SECRET))


def incidents(items):
    return {item.events[0].contact_id[-1]: item.events for item in items if isinstance(item, Accepted)}


def at(text):
    return int(datetime.strptime(text, "%d %H:%M").replace(year=2016, month=3, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture
def facts():
    return {number: fold(events) for number, events in incidents(read(log())).items()}


def ends(facts):
    return [(leg.queue, leg.agent, leg.end_type, leg.end_detail, leg.ended_at) for leg in facts.legs]


def test_an_incident_with_transfer_hold_and_reopening(facts):
    contact, legs = facts["A"].contact, facts["A"].legs
    assert ends(facts["A"]) == [
        ("g1", "ann", "transferred", "cold", at("1 11:00")),
        (
            "g2",
            "bob",
            "resolved",
            "resolved",
            at("1 13:00"),
        ),  # not the final resolved_at: that is of another leg
        ("g2", "bob", "resolved", "resolved", at("3 09:00")),
    ]
    assert (contact.transfers, contact.reopens, contact.ended_at) == (1, 1, at("3 09:00"))
    assert (contact.started_at, legs[0].entered_at) == (at("1 09:00"), at("1 09:00"))
    assert [leg.answered_at for leg in legs] == [at("1 09:30"), at("1 11:00"), at("2 09:00")]
    assert [leg.hold_ms for leg in legs] == [
        3_600_000,
        3_600_000,
        0,
    ]  # on hold when it was passed on: both legs
    assert (contact.reason, contact.customer_key) == ("disk", customer_key("9", SECRET))
    assert (contact.channel, contact.team, contact.flags) == ("messaging", "g2", ())


def test_passed_on_when_resolved_the_resolution_goes_along(facts):
    assert ends(facts["B"]) == [
        ("g1", "", "transferred", "cold", at("2 12:00")),
        ("g2", "", "resolved", "resolved", at("2 12:00")),
    ]
    assert (facts["B"].contact.transfers, facts["B"].contact.reopens) == (1, 0)
    assert facts["B"].contact.flags == ("ANSWER_MISSING",)


def test_closed_alone_is_an_end_of_unknown_outcome(facts):
    contact = facts["C"].contact
    assert ends(facts["C"]) == [("", "", "resolved", "unknown", at("1 11:20"))]
    assert (contact.customer_key, contact.reason, contact.handled, contact.end_by) == (None, "", 0, "system")


def test_a_row_with_a_wrong_version_reopens_nothing_and_two_of_one_version_are_two(facts):
    assert [(leg.end_type, leg.ended_at) for leg in facts["D"].legs] == [
        ("transferred", at("1 12:30")),
        ("resolved", at("1 13:00")),
    ]
    assert (facts["D"].contact.reopens, facts["D"].contact.transfers) == (0, 1)
    rows = [parse_row(line(text).encode()) for text in ROWS if text.startswith("D")]
    assert [name for name, _ in in_order(rows)] == ["00005", "00006", "00007", "00007.2"]


def test_without_resolved_at_the_end_is_closed_at_and_only_the_last_row_is_believed(facts):
    assert facts["E"].contact.ended_at == at("6 14:00")
    assert facts["E"].contact.first_resolved_at == at("6 14:00")
    first = next(event for event in incidents(read(log()))["E"] if event.type == "contact_resolved")
    assert (first.revision, first.occurred_at) == (0, at("1 14:05"))
    assert facts["F"].contact.ended_at is None


def test_a_longer_export_says_the_same_again(facts):
    """Every row tells what it tells, whatever follows; but Closed as the last row corrects the end."""
    rows = [text for text in ROWS if text.startswith("A")]
    whole = incidents(read(log(rows)))["A"]
    for length in range(1, len(rows)):
        told = incidents(read(log(rows[:length])))["A"]
        if "|Closed|" not in rows[length - 1]:
            assert told == whole[: len(told)]


def test_events_are_the_same_in_any_order_of_the_file():
    expected = incidents(read(log()))
    assert incidents(read(log(ROWS[::-1]))) == expected
    assert incidents(read(log([*ROWS, *ROWS]))) == expected
    for events in expected.values():
        assert len({(event.event_id, event.revision) for event in events}) == len(events)


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.zip"])
def test_packed_or_not(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/log.csv", log())
            archive.writestr("__MACOSX/folder/._log.csv", b"x")
    else:
        path.write_bytes(gzip.compress(log()) if name.endswith(".gz") else log())
    assert incidents(read_file(read_servicenow, path, SECRET)) == incidents(read(log()))


def test_zip_archives_that_are_no_log(tmp_path):
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.csv", log())
        archive.writestr("two.csv", log())
    with pytest.raises(WrongFile, match="2 files"):
        list(read_file(read_servicenow, path, SECRET))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(WrongFile, match=r"log\.zip is a zip archive that cannot be read"):
        list(read_file(read_servicenow, path, SECRET))


def test_a_zip_archive_in_a_pipe_is_refused_in_words(monkeypatch):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("log.csv", log())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pipe(data.getvalue()))))
    with pytest.raises(WrongFile, match="name the file"):
        list(read_file(read_servicenow, "-", SECRET))


def test_a_damaged_zip_archive_gives_what_it_holds_and_a_rejection(tmp_path):
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "log.csv", log([*ROWS, *(text.replace("B|", f"B{i}|") for i in range(999) for text in ROWS)])
        )
    packed = bytearray(path.read_bytes())
    packed[packed.rindex(b",bob,") + 1] ^= 1  # still a row, but not the one of the checksum
    path.write_bytes(packed)
    items = list(read_file(read_servicenow, path, SECRET))
    assert len(incidents(items)) > 4
    assert [item.reason for item in items if isinstance(item, DeadLetter)] == ["damaged_file"]


@pytest.mark.parametrize(
    "header", [",".join(COLUMNS), PUBLISHED.upper(), '"' + PUBLISHED.replace(",", '","') + '"']
)
def test_a_mended_or_quoted_header_is_as_good(header):
    assert len(incidents(read(log(header=header)))) == 6


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", log(header=PUBLISHED + ",more"), b"\xff,x\n", b'"\n'])
def test_another_file_is_refused_before_anything_is_told(data):
    with pytest.raises(WrongFile, match=r"log\.csv is .*expected the 36 columns"):
        read(data)


@pytest.mark.parametrize(
    ("good", "bad", "reason"),
    [
        ("|1/3/2016 15:01|", "|2016-03-01 15:01|", "bad_time"),
        ("|1/3/2016 15:01|", "|31/2/2016 15:01|", "bad_time"),
        ("|1/3/2016 15:01|", "|?|", "bad_time"),
        ("F|0|", "F|zero|", "bad_number"),
        ("F|0|", "|0|", "no_identity"),
        ("|ann|", "|a,b|", "wrong_columns"),
        ("|ann|", "|\x80|", "invalid_utf8"),
        ("|ann|", '|"a"n|', "invalid_csv"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_and_its_incident_left_out(good, bad, reason):
    rows = [*ROWS[:-1], ROWS[-1].replace("|7|", "|70007|").replace(good, bad)]
    assert rows[-1].count("70007") == 1
    items = read(log(rows).replace("\x80".encode(), b"\x80"))
    refused = next(item for item in items if isinstance(item, DeadLetter))
    assert (refused.origin, refused.position, refused.reason) == ("log.csv", len(ROWS) + 1, reason)
    assert b"70007" not in refused.payload
    assert [type(item) for item in items].count(Skipped) == (reason != "no_identity")
    assert len(incidents(items)) == 5


def test_an_event_that_cannot_be_is_a_dead_letter_of_its_incident():
    *others, last = read(log([*ROWS[:-1], ROWS[-1].replace("|1/3/2016 15:00|", "|1/3/1916 15:00|")]))
    assert len(incidents(others)) == 5
    assert (last.reason, last.payload) == ("invalid_event", b"shape of 1 bytes: A")


@pytest.fixture(scope="module")
def real():
    items = list(read_file(read_servicenow, shared_data("servicenow-incident-event-log.zip"), SECRET))
    assert {type(item) for item in items} == {Accepted}
    return [fold(item.events) for item in items]


@pytest.mark.slow
def test_the_real_log(real):
    """Counted outside of this project from reassignment_count, reopen_count and the states."""
    legs = [leg for facts in real for leg in facts.legs]
    resolved = [leg.contact_id for leg in legs if (leg.end_type, leg.end_detail) == ("resolved", "resolved")]
    assert len(real) == 24_918
    assert sum(facts.contact.transfers > 0 for facts in real) == 11_369
    assert sum(facts.contact.reopens > 0 for facts in real) == 275
    assert sum(any(leg.hold_n for leg in facts.legs) for facts in real) == 5_825
    assert (len(resolved), len(set(resolved))) == (25_236, 24_905)
    assert sum(facts.contact.transfers for facts in real) == 23_414  # the sum of the counter
    assert sum(facts.contact.reopens for facts in real) == 331
    assert {facts.contact.end_type for facts in real} == {"resolved"}


@pytest.mark.slow
def test_only_one_flag_of_the_real_log_is_of_its_contradictions(real):
    flags = Counter(flag for facts in real for flag in facts.contact.flags)
    assert flags.keys() == {"ANSWER_MISSING", "NEG"}
    assert flags["NEG"] == 1  # 0000131 was answered 2 h 27 min before it was opened


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "by_reason", "expected"),
    [(1, False, (3_998, 23_052)), (7, False, (9_928, 22_206)), (7, True, (3_547, 22_206)), (30, False, (12_024, 15_865))],
)  # fmt: skip
def test_repeats_of_the_real_log(real, days, by_reason, expected):
    window_ms, until = days * DAY_MS, int(datetime(2016, 6, 1, tzinfo=UTC).timestamp()) * 1000
    contacts = [facts.contact for facts in real if facts.contact.customer_key]
    opened = defaultdict(list)
    for contact in sorted(contacts, key=lambda contact: contact.started_at):
        opened[contact.customer_key, contact.reason if by_reason else ""].append(contact.started_at)
    base = repeated = 0
    for contact in contacts:
        if contact.started_at < until and contact.ended_at + window_ms <= until:
            later = opened[contact.customer_key, contact.reason if by_reason else ""]
            place = bisect_right(later, contact.ended_at)
            base += 1
            repeated += place < len(later) and later[place] <= contact.ended_at + window_ms
    assert (repeated, base) == expected
