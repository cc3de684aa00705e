"""From a row of IN to a ``ScoreRequest``, by a specification compiled to one step a column.

What a single cell becomes can be asked, too (:class:`Field`): the columnar way asks it of
each distinct cell of a column, so that both ways say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harken.v1 import scoring_pb2

from harken_client.errors import FieldViolation, InvalidRequest, invalid_field
from harken_client.replay.cells import READERS, TimeReader, cell_text
from harken_client.replay.errors import ReplayError
from harken_client.replay.sources import BadRow, Row
from harken_client.replay.spec import AttributeSpec, ColumnSpec, LabelSpec, Spec, flat_spec
from harken_client.requests import (
    CORE_FIELDS,
    CoreField,
    did_you_mean,
    set_attributes,
    set_field,
    set_time,
)


@dataclass(frozen=True, slots=True)
class Converted:
    """A request and its outcome: 1 complained, 0 did not, None unknown or not to be counted."""

    request: scoring_pb2.ScoreRequest
    label: int | None


@dataclass(frozen=True, slots=True)
class Field:
    """A core field or attribute (``attr_NAME``) and the place of its column in a row.

    ``value`` gives what the request carries for a cell (codes as text, times as microseconds,
    None for missing), or raises the same :class:`InvalidRequest` as ``convert`` does.
    ``kind`` is that of a :class:`CoreField`, or ``any``; ``format`` that of times as text.
    """

    name: str
    kind: str
    index: int
    value: Callable[[Any], Any]
    plain: bool
    """Text that becomes itself, whatever it is: there is no list of values for it."""
    format: str | None = None


class Converter:
    """Converts the rows of one file; ``columns`` are those it wants, in this order.

    ``fields`` are in the order in which ``convert`` names what is wrong.
    """

    def __init__(self, spec: Spec, columns: Sequence[str], language: str) -> None:
        spec = _fit(spec, columns)
        self.missing, self.zone = spec.missing, spec.zone
        self._language = language
        self._times = TimeReader(spec.zone, spec.time_format)
        self.columns: list[str] = []
        self.id_index = self._index(spec.fields["grumble_id"].column)
        self._steps: list[tuple[int, CoreField, Callable[[Any], Any]]] = []
        self._others: list[Callable[[scoring_pb2.ScoreRequest, tuple[Any, ...]], None]] = []
        self.fields: list[Field] = []
        times: list[Field] = []
        for name, source in spec.fields.items():
            field = self._add_core_field(CORE_FIELDS[name], source, spec.time_format)
            (times if field.kind == "time" else self.fields).append(field)
        self.fields += times
        for name, attribute in spec.attributes.items():
            self.fields.append(self._add_attribute(name, attribute))
        # An outcome that the file does not have yet is simply not known.
        self._label = spec.label if spec.label and spec.label.column in columns else None
        self.label_index = self._index(self._label.column) if self._label else None
        self.exclude = [
            (self._index(rule.column), rule.values)
            for rule in spec.exclude
            if rule.column in columns
        ]
        _require(self.columns, columns)

    def convert(self, row: Row) -> Converted:
        """The request of ``row``; :class:`InvalidRequest` lists every cell that is wrong."""
        if isinstance(row, BadRow):
            raise invalid_field("", row.message, "FIELD_INVALID")
        request = scoring_pb2.ScoreRequest(language_code=self._language)
        grumble = request.grumble
        grumble.SetInParent()
        parts = {"grumble": grumble, "customer": request.customer, "history": request.history}
        row = tuple([cell.strip() if isinstance(cell, str) else cell for cell in row])
        wrong: list[InvalidRequest] = []
        missing = self.missing
        for index, core, read in self._steps:
            cell = row[index]
            if cell is None or cell in missing:
                continue
            try:
                value = read(cell)
                if value is not None:
                    setattr(parts[core.part], core.name, value)
            except InvalidRequest as error:
                wrong.append(error)
            except (TypeError, ValueError):  # the message refuses it: find the words for it
                wrong.append(_refusal(core, cell))
        for put in self._others:
            try:
                put(request, row)
            except InvalidRequest as error:
                wrong.append(error)
        if wrong:
            raise together(wrong)
        if not grumble.HasField("observe_time"):  # the specification has no column for it
            grumble.observe_time.CopyFrom(grumble.voice_time)
        return Converted(request, self._outcome(row))

    def grumble_id(self, row: Row) -> str:
        """The id of a row that may be wrong otherwise."""
        return "" if isinstance(row, BadRow) else cell_text(row[self.id_index])

    def _index(self, column: str) -> int:
        if column not in self.columns:
            self.columns.append(column)
        return self.columns.index(column)

    def _add_core_field(self, core: CoreField, source: ColumnSpec, format_: str | None) -> Field:
        index = self._index(source.column)
        if core.kind == "time":
            return self._add_time(core, source.format, index, source.format or format_)
        read = READERS[core.kind](core, source)
        self._steps.append((index, core, read))
        names = {number: code for code, number in core.codes.items()}
        scratch = scoring_pb2.ScoreRequest()

        def value(cell: Any) -> Any:
            cell = _stripped(cell)
            if cell is None or cell in self.missing or (read_ := read(cell)) is None:
                return None
            try:
                setattr(getattr(scratch, core.part), core.name, read_)
            except (TypeError, ValueError):
                raise _refusal(core, cell) from None
            return names[read_] if names else read_

        plain = core.kind == "text" and source.map is None
        return Field(core.name, core.kind, index, value, plain)

    def _add_time(self, core: CoreField, own: str | None, index: int, format_: str | None) -> Field:
        def value(cell: Any) -> int:
            cell = _stripped(cell)
            if cell is None or cell in self.missing:
                raise invalid_field(core.path, f"{core.name} is missing", "FIELD_REQUIRED")
            return self._times.microseconds(core.path, cell, own)

        def put(request: scoring_pb2.ScoreRequest, row: tuple[Any, ...]) -> None:
            set_time(getattr(request.grumble, core.name), value(row[index]))

        self._others.append(put)
        return Field(core.name, "time", index, value, False, format_)

    def _add_attribute(self, name: str, attribute: AttributeSpec) -> Field:
        index = self._index(attribute.source.column)
        kind = {"category": "text"}.get(attribute.type, attribute.type)
        read = READERS[kind](CoreField(f"[{name}]", "attributes", kind), attribute.source)

        def put(request: scoring_pb2.ScoreRequest, row: tuple[Any, ...]) -> None:
            cell = row[index]
            if cell is not None and cell not in self.missing:
                set_attributes(request, {name: read(cell)})

        def value(cell: Any) -> Any:
            cell = _stripped(cell)
            if cell is None or cell in self.missing or (read_ := read(cell)) is None:
                return None
            set_attributes(scoring_pb2.ScoreRequest(), {name: read_})
            return read_

        self._others.append(put)
        plain = kind in ("text", "any") and attribute.source.map is None
        return Field(f"attr_{name}", kind, index, value, plain)

    def label(self, cell: Any) -> int | None:
        """The outcome in a cell of the label's column."""
        return _label(self._label, _stripped(cell), self.missing) if self._label else None

    def _outcome(self, row: tuple[Any, ...]) -> int | None:
        if self._label is None:
            return None
        for index, values in self.exclude:
            if cell_text(row[index]) in values:
                return None
        return self.label(row[self.label_index or 0])


