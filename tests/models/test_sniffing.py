"""What a file looks like: encoding, delimiter, numbers, dates, the kinds of its columns."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
from harken_models.detection import guess_delimiter, guess_encoding
from harken_models.sniffing import SniffedColumn, formats_of, sniff, sniff_frame
from harken_models.spec import FileFormat
from harken_models.timeshapes import time_shapes
from harken_models.timetext import NOT_A_TIME, times_us

CHINESE = "工单号,业务,描述\n1,资费,用户反映套餐资费有争议，要求核实。\n2,网络,信号不好\n"
FRENCH = "id,objet\n1,Problème réglé à l'été\n2,Très déçu\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-8"),
        (CHINESE.encode(), "utf-8"),
        (CHINESE.encode()[:-5], "utf-8"),  # cut within a character
        (CHINESE.encode("utf-8-sig"), "utf-8"),
        (CHINESE.encode("gb18030"), "gb18030"),
        (CHINESE.encode("gb18030")[:-2], "gb18030"),
        (FRENCH.encode("cp1252"), "cp1252"),
        ("id,Größe\n1,schön\n".encode("cp1252"), "cp1252"),
        (b"a\x81b\xe9\n", "latin-1"),
        (CHINESE.encode("utf-16"), "utf-16"),
        (FRENCH.encode("utf-16-le"), "utf-16-le"),
        (FRENCH.encode("utf-16-be"), "utf-16-be"),
        (bytes(range(9)) * 50, None),
    ],
)
def test_encodings(data: bytes, encoding: str | None) -> None:
    assert guess_encoding(data) == encoding


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb c, d\n1\t2, 3\n4\t5\n", "\t"),
        ("a|b|c\n1|2|x,y\n3|4|z\n", "|"),
        ('a,b\n"x;y;z",2\n"p;q",3\n', ","),
        ("a;b;c\n", ";"),
        ('a;b\n1;"two\nlines, both; here"\n3;4\n', ";"),
        ("one column\nonly\n", None),
        ("", None),
    ],
)
def test_delimiters(text: str, delimiter: str | None) -> None:
    assert guess_delimiter(text) == delimiter


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["2014-10-16", "2014-10-16T09:30:00+08:00", "2014-10-16 09:30Z"], "ISO8601"),
        (["2014-1-6"], "%Y-%m-%d"),
        (["16/10/2014", "03/11/2014"], "%d/%m/%Y"),
        (["10/16/2014 9:30", "11/03/2014 10:00"], "%m/%d/%Y %H:%M"),
        (["29/2/2016 01:16"], "%d/%m/%Y %H:%M"),
        (["16.10.14"], "%d.%m.%y"),
        (["2014/1/6 8:05:00"], "%Y/%m/%d %H:%M:%S"),
        (["20141016"], "%Y%m%d"),
        (["20141016093000"], "%Y%m%d%H%M%S"),
        (["2014年10月16日 9时30分"], "%Y年%m月%d日 %H时%M分"),
        (["16-Oct-2014 09:30"], "%d-%b-%Y %H:%M"),
        (["Oct 16, 2014 9:30 PM"], "%b %d, %Y %I:%M %p"),
        (["16 October 2014"], "%d %B %Y"),
        (["10/16/2014 9:30:01.250"], "%m/%d/%Y %H:%M:%S.%f"),
        (["16/10/2014 09:30:00 +0800"], "%d/%m/%Y %H:%M:%S %z"),
    ],
)
def test_time_formats_are_found_and_read_what_they_were_found_in(
    texts: list[str], form: str
) -> None:
    assert formats_of(texts) == {form: len(texts)}
    assert NOT_A_TIME not in times_us(pd.Series(texts, dtype=object), form, "UTC")


def test_what_is_no_time() -> None:
    texts = ["40/13/2014", "13/13/2014", "1,234", "yesterday", "12:30", "2014", "192.168.10.20",
             "2014-10-16 25 Uhr", "10.5", "1-2345678"]  # fmt: skip
    shapes = time_shapes(texts)
    assert (shapes.counts, shapes.other) == ({}, len(texts))


def test_two_orders_in_one_column_are_two_formats() -> None:
    shapes = time_shapes(["16/10/2014", "10/17/2014", "10/11/2014"])
    assert set(shapes.counts) == {"%d/%m/%Y", "%m/%d/%Y"}
    assert shapes.unsettled == ()
    assert time_shapes(["03/11/2014", "04/12/2014"]).unsettled == ("%d/%m/%Y",)
    # The longer texts of the same column show the order of the shorter.
    settled = time_shapes(["03/11/2014", "04/25/2014 10:00"])
    assert (set(settled.counts), settled.unsettled) == ({"%m/%d/%Y", "%m/%d/%Y %H:%M"}, ())


def look(values: list[object], name: str = "x", **more: list[object]) -> SniffedColumn:
    frame = pd.DataFrame({name: values, **more})
    return sniff_frame(frame, FileFormat(), "x.csv").column(name)


def test_the_order_of_rows_shows_day_or_month() -> None:
    """1 February, 2 February, …: nothing in the texts says so, but the rows stand in order."""
    rising = [f"{day:02}/02/2024" for day in range(1, 13)] + [
        f"{d:02}/03/2024" for d in range(1, 13)
    ]
    column = look([*rising])
    assert column.formats == ("%d/%m/%Y",)
    assert "this order has the rows in order of time" in column.confirm
    other = [f"02/{day:02}/2024" for day in range(1, 13)] + [
        f"03/{d:02}/2024" for d in range(1, 13)
    ]
    assert look([*other]).formats == ("%m/%d/%Y",)
    unsure = look(["05/05/2024", "06/06/2024", "05/05/2024", "06/06/2024"])
    assert unsure.confirm == "day or month first? Nothing shows it"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"2024-01-{n:02}" for n in range(1, 29)], "time"),
        ([pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02")] * 9, "time"),
        (["1", "2.5", "-3", "1e3"] * 9, "number"),
        ([1, 2, 3] * 9, "number"),
        (["0", "1"] * 9, "flag"),
        ([True, False] * 9, "flag"),
        (["是", "否"] * 9, "flag"),
        (["Yes", ""] * 9, "flag"),
        (["Male", "Female"] * 9, "category"),
        (["Active", ""] * 9, "category"),
        (["007", "012", "100"] * 9, "category"),
        (["same"] * 9, "constant"),
        (["", " ", "?"] * 9, "empty"),
        ([f"row number {n} has a text that is quite unlike any other" for n in range(30)], "text"),
        ([f"A-{n}" for n in range(30)], "id"),
    ],
)
def test_kinds(values: list[object], kind: str) -> None:
    assert look(values).kind == kind


def test_names_tell_ids_and_codes_from_numbers() -> None:
    numbers = list(map(str, range(10_000, 10_060)))
    assert look([*numbers], "Complaint ID").kind == "id"
    assert look([*numbers], "amount").kind == "number"
    assert look([*numbers], "zip").kind == "category"


def test_odd_texts_are_shown() -> None:
    column = look([*map(str, range(40)), "n.n."])
    assert (column.kind, column.odd) == ("number", ("n.n.",))
    assert column.confirm == "'n.n.' is no number"


def test_words_for_nothing() -> None:
    """Of "-" nobody can tell in a category; among numbers it is no number."""
    column = look(["A", "-", "?", "B"] * 5)
    assert (column.kind, column.missing_words, column.missing) == ("category", ("?",), 5)
    column = look([*map(str, range(20)), "-", "NULL", ""])
    assert (column.kind, column.missing_words, column.missing) == ("number", ("-", "NULL"), 3)
    column = look(["A", "-", "B"] * 5, other=["1", "-", "2"] * 5)
    assert column.missing_words == ("-",)


def write(path: Path, rows: list[list[str]], delimiter: str, encoding: str = "utf-8") -> Path:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))
    return path


@pytest.mark.parametrize(
    ("numbers", "delimiter", "decimal", "thousands"),
    [
        (["1.5", "2.25", "1000"], ",", ".", ""),
        (["1,234.5", "2.25", "12,000"], ",", ".", ","),
        (["1,5", "2,25", "1000"], ";", ",", ""),
        (["1.234,5", "2,25", "12.000"], ";", ",", "."),
        (["1 234,5", "2,25", "12 000"], "\t", ",", " "),
        (["1'234.5", "2.25", "12'000"], ";", ".", "'"),
    ],
)
def test_decimal_signs(
    tmp_path: Path, numbers: list[str], delimiter: str, decimal: str, thousands: str
) -> None:
    rows = [["name", "amount"], *([f"n{i}", number] for i, number in enumerate(numbers * 9))]
    form = sniff(write(tmp_path / "x.csv", rows, delimiter)).format
    assert (form.delimiter, form.decimal, form.thousands) == (delimiter, decimal, thousands)


def test_titles_above_the_column_names(tmp_path: Path) -> None:
    rows = [["Monthly report"], [], ["id", "at", "amount"]]
    rows += [[str(n), "2024-01-01", "5"] for n in range(9)]
    sniffed = sniff(write(tmp_path / "x.csv", rows, ","))
    assert sniffed.format.skip_rows == 2
    assert [column.name for column in sniffed.columns] == ["id", "at", "amount"]
    assert "the column names seem to stand in line 3" in sniffed.notes[0]


def test_files_of_other_kinds(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [f"a{n}" for n in range(30)], "at": pd.Timestamp("2024-01-01")})
    frame["at"] += pd.to_timedelta(range(30), unit="D")
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_excel(tmp_path / "x.xlsx", index=False)
    data = frame.to_csv(index=False).encode("utf-16")
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(data))
    for name in ("x.parquet", "x.xlsx", "x.csv.gz", "x.c*"):
        sniffed = sniff(tmp_path / name)
        assert [column.kind for column in sniffed.columns] == ["id", "time"], name
        assert sniffed.rows == 30
    assert sniffed.format.encoding == "utf-16"


def test_only_so_many_rows_are_looked_at(tmp_path: Path) -> None:
    rows = [["a", "b"], *([str(n), "x"] for n in range(100))]
    sniffed = sniff(write(tmp_path / "x.csv", rows, ","), rows=50)
    assert sniffed.rows == 50
    assert sniffed.notes[-1] == "the first 50 rows were looked at"


def test_one_byte_encodings_are_said_to_be_a_guess(tmp_path: Path) -> None:
    rows = [["id", "objet"], ["1", "déçu"], ["2", "réglé"]]
    sniffed = sniff(write(tmp_path / "x.csv", rows, ";", "cp1252"))
    assert sniffed.format == FileFormat("cp1252", ";")
    assert "one-byte encodings cannot be told apart" in sniffed.notes[0]
