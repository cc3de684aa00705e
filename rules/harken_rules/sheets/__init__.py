"""Decision tables as sheets that a spreadsheet user edits, and back without losing anything.

    folder ─▶ content ─▶ rows ─▶ workbook ─▶ grids ─▶ sheets read ─▶ merge ─▶ folder

Export and import meet in one form, a document's units: a sheet that nobody edited equals the folder
it came from, and a file keeps every character that its sheet does not change.
"""

from harken_rules.sheets.book import Finding, SheetsError
from harken_rules.sheets.exporting import Exported, export_workbook
from harken_rules.sheets.importing import Imported, import_workbook
from harken_rules.sheets.merging import Change

__all__ = [
    "Change",
    "Exported",
    "Finding",
    "Imported",
    "SheetsError",
    "export_workbook",
    "import_workbook",
]
