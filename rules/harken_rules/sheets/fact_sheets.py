"""The facts as two sheets: ``facts``, one row a fact, and ``values``, one row a code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harken_rules.hints import did_you_mean
from harken_rules.language import Place, RuleBase
from harken_rules.sheets.book import FACTS, VALUES, Finding, Grid, Sheet, widths_of
from harken_rules.sheets.celltext import CellError, condition_text, read_condition_text
from harken_rules.sheets.plain import Plain, as_mapping, as_text
from harken_rules.sheets.tablegrid import TableGrid, entry, heading_row
from harken_rules.source import Node, Scalar, Table

_PLAIN = ("type", "source", "unit", "values_from", "open")


def fact_sheet(facts: Mapping[str, Plain], languages: Sequence[str]) -> Sheet:
    """One row a fact."""
    sheet = Sheet(FACTS)
    headings = ["fact", "type", "source", *_headings("title", languages)]
    headings += ["unit", "range", "values_from", "open"]
    sheet.headings.append(sheet.add(*headings))
    for name, value in facts.items():
        fact = as_mapping(value)
        row = {key: as_text(fact.get(key)) for key in _PLAIN} | {"fact": name}
        row |= _texts("title", fact.get("title"))
        row["range"] = condition_text(fact["range"]) if "range" in fact else ""
        sheet.add(*(row.get(heading, "") for heading in headings))
    types = "=enum,number,integer,boolean"
    sheet.choices.append((2, len(sheet.rows) + 50, headings.index("type") + 1, types))
    sheet.frozen, sheet.widths = (2, 2), widths_of(sheet.rows)
    return sheet


def value_sheet(facts: Mapping[str, Plain], languages: Sequence[str]) -> Sheet:
    """One row a code of the enums that list their own."""
    sheet = Sheet(VALUES)
    headings = ["fact", "value", *_headings("label", languages)]
    sheet.headings.append(sheet.add(*headings))
    for name, value in facts.items():
        for code, labels in as_mapping(as_mapping(value).get("values")).items():
            row = {"fact": name, "value": code} | _texts("label", labels)
            sheet.add(*(row.get(heading, "") for heading in headings))
    sheet.frozen, sheet.widths, sheet.filtered = (2, 3), widths_of(sheet.rows), True
    return sheet


def code_sheet(name: str, base: RuleBase, language: str) -> tuple[Sheet, dict[str, int]]:
    """Codes and labels of every enum, for looking up; and the column of each fact's codes."""
    sheet, columns = Sheet(name), {}
    enums = [fact for fact in base.facts.values() if fact.values]
    headings: list[str] = []
    for fact in enums:
        columns[fact.name] = len(headings) + 1
        headings += [fact.name, fact.title.get(language) or fact.name]
    sheet.headings.append(sheet.add(*headings))
    longest = max((len(fact.values or {}) for fact in enums), default=0)
    for index in range(longest):
        row: list[str] = []
        for fact in enums:
            pair = list((fact.values or {}).items())[index : index + 1]
            row += [pair[0][0], pair[0][1].get(language) or ""] if pair else ["", ""]
        sheet.add(*row)
    sheet.frozen, sheet.widths = (2, 1), widths_of(sheet.rows[:200], most=30)
    return sheet, columns


def read_fact_sheets(
    facts: Grid, values: Grid | None, languages: Sequence[str], found: list[Finding]
) -> Node | None:
    """``facts.yaml`` as the two sheets have it; what is wrong with the sheets goes to ``found``."""
    table = _table(facts, "fact", found)
    headings = ["fact", *_PLAIN, "range", *_headings("title", languages)]
    if table is None or not _read_headings(table, headings, ("fact", "type", "source")):
        return None
    codes = {} if values is None else _read_values(values, languages, found)
    names: set[str] = set()
    entries = []
    for row in table.rows():
        name = table.scalar(row, "fact")
        if name.text in names:
            message = f"fact '{name.text}' stands here a second time"
            table.error(row, name.place.column, message, "remove one of the two rows")
        names.add(name.text)
        entries.append((name, _fact(table, row, languages, codes.get(name.text))))
    for name_of, node in codes.items():
        if name_of not in names:
            message = f"no fact is called '{name_of}'"
            place = node.place
            hint = did_you_mean(name_of, names)
            found.append(Finding(VALUES, place.line, place.column, message, hint))
    top = table.grid.place(table.heading, 1)
    return Table(top, (entry(top, "facts", Table(top, tuple(entries))),))


def _fact(table: TableGrid, row: int, languages: Sequence[str], values: Table | None) -> Table:
    entries = []
    for key in ("type", "source"):
        entries.append(entry(table.place(row, key), key, table.scalar(row, key)))
    title = table.texts(row, "title", languages)
    if title is not None:
        entries.append(entry(title.place, "title", title))
    if table.text(row, "unit"):
        entries.append(entry(table.place(row, "unit"), "unit", table.scalar(row, "unit")))
    limits = table.scalar(row, "range")
    if limits.text:
        try:
            node = read_condition_text(limits.text, limits.place, numeric=True)
            entries.append(entry(limits.place, "range", node))
        except CellError as error:
            table.error(row, limits.place.column, error.message, error.hint)
    if table.text(row, "values_from"):
        source = table.scalar(row, "values_from")
        entries.append(entry(source.place, "values_from", source))
    if table.text(row, "open"):
        entries.append(entry(table.place(row, "open"), "open", table.scalar(row, "open")))
    if values is not None:
        entries.append(entry(values.place, "values", values))
    return Table(table.place(row, "fact"), tuple(entries))


def _read_values(grid: Grid, languages: Sequence[str], found: list[Finding]) -> dict[str, Table]:
    table = _table(grid, "value", found)
    if table is None or not _read_headings(
        table, ["fact", "value", *_headings("label", languages)], ("fact", "value")
    ):
        return {}
    codes: dict[str, dict[str, tuple[Scalar, Node]]] = {}
    places: dict[str, Place] = {}
    for row in table.rows():
        name, code = table.text(row, "fact"), table.scalar(row, "value")
        places.setdefault(name, table.place(row, "fact"))
        if code.text in codes.setdefault(name, {}):
            message = f"value '{code.text}' of '{name}' stands here a second time"
            table.error(row, code.place.column, message, "remove one of the two rows")
        labels = table.texts(row, "label", languages) or Table(code.place, ())
        codes[name][code.text] = (code, labels)
    return {name: Table(places[name], tuple(values.values())) for name, values in codes.items()}


def _table(grid: Grid, first: str, found: list[Finding]) -> TableGrid | None:
    heading = heading_row(grid, first)
    if heading is None:
        found.append(Finding(grid.name, 1, 1, f"no column is called '{first}'"))
        return None
    return TableGrid(grid, heading, grid.rows, found)


def _read_headings(table: TableGrid, headings: Sequence[str], required: Sequence[str]) -> bool:
    def known(written: str) -> str | None:
        return written if written in headings else None

    return table.read_headings(known, lambda: headings, required)


def _headings(word: str, languages: Sequence[str]) -> list[str]:
    return [f"{word} ({language})" for language in languages]


def _texts(word: str, labels: Plain | None) -> dict[str, str]:
    return {f"{word} ({key})": as_text(text) for key, text in as_mapping(labels).items()}
