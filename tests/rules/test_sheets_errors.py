"""What cannot be imported: every mistake is named by sheet and cell, and nothing is written."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from harken_rules.sheets import SheetsError, workbook_in
from harken_rules.sheets.book import MAX_ROWS, Cell, Grid

from .workbooks import InMemory, bring_back, cell, edit, export, files

Golden = Callable[[str, str], None]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The sample's workbook."""
    file = tmp_path_factory.mktemp("exported") / "rules.xlsx"
    return export(Path(__file__).parent / "sample", file).read_bytes()


@pytest.fixture
def workbook(exported: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "rules.xlsx"
    file.write_bytes(exported)
    return file


def at(sheet: str, where: str, value: object) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book[sheet][where].value = value

    return change


def test_what_a_spreadsheet_makes_of_cells(workbook: Path, copy: Path) -> None:
    def change(book: Any) -> None:
        for rule, value in {
            "five": datetime.date(2024, 1, 2),
            "diamond": "=1+4",
            "three": "#N/A",
            "otherwise": 4.5,
        }.items():
            cell(book["level"], rule, "then: level").value = value
        cell(book["severity"], "emotion", "then: severity").value = True
        book["strategies"].merge_cells("B13:B14")
        book["handling"].sheet_state = "hidden"

    before = files(copy)
    done = bring_back(edit(workbook, change), copy)
    assert [one.render() for one in done.findings] == [
        "severity!H19: a partial score is a number, not 'true'",
        "level!E12: the spreadsheet has made a date or a time of this cell, 2024-01-02 00:00:00; "
        "format the cell as text and type it again",
        "level!E13: the cell holds a formula, =1+4; write the value instead",
        "level!E14: the cell holds an error, #N/A; write the value instead",
        "level!E15: 'level' is a whole number, not 4.5",
        "strategies!B13: the cells B13:B14 are merged; split them, and fill each cell on its own",
        "handling: the sheet is hidden, so that nobody sees what it says; show it, or delete it",
    ]
    assert (done.sound, done.written, files(copy)) == (False, False, before)


Grids = dict[str, Grid]


def find(grid: Grid, text: str, start: int = 1) -> tuple[int, int]:
    """The first cell from row ``start`` on with this text."""
    return min(where for where, one in grid.cells.items() if one.text == text and where[0] >= start)


def table(grid: Grid, rule: str, heading: str) -> tuple[int, int]:
    """The cell of a rule's first row under a heading."""
    top = find(grid, "(labels)")[0] - 1
    column = next(c for c in range(1, grid.columns + 1) if grid.text(top, c) == heading)
    return next(r for r in range(top, grid.rows + 1) if grid.text(r, 1) == rule), column


def write(grid: Grid, where: tuple[int, int], text: str) -> None:
    grid.cells[where] = Cell(text)
    grid.rows, grid.columns = max(grid.rows, where[0]), max(grid.columns, where[1])


def in_rule(sheet: str, rule: str, heading: str, text: str) -> Callable[[Grids], object]:
    return lambda grids: write(grids[sheet], table(grids[sheet], rule, heading), text)


def in_head(sheet: str, line: str, text: str) -> Callable[[Grids], object]:
    return lambda grids: write(grids[sheet], (find(grids[sheet], line)[0], 2), text)


def instead(sheet: str, old: str, new: str) -> Callable[[Grids], object]:
    return lambda grids: write(grids[sheet], find(grids[sheet], old), new)


def at_cell(sheet: str, row: int, column: int, text: str) -> Callable[[Grids], object]:
    return lambda grids: write(grids[sheet], (row, column), text)


def beside_the_table(grids: Grids) -> None:
    grid = grids["level"]
    write(grid, (find(grid, "five")[0], grid.columns + 1), "note")


def too_deep(grids: Grids) -> None:
    grid = grids["duration_band"]
    row, column = table(grid, "long", "any")
    write(grid, (row + 1, column), "or 3")
    write(grid, (row + 2, column), "maybe")


def crowded(grids: Grids) -> None:
    grid = grids["duration_band"]
    row, column = table(grid, "long", "then: duration_band")
    write(grid, (row + 1, column), "long")
    write(grid, (row + 2, 1), "other")


BAD: dict[str, Callable[[Grids], object]] = {
    "a misspelt code": in_rule("handling", "high", "then: owner", "custmer_service"),
    "a label for a code": in_rule("duration_band", "short", "then: duration_band", "长"),
    "a code in a list": in_rule("strategies", "bill", "when: point", "weak_signal, chargs"),
    "a list for one value": in_rule("level", "five", "then: level", "4, 5"),
    "a value twice": in_rule("strategies", "bill", "then: strategies", "call_back, call_back"),
    "a stray comma": in_rule("strategies", "bill", "then: strategies", "call_back,"),
    "text for a number": in_rule("level", "five", "when: severity", ">= high"),
    "a number with a comma": in_rule("level", "five", "when: severity", ">= 3,9"),
    "a span": in_rule("level", "five", "when: severity", "3-4"),
    "another unit": in_rule("duration_band", "short", "when: open_hours", "< 2 days"),
    "an empty range": in_rule("level", "diamond", "when: severity", "> 4 and < 3"),
    "out of range": in_rule("severity", "repeat", "when: grumble_count_30d", "> -2"),
    "a sign on an enum": in_rule("level", "diamond", "when: vip_tier", "> gold"),
    "no colon": in_rule("level", "diamond", "when: vip_tier", "not gold"),
    "not a boolean": in_rule("severity", "emotion", "when: dissatisfied", "yes"),
    "no number": in_rule("severity", "emotion", "then: severity", "much"),
    "no result": in_rule("level", "five", "then: level", ""),
    "no id": in_rule("level", "diamond", "rule", ""),
    "an id twice": in_rule("level", "diamond", "rule", "five"),
    "a bad id": in_rule("level", "diamond", "rule", "Five!"),
    "one language": in_rule("severity", "repeat", "because (zh)", " "),
    "an unknown characteristic": in_rule("severity", "emotion", "characteristic", "emotions"),
    "a characteristic twice": at_cell("severity", 13, 1, "duration"),
    "no title": in_head("level", "title (zh)", ""),
    "an unknown hit": in_head("level", "hit", "frist"),
    "another result": in_head("level", "result", "levle"),
    "another name": in_head("level", "decision", "levels"),
    "a bad otherwise": in_head("level", "otherwise", "1"),
    "an unknown line": instead("level", "hit", "hits"),
    "an unknown column": instead("level", "when: vip_tier", "when: vip_teir"),
    "a column twice": instead("level", "when: vip_tier", "when: severity"),
    "no heading": instead("level", "when: vip_tier", ""),
    "a missing column": instead("level", "then: level", "# level"),
    "no table": instead("level", "rule", "rules"),
    "content beside the table": beside_the_table,
    "an alternative without a rule": in_rule("level", "five", "any", "or"),
    "an alternative too deep": too_deep,
    "an alternative with a result": crowded,
    "a missing sheet": lambda grids: grids.pop("level"),
    "no decision's sheet": at_cell("level", 1, 1, "Decision table"),
    "a decision twice": lambda grids: grids.update(copied=grids["level"]),
    "a fact's type": instead("facts", "enum", "enumm"),
    "a fact's range": instead("facts", ">= 0 and <= 1000", ">= x"),
    "a fact twice": instead("facts", "vip_tier", "category"),
    "a value of no fact": instead("values", "vip_tier", "vip_tire"),
    "a code twice": instead("values", "gold", "diamond"),
    "a department that is none": instead("catalogue_escalations", "network", "netwrok"),
    "a strategy without a script": instead("catalogue_strategies", "script", "skript"),
    "a value and texts": at_cell("catalogue_strategies", 2, 3, "x"),
    "a point without a service": at_cell("taxonomy", 4, 2, ""),
    "a point twice": instead("taxonomy", "charges_opaque", "bill_inaccurate"),
}


def test_every_mistake_is_named_by_its_cell(sample: Path, golden: Golden) -> None:
    memory, text = InMemory(sample), []
    assert memory.findings(memory.grids()) == []
    for name, change in BAD.items():
        grids = memory.grids()
        change(grids)
        found = memory.findings(grids)
        assert found, name
        text.append(f"# {name}\n" + "".join(f"{one}\n" for one in found))
    golden("sheets-bad-cells.txt", "\n".join(text))


def test_all_mistakes_at_once_in_the_order_of_the_book(sample: Path) -> None:
    memory = InMemory(sample)
    grids = memory.grids()
    for name in ("a misspelt code", "a bad id", "no title", "text for a number"):
        BAD[name](grids)
    where = [one.partition(":")[0] for one in memory.findings(grids)]
    assert where == ["level!B3", "level!C12", "level!A13", "handling!F13"]


def test_columns_may_be_moved_and_added(workbook: Path, copy: Path) -> None:
    def change(book: Any) -> None:
        sheet = book["level"]
        top = cell(sheet, "five", "rule").row - 2
        rows = [[one.value for one in row] for row in sheet.iter_rows(min_row=top)]
        for number, row in enumerate(rows, start=top):
            for column, value in enumerate(reversed(row), start=1):
                sheet.cell(number, column).value = value
        sheet.cell(top, len(rows[0]) + 1).value = "# my notes"
        sheet.cell(top + 2, len(rows[0]) + 1).value = "ask the desk"
        sheet.cell(top, len(rows[0]) + 2).value = "dissatisfied"

    done = bring_back(edit(workbook, change), copy)
    assert (done.findings, done.changes) == ((), ())


def test_a_sheet_of_ones_own_is_left_alone(workbook: Path, copy: Path) -> None:
    done = bring_back(edit(workbook, lambda book: book.create_sheet("my notes")), copy)
    assert done.sound
    assert [one.render() for one in done.findings] == [
        "my notes: the sheet is not one that was exported, and is not read"
    ]


def refused(file: Path, root: Path) -> str:
    before = files(root)
    with pytest.raises(SheetsError) as caught:
        bring_back(file, root)
    assert files(root) == before
    return str(caught.value).removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no workbook; save the sheets as .xlsx (Excel workbook)"),
        (b"rule,then\n", "no workbook; save the sheets as .xlsx (Excel workbook)"),
        (b"PK\x03\x04" + b"\0" * 50, "no workbook; save the sheets as .xlsx (Excel workbook)"),
        (
            b"\xd0\xcf\x11\xe0" + b"\0" * 600,
            "an old .xls workbook, or one with a password; save it as .xlsx without a password",
        ),
    ],
)
def test_files_that_are_no_workbooks(data: bytes, message: str, copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.xlsx"
    file.write_bytes(data)
    assert refused(file, copy) == message


def test_a_file_that_is_not_there(copy: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "none.xlsx", copy) == "cannot be read: No such file or directory"
    assert refused(tmp_path, copy).startswith("cannot be read")


def repack(file: Path, change: Callable[[str, bytes], bytes | None], **more: bytes) -> Path:
    """The same archive with other parts."""
    with zipfile.ZipFile(file) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, **more}.items():
            new = change(name, data)
            if new is not None:
                archive.writestr(name, new)
    return file


