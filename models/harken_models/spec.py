"""A dataset specification: how an operator's columns become Harken's core fields.

The frozen values here are what ``read_spec`` makes of the YAML file that ``docs/models.md``
describes; everything downstream of reading works on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from harken_models.core import CORE_FIELDS

AttributeType = Literal["number", "category", "flag"]
Unmapped = Literal["reject", "other", "missing"]

TRUE_WORDS = ("true", "True", "TRUE", "1", "yes", "Yes", "YES")
FALSE_WORDS = ("false", "False", "FALSE", "0", "no", "No", "NO")
ATTRIBUTE_PREFIX = "attr_"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One column: where it is, and how its text becomes a value.

    ``map`` (None: the text is the code) translates category texts; a text that is not in it is
    treated as ``unmapped`` says. ``true`` and ``false`` are the words of a flag, ``format`` the
    strptime format of a time (None: the dataset's).
    """

    column: str
    map: Mapping[str, str] | None = None
    unmapped: Unmapped = "reject"
    true: tuple[str, ...] = TRUE_WORDS
    false: tuple[str, ...] = FALSE_WORDS
    format: str | None = None


@dataclass(frozen=True, slots=True)
class AttributeField:
    """An operator's own field, sent with every request under ``attributes``."""

    source: FieldSpec
    type: AttributeType


@dataclass(frozen=True, slots=True)
class ColumnLabel:
    """The outcome stands in a column. ``negative`` empty: any other text is negative."""

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...] = ()
    blank_is: Literal["negative", "unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class ComplaintsLabel:
    """Positive: a complaint of the same customer within the horizon after ``observe_time``."""

    table: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows left out of training and evaluation, and why."""

    column: str
    values: tuple[str, ...]
    because: str = ""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One file of a folder: the main table, one joined by ``key``, or the complaints."""

    file: str
    main: bool = False
    key: str | None = None
    customer: str | None = None
    time: str | None = None


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """Shares of the labelled rows, in order of time; ``by`` names the time that orders them."""

    test_fraction: float = 0.25
    validation_fraction: float = 0.2
    by: Literal["observe_time", "voice_time"] = "observe_time"


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A whole specification. ``label`` None: the data can be replayed, not trained on."""

    dataset: str
    title: Mapping[str, str]
    fields: Mapping[str, FieldSpec]
    attributes: Mapping[str, AttributeField] = field(default_factory=lambda: MappingProxyType({}))
    label: ColumnLabel | ComplaintsLabel | None = None
    exclude: tuple[Exclusion, ...] = ()
    tables: Mapping[str, TableSpec] = field(default_factory=lambda: MappingProxyType({}))
    history: Literal["given", "compute"] = "given"
    split: SplitSpec = SplitSpec()
    horizon_days: float = 30.0
    time_zone: str = "UTC"
    time_format: str | None = None
    missing: tuple[str, ...] = ("",)
    base_rate_field: float | None = None
    file: str = ""
    simulated: bool = False

    @property
    def main_table(self) -> TableSpec | None:
        """The main table, None where the data is one file."""
        return next((table for table in self.tables.values() if table.main), None)


def flat_spec(columns: Mapping[str, AttributeType]) -> DatasetSpec:
    """The specification of a flat file whose columns already carry the core names.

    Attributes are the columns ``attr_*``, of the type that the file gives them: ``columns`` maps
    every column to it (text is a category, as all of a CSV file is).
    """
    names = set(columns)
    fields = {name: FieldSpec(name) for name in CORE_FIELDS if name in names}
    attributes = {
        name.removeprefix(ATTRIBUTE_PREFIX): AttributeField(FieldSpec(name), columns[name])
        for name in sorted(names)
        if name.startswith(ATTRIBUTE_PREFIX)
    }
    label = ColumnLabel("label", TRUE_WORDS, FALSE_WORDS) if "label" in names else None
    return DatasetSpec(
        dataset="flat",
        title={"en": "A flat file with core names", "zh": "核心字段平面文件"},
        fields=fields,
        attributes=attributes,
        label=label,
    )