def _stripped(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _label(label: LabelSpec, cell: Any, missing: frozenset[str]) -> int | None:
    text = cell_text(cell)
    if cell is None or text in missing:
        return 0 if label.blank_is_negative else None
    if text in label.positive:
        return 1
    return 0 if not label.negative or text in label.negative else None


def _refusal(core: CoreField, cell: Any) -> InvalidRequest:
    try:
        set_field(scoring_pb2.ScoreRequest(), core, float(cell) if core.kind == "integer" else cell)
    except InvalidRequest as error:
        return error
    return invalid_field(core.path, f"{cell!r} cannot be sent", "FIELD_INVALID")


def together(errors: Sequence[InvalidRequest]) -> InvalidRequest:
    """One error that says all of ``errors``."""
    violations: list[FieldViolation] = []
    for error in errors:
        violations += error.field_violations
    return InvalidRequest(
        "; ".join(error.message for error in errors),
        reason=errors[0].reason,
        field_violations=violations,
    )


def _fit(spec: Spec, columns: Sequence[str]) -> Spec:
    """A file that ``harken data prepare`` has written carries core names, not the spec's."""
    mapped = {source.column for source in spec.fields.values()}
    prepared = {"grumble_id", "voice_time"} <= set(columns)
    if prepared and (spec.tables or spec.unprepared or not mapped <= set(columns)):
        return flat_spec(columns, {name: item.type for name, item in spec.attributes.items()})
    if spec.unprepared:
        raise ReplayError(
            f"this specification uses {spec.unprepared}; prepare the file first:\n"
            "  harken data prepare --spec SPEC DATA --out prepared.parquet"
        )
    return spec


def _require(wanted: Sequence[str], columns: Sequence[str]) -> None:
    absent = [name for name in wanted if name not in columns]
    if absent:
        hint = did_you_mean(absent[0], dict.fromkeys(columns))
        raise ReplayError(f"IN has no column {absent[0]!r}, which the specification names{hint}")


def spec_for(spec: Spec | None, columns: Sequence[str]) -> Spec:
    """``spec``, or the one of a file with core names; :class:`ReplayError` if it is none."""
    if spec is not None:
        return spec
    for name in ("grumble_id", "voice_time"):
        if name not in columns:
            raise ReplayError(
                f"the file has no column {name!r}. Its columns must carry the core names, or "
                "--spec must say which column is what"
            )
    return flat_spec(columns)