def test_archives_that_are_no_plain_workbooks(workbook: Path, copy: Path) -> None:
    original = workbook.read_bytes()

    def entities(name: str, data: bytes) -> bytes:
        return data.replace(b"<worksheet", b"<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet", 1)

    def damaged(name: str, data: bytes) -> bytes:
        return data[: len(data) // 2] if name == "xl/worksheets/sheet2.xml" else data

    def macros(name: str, data: bytes) -> bytes:
        return data.replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml")

    def headless(name: str, data: bytes) -> bytes | None:
        return None if name == "xl/workbook.xml" else data

    expected = {
        entities: "declares entities, which no spreadsheet writes",
        macros: "a workbook with macros; save it as .xlsx without macros",
        headless: "no workbook; save the sheets as .xlsx (Excel workbook)",
    }
    for change, message in expected.items():
        workbook.write_bytes(original)
        assert refused(repack(workbook, change), copy) == message
    workbook.write_bytes(original)
    assert refused(repack(workbook, damaged), copy).startswith("the workbook is damaged (")
    macro_file = workbook.rename(workbook.with_suffix(".xlsm"))
    macro_file.write_bytes(original)
    assert "with macros" in refused(macro_file, copy)


def test_bombs_are_refused_before_they_are_unpacked(
    workbook: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_in, "MAX_UNPACKED_BYTES", 3_000_000)
    assert bring_back(workbook, copy).sound
    file = repack(workbook, lambda name, data: data, **{"xl/media/image1.bin": b"\0" * 3_000_000})
    assert file.stat().st_size < 100_000
    assert refused(file, copy) == "unpacks to more than a workbook of rules can hold"


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (f"A{MAX_ROWS + 1}", "10,000 rows"),
        ("XFD3", "400 columns"),
    ],
)
def test_a_sheet_with_too_many_rows_or_columns(
    where: str, what: str, workbook: Path, copy: Path
) -> None:
    edit(workbook, at("level", where, "x"))
    needless = what.split()[1]
    message = f"sheet 'level' has more than {what}; delete the {needless} that are not needed"
    assert refused(workbook, copy) == message


