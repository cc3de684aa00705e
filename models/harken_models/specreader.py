"""From a YAML file to a ``DatasetSpec``, with every problem found, in file order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harken_models.core import CORE_FIELDS, CoreField
from harken_models.errors import SpecError
from harken_models.spec import (
    AttributeField,
    ColumnLabel,
    ComplaintsLabel,
    DatasetSpec,
    EventLabel,
    Exclusion,
    FieldSpec,
)
from harken_models.specevents import read_events, read_label, read_snapshots
from harken_models.specsections import (
    read_column,
    read_format,
    read_split,
    read_table_specs,
    read_time_formats,
)
from harken_models.specvalues import ValueReader, suggest
from harken_models.yamltext import YamlPath, read_yaml_text

_TOP = (
    "dataset", "title", "simulated", "format", "time_zone", "time_format", "time", "missing",
    "horizon_days", "fields", "attributes", "events", "snapshots", "label", "exclude", "tables",
    "history", "split", "base_rate",
)  # fmt: skip
_COLUMN_KEYS = ("column", "map", "unmapped", "true", "false", "format")
_NUMERIC = tuple(name for name, core in CORE_FIELDS.items() if core.type in ("number", "integer"))


def read_spec(path: Path) -> DatasetSpec:
    """Read a dataset specification.

    Raises SpecError with all problems, each with file, line and column.
    """
    reader = _Reader(read_yaml_text(path))
    spec = reader.read()
    reader.check(spec)
    if reader.problems:
        raise SpecError(tuple(sorted(reader.problems, key=lambda p: (p.line, p.column, p.field))))
    return spec


class _Reader(ValueReader):
    """Walks the parsed file once."""

    def read(self) -> DatasetSpec:
        top = self.mapping(self.source.value, (), _TOP)
        for name in ("dataset", "fields"):
            if top.get(name) is None and (name != "fields" or top.get("time") is None):
                self.fault((), f"has no {name!r}", f"add {name}: …")
        tables = read_table_specs(self, top.get("tables"))
        attributes = self.attributes(top.get("attributes"))
        events = read_events(self, top.get("events"), tables, tuple(attributes))
        numbers = [name for name, attribute in attributes.items() if attribute.type == "number"]
        numbers += [*(events.running if events else ()), *_NUMERIC]
        time_format, time_formats = read_time_formats(
            self, top.get("time_format"), ("time_format",)
        )
        return DatasetSpec(
            dataset=self.text(top.get("dataset"), ("dataset",)),
            title=MappingProxyType(self.texts_by_key(top.get("title"), ("title",))),
            fields=MappingProxyType(self.fields(top.get("fields"))),
            attributes=MappingProxyType(attributes),
            label=read_label(self, top.get("label"), tables, numbers if events else None),
            exclude=self.exclude(top.get("exclude")),
            tables=MappingProxyType(tables),
            history=self.choice(
                top.get("history", "given"), ("history",), ("given", "compute", "extended")
            ),
            split=read_split(self, top.get("split")),
            horizon_days=self.number(top.get("horizon_days", "30"), ("horizon_days",), 0, 3660),
            time_zone=self.time_zone(top.get("time_zone", "UTC")),
            time_format=time_format,
            # An empty cell is missing, whatever else is.
            missing=tuple(dict.fromkeys(["", *self.texts(top.get("missing", []), ("missing",))])),
            base_rate_field=self.base_rate(top.get("base_rate")),
            file=self.source.file,
            simulated=self.boolean(top.get("simulated", "false"), ("simulated",)),
            format=read_format(self, top.get("format"), ("format",)),
            time_formats=time_formats,
            timeless=self.timeless(top.get("time")),
            events=events,
            snapshots=read_snapshots(self, top.get("snapshots")),
        )

    def time_zone(self, value: Any) -> str:
        name = self.text(value, ("time_zone",))
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fault(("time_zone",), f"{name!r} is no time zone", "write Asia/Shanghai, say")
            return "UTC"
        return name

    def timeless(self, value: Any) -> bool:
        if value is not None and value != "none":
            mend = "write time: none where rows have no time, else map voice_time under fields"
            self.fault(("time",), f"is {value!r}", mend)
        return value is not None

    def fields(self, value: Any) -> dict[str, FieldSpec]:
        result: dict[str, FieldSpec] = {}
        for name, entry in self.mapping(value, ("fields",)).items():
            path = ("fields", name)
            if name not in CORE_FIELDS:
                self.fault(path, "is not a core field", suggest(name, tuple(CORE_FIELDS)))
                continue
            result[name] = self.field(entry, path, CORE_FIELDS[name])
        return result

    def field(self, entry: Any, path: YamlPath, core: CoreField) -> FieldSpec:
        known = {
            "category": ("column", "map", "unmapped"),
            "flag": ("column", "true", "false"),
            "time": ("column", "format"),
        }.get(core.type, ("column",))
        entry = self.mapping(entry, path, known)
        spec = read_column(self, entry, path)
        for text, code in (spec.map or {}).items():
            if core.values and code not in core.values:
                self.fault((*path, "map", text), f"{code!r} is no {core.name}",
                           suggest(code, core.values))  # fmt: skip
        if spec.unmapped == "other" and core.values and "other" not in core.values:
            self.fault((*path, "unmapped"), f"{core.name} has no value 'other'", "write missing")
        return spec

    def attributes(self, value: Any) -> dict[str, AttributeField]:
        result: dict[str, AttributeField] = {}
        for name, entry in self.mapping(value, ("attributes",)).items():
            path = ("attributes", name)
            if name in CORE_FIELDS:
                self.fault(path, "is the name of a core field", "map it under fields")
            attribute = self.attribute(name, entry, path)
            if attribute is not None:
                result[name] = attribute
        return result

    def attribute(self, name: str, entry: Any, path: YamlPath) -> AttributeField | None:
        kinds = ("category", "number", "flag")
        if isinstance(entry, str):  # a type alone: the column has the attribute's name
            return AttributeField(FieldSpec(name), self.choice(entry, path, kinds))
        entry = self.mapping(entry, path, (*_COLUMN_KEYS, "type", "days_since"))
        days_since = self.boolean(entry.get("days_since", "false"), (*path, "days_since"))
        if entry.get("type") is None and not days_since:
            self.fault(path, "has no 'type'", "write number, category or flag")
            return None
        kind = self.choice(entry.get("type", "number"), (*path, "type"), kinds)
        if days_since and kind != "number":
            self.fault((*path, "type"), "is not number, though days are", "leave it out")
        if "format" in entry and not days_since:
            self.fault((*path, "format"), "is of no use without days_since: true")
        return AttributeField(read_column(self, entry, path), kind, days_since)

    def exclude(self, value: Any) -> tuple[Exclusion, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self.fault(("exclude",), "is not a list", "write - {column: …, values: […]}")
            return ()
        result = []
        for index, item in enumerate(value):
            path: YamlPath = ("exclude", index)
            entry = self.mapping(item, path, ("column", "values", "because"))
            result.append(
                Exclusion(
                    self.required_text(entry, "column", path),
                    self.texts(entry.get("values", []), (*path, "values")),
                    self.text(entry.get("because"), (*path, "because")),
                )
            )
        return tuple(result)

    def base_rate(self, value: Any) -> float | None:
        if value is None:
            return None
        entry = self.mapping(value, ("base_rate",), ("field",))
        path = ("base_rate", "field")
        return self.number(entry.get("field"), path, 1e-6, 1 - 1e-6)

    # What one section asks of another.

    def check(self, spec: DatasetSpec) -> None:
        """Faults of sections that are right one by one and wrong together."""
        top: Mapping[str, Any] = self.source.value if isinstance(self.source.value, dict) else {}
        if top.get("fields") is not None:
            needed = [] if spec.timeless else ["grumble_id"]
            if not spec.timeless and spec.events is None:
                needed.append("voice_time")
            for name in needed:
                if name not in spec.fields:
                    self.fault(("fields",), f"has no {name!r}", "every grumble needs it")
        if spec.timeless:
            self.check_timeless(spec)
        if spec.events is None:
            self.check_no_log(spec)

    def check_timeless(self, spec: DatasetSpec) -> None:
        said = "cannot be where time is none"
        for name in ("voice_time", "observe_time"):
            if name in spec.fields:
                self.fault(("fields", name), said, "leave time: none out")
        for name, attribute in spec.attributes.items():
            if attribute.days_since:
                self.fault(("attributes", name, "days_since"), said)
        if spec.events is not None:
            self.fault(("events",), said, "leave time: none out")
        if isinstance(spec.label, ComplaintsLabel):
            self.fault(("label", "complaints"), said, "name the column of the outcome")
        if spec.history != "given":
            self.fault(("history",), said, "leave it out")

    def check_no_log(self, spec: DatasetSpec) -> None:
        mend = "add events: {case: …, time: {column: …}}"
        if spec.snapshots is not None:
            self.fault(("snapshots",), "needs the log of changes", mend)
        if isinstance(spec.label, EventLabel):
            self.fault(("label",), "needs the log of changes", mend)
        if isinstance(spec.label, ColumnLabel) and spec.label.at == "close":
            self.fault(("label", "at"), "needs the log of changes", mend)
