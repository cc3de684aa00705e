"""Typing many rows at a time: columns of IN become the Arrow columns that are scored.

Every rule about cells stands in :class:`~harken_client.replay.convert.Converter` alone. A
column is cut down to its distinct cells, the converter is asked about each of those once, and
the answers are spread over the rows by index: one code, two speeds. Columns whose cells are
nearly all different (ids, amounts, moments) take a vectorised way where Arrow's own reading
is known to say the same, and the way above where it does not get through.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from harken_client.errors import InvalidRequest, invalid_field
from harken_client.replay.cells import cell_text
from harken_client.replay.convert import Converter, Field, together
from harken_client.replay.instants import Instants
from harken_client.replay.sources import python_values

IDS = ("grumble_id", "customer_id")
REMEMBERED = 65_536
"""Distinct cells of a column whose meaning is kept from one block to the next."""
_INT32 = 2**31
_TYPES = {
    "text": pa.dictionary(pa.int32(), pa.string()),
    "code": pa.dictionary(pa.int32(), pa.string()),
    "number": pa.float64(),
    "integer": pa.float64(),
    "flag": pa.bool_(),
    "time": pa.timestamp("us", "UTC"),
}

Column = Any
"""An Arrow array, or a list of cells where Arrow could not read the file."""
Wrong = Iterable[tuple[int, InvalidRequest]]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of IN, untyped: the converter's ``columns`` in its order.

    ``bad`` says of rows that cannot be taken apart why, by place in the block; their cells
    are None.
    """

    rows: int
    columns: Sequence[Column]
    bad: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Typed:
    """A block's rows that can be sent, and why the others cannot.

    ``batch`` has core names as columns; ``places`` are the places in the block of its rows
    (int64), ``labels`` their outcomes (int8: 1, 0 or null). ``rejects`` are place, grumble id
    and error of the others.
    """

    rows: int
    batch: Any
    places: Any
    labels: Any
    rejects: Sequence[tuple[int, str, InvalidRequest]]


class ColumnConverter:
    """Does by columns what ``converter`` does row by row. Not to be shared between threads."""

    def __init__(self, converter: Converter) -> None:
        self._converter = converter
        self._missing = pa.array(sorted(converter.missing), pa.string())
        self._memos: dict[str, dict[Any, Any]] = {each.name: {} for each in converter.fields}
        self._instants = Instants(converter.zone)

    def typed(self, block: Block) -> Typed:
        """Type the rows of ``block``."""
        found: dict[str, Any] = {}
        wrong: dict[int, list[InvalidRequest]] = {}
        for each in self._converter.fields:
            found[each.name], errors = self._field(each, block.columns[each.index])
            for place, error in errors:
                wrong.setdefault(place, []).append(error)
        found.setdefault("observe_time", found["voice_time"])  # no column for it
        for place, said in block.bad.items():
            wrong[place] = [invalid_field("", said, "FIELD_INVALID")]
        batch = pa.RecordBatch.from_arrays(list(found.values()), list(found))
        labels = self._labels(block)
        places = counting(block.rows)
        if not wrong:
            return Typed(block.rows, batch, places, labels, ())
        sound = pa.array([place not in wrong for place in range(block.rows)])
        rejects = self._rejects(block, sorted(wrong.items()))
        batch, places, labels = (part.filter(sound) for part in (batch, places, labels))
        return Typed(block.rows, batch, places, labels, rejects)

    def _rejects(
        self, block: Block, wrong: Sequence[tuple[int, list[InvalidRequest]]]
    ) -> list[tuple[int, str, InvalidRequest]]:
        ids = block.columns[self._converter.id_index]
        if not isinstance(ids, list):
            ids = ids.take(pa.array([place for place, _ in wrong], pa.int64()))
            cells = dict(zip((place for place, _ in wrong), python_values(ids), strict=True))
        else:
            cells = dict(enumerate(ids))
        return [
            (place, "" if place in block.bad else cell_text(cells[place]), together(errors))
            for place, errors in wrong
        ]

    def _labels(self, block: Block) -> Any:
        if self._converter.label_index is None:
            return pa.nulls(block.rows, pa.int8())
        indices, cells = _with_null(*_distinct(block.columns[self._converter.label_index]))
        outcomes = pa.array([self._converter.label(cell) for cell in cells], pa.int8())
        labels = outcomes.take(indices)
        for index, values in self._converter.exclude:
            indices, cells = _with_null(*_distinct(block.columns[index]))
            out = pa.array([_text(cell) in values for cell in cells], pa.bool_()).take(indices)
            labels = pc.if_else(out, pa.scalar(None, pa.int8()), labels)
        return labels

    def _field(self, asked: Field, column: Column) -> tuple[Any, Wrong]:
        """The typed column, and what is wrong with it by place in the block."""
        if not isinstance(column, list):
            quick = self._quick(asked, column)
            if quick is not None:
                return quick, ()
        indices, cells = _distinct(column)
        if asked.kind == "time":  # the only kind of which a missing cell is wrong
            indices, cells = _with_null(indices, cells)
        values: list[Any] = []
        wrong: dict[int, InvalidRequest] = {}
        for code, cell in enumerate(cells):
            value = self._value(asked, cell)
            if isinstance(value, InvalidRequest):
                wrong[code] = value
                value = None
            values.append(value)
        return _spread(asked, values, indices), _places(wrong, indices)

    def _value(self, asked: Field, cell: Any) -> Any:
        """The value of a cell, or the error; remembered, except of floats: -0.0 equals 0.0."""
        memo = self._memos[asked.name]
        if cell in memo and not isinstance(cell, float):
            return memo[cell]
        try:
            value = asked.value(cell)
        except InvalidRequest as error:
            value = error
        if len(memo) < REMEMBERED:
            memo[cell] = value
        return value

    def _quick(self, asked: Field, column: Any) -> Any:
        """The typed column where no cell needs to be looked at alone, else None."""
        kind, text = column.type, pa.types.is_string(column.type)
        if asked.plain and text:
            return self._plain_text(asked, column)
        if asked.kind == "time":
            if text and asked.format is None:
                return self._instants.of_text(self._known(column))
            return self._instants.of_typed(column)
        if asked.kind in ("flag", "any") and pa.types.is_boolean(kind):
            return column
        if asked.kind in ("number", "integer", "any") and _is_number(kind):
            return _numbers(asked.kind, column.cast(pa.float64(), safe=False))
        if asked.kind in ("number", "integer") and text:
            try:
                return _numbers(asked.kind, self._known(column).cast(pa.float64()), said=True)
            except pa.ArrowInvalid:
                return None
        return None

    def _plain_text(self, asked: Field, column: Any) -> Any:
        column.validate(full=True)  # Parquet promises UTF-8, and may lie
        known = self._known(column)
        return known if asked.name in IDS else known.dictionary_encode()

    def _known(self, column: Any) -> Any:
        """Text without the spaces around it; null where it is a word for missing."""
        stripped = pc.utf8_trim_whitespace(column)
        missing = pc.is_in(stripped, value_set=self._missing)
        if not missing.true_count:
            return stripped
        return pc.if_else(missing, pa.scalar(None, pa.string()), stripped)


