"""The sections of a specification about the log of changes, its snapshots and the outcome."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from harken_models.core import CORE_FIELDS
from harken_models.spec import (
    TRUE_WORDS,
    ColumnLabel,
    ComplaintsLabel,
    Condition,
    EventLabel,
    EventSpec,
    FieldSpec,
    Running,
    SnapshotSpec,
    TableSpec,
)
from harken_models.specsections import read_column
from harken_models.specvalues import ValueReader, suggest
from harken_models.yamltext import YamlPath

_NEVER = 1e9
"""Beyond any count, and any age in hours."""


def read_condition(reader: ValueReader, value: Any, path: YamlPath) -> Condition:
    """A column and the texts that are meant."""
    entry = reader.mapping(value, path, ("column", "values"))
    values = reader.required_texts(entry, "values", path)
    column = reader.required_text(entry, "column", path)
    return Condition(column, tuple(text.strip() for text in values))


def read_events(
    reader: ValueReader, value: Any, tables: Mapping[str, TableSpec], attributes: Collection[str]
) -> EventSpec | None:
    """The log of changes."""
    if value is None:
        return None
    path: YamlPath = ("events",)
    known = ("table", "case", "time", "closed", "closed_time", "values", "running")
    entry = reader.mapping(value, path, known)
    table = reader.optional_text(entry.get("table"), (*path, "table"))
    if table is not None and (table not in tables or tables[table].main or tables[table].key):
        others = tuple(name for name, spec in tables.items() if not spec.main and not spec.key)
        mend = suggest(table, others) if others else "leave it out where the main table is the log"
        reader.fault((*path, "table"), f"{table!r} is no table that stands by itself", mend)
    if entry.get("time") is None:
        reader.fault(path, "has no 'time'", "add time: {column: …}")
    return EventSpec(
        case=reader.required_text(entry, "case", path),
        time=_time_column(reader, entry.get("time"), (*path, "time")),
        table=table,
        closed=None
        if entry.get("closed") is None
        else read_condition(reader, entry["closed"], (*path, "closed")),
        closed_time=None
        if entry.get("closed_time") is None
        else _time_column(reader, entry["closed_time"], (*path, "closed_time")),
        values=MappingProxyType(_log_values(reader, entry.get("values"), table, attributes)),
        running=MappingProxyType(_running(reader, entry.get("running"), attributes)),
    )


def _time_column(reader: ValueReader, value: Any, path: YamlPath) -> FieldSpec:
    if value is None:
        return FieldSpec("")
    return read_column(reader, reader.mapping(value, path, ("column", "format")), path)


def _log_values(
    reader: ValueReader, value: Any, table: str | None, attributes: Collection[str]
) -> dict[str, FieldSpec]:
    path: YamlPath = ("events", "values")
    result = {}
    for name, item in reader.mapping(value, path).items():
        if table is None:
            reader.fault((*path, name), "stands in the main table", "map it under fields")
            continue
        if name not in CORE_FIELDS and name not in attributes:
            known = (*attributes, *CORE_FIELDS)
            reader.fault((*path, name), "is neither a core field nor an attribute",
                         suggest(name, known))  # fmt: skip
        keys = ("column", "map", "unmapped", "true", "false", "format")
        result[name] = read_column(reader, reader.mapping(item, (*path, name), keys), (*path, name))
    return result


def _running(reader: ValueReader, value: Any, attributes: Collection[str]) -> dict[str, Running]:
    result = {}
    for name, item in reader.mapping(value, ("events", "running")).items():
        path: YamlPath = ("events", "running", name)
        if name in CORE_FIELDS or name in attributes:
            reader.fault(path, "is the name of another field", "name it otherwise")
        kinds = ("count", "changes", "returns", "distinct", "hours_since")
        entry = reader.mapping(item, path, kinds)
        if len(entry) != 1:
            reader.fault(path, "does not say how it is counted", f"write one of {', '.join(kinds)}")
            continue
        kind, how = next(iter(entry.items()))
        if kind in kinds:
            result[name] = _counted(reader, kind, how, (*path, kind))
    return result


def _counted(reader: ValueReader, kind: Any, how: Any, path: YamlPath) -> Running:
    if kind in ("changes", "distinct"):
        return Running(kind, reader.text(how, path))
    if kind == "returns":
        entry = reader.mapping(how, path, ("column", "after", "to"))
        return Running(
            kind,
            reader.required_text(entry, "column", path),
            tuple(text.strip() for text in reader.required_texts(entry, "to", path)),
            tuple(text.strip() for text in reader.required_texts(entry, "after", path)),
        )
    if isinstance(how, dict):
        condition = read_condition(reader, how, path)
        return Running(kind, condition.column, condition.values)
    if how != "all":
        reader.fault(path, f"is {how!r}", "write all, or {column: …, values: […]}")
    return Running(kind)


def read_snapshots(reader: ValueReader, value: Any) -> SnapshotSpec | None:
    """The moments that are learnt from; ``true`` alone takes them as they come."""
    if value is None or value == "false":
        return None
    plain = SnapshotSpec()
    if value == "true":
        return plain
    path: YamlPath = ("snapshots",)
    entry = reader.mapping(value, path, ("at_changes", "at_hours", "spacing"))
    ages = plain.at_hours
    if "at_hours" in entry:
        where = (*path, "at_hours")
        texts = reader.texts(entry["at_hours"], where)
        numbers = (reader.number(text, (*where, i), 0, _NEVER) for i, text in enumerate(texts))
        ages = tuple(sorted(set(numbers)))
    return SnapshotSpec(
        at_changes=reader.boolean(entry.get("at_changes", "true"), (*path, "at_changes")),
        at_hours=ages,
        spacing=reader.number(entry.get("spacing", plain.spacing), (*path, "spacing"), 1, 1000),
    )


Label = ColumnLabel | ComplaintsLabel | EventLabel


def read_label(
    reader: ValueReader,
    value: Any,
    tables: Mapping[str, TableSpec],
    numbers: Collection[str] | None,
) -> Label | None:
    """What is to be predicted. ``numbers``: what a ``reaches`` may name, None without a log."""
    if value is None:
        return None
    path: YamlPath = ("label",)
    ways = ("complaints", "event", "reaches", "open_hours")
    entry = reader.mapping(value, path, ("column", "positive", "negative", "blank_is", "at", *ways))
    given = [way for way in ("column", *ways) if way in entry]
    if len(given) > 1:
        reader.fault(path, f"has {given[0]!r} and {given[1]!r}", "keep one of them")
    if "complaints" in entry:
        return _complaints_label(reader, entry["complaints"], tables)
    if "event" in entry:
        return EventLabel(event=read_condition(reader, entry["event"], (*path, "event")))
    if "reaches" in entry:
        return _reaches(reader, entry["reaches"], numbers)
    if "open_hours" in entry:
        where = (*path, "open_hours")
        return EventLabel(open_hours=reader.number(entry["open_hours"], where, 0, _NEVER))
    return ColumnLabel(
        column=reader.required_text(entry, "column", path),
        positive=reader.texts(entry.get("positive", list(TRUE_WORDS)), (*path, "positive")),
        negative=reader.texts(entry.get("negative", []), (*path, "negative")),
        blank_is=reader.choice(
            entry.get("blank_is", "unknown"), (*path, "blank_is"), ("unknown", "negative")
        ),
        at=reader.choice(entry.get("at", "row"), (*path, "at"), ("row", "close")),
    )


def _complaints_label(
    reader: ValueReader, value: Any, tables: Mapping[str, TableSpec]
) -> ComplaintsLabel:
    path: YamlPath = ("label", "complaints")
    entry = reader.mapping(value, path, ("table", "same_category", "category", "credit"))
    table = reader.required_text(entry, "table", path)
    if table and (table not in tables or not tables[table].time):
        reader.fault((*path, "table"), f"{table!r} is no table with a time",
                     suggest(table, tuple(tables)))  # fmt: skip
    return ComplaintsLabel(
        table,
        same_category=reader.boolean(entry.get("same_category", "false"), (*path, "same_category")),
        category=reader.text(entry.get("category", "category"), (*path, "category")),
        credit=reader.choice(
            entry.get("credit", "all"), (*path, "credit"), ("all", "nearest", "shared")
        ),
    )


def _reaches(reader: ValueReader, value: Any, numbers: Collection[str] | None) -> EventLabel:
    path: YamlPath = ("label", "reaches")
    entry = reader.mapping(value, path)
    if len(entry) != 1:
        reader.fault(path, "does not name one count", "write {handover_count: 3}, say")
        return EventLabel(reaches=("", 1.0))
    name, least = next(iter(entry.items()))
    if numbers is not None and name not in numbers:
        reader.fault((*path, name), "is neither counted under events.running nor a number",
                     suggest(name, tuple(numbers)))  # fmt: skip
    return EventLabel(reaches=(name, reader.number(least, (*path, name), -_NEVER, _NEVER)))