def test_formats_without_content_do_not_count(workbook: Path, copy: Path) -> None:
    def change(book: Any) -> None:
        for where in ("A1048576", "XFD3", "OK1"):
            book["level"][where].number_format = "@"

    assert bring_back(edit(workbook, change), copy).findings == ()


def test_another_workbook(copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.xlsx"
    book = openpyxl.Workbook()
    book.save(file)
    assert refused(file, copy) == (
        "has no sheet 'index'; only workbooks made by `harken rules export` can be imported"
    )
    book.active.title = "index"
    book.save(file)
    assert refused(file, copy) == (
        "the sheet 'index' does not say 'format harken-sheets/1'; "
        "export the rule base again with this version"
    )


def test_numbers_that_may_be_two_codes(copy: Path, tmp_path: Path) -> None:
    facts = copy / "facts.yaml"
    text = "  shelf:\n    type: enum\n    source: request\n    title: {en: Shelf, zh: 架}\n"
    text += "    values:\n      '7': {en: a, zh: b}\n      '007': {en: a, zh: b}\n"
    text += "      '08': {en: a, zh: b}\n"
    facts.write_text(facts.read_text(encoding="utf-8") + text, encoding="utf-8")
    level = copy / "decisions/level.yaml"
    rule = "  - id: shelf\n    when: {shelf: '08'}\n    then: 3\n"
    level.write_text(
        level.read_text(encoding="utf-8").replace("  - id: five", rule + "  - id: five"),
        encoding="utf-8",
    )
    file = export(copy, tmp_path / "rules.xlsx")

    def shelf(number: int) -> Path:
        where = "when: shelf"
        return edit(
            file, lambda book: setattr(cell(book["level"], "shelf", where), "value", number)
        )

    done = bring_back(shelf(8), copy)
    assert (done.findings, done.changes) == ((), ())
    done = bring_back(shelf(7), copy)
    (found,) = done.findings
    assert found.message == "the cell holds the number 7, which may mean 7 or 007"


def test_a_text_longer_than_a_cell_is_not_cut(copy: Path, tmp_path: Path) -> None:
    level = copy / "decisions/level.yaml"
    level.write_text("# x\n" * 20_000 + level.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(SheetsError, match=r"level!B7 would hold 39,999 characters") as caught:
        export(copy, tmp_path / "rules.xlsx")
    assert "32,000" in str(caught.value)
    assert not (tmp_path / "rules.xlsx").exists()