def counting(rows: int) -> Any:
    """0, 1, 2 ... as int64: a slice of one array that grows as needed."""
    global _counted
    if len(_counted) < rows:
        numbers = pa.py_buffer(array("q", range(2 * rows)))
        _counted = pa.Array.from_buffers(pa.int64(), 2 * rows, [None, numbers])
    return _counted[:rows]


_counted = pa.array([], pa.int64())


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _numbers(kind: str, numbers: Any, *, said: bool = False) -> Any:
    """Floats whose NaN is missing unless it was ``said`` in text; None if some are refused."""
    finite = pc.is_finite(numbers)
    if finite.false_count:
        nan = pc.is_nan(numbers)
        if said or nan.true_count < finite.false_count:
            return None
        numbers = pc.if_else(nan, pa.scalar(None, pa.float64()), numbers)
    if kind == "integer" and numbers.null_count < len(numbers):
        if pc.less(pc.abs(numbers), _INT32).false_count:
            return None
        if pc.equal(numbers, pc.trunc(numbers)).false_count:
            return None
    return numbers


def _distinct(column: Column) -> tuple[Any, list[Any]]:
    """Index of each row (int32, or null for a missing cell) into distinct cells."""
    if isinstance(column, list):
        places: dict[Any, int] = {}
        indices = pa.array([places.setdefault(c, len(places)) for c in column], pa.int32())
        return indices, list(places)
    if not pa.types.is_dictionary(column.type):
        try:
            column = column.dictionary_encode()
        except (NotImplementedError, pa.ArrowInvalid):  # nested, or of no type at all
            return pa.array(range(len(column)), pa.int32()), python_values(column)
    return column.indices, python_values(column.dictionary)


def _with_null(indices: Any, cells: list[Any]) -> tuple[Any, list[Any]]:
    """The same, missing cells pointing to None."""
    if not indices.null_count:
        return indices, cells
    return indices.fill_null(pa.scalar(len(cells), indices.type)), [*cells, None]


def _spread(asked: Field, values: list[Any], indices: Any) -> Any:
    """A typed column of the values that ``indices`` name."""
    kind = asked.kind
    if kind == "any":  # a column's cells are of one type, and so are their values
        first = next((value for value in values if value is not None), "")
        kind = "flag" if first is True or first is False else "text"
        kind = "number" if isinstance(first, float) else kind
    if kind not in ("text", "code"):
        return pa.array(values, _TYPES[kind]).take(indices)
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    texts = list(places)
    codes = pa.array([None if v is None else places[v] for v in values], pa.int32())
    coded = pa.DictionaryArray.from_arrays(codes.take(indices), pa.array(texts, pa.string()))
    return coded.dictionary_decode() if asked.name in IDS else coded


def _places(wrong: Mapping[int, InvalidRequest], indices: Any) -> Wrong:
    if not wrong:
        return ()
    rows = pc.indices_nonzero(pc.is_in(indices, value_set=pa.array(list(wrong), indices.type)))
    codes = indices.take(rows).to_pylist()
    return [(row, wrong[code]) for row, code in zip(rows.to_pylist(), codes, strict=True)]


def _text(cell: Any) -> str:
    return cell_text(cell.strip() if isinstance(cell, str) else cell)
