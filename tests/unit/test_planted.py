"""The faults of tests/golden/test_removed_rules.py are planted by meaning, not by layout."""

import ast

import pytest
from support.planted import CannotPlant, plant

SOURCE = """
def early(rules):
    return 0, None

def find(answer, end, rules):
    if (answer.at - end.at
            <= rules['skew']):  # just after
        return 1, end.at
    flags.add("LATE")
    return 0, None

class History:
    def find(self, start):
        return max(start, 0)
"""


@pytest.mark.parametrize(
    ("function", "old", "new", "expected"),
    [
        ("find", 'answer.at-end.at <= rules["skew"]', "False", "if False:"),
        ("find", "answer.at - end.at", "(answer.at)", "if answer.at <= rules['skew']:"),
        ("find", "return 1, end.at", "return (1, None)", "return (1, None)"),
        ("find", "flags.add('LATE'); return 0, None", "return 2, None", "return (2, None)"),
        ("find", "flags.add('LATE')", "None", "None"),
        ("early", "return 0, None", "pass", "pass"),
        ("History.find", "max(start, 0)", "start", "return start"),
    ],
)
def test_what_is_meant_is_found_however_it_is_written(
    function: str, old: str, new: str, expected: str
) -> None:
    after = plant(SOURCE, function, old, new)
    before = ast.unparse(ast.parse(SOURCE)).splitlines()
    assert [line.strip() for line in after.splitlines() if line not in before] == [expected]
    assert plant(ast.unparse(ast.parse(SOURCE)), function, old, new) == after


@pytest.mark.parametrize(
    ("function", "old", "new", "message"),
    [
        ("lost", "0", "1", r"lost\(\): 0 functions have that name"),
        ("Lost.find", "0", "1", "0 functions"),
        ("find", "answer.at - end", "0", "find.*nothing reads `answer.at - end`"),
        ("find", "max(start, 0)", "0", "nothing reads"),  # only in the method of that name
        ("find", "end.at", "0", "2 places read `end.at`; name"),
        ("find", "return 1, end.at", "1", "both be expressions, or both statements"),
        ("find", "rules['skew']", 'rules["skew"]', "is the same"),
        ("find", "'answer'", "0", "nothing reads"),  # a name is no text
    ],
)
def test_what_is_not_there_exactly_once_is_refused(function: str, old: str, new: str, message: str) -> None:
    with pytest.raises(CannotPlant, match=message):
        plant(SOURCE, function, old, new)


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(CannotPlant, match="2 functions"):
        plant("def f(): return 0\ndef f(): return 0", "f", "0", "1")
