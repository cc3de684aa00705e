"""A folder of YAML to a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harken_rules.hints import did_you_mean
from harken_rules.language import RuleBase
from harken_rules.sheets.book import (
    CATALOGUE,
    CODES,
    DECISION,
    FACTS,
    OWN_SHEETS,
    TAXONOMY,
    VALUES,
    Sheet,
    SheetsError,
    sheet_names,
)
from harken_rules.sheets.catalogue_sheets import (
    catalogue_sheet,
    fits,
    read_catalogue_sheet,
    read_taxonomy_sheet,
    taxonomy_sheet,
)
from harken_rules.sheets.content import Content, File, decision_content, grid_of, read_content
from harken_rules.sheets.decision_grid import read_decision
from harken_rules.sheets.decision_rows import decision_sheet
from harken_rules.sheets.fact_sheets import code_sheet, fact_sheet, read_fact_sheets, value_sheet
from harken_rules.sheets.index import Listed, index_sheet, state_sheet
from harken_rules.sheets.plain import Plain, as_mapping
from harken_rules.sheets.units import (
    Units,
    catalogue_units,
    decision_units,
    fact_units,
    marks_of,
    taxonomy_units,
)
from harken_rules.sheets.workbook_out import write_workbook


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: how many decisions and rules, and catalogues that no sheet can hold."""

    decisions: int
    rules: int
    sheets: int
    left_out: tuple[str, ...]


def export_workbook(
    root: Path,
    base: RuleBase,
    target: Path,
    *,
    decisions: Sequence[str] = (),
    language: str = "en",
) -> Exported:
    """Write the sound rule base in ``root`` to the workbook ``target``.

    ``decisions``: only these, if any; ``language``: of labels and notes. Raises SheetsError for an
    unknown decision, and where a spreadsheet cannot hold what the base says.
    """
    names = [one.name for one in base.decisions]
    for one in decisions:
        if one not in names:
            raise SheetsError(f"no decision is called '{one}'; {did_you_mean(one, names)}")
    content = read_content(root, base)
    chosen = [name for name in names if not decisions or name in decisions]
    sheets = document_sheets(content, chosen, language)
    listed = [_listed(sheet.name, document, base, language) for document, sheet in sheets.items()]
    listed += [Listed(VALUES, VALUES), Listed(CODES, "codes and labels, for looking up")]
    left_out = [name for name, file in content.catalogues.items() if not _fits(file)]
    marks = {document: marks_of(units) for document, units in views(content, chosen).items()}
    codes, columns = code_sheet(CODES, base, language)
    values = value_sheet(_facts(content), base.languages)
    book = [index_sheet(base, listed, left_out), *sheets.values(), values, codes]
    reach = {
        name: (column, len(base.facts[name].values or {}) + 1) for name, column in columns.items()
    }
    write_workbook(target, [*book, state_sheet(marks)], reach)
    rules = sum(len(one.rules) for one in base.decisions if one.name in chosen)
    return Exported(len(chosen), rules, len(book), tuple(left_out))


def document_sheets(content: Content, decisions: Iterable[str], language: str) -> dict[str, Sheet]:
    """The sheet of each document: ``decision tolerance``, ``facts``, ``catalogue strategies``."""
    base, chosen = content.base, list(decisions)
    names = sheet_names(chosen)
    sheets = {
        DECISION + name: decision_sheet(
            names[name], decision_content(content.decisions[name]), base, language
        )
        for name in chosen
    }
    if content.facts is not None:
        sheets[FACTS] = fact_sheet(_facts(content), base.languages)
    taken = [*OWN_SHEETS, *names.values()]
    catalogues = [one for one, file in content.catalogues.items() if _fits(file)]
    titles = sheet_names([one.replace(" ", "_") for one in catalogues if one != TAXONOMY], taken)
    for document in catalogues:
        plain = content.catalogues[document].plain
        if document == TAXONOMY:
            sheets[document] = taxonomy_sheet(as_mapping(plain["taxonomy"]), base.languages)
        else:
            entries = as_mapping(plain.get("entries"))
            name = titles[document.replace(" ", "_")]
            sheets[document] = catalogue_sheet(name, entries, base.languages)
    return sheets


def views(content: Content, decisions: Iterable[str]) -> dict[str, Units]:
    """The units of each document as its sheet shows them."""
    base = content.base
    found: dict[str, Units] = {}
    for document, sheet in document_sheets(content, decisions, "en").items():
        grid = grid_of(sheet)
        if document.startswith(DECISION):
            decision = read_decision(grid, base.facts, base.languages, [])
            found[document] = decision_units(decision) if decision else {}
            continue
        if document == FACTS:
            values = grid_of(value_sheet(_facts(content), base.languages))
            node = read_fact_sheets(grid, values, base.languages, [])
            found[document] = fact_units(node) if node else {}
        elif document == TAXONOMY:
            node = read_taxonomy_sheet(grid, base.languages, [])
            found[document] = taxonomy_units(node) if node else {}
        else:
            name = document.removeprefix(CATALOGUE)
            node = read_catalogue_sheet(grid, name, base.languages, [])
            found[document] = catalogue_units(node) if node else {}
    return found


def _listed(sheet: str, document: str, base: RuleBase, language: str) -> Listed:
    decision = next((one for one in base.decisions if DECISION + one.name == document), None)
    if decision is None:
        return Listed(sheet, document)
    title = decision.title.get(language) or decision.name
    return Listed(sheet, document, title, decision.hit.value, ", ".join(decision.results))


def _fits(file: File) -> bool:
    return "taxonomy" in file.plain or fits(as_mapping(file.plain.get("entries")))


def _facts(content: Content) -> Mapping[str, Plain]:
    return as_mapping(content.facts.plain.get("facts")) if content.facts else {}
