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
class FileFormat:
    """How a text or Excel file is written. None of it is guessed at reading.

    ``encoding`` is any of Python's codecs, a byte-order mark is skipped; ``skip_rows`` lines stand
    before the header; ``sheet`` None is a workbook's first.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    thousands: str = ""
    quote: str = '"'
    skip_rows: int = 0
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One column: where it is, and how its text becomes a value.

    ``map`` (None: the text is the code) translates category texts; a text that is not in it is
    treated as ``unmapped`` says. ``true`` and ``false`` are the words of a flag, ``format`` the
    strptime format of a time (None: the dataset's), ``formats`` others, tried in their order.
    """

    column: str
    map: Mapping[str, str] | None = None
    unmapped: Unmapped = "reject"
    true: tuple[str, ...] = TRUE_WORDS
    false: tuple[str, ...] = FALSE_WORDS
    format: str | None = None
    formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeField:
    """An operator's own field, sent with every request under ``attributes``.

    With ``days_since`` the column is a time, and the value the days from it to ``observe_time``.
    """

    source: FieldSpec
    type: AttributeType
    days_since: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A row of an event log for which ``column`` has one of ``values`` (texts, stripped)."""

    column: str
    values: tuple[str, ...]


RunningKind = Literal["count", "changes", "returns", "distinct", "hours_since"]


@dataclass(frozen=True, slots=True)
class Running:
    """An attribute counted over a grumble's events up to the moment, that event included.

    ``count`` and ``hours_since`` are of events whose ``column`` has one of ``values`` (none named:
    of all events); ``returns`` of those that come to one of ``values`` after one of ``after``.
    """

    kind: RunningKind
    column: str | None = None
    values: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EventSpec:
    """A log with a row for every change of a grumble.

    ``case`` is the log's column that names the grumble; ``table`` None: the main table is the log.
    A grumble is closed by its last event (``closed``), or at the time in a column of the main
    table (``closed_time``). ``values`` are core fields and attributes that stand in a log of its
    own, ``running`` attributes that are counted over it.
    """

    case: str
    time: FieldSpec
    table: str | None = None
    closed: Condition | None = None
    closed_time: FieldSpec | None = None
    values: Mapping[str, FieldSpec] = field(default_factory=lambda: MappingProxyType({}))
    running: Mapping[str, Running] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class SnapshotSpec:
    """The moments of an open grumble that are learnt from: when it is voiced, each change
    (``at_changes``), and these ages in hours.

    Of changes that follow closely, one is taken when the age is at least ``spacing`` times that
    of the one before, and 0.1 hours more.
    """

    at_changes: bool = True
    at_hours: tuple[float, ...] = (0.0, 1.0, 6.0, 24.0, 72.0, 168.0)
    spacing: float = 1.2


@dataclass(frozen=True, slots=True)
class ColumnLabel:
    """The outcome stands in a column. ``negative`` empty: any other text is negative.

    ``at`` "close": in the last event of the grumble.
    """

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...] = ()
    blank_is: Literal["negative", "unknown"] = "unknown"
    at: Literal["row", "close"] = "row"


@dataclass(frozen=True, slots=True)
class ComplaintsLabel:
    """Positive: a complaint of the same customer within the horizon after ``observe_time``.

    ``same_category``: of the same category, which stands in the complaints' column ``category``; a
    complaint without one counts for any. ``credit`` says whose a complaint is where several
    grumbles came before it: each one's (``all``), the nearest one's, or shared by weight.
    """

    table: str
    same_category: bool = False
    category: str = "category"
    credit: Literal["all", "nearest", "shared"] = "all"


@dataclass(frozen=True, slots=True)
class EventLabel:
    """Does it come to this later, while the grumble is open, or within the horizon if there is
    one: an ``event``, a running attribute that ``reaches`` a number, an age at which it is still
    open. Exactly one of the three is given.
    """

    event: Condition | None = None
    reaches: tuple[str, float] | None = None
    open_hours: float | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows left out of training and evaluation, and why."""

    column: str
    values: tuple[str, ...]
    because: str = ""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One file of a folder: the main table, one joined by ``key``, the complaints, or the log of
    changes. ``format`` None: written as the dataset says."""

    file: str
    main: bool = False
    key: str | None = None
    customer: str | None = None
    time: str | None = None
    format: FileFormat | None = None


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """Shares of the labelled rows, in order of time; ``by`` names the time that orders them.

    With ``groups``, a column, rows are shared out by its values instead of by time.
    """

    test_fraction: float = 0.25
    validation_fraction: float = 0.2
    by: Literal["observe_time", "voice_time"] = "observe_time"
    groups: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A whole specification. ``label`` None: the data can be replayed, not trained on.

    ``timeless``: rows have no time at all.
    """

    dataset: str
    title: Mapping[str, str]
    fields: Mapping[str, FieldSpec]
    attributes: Mapping[str, AttributeField] = field(default_factory=lambda: MappingProxyType({}))
    label: ColumnLabel | ComplaintsLabel | EventLabel | None = None
    exclude: tuple[Exclusion, ...] = ()
    tables: Mapping[str, TableSpec] = field(default_factory=lambda: MappingProxyType({}))
    history: Literal["given", "compute", "extended"] = "given"
    split: SplitSpec = SplitSpec()
    horizon_days: float = 30.0
    time_zone: str = "UTC"
    time_format: str | None = None
    missing: tuple[str, ...] = ("",)
    base_rate_field: float | None = None
    file: str = ""
    simulated: bool = False
    format: FileFormat = FileFormat()
    time_formats: tuple[str, ...] = ()
    timeless: bool = False
    events: EventSpec | None = None
    snapshots: SnapshotSpec | None = None

    @property
    def main_table(self) -> TableSpec | None:
        """The main table, None where the data is one file."""
        return next((table for table in self.tables.values() if table.main), None)

    def formats_of(self, source: FieldSpec) -> tuple[str, ...]:
        """How the texts of a time column are written, in the order to try; (): ISO 8601."""
        first, others = source.format, source.formats
        if first is None:
            first, others = self.time_format, self.time_formats
        return () if first is None else (first, *others)


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
