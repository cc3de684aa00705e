"""The first sheet, which says what the workbook is and how to edit it, and the hidden last one.

The hidden sheet remembers a fingerprint of everything exported, so that an import can tell what was
changed in the sheets from what was changed in the folder meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harken_rules.language import RuleBase
from harken_rules.sheets.book import FORMAT, INDEX, STATE, Grid, Sheet, SheetsError

HEADINGS = ("sheet", "holds", "title", "hit", "results")

_HOW = {
    "en": (
        "One sheet a decision, one row a rule. Columns are found by their headings, so they may be "
        "moved; a column whose heading begins with # is yours and is left alone.",
        "A condition: charges · charges, monternet · not: a, b · >= 24 and < 48 · [24, 48) · "
        "> 24 hours · missing · known · true. An empty cell asks nothing.",
        "A rule with alternatives goes on in rows marked 'or' in the column 'any'. To ask about "
        "another fact add a column 'when: <fact>'. Under hit 'first' the order of rows counts.",
        'A code that could be read as something else stands in double quotes: "missing".',
        "Bring it back with: harken rules import FILE --into DIR --diff (shows what would change), "
        "then without --diff. Every mistake is named by sheet and cell; until all are mended "
        "nothing is written.",
    ),
    "zh": (
        "每个决策一张表，每行一条规则。列按表头识别，可以移动；"
        "表头以 # 开头的列留给您自己，不会读取。",
        "条件写法：charges · charges, monternet · not: a, b · >= 24 and < 48 · [24, 48) · "
        "> 24 hours · missing（缺失）· known（已知）· true。空单元格表示不限。",
        "有多种情形的规则，在下面各行的 any 列写 or。要增加条件，请增加一列“when: 事实名”。"
        "hit 为 first 时，行的先后次序有意义。",
        '可能被误读的代码请加英文双引号："missing"。',
        "导回：harken rules import 文件 --into 目录 --diff（只看改动），确认后去掉 --diff。"
        "错误会指出工作表和单元格，不会只写入一半。",
    ),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A sheet that the index lists; ``holds``: ``decision tolerance``, ``facts`` and so on."""

    sheet: str
    holds: str
    title: str = ""
    hit: str = ""
    results: str = ""


@dataclass(slots=True)
class Index:
    """What index and hidden sheet say. ``units``: fingerprints by document, in the order written;
    None if the hidden sheet is gone."""

    digest: str
    listed: list[Listed] = field(default_factory=list)
    units: dict[str, dict[str, str]] | None = None


def index_sheet(base: RuleBase, listed: Sequence[Listed], left_out: Sequence[str]) -> Sheet:
    """The index: what this is, how to edit it, and every sheet with a link to it."""
    sheet = Sheet(INDEX)
    sheet.add("format", FORMAT)
    sheet.add("rule base", base.name)
    sheet.add("digest", base.digest)
    for languages in _HOW.values():
        for line in languages:
            sheet.add("", line)
    for name in left_out:
        sheet.add("left out", f"{name}: it holds lists within lists; edit its file")
    sheet.titles = [(row, 1) for row in range(1, len(sheet.rows) + 1)]
    sheet.add()
    sheet.headings.append(sheet.add(*HEADINGS))
    for one in listed:
        row = sheet.add(one.sheet, one.holds, one.title, one.hit, one.results)
        sheet.links[row, 1] = one.sheet
    sheet.widths = {1: 26, 2: 90, 3: 40, 4: 10, 5: 40}
    return sheet


def state_sheet(units: Mapping[str, Mapping[str, str]]) -> Sheet:
    """The hidden sheet: document, unit, fingerprint."""
    sheet = Sheet(STATE, hidden=True)
    for document, fingerprints in units.items():
        for unit, mark in fingerprints.items():
            sheet.add(document, unit, mark)
    return sheet


def read_index(grids: Mapping[str, Grid], file: str) -> Index:
    """Index and hidden sheet; raises SheetsError if this is not a workbook that was exported."""
    grid = grids.get(INDEX)
    if grid is None:
        message = f"{file}: has no sheet '{INDEX}'"
        raise SheetsError(
            f"{message}; only workbooks made by `harken rules export` can be imported"
        )
    words = {
        grid.text(row, 1).strip(): grid.text(row, 2).strip() for row in range(1, grid.rows + 1)
    }
    if words.get("format") != FORMAT:
        message = f"{file}: the sheet '{INDEX}' does not say 'format {FORMAT}'"
        raise SheetsError(f"{message}; export the rule base again with this version")
    index = Index(words.get("digest", ""))
    heading = next((row for row in range(1, grid.rows + 1) if _is_heading(grid, row)), grid.rows)
    for row in range(heading + 1, grid.rows + 1):
        if grid.text(row, 1).strip():
            index.listed.append(Listed(grid.text(row, 1).strip(), grid.text(row, 2).strip()))
    state = grids.get(STATE)
    if state is not None:
        index.units = {}
        for row in range(1, state.rows + 1):
            document = index.units.setdefault(state.text(row, 1), {})
            document[state.text(row, 2)] = state.text(row, 3)
    return index


def _is_heading(grid: Grid, row: int) -> bool:
    return (grid.text(row, 1).strip(), grid.text(row, 2).strip()) == HEADINGS[:2]
