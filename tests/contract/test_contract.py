"""Each check of the contract can fail: it finds the fault planted for it, and none in an honest source."""

from pathlib import Path

import pytest
from support.faulty_sources import CUSTOMER, HEADER, LINES, LONGER, source

from adapters.kit.check import check_exports, check_file, other_file_wrong
from adapters.kit.contract import Identifiers
from kpis.fold.events import fold

SAME = "the same on every reading"
ORDER = "order and duplicates do not matter"
REVISION = "a correction has another revision"
CUSTOMERS = "no customer is named"
REASON = "refused lines have a reason"
FEW = "few lines are refused"
EXPORTS = "a longer export repeats the one before"


@pytest.fixture
def exports(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "export-1.txt", tmp_path / "export-2.txt"]
    for path, lines in zip(paths, (LINES, LONGER), strict=True):
        path.write_bytes(b"\n".join(lines))
    return paths


def broken(reader: str, paths: list[Path], ordered: bool = False) -> set[str]:
    """Promises that a reader does not keep."""
    faulty = source(reader, ordered)
    checked = [*check_file(faulty, paths[1], b"k", fold, 0.3), *check_exports(faulty, paths, b"k")]
    return {check.promise for check in checked if check.wrong}


def test_an_honest_source_keeps_all(exports: list[Path]) -> None:
    assert broken("honest", exports) == set()


@pytest.mark.parametrize(
    ("reader", "promises"),
    [
        ("ids_by_counter", {SAME, ORDER, EXPORTS}),
        ("ids_by_line", {ORDER}),
        ("times_by_line", {ORDER}),
        ("constant_revision", {REVISION, EXPORTS}),
        ("falling_revision", {EXPORTS}),
        ("customer_in_event", {CUSTOMERS}),
        ("digits_in_event", {CUSTOMERS}),
        ("customer_in_detail", {CUSTOMERS}),
        ("customer_in_payload", {CUSTOMERS}),
        ("customer_in_log", {CUSTOMERS}),
        ("customer_in_old_log", {CUSTOMERS}),
        ("data_in_reason", {REASON}),
        ("refuses_much", {FEW, ORDER}),
        ("ids_from_the_end", {EXPORTS, ORDER}),
    ],
)
def test_a_planted_fault_is_found(exports: list[Path], reader: str, promises: set[str]) -> None:
    assert broken(reader, exports) == promises


def test_lines_that_have_an_order_are_not_shuffled(exports: list[Path]) -> None:
    assert broken("ids_by_line", exports, ordered=True) == set()


@pytest.mark.parametrize(
    ("reader", "said"),
    [
        ("honest", None),
        ("any_header", "not refused: it gives Accepted"),
        ("says_customer_in_refusal", "names a customer"),
    ],
)
def test_a_file_of_another_kind(reader: str, said: str | None) -> None:
    wrong = other_file_wrong(source(reader), "x.txt", LINES[1:], b"k", Identifiers([CUSTOMER]))
    assert wrong == [] if said is None else said in wrong[0]


def test_a_message_of_the_contract_names_no_customer(exports: list[Path]) -> None:
    for reader in ("customer_in_event", "customer_in_detail", "data_in_reason"):
        for check in check_file(source(reader), exports[0], b"k", fold, 0.0):
            assert not any(map(Identifiers([CUSTOMER]).stand_in, check.wrong))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("call of +49301234567", True),
        ("49301234567", True),
        ("CALLER 70001.", True),
        ("bank-70001", False),
        ("caller 700011", False),
        ("1493012345670", False),
        ("12", False),
        ("anonymous", False),
        (HEADER.decode(), False),
    ],
)
def test_identifiers_are_found_as_whole_words(text: str, found: bool) -> None:
    identifiers = Identifiers(["+49301234567", "Caller 70001", "12", "anonymous", ""])
    assert identifiers.stand_in(text) is found
    assert not Identifiers([])
