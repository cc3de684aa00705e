"""The part of a dataset specification that a replay needs.

The file is the one that training reads; here only the columns, their texts and the label
count. Scalars are taken as the author typed them (``Yes`` is a word of somebody's data,
not a boolean). Rows are converted in :mod:`harken_client.replay.convert`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from harken_client.replay.errors import ReplayError
from harken_client.requests import CORE_FIELDS, did_you_mean, one_of

TRUE_WORDS = ("true", "True", "TRUE", "1", "yes", "Yes", "YES")
FALSE_WORDS = ("false", "False", "FALSE", "0", "no", "No", "NO")
ATTRIBUTE_TYPES = ("number", "category", "flag")
TOP_KEYS = (
    "dataset", "title", "simulated", "format", "time_zone", "time_format", "time", "missing",
    "horizon_days", "fields", "attributes", "events", "snapshots", "label", "exclude", "tables",
    "history", "split", "base_rate",
)  # fmt: skip
PREPARED = {
    "events": "a log of changes",
    "format": "how files are written",
    "time": "rows without time",
}
"""What only ``harken data prepare`` makes rows of, and what each says."""
FIELD_KEYS = ("column", "map", "unmapped", "true", "false", "format")


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column and how its text becomes a value; ``unmapped``: reject, other or missing."""

    column: str
    map: Mapping[str, str] | None = None
    unmapped: str = "reject"
    true: tuple[str, ...] = TRUE_WORDS
    false: tuple[str, ...] = FALSE_WORDS
    format: str | None = None


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """An operator's own field.

    ``type`` is number, category or flag, or ``any``: whatever type the file gives it.
    """

    source: ColumnSpec
    type: str


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """The outcome's column. ``negative`` empty: any other text is negative."""

    column: str
    positive: tuple[str, ...] = TRUE_WORDS
    negative: tuple[str, ...] = ()
    blank_is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows that are scored but not counted in the summary, because their outcome is unknown."""

    column: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spec:
    """What a replay reads of a specification. ``fields`` by core name.

    ``unprepared``: what in it a replay does not read, so that the file must be a prepared one; ""
    if there is nothing of the kind.
    """

    fields: Mapping[str, ColumnSpec]
    attributes: Mapping[str, AttributeSpec] = field(default_factory=dict)
    label: LabelSpec | None = None
    exclude: tuple[Exclusion, ...] = ()
    zone: tzinfo = UTC
    time_format: str | None = None
    missing: frozenset[str] = frozenset({""})
    tables: bool = False
    unprepared: str = ""


def flat_spec(columns: Collection[str], types: Mapping[str, str] | None = None) -> Spec:
    """The specification of a file whose columns carry the core names.

    Attributes are ``attr_*``, of the ``types`` by name where known, otherwise of the type
    that the file gives them (CSV: text). The outcome is in ``label``.
    """
    types = types or {}
    prefix = "attr_"
    return Spec(
        fields={name: ColumnSpec(name) for name in CORE_FIELDS if name in columns},
        attributes={
            name.removeprefix(prefix): AttributeSpec(
                ColumnSpec(name), types.get(name.removeprefix(prefix), "any")
            )
            for name in columns
            if name.startswith(prefix)
        },
        label=LabelSpec("label", TRUE_WORDS, FALSE_WORDS) if "label" in columns else None,
    )


def read_spec(path: Path) -> Spec:
    """Read a specification; :class:`ReplayError` names the key that is wrong."""
    try:
        with path.open("rb") as file:
            top = yaml.load(file, Loader=_TextLoader)
    except OSError as error:
        raise ReplayError(f"cannot read the specification {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReplayError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return _Reader(str(path)).spec(top)


try:
    from yaml import CBaseLoader as BaseLoader  # also what other readers of specifications use
except ImportError:  # PyYAML built without libyaml
    from yaml import BaseLoader  # type: ignore[assignment]


class _TextLoader(BaseLoader):
    """Every scalar as the text that was typed; a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is given twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file

    def spec(self, value: Any) -> Spec:
        top = self.mapping(value, "the file", TOP_KEYS)
        fields = {
            name: self.core_field(name, item)
            for name, item in self.mapping(top.get("fields"), "fields").items()
        }
        unprepared = self.unprepared(top)
        for name in ("grumble_id", "voice_time"):
            if name not in fields and not unprepared:
                raise self.error("fields", f"has no {name!r}; every grumble needs it")
        missing = top.get("missing", "")
        attributes = {
            name: self.attribute(name, item)
            for name, item in self.mapping(top.get("attributes"), "attributes").items()
        }
        return Spec(
            fields=fields,
            attributes=attributes | self.running(top.get("events")),
            label=self.label(top.get("label")),
            exclude=tuple(
                self.exclusion(f"exclude[{index}]", item)
                for index, item in enumerate(top.get("exclude") or [])
            ),
            zone=self.zone(top.get("time_zone", "UTC")),
            time_format=self.one_format(top.get("time_format")),
            missing=frozenset({"", *self.texts("missing", missing)}),
            tables=bool(top.get("tables")),
            unprepared=unprepared,
        )

    def unprepared(self, top: Mapping[str, Any]) -> str:
        """What a prepared file is needed for, in words; "" if nothing is."""
        for key, said in PREPARED.items():
            if top.get(key) not in (None, ""):
                return f"{key!r} ({said})"
        sections = (top.get("fields"), top.get("attributes"))
        columns = [
            item
            for section in sections
            if isinstance(section, dict)
            for item in section.values()
            if isinstance(item, dict)
        ]
        formats = [top.get("time_format"), *(item.get("format") for item in columns)]
        if any(isinstance(one, list) for one in formats):
            return "several time formats"
        if any(item.get("days_since") == "true" for item in columns):
            return "'days_since'"
        return ""

    def running(self, events: Any) -> dict[str, AttributeSpec]:
        """What is counted over a log: numbers that stand in a prepared file."""
        counted = events.get("running") if isinstance(events, dict) else None
        names = counted if isinstance(counted, dict) else {}
        return {name: AttributeSpec(ColumnSpec(name), "number") for name in names}

    def one_format(self, value: Any) -> str | None:
        return value if isinstance(value, str) and value else None

    def error(self, where: str, what: str) -> ReplayError:
        return ReplayError(f"{self.file}: {where} {what}")

    def mapping(self, value: Any, where: str, known: Collection[str] = ()) -> dict[str, Any]:
        if value in (None, ""):
            return {}
        if not isinstance(value, dict):
            raise self.error(where, "is not a mapping of names to values")
        for name in value:
            if known and name not in known:
                close = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                raise self.error(where, f"has an unknown key {name!r}; {hint}")
        return value

    def core_field(self, name: str, value: Any) -> ColumnSpec:
        where = f"fields.{name}"
        if name not in CORE_FIELDS:
            raise self.error(where, "is no core field" + did_you_mean(name, CORE_FIELDS))
        source, codes = self.column(where, value, FIELD_KEYS), CORE_FIELDS[name].codes
        if codes:  # the API's own, so that each must be one of them
            made = [*(source.map or {}).values(), *(["other"] * (source.unmapped == "other"))]
            for code in made:
                if code not in codes:
                    hint = did_you_mean(code, codes) or one_of(codes)
                    raise self.error(where, f"cannot become {code!r}{hint}")
        return source

    def text(self, where: str, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise self.error(where, "is missing or not a single text")
        return value

    def texts(self, where: str, value: Any) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) for item in items):
            raise self.error(where, "is not a list of texts")
        return tuple(items)

    def choice(self, where: str, value: Any, choices: tuple[str, ...]) -> str:
        if value not in choices:
            raise self.error(where, f"is {value!r}, not one of {', '.join(choices)}")
        return str(value)

    def column(self, where: str, value: Any, known: Collection[str]) -> ColumnSpec:
        entry = self.mapping(value, where, known)
        codes = None
        if "map" in entry:
            codes = {
                text: self.text(f"{where}.map.{text}", code)
                for text, code in self.mapping(entry["map"], f"{where}.map").items()
            }
        unmapped = entry.get("unmapped", "reject")
        return ColumnSpec(
            column=self.text(f"{where}.column", entry.get("column")),
            map=codes,
            unmapped=self.choice(f"{where}.unmapped", unmapped, ("reject", "other", "missing")),
            true=self.texts(f"{where}.true", entry.get("true", list(TRUE_WORDS))),
            false=self.texts(f"{where}.false", entry.get("false", list(FALSE_WORDS))),
            format=self.one_format(entry.get("format")),
        )

    def attribute(self, name: str, value: Any) -> AttributeSpec:
        where = f"attributes.{name}"
        if isinstance(value, str) and value:  # a type alone: the column has the attribute's name
            kind = self.choice(where, value, ATTRIBUTE_TYPES)
            return AttributeSpec(ColumnSpec(name), kind)
        entry = self.mapping(value, where, (*FIELD_KEYS, "type", "days_since"))
        usual = "number" if entry.get("days_since") == "true" else None
        kind = self.choice(f"{where}.type", entry.get("type", usual), ATTRIBUTE_TYPES)
        rest = {key: item for key, item in entry.items() if key not in ("type", "days_since")}
        return AttributeSpec(self.column(where, rest, FIELD_KEYS), kind)

    def label(self, value: Any) -> LabelSpec | None:
        ways = ("complaints", "event", "reaches", "open_hours")
        known = ("column", "positive", "negative", "blank_is", "at", *ways)
        entry = self.mapping(value, "label", known)
        if "column" not in entry:
            return None  # computed from complaints or a log when the file is prepared
        blank = self.choice(
            "label.blank_is", entry.get("blank_is", "unknown"), ("unknown", "negative")
        )
        return LabelSpec(
            column=self.text("label.column", entry["column"]),
            positive=self.texts("label.positive", entry.get("positive", list(TRUE_WORDS))),
            negative=self.texts("label.negative", entry.get("negative", [])),
            blank_is_negative=blank == "negative",
        )

    def exclusion(self, where: str, value: Any) -> Exclusion:
        entry = self.mapping(value, where, ("column", "values", "because"))
        column = self.text(f"{where}.column", entry.get("column"))
        return Exclusion(column, frozenset(self.texts(f"{where}.values", entry.get("values", []))))

    def zone(self, name: Any) -> tzinfo:
        try:
            return UTC if name == "UTC" else ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
            raise self.error(
                "time_zone", f"{name!r} is not known here (on a bare system: pip install tzdata)"
            ) from None
