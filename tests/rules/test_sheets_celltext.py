"""The text of conditions and values in cells."""

from __future__ import annotations

import pytest
from harken_rules.language import Place
from harken_rules.sheets.celltext import (
    CellError,
    condition_text,
    read_condition_text,
    read_values,
    value_text,
)
from harken_rules.sheets.plain import Plain, plain_of, same

HERE = Place("sheet!", 1, 1)

CONDITIONS: list[tuple[Plain, str]] = [
    ("charges", "charges"),
    (["charges", "monternet"], "charges, monternet"),
    ({"not": "a"}, "not: a"),
    ({"not": ["a", "b"]}, "not: a, b"),
    ({"missing": "true"}, "missing"),
    ({"missing": "false"}, "known"),
    ({"at_least": "3.60"}, ">= 3.60"),
    ({"above": "24 hours"}, "> 24 hours"),
    ({"at_least": "24", "below": "48"}, ">= 24 and < 48"),
    ({"at_most": "-0.5"}, "<= -0.5"),
    ("true", "true"),
    ("007", "007"),
    ("1-2", "1-2"),
    ("missing", '"missing"'),
    ("Known", '"Known"'),
    (["a, b", "c"], '"a, b", c'),
    ('say "so"', '"say ""so"""'),
    ("not: x", '"not: x"'),
    ("not x", '"not x"'),
    (">= 3", '">= 3"'),
    ("[1, 2)", '"[1, 2)"'),
    ("=1+1", '"=1+1"'),
    ("两，三", '"两，三"'),
    ("nothing", "nothing"),
    ("a and b", "a and b"),
]


@pytest.mark.parametrize(("condition", "text"), CONDITIONS)
def test_a_condition_and_its_text(condition: Plain, text: str) -> None:
    assert condition_text(condition) == text
    assert same(plain_of(read_condition_text(text, HERE)), condition)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        (" charges ,monternet ", ["charges", "monternet"]),
        ("charges，monternet、other", ["charges", "monternet", "other"]),
        ("NOT：a，b", {"not": ["a", "b"]}),
        ("Missing", {"missing": "true"}),
        ("KNOWN", {"missing": "false"}),
        (">=24 AND <48", {"at_least": "24", "below": "48"}),
        (">24,<=48", {"above": "24", "at_most": "48"}),
        ("≥ 24 且 ＜ 48", {"at_least": "24", "below": "48"}),
        ("=> 3", {"at_least": "3"}),
        ("[24, 48)", {"at_least": "24", "below": "48"}),
        ("(24 hours, 48 hours]", {"above": "24 hours", "at_most": "48 hours"}),
        ("【24，48）", {"at_least": "24", "below": "48"}),
        ("[24, )", {"at_least": "24"}),
        ("(,48]", {"at_most": "48"}),
        ("4, 5", ["4", "5"]),
    ],
)
def test_other_ways_to_write_it(text: str, condition: Plain) -> None:
    assert same(plain_of(read_condition_text(text, HERE, numeric=True)), condition)


def test_a_list_in_brackets_is_a_list_where_no_numbers_are() -> None:
    assert plain_of(read_condition_text("[charges, monternet]", HERE)) == ["charges", "monternet"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("not charges", "`not` needs a colon after it", "write not: charges"),
        ("a,,b", "a value is missing beside a comma", "remove the comma"),
        ("a,", "a value is missing beside a comma", "remove the comma"),
        ("not:", "there is no value after `not:`", "write not: a, b"),
        ('"a', "a quote is not closed", 'write "like this"; double a quote inside'),
        ('"a" b', "something stands behind the quotes: b", "put a comma between"),
        (
            ">= 1,000",
            "'000' has no comparison sign",
            "write numbers with a point and without commas",
        ),
        (">= 3 and four", "'four' has no comparison sign", "write >= 24 and < 48"),
        ("1,000", "'1,000' has a comma in it", "write the number without commas"),
        (">= 3 and >= 4", "'>=' stands here twice", "keep one of the two"),
        (">", "there is no number after '>'", "write >= 24 and < 48"),
        ("(,)", "a range without any bound", "write [24, 48) or >= 24"),
        (
            "24-48",
            "'24-48' does not say whether its ends belong to it",
            "write [24, 48] with both ends, or [24, 48) without 48",
        ),
    ],
)
def test_what_cannot_be_read(text: str, message: str, hint: str) -> None:
    with pytest.raises(CellError) as caught:
        read_condition_text(text, HERE, numeric=True)
    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize("value", ["a", "-1", "007", "a, b", "", ["x", "y, z"], ['"', "missing"]])
def test_values(value: Plain) -> None:
    assert same(plain_of(read_values(value_text(value), HERE)), value)
