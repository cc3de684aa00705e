"""From a YAML file to a ``DatasetSpec``, with every problem found, in file order."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harken_models.core import CORE_FIELDS, CoreField
from harken_models.errors import Problem, SpecError
from harken_models.spec import (
    FALSE_WORDS,
    TRUE_WORDS,
    AttributeField,
    ColumnLabel,
    ComplaintsLabel,
    DatasetSpec,
    Exclusion,
    FieldSpec,
    SplitSpec,
    TableSpec,
)
from harken_models.yamltext import YamlPath, YamlText, read_yaml_text

_TOP = (
    "dataset", "title", "simulated", "time_zone", "time_format", "missing", "horizon_days",
    "fields", "attributes", "label", "exclude", "tables", "history", "split", "base_rate",
)  # fmt: skip


def read_spec(path: Path) -> DatasetSpec:
    """Read a dataset specification.

    Raises SpecError with all problems, each with file, line and column.
    """
    return _Reader(read_yaml_text(path)).read()


class _Reader:
    """Walks the parsed file once and collects problems instead of stopping at the first."""

    def __init__(self, source: YamlText) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def read(self) -> DatasetSpec:
        top = self.mapping(self.source.value, (), _TOP)
        for name in ("dataset", "fields"):
            if top.get(name) is None:
                self.fault((), f"has no {name!r}", f"add {name}: …")
        tables = self.tables(top.get("tables"))
        spec = DatasetSpec(
            dataset=self.text(top.get("dataset"), ("dataset",)),
            title=MappingProxyType(self.texts_by_key(top.get("title"), ("title",))),
            fields=MappingProxyType(self.fields(top.get("fields"))),
            attributes=MappingProxyType(self.attributes(top.get("attributes"))),
            label=self.label(top.get("label"), tables),
            exclude=self.exclude(top.get("exclude")),
            tables=MappingProxyType(tables),
            history=self.choice(top.get("history", "given"), ("history",), ("given", "compute")),
            split=self.split(top.get("split")),
            horizon_days=self.number(top.get("horizon_days", "30"), ("horizon_days",), 0, 3660),
            time_zone=self.time_zone(top.get("time_zone", "UTC")),
            time_format=self.optional_text(top.get("time_format"), ("time_format",)),
            # An empty cell is missing, whatever else is.
            missing=tuple(dict.fromkeys(["", *self.texts(top.get("missing", []), ("missing",))])),
            base_rate_field=self.base_rate(top.get("base_rate")),
            file=self.source.file,
            simulated=self.boolean(top.get("simulated", "false"), ("simulated",)),
        )
        if self.problems:
            raise SpecError(tuple(sorted(self.problems, key=lambda p: (p.line, p.column, p.field))))
        return spec

    # Small readers of one value each.

    def fault(self, path: YamlPath, message: str, mend: str = "") -> None:
        self.problems.append(self.source.problem(path, message, mend))

    def mapping(self, value: Any, path: YamlPath, known: Iterable[str] = ()) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(path, "is not a mapping of names to values", "write name: value, indented")
            return {}
        allowed = tuple(known)
        for name in value:
            if allowed and name not in allowed:
                self.fault((*path, name), "is not known here", _suggest(name, allowed))
        return value

    def text(self, value: Any, path: YamlPath) -> str:
        if isinstance(value, str):
            return value
        if value is not None:
            self.fault(path, "is not a single text")
        return ""

    def required_text(self, entry: Mapping[str, Any], name: str, path: YamlPath) -> str:
        if entry.get(name) is None:
            self.fault(path, f"has no {name!r}", f"add {name}: …")
            return ""
        return self.text(entry[name], (*path, name))

    def optional_text(self, value: Any, path: YamlPath) -> str | None:
        return None if value is None else self.text(value, path)

    def texts(self, value: Any, path: YamlPath) -> tuple[str, ...]:
        """A list of texts; one text alone is a list of one."""
        items = value if isinstance(value, list) else [value]
        return tuple(self.text(item, (*path, index)) for index, item in enumerate(items))

    def texts_by_key(self, value: Any, path: YamlPath) -> dict[str, str]:
        entries = self.mapping(value, path)
        return {key: self.text(item, (*path, key)) for key, item in entries.items()}

    def choice(self, value: Any, path: YamlPath, choices: tuple[str, ...]) -> Any:
        if value not in choices:
            self.fault(path, f"is {value!r}", _suggest(str(value), choices))
            return choices[0]
        return value

    def boolean(self, value: Any, path: YamlPath) -> bool:
        return bool(self.choice(value, path, ("true", "false")) == "true")

    def number(self, value: Any, path: YamlPath, low: float, high: float) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.fault(path, f"is {value!r}, not a number")
            return low
        if not low <= number <= high:
            self.fault(path, f"is {number:g}, not from {low:g} to {high:g}")
            return low
        return number

    def time_zone(self, value: Any) -> str:
        name = self.text(value, ("time_zone",))
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fault(("time_zone",), f"{name!r} is no time zone", "write Asia/Shanghai, say")
            return "UTC"
        return name

    # The sections.

    def fields(self, value: Any) -> dict[str, FieldSpec]:
        result: dict[str, FieldSpec] = {}
        for name, entry in self.mapping(value, ("fields",)).items():
            path = ("fields", name)
            if name not in CORE_FIELDS:
                self.fault(path, "is not a core field", _suggest(name, tuple(CORE_FIELDS)))
                continue
            result[name] = self.field(entry, path, CORE_FIELDS[name])
        for name in ("grumble_id", "voice_time"):
            if name not in result and value is not None:
                self.fault(("fields",), f"has no {name!r}", "every grumble needs it")
        return result

    def field(self, entry: Any, path: YamlPath, core: CoreField) -> FieldSpec:
        known = {
            "category": ("column", "map", "unmapped"),
            "flag": ("column", "true", "false"),
            "time": ("column", "format"),
        }.get(core.type, ("column",))
        entry = self.mapping(entry, path, known)
        spec = self.column(entry, path)
        for text, code in (spec.map or {}).items():
            if core.values and code not in core.values:
                self.fault((*path, "map", text), f"{code!r} is no {core.name}",
                           _suggest(code, core.values))  # fmt: skip
        if spec.unmapped == "other" and core.values and "other" not in core.values:
            self.fault((*path, "unmapped"), f"{core.name} has no value 'other'", "write missing")
        return spec

    def column(self, entry: dict[str, Any], path: YamlPath) -> FieldSpec:
        mapping = entry.get("map")
        choices = ("reject", "other", "missing")
        return FieldSpec(
            column=self.required_text(entry, "column", path),
            map=None if mapping is None else self.texts_by_key(mapping, (*path, "map")),
            unmapped=self.choice(entry.get("unmapped", "reject"), (*path, "unmapped"), choices),
            true=self.texts(entry.get("true", list(TRUE_WORDS)), (*path, "true")),
            false=self.texts(entry.get("false", list(FALSE_WORDS)), (*path, "false")),
            format=self.optional_text(entry.get("format"), (*path, "format")),
        )

    def attributes(self, value: Any) -> dict[str, AttributeField]:
        result: dict[str, AttributeField] = {}
        for name, entry in self.mapping(value, ("attributes",)).items():
            path = ("attributes", name)
            if name in CORE_FIELDS:
                self.fault(path, "is the name of a core field", "map it under fields")
            known = ("column", "type", "map", "unmapped", "true", "false")
            entry = self.mapping(entry, path, known)
            kinds = ("category", "number", "flag")
            if entry.get("type") is None:
                self.fault(path, "has no 'type'", "write number, category or flag")
                continue
            kind = self.choice(entry["type"], (*path, "type"), kinds)
            result[name] = AttributeField(self.column(entry, path), kind)
        return result

    def label(
        self, value: Any, tables: Mapping[str, TableSpec]
    ) -> ColumnLabel | ComplaintsLabel | None:
        if value is None:
            return None
        path = ("label",)
        entry = self.mapping(
            value, path, ("column", "positive", "negative", "blank_is", "complaints")
        )
        if "complaints" in entry:
            inner = self.mapping(entry["complaints"], (*path, "complaints"), ("table",))
            table = self.required_text(inner, "table", (*path, "complaints"))
            if table and (table not in tables or not tables[table].time):
                self.fault((*path, "complaints", "table"), f"{table!r} is no table with a time",
                           _suggest(table, tuple(tables)))  # fmt: skip
            return ComplaintsLabel(table)
        return ColumnLabel(
            column=self.required_text(entry, "column", path),
            positive=self.texts(entry.get("positive", list(TRUE_WORDS)), (*path, "positive")),
            negative=self.texts(entry.get("negative", []), (*path, "negative")),
            blank_is=self.choice(
                entry.get("blank_is", "unknown"), (*path, "blank_is"), ("unknown", "negative")
            ),
        )

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

    def tables(self, value: Any) -> dict[str, TableSpec]:
        result: dict[str, TableSpec] = {}
        for name, item in self.mapping(value, ("tables",)).items():
            path = ("tables", name)
            entry = self.mapping(item, path, ("file", "main", "key", "customer", "time"))
            result[name] = TableSpec(
                file=self.required_text(entry, "file", path),
                main=self.boolean(entry.get("main", "false"), (*path, "main")),
                key=self.optional_text(entry.get("key"), (*path, "key")),
                customer=self.optional_text(entry.get("customer"), (*path, "customer")),
                time=self.optional_text(entry.get("time"), (*path, "time")),
            )
        if result and sum(table.main for table in result.values()) != 1:
            self.fault(("tables",), "needs exactly one main table", "mark it with main: true")
        return result

    def split(self, value: Any) -> SplitSpec:
        entry = self.mapping(value, ("split",), ("test_fraction", "validation_fraction", "by"))
        plain = SplitSpec()
        return SplitSpec(
            test_fraction=self.number(
                entry.get("test_fraction", plain.test_fraction),
                ("split", "test_fraction"),
                0.01,
                0.9,
            ),
            validation_fraction=self.number(
                entry.get("validation_fraction", plain.validation_fraction),
                ("split", "validation_fraction"),
                0.01,
                0.9,
            ),
            by=self.choice(
                entry.get("by", plain.by), ("split", "by"), ("observe_time", "voice_time")
            ),
        )

    def base_rate(self, value: Any) -> float | None:
        if value is None:
            return None
        entry = self.mapping(value, ("base_rate",), ("field",))
        path = ("base_rate", "field")
        return self.number(entry.get("field"), path, 1e-6, 1 - 1e-6)


def _suggest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    return f"known: {shown}"
