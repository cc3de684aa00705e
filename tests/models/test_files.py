"""Files of every convention give the same rows; what contradicts its declaration is said."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models import columns
from harken_models.dataset import load_dataset
from harken_models.errors import DataError
from harken_models.files import matching, read_file
from harken_models.numbertext import plain_number, rewritten
from harken_models.spec import (
    AttributeField,
    DatasetSpec,
    FieldSpec,
    FileFormat,
    TableSpec,
)
from harken_models.tables import read_tables
from harken_models.timetext import NOT_A_TIME, times_us

PLAIN = FileFormat()
TEXTS = {
    "utf-8": ("plain", "zu früh", "投诉, 资费", 'said "no"', "two\nlines", ""),
    "gb18030": ("plain", "套餐资费有争议", "投诉, 资费", 'said "no"', "two\nlines", ""),
    "cp1252": ("plain", "zu früh", "déjà, vu", 'said "no"', "two\nlines", ""),
}
TEXTS["utf-8-sig"] = TEXTS["utf-16"] = TEXTS["utf-16-le"] = TEXTS["utf-8"]
SPEC = DatasetSpec(
    dataset="x",
    title={},
    fields={
        "grumble_id": FieldSpec("id"),
        "voice_time": FieldSpec("at"),
        "monthly_spend_yuan": FieldSpec("spend"),
        "dissatisfied": FieldSpec("angry"),
    },
    attributes={"note": AttributeField(FieldSpec("note"), "category")},
)


def rows(encoding: str) -> list[dict[str, object]]:
    rng = np.random.default_rng(3)
    return [
        {
            "id": f"g{n:03}",
            "at": pd.Timestamp("2024-01-01") + pd.Timedelta(hours=int(rng.integers(0, 9000))),
            "spend": None if n % 7 == 0 else round(float(rng.gamma(2, 900)), 2),
            "angry": bool(n % 3),
            "note": TEXTS[encoding][n % 6],
        }
        for n in range(40)
    ]


def number_text(value: float, form: FileFormat) -> str:
    shown = f"{value:,.2f}" if form.thousands else f"{value:.2f}"
    return shown.translate(str.maketrans({",": form.thousands, ".": form.decimal}))


def text_of(kept: list[dict[str, object]], form: FileFormat, time_format: str) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=form.delimiter, lineterminator="\r\n")
    writer.writerow(kept[0])
    for row in kept:
        spend, at = row["spend"], row["at"]
        assert isinstance(at, pd.Timestamp)
        writer.writerow(
            [
                row["id"],
                at.strftime(time_format),
                "" if spend is None else number_text(float(str(spend)), form),
                "yes" if row["angry"] else "no",
                row["note"],
            ]
        )
    return out.getvalue()


def typed(path: Path, form: FileFormat, time_format: str | None) -> pd.DataFrame:
    dataset = load_dataset(replace(SPEC, format=form, time_format=time_format), path)
    assert dataset.bad_rows == ()
    return dataset.frame


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """The rows as Parquet, which has types of its own, gives them."""
    frames = {}
    for encoding in TEXTS:
        path = tmp_path_factory.mktemp("parquet") / "data.parquet"
        pd.DataFrame(rows(encoding)).to_parquet(path)
        frames[encoding] = typed(path, PLAIN, None)
    assert frames["utf-8"]["attr_note"].tolist()[1:6] == ["zu früh", *TEXTS["utf-8"][2:5], None]
    assert frames["utf-8"]["monthly_spend_yuan"].isna().sum() == 6
    return frames


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("delimiter", "decimal", "thousands", "time_format"),
    [
        (",", ".", "", "%Y-%m-%d %H:%M:%S"),
        (",", ".", ",", "%m/%d/%Y %H:%M"),
        (";", ",", "", "%d.%m.%Y %H:%M"),
        (";", ",", ".", "%d/%m/%Y %H:%M:%S"),
        ("\t", ",", " ", "%Y%m%d%H%M%S"),
        ("|", ".", "'", "%d-%b-%Y %I:%M %p"),
    ],
)
@pytest.mark.parametrize("encoding", list(TEXTS))
def test_every_convention_gives_the_same_rows(
    tmp_path: Path,
    expected: dict[str, pd.DataFrame],
    encoding: str,
    delimiter: str,
    decimal: str,
    thousands: str,
    time_format: str,
    zipped: bool,
) -> None:
    form = FileFormat(encoding.removesuffix("-sig"), delimiter, decimal, thousands)  # type: ignore[arg-type]
    text = text_of(rows(encoding), form, time_format)
    if encoding == "utf-16-le":
        text = "\ufeff" + text  # a mark that this codec does not skip
    data = text.encode(encoding)
    path = tmp_path / ("data.csv.gz" if zipped else "data.csv")
    path.write_bytes(gzip.compress(data) if zipped else data)
    pd.testing.assert_frame_equal(typed(path, form, time_format), expected[encoding])


def test_excel_gives_the_same_rows(tmp_path: Path, expected: dict[str, pd.DataFrame]) -> None:
    path = tmp_path / "data.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"about": ["nothing"]}).to_excel(book, sheet_name="Cover", index=False)
        pd.DataFrame(rows("utf-8")).to_excel(book, sheet_name="Data", index=False, startrow=2)
    form = FileFormat(sheet="Data", skip_rows=2)
    pd.testing.assert_frame_equal(typed(path, form, None), expected["utf-8"])


def test_files_of_a_pattern_are_one_table(
    tmp_path: Path, expected: dict[str, pd.DataFrame]
) -> None:
    kept = rows("utf-8")
    for name, part in (("b", kept[25:]), ("a", kept[:25])):
        text = text_of(part, PLAIN, "%Y-%m-%d %H:%M:%S")
        (tmp_path / f"part-{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "part-c.txt").write_text("not of it", encoding="utf-8")
    found = matching(tmp_path / "part-*.csv.gz")
    assert [path.name for path in found] == ["part-a.csv.gz", "part-b.csv.gz"]
    frame = typed(tmp_path / "part-*.csv.gz", PLAIN, None)
    pd.testing.assert_frame_equal(frame, expected["utf-8"])


def test_names_without_suffix_and_patterns_of_none(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "g.parquet").write_bytes(b"")
    assert matching(tmp_path, "g") == (tmp_path / "g.parquet",)
    assert matching(tmp_path, "g.csv") == (tmp_path / "g.csv",)
    assert matching(tmp_path, "h") == ()
    assert matching(tmp_path / "h-*.csv") == ()
    assert matching(tmp_path, "/etc/h*") == ()


def test_tables_of_several_formats_are_joined(tmp_path: Path) -> None:
    """Each table in its own encoding; a decimal comma of one reads as the point of the other; the
    key is text in one file and a number in the other."""
    (tmp_path / "grumbles.csv").write_text(
        "id,at,who\ng1,2024-01-01,7\ng2,2024-01-02,8\ng3,2024-01-03,9\n", encoding="utf-8"
    )
    pd.DataFrame({"who": [7, 8], "plan": ["A", "B"]}).to_excel(tmp_path / "plans.xlsx", index=False)
    (tmp_path / "spend-1.csv").write_text("who;spend\n7;1.234,5\n", encoding="utf-16")
    (tmp_path / "spend-2.csv").write_text("who;spend\n8;0,25\n9;1.5\n", encoding="utf-16")
    own = FileFormat("utf-16", ";", ",", ".")
    spec = DatasetSpec(
        dataset="x",
        title={},
        fields={
            "grumble_id": FieldSpec("id"),
            "voice_time": FieldSpec("at"),
            "monthly_spend_yuan": FieldSpec("spend"),
        },
        attributes={"plan": AttributeField(FieldSpec("plan"), "category")},
        tables={
            "grumbles": TableSpec("grumbles", main=True),
            "plans": TableSpec("plans", key="who"),
            "spend": TableSpec("spend-*", key="who", format=own),
        },
    )
    assert list(read_tables(spec, tmp_path).main) == ["id", "at", "who", "plan", "spend"]
    dataset = load_dataset(spec, tmp_path)
    assert dataset.frame["monthly_spend_yuan"].tolist() == [1234.5, 0.25]
    assert dataset.frame["attr_plan"].tolist() == ["A", "B"]
    assert [str(bad) for bad in dataset.bad_rows] == [
        "row 3: monthly_spend_yuan: \"1.5 (decimal ',')\" is not a finite number"
    ]


def test_times_in_several_formats_and_of_excel() -> None:
    stamp = pd.Timestamp("2024-05-06 07:08")
    texts = ["03/04/2024", "2024-04-03 10:00", "4.3.24", stamp, "never", None]
    column = pd.Series(texts, dtype=object)
    formats = ("%d/%m/%Y", "ISO8601", "%d.%m.%y")
    got = times_us(column, formats, "UTC")
    assert [str(np.datetime64(int(us), "us"))[:16] for us in got[:4]] == [
        "2024-04-03T00:00",
        "2024-04-03T10:00",
        "2024-03-04T00:00",
        "2024-05-06T07:08",
    ]
    assert (got[4:] == NOT_A_TIME).all()
    # The order counts where a text is a time in both.
    swapped = times_us(column.iloc[:1], ("%m/%d/%Y", "%d/%m/%Y"), "UTC")
    assert str(np.datetime64(int(swapped[0]), "us"))[:10] == "2024-03-04"


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "plain"),
    [
        ("1234,5", ",", "", "1234.5"),
        ("1.234,5", ",", ".", "1234.5"),
        ("1.234.567", ",", ".", "1234567"),
        ("12,34,567.8", ".", ",", "1234567.8"),
        ("1 234,5", ",", " ", "1234.5"),
        ("1\u202f234", ",", " ", "1234"),
        ("-0,5e3", ",", "", "-0.5e3"),
        (",5", ",", "", "0.5"),
        ("+7", ",", ".", "+7"),
        ("1.5", ",", ".", None),
        ("1.5", ",", "", None),
        ("1,5", ".", ",", None),
        ("12.34", ",", ".", None),
        ("", ",", "", None),
        (",", ",", "", None),
        ("1 234", ",", "", None),
        ("nan", ",", "", None),
        ("٣", ",", "", None),
    ],
)
def test_numbers_as_they_are_written(
    text: str, decimal: str, thousands: str, plain: str | None
) -> None:
    form = FileFormat(decimal=decimal, thousands=thousands)  # type: ignore[arg-type]
    assert plain_number(text, form) == plain


def test_only_texts_have_a_way_of_being_written() -> None:
    """A number of Excel's or Parquet's is one, whatever the declared decimal sign."""
    form = FileFormat(decimal=",")
    mixed = pd.Series([1.5, "2,5", "3.5", None], dtype=object)
    missing = mixed.isna().to_numpy()
    done = columns.read_number(mixed, missing, None, form)
    assert done.values[:2].tolist() == [1.5, 2.5]
    assert [(rows.tolist(), why) for rows, why in done.faults] == [
        ([2], "is not a finite number written like 1234,5")
    ]
    floats = columns.read_number(pd.Series([1.5, 2.0]), np.zeros(2, bool), None, form)
    assert floats.values.tolist() == [1.5, 2.0]


def test_rewriting_never_makes_a_number_of_another() -> None:
    comma = FileFormat(decimal=",", thousands=".")
    got = rewritten(pd.Series(["1.234,5", "1.5", "x", None]), comma, PLAIN)
    assert got.tolist()[:3] == ["1234.5", "1.5 (decimal ',')", "x"]


CUT = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)[:-20]
BAD = {
    "wrong encoding": ("x.csv", "a,b\n套餐资费,二\n".encode("gb18030"), PLAIN,
        r"x\.csv: cannot be read: it is not utf-8 text \(byte 0xcc\); it looks like gb18030: write "
        r"format: \{encoding: gb18030\}"),
    "utf-16 unsaid": ("x.csv", "a,b\n1,2\n".encode("utf-16"), PLAIN, "it looks like utf-16: write"),
    "utf-16 without a mark": ("x.csv", "alpha,b\n1,2\n".encode("utf-16-le"), PLAIN,
        "it looks like utf-16-le"),
    "wrong delimiter": ("x.csv", b"a;b\n1;2\n", PLAIN,
        r"one column wide when read with the delimiter ','; it looks like ';': write "
        r'format: \{delimiter: ";"\}'),
    "ragged": ("x.csv", b"a,b\n1,2\n1,2,3\n", PLAIN,
        "cannot be read: line 3 has 3 cells, the lines before it 2"),
    "surplus": ("x.csv", b"a,b\n1,2,3\n1,2,3\n", PLAIN, "rows have more cells than the line"),
    "empty": ("x.csv", b"", PLAIN, "is empty: it has no line of column names"),
    "cut gzip": ("x.csv.gz", CUT, PLAIN, "the gzip file is cut short or damaged"),
    "no gzip": ("x.csv.gz", b"\x1f\x8bnonsense", PLAIN, "cannot be read: "),
    "cut parquet": ("x.parquet", b"PAR1\x00\x00", PLAIN,
        "it is no whole Parquet file, perhaps cut short"),
    "no parquet": ("x.parquet", b"a,b\n", PLAIN, "it is no whole Parquet file"),
    "cut excel": ("x.xlsx", b"PK\x03\x04\x00", PLAIN, "it is no whole Excel file"),
    "excel as csv": ("x.csv", b"PK\x03\x04\x00", PLAIN, "is Excel or zip by its content; name it"),
    "parquet as csv": ("x.csv", b"PAR1\x00", PLAIN, "is Parquet by its content; name it"),
    "old excel": ("x.xls", b"\xd0\xcf\x11\xe0", PLAIN, r"\.xls files are not read; save it as"),
    "open quote": ("x.csv", b'a,b\n1,"2\n', PLAIN, "cannot be read: .*EOF inside string"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BAD))
def test_what_contradicts_its_declaration_is_said_in_one_sentence(
    tmp_path: Path, case: str
) -> None:
    name, data, form, words = BAD[case]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError, match=words) as caught:
        read_file(path, form)
    assert "\n" not in str(caught.value)


def test_a_truncated_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(DataError, match="no whole Parquet file, perhaps cut short"):
        read_file(path, PLAIN)


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    pd.DataFrame({"a": [1]}).to_excel(path, sheet_name="May", index=False)
    with pytest.raises(DataError, match=r"has no sheet 'June'; it has May"):
        read_file(path, FileFormat(sheet="June"))


def test_parts_that_differ_are_not_one_table(tmp_path: Path) -> None:
    (tmp_path / "p1.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "p2.csv").write_text("a,c\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"p2\.csv: its columns are not those of p1\.csv.* b, c"):
        load_dataset(replace(SPEC, fields={}), tmp_path / "p*.csv")
    with pytest.raises(DataError, match="no such file"):
        load_dataset(SPEC, tmp_path / "q*.csv")


def test_only_the_columns_and_rows_that_are_wanted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_excel(tmp_path / "x.xlsx", index=False)
    for suffix in ("csv", "parquet", "xlsx"):
        got = read_file(tmp_path / f"x.{suffix}", PLAIN, columns=("b", "none"), rows=2)
        assert (list(got), got["b"].tolist()) == (["b"], ["x", "y"])
