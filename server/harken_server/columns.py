"""Rows turned into the columns that model and rules read: floats with NaN, objects with None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
from harken_rules.language import FactType
from numpy.typing import NDArray

from harken_server.grumble import Grumble
from harken_server.snapshot import Snapshot

Column = NDArray[np.generic]

COLUMN_FACTS = ("segment", "association", "probability")
"""What the model adds."""
_CODE, _NUMBER, _FLAG, _TIME = "code", "number", "flag", "time"


def _kind_of(annotation: str) -> str:
    if annotation.startswith("str"):
        return _CODE
    return _FLAG if annotation.startswith("bool") else _NUMBER


CORE: dict[str, str] = {
    f.name: _TIME if f.name.endswith("_time_us") else _kind_of(str(f.type))
    for f in fields(Grumble)
    if f.name not in ("attributes", "explain", "language")
} | {"open_hours": _NUMBER}
"""The kind of every core field."""
_MODEL_KINDS = {"category": _CODE, "number": _NUMBER, "flag": _FLAG}
_FACT_KINDS = {
    FactType.ENUM: _CODE,
    FactType.NUMBER: _NUMBER,
    FactType.INTEGER: _NUMBER,
    FactType.BOOLEAN: _CODE,
}


class Columns:
    """The columns of some rows; each is built once, however many read it."""

    def __init__(self, rows: Sequence[Mapping[str, object]], snapshot: Snapshot) -> None:
        self._rows = rows
        self._snapshot = snapshot
        self._built: dict[tuple[str, str], Column] = {}

    def for_model(self) -> dict[str, Column]:
        """Every core field and declared attribute, as ``Bundle.assess_columns`` takes them."""
        kinds = CORE | {
            name: _MODEL_KINDS[str(spec.type)]
            for name, spec in self._snapshot.bundle.attributes.items()
            if name not in CORE
        }
        return {name: self._column(name, kind) for name, kind in kinds.items()}

    def for_rules(self, given: Mapping[str, Column]) -> dict[str, Column]:
        """Every fact that no decision yields, as ``RuleEngine.decide_columns`` takes them."""
        facts = self._snapshot.base.facts.values()
        return {
            fact.name: given[fact.name]
            if fact.name in given
            else self._column(fact.name, _FACT_KINDS[fact.type])
            for fact in facts
            if fact.source in ("request", "model", "attribute")
        }

    def _column(self, name: str, kind: str) -> Column:
        built = self._built.get((name, kind))
        if built is None:
            values = [row.get(name) for row in self._rows]
            built = self._built[name, kind] = _array(values, kind)
        return built


def _array(values: list[object], kind: str) -> Column:
    if kind == _CODE:
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    if kind == _TIME:
        return np.array(values, dtype=np.int64)
    return np.array(values, dtype=np.float64)  # None becomes NaN
