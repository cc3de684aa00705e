"""JSON Schema (draft 2020-12) of a rule base's files, for completion and checking in an editor.

    vocabulary (facts, catalogues, decisions of the folder) ─▶ values ─▶ one schema a kind of file

A schema holds the names and values of the rule base it was made from, with their labels. It says
nothing that ``harken rules check`` would not say as well; what concerns several files at once
(cycles, gaps, names given twice) only the check sees.
"""

from harken_rules.schemas.editors import KINDS, kind_of, wire, write_schemas
from harken_rules.schemas.files import schema_of
from harken_rules.schemas.vocabulary import Vocabulary, read_vocabulary

__all__ = [
    "KINDS",
    "Vocabulary",
    "kind_of",
    "read_vocabulary",
    "schema_of",
    "wire",
    "write_schemas",
]
