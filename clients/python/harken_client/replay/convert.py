"""From a row of IN to a ``ScoreRequest``, by a specification compiled to one step a column."""

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


class Converter:
    """Converts the rows of one file; ``columns`` are those it wants, in this order."""

    def __init__(self, spec: Spec, columns: Sequence[str], language: str) -> None:
        spec = _fit(spec, columns)
        self._missing = spec.missing
        self._language = language
        self._times = TimeReader(spec.zone, spec.time_format)
        self.columns: list[str] = []
        self._id_index = self._index(spec.fields["grumble_id"].column)
        self._steps: list[tuple[int, CoreField, Callable[[Any], Any]]] = []
        self._others: list[Callable[[scoring_pb2.ScoreRequest, tuple[Any, ...]], None]] = []
        for name, source in spec.fields.items():
            self._add_core_field(CORE_FIELDS[name], source)
        for name, attribute in spec.attributes.items():
            self._add_attribute(name, attribute)
        # An outcome that the file does not have yet is simply not known.
        self._label = spec.label if spec.label and spec.label.column in columns else None
        self._label_index = self._index(self._label.column) if self._label else -1
        self._exclude = [
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
        missing = self._missing
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
            raise _together(wrong)
        if not grumble.HasField("observe_time"):  # the specification has no column for it
            grumble.observe_time.CopyFrom(grumble.voice_time)
        return Converted(request, self._outcome(row))

    def grumble_id(self, row: Row) -> str:
        """The id of a row that may be wrong otherwise."""
        return "" if isinstance(row, BadRow) else cell_text(row[self._id_index])

    def _index(self, column: str) -> int:
        if column not in self.columns:
            self.columns.append(column)
        return self.columns.index(column)

    def _add_core_field(self, core: CoreField, source: ColumnSpec) -> None:
        index = self._index(source.column)
        if core.kind != "time":
            self._steps.append((index, core, READERS[core.kind](core, source)))
            return

        def put(request: scoring_pb2.ScoreRequest, row: tuple[Any, ...]) -> None:
            cell = row[index]
            if cell is None or cell in self._missing:
                raise invalid_field(core.path, f"{core.name} is missing", "FIELD_REQUIRED")
            stamp = getattr(request.grumble, core.name)
            set_time(stamp, self._times.microseconds(core.path, cell, source.format))

        self._others.append(put)

    def _add_attribute(self, name: str, attribute: AttributeSpec) -> None:
        index = self._index(attribute.source.column)
        kind = {"category": "text"}.get(attribute.type, attribute.type)
        read = READERS[kind](CoreField(f"[{name}]", "attributes", kind), attribute.source)

        def put(request: scoring_pb2.ScoreRequest, row: tuple[Any, ...]) -> None:
            cell = row[index]
            if cell is not None and cell not in self._missing:
                set_attributes(request, {name: read(cell)})

        self._others.append(put)

    def _outcome(self, row: tuple[Any, ...]) -> int | None:
        if self._label is None:
            return None
        for index, values in self._exclude:
            if cell_text(row[index]) in values:
                return None
        return _label(self._label, row[self._label_index], self._missing)


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


def _together(errors: list[InvalidRequest]) -> InvalidRequest:
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
    if prepared and (spec.tables or not mapped <= set(columns)):
        return flat_spec(columns, {name: item.type for name, item in spec.attributes.items()})
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
