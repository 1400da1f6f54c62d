"""The table of test cases in the docs says what the tests are."""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[4] / "docs" / "reference" / "ocpp-conformance.md"
ROW = re.compile(
    r"^\| ([A-Z]_\d\d) \| (.+) \| (?:`(test_tc_\w+)`|left out: (.+)) \|$", re.MULTILINE
)
TEST = re.compile(r"^def (test_tc_([a-z])_((?:\d\d_)+)csms\w*)\(", re.MULTILINE)

# The cases of a back end in Part 6 of OCPP 2.0.1, by block.
CASES = {
    "A": (1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 14, 19),
    "B": (1, 2, 6, 7, 9, 10, 12, 13, 20, 21, 22, 25, 26, 27, 30, 31, 42, 44),
    "C": (2, 6, 7, 8, 20, 37, 38, 39, 47, 48, 49),
    "E": (
        *(1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20),
        *(21, 22, 26, 29, 30, 31, 33, 34, 38, 39, 53),
    ),
    "F": (1, 2, 3, 4, 6, 11, 12, 13, 14, 15, 18, 20, 23, 24, 27),
    "G": (3, 4, 5, 6, 7, 8, 11, 14, 17, 20),
    "J": (1, 2, 3, 4, 7, 8, 9, 10, 11),
    "L": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13),
    "M": (1, 2, 5, 13, 18, 19, 20, 21),
    "N": (25, 27, 28, 29, 30, 31, 32, 34, 35, 36, 62),
    "P": (2, 3),
}
ALL = {f"{block}_{number:02d}" for block, numbers in CASES.items() for number in numbers}


def names_by_case() -> dict[str, str]:
    """The name of the test of each case that has one."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        for name, block, numbers in TEST.findall(path.read_text(encoding="utf-8")):
            for number in numbers.strip("_").split("_"):
                case = f"{block.upper()}_{number}"
                assert case not in found, f"{case} has two tests"
                found[case] = name
    return found


def rows() -> list[tuple[str, str, str, str]]:
    """Each row of the page's tables: the case, what it is about, its test, or why it has none."""
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_all_cases_are_listed_once() -> None:
    listed = [case for case, *_ in rows()]
    assert len(listed) == len(ALL) == 135
    assert set(listed) == ALL


def test_each_case_has_the_test_that_the_table_names_or_a_reason() -> None:
    named = {case: test for case, _, test, _ in rows() if test}
    assert named == names_by_case()
    assert all(reason for _, _, test, reason in rows() if not test)


def test_the_counts_are_those_of_the_table() -> None:
    covered = sum(bool(test) for _, _, test, _ in rows())
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"{covered} of them are tests here, {135 - covered} are left out" in text
