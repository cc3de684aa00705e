"""Cells of facts whose values have names: enums and booleans."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harken_rules.language import Condition, Constant, Fact, FactType, Missing, OneOf, Within
from harken_rules.verdict import EngineError, FactError
from harken_rules.wording import describe, kind, suggest

MISSING = 0
"""The code of a missing fact."""


class NamedCells:
    """Cells of an enum or a boolean: one for each value, and *another* where that is allowed."""

    def __init__(self, fact: Fact, names: Mapping[str, Constant], another: bool) -> None:
        self.fact = fact
        self._values: tuple[Constant, ...] = tuple(names.values())
        self._codes: dict[Constant, int] = {v: i for i, v in enumerate(self._values, start=1)}
        self._another = len(self._values) + 1 if another else None
        self._kind: type[bool] | type[str] = bool if fact.type is FactType.BOOLEAN else str
        self.size = len(self._values) + 1 + another
        self.reachable = (1 << self.size) - 1
        self.table: dict[object, int] = {None: MISSING}
        for value, code in self._codes.items():
            self.table[value] = code

    def code(self, value: object) -> int:
        """See ``Cells.code``."""
        if isinstance(value, np.bool_):
            value = bool(value)
        if not isinstance(value, self._kind):
            wanted = "true or false" if self._kind is bool else "a code (text)"
            raise FactError(
                self.fact.name, describe(value), f"expected {wanted}, got {kind(value)}"
            )
        code = self._codes.get(value, self._another)
        if code is None:
            raise FactError(
                self.fact.name,
                describe(value),
                f"{describe(value)} is not one of its values",
                suggest(str(value), [str(known) for known in self._values]),
            )
        return code

    def constant(self, value: Constant) -> int:
        """See ``Cells.constant``."""
        code = self._codes.get(value, self._another) if isinstance(value, self._kind) else None
        if code is None:
            raise EngineError(f"fact {self.fact.name!r} has no value {describe(value)}")
        return code

    def accepts(self, condition: Condition) -> int:
        """See ``Cells.accepts``."""
        known = self.reachable & ~1
        match condition:
            case Missing(wanted=wanted):
                return 1 if wanted else known
            case OneOf(values=values, negated=negated):
                chosen = 0
                for value in values:
                    if value not in self._codes:
                        raise EngineError(f"fact {self.fact.name!r} lists no {describe(value)}")
                    chosen |= 1 << self._codes[value]
                return known & ~chosen if negated else chosen
            case Within():
                raise EngineError(f"fact {self.fact.name!r} is no number and has no intervals")

    def example(self, code: int) -> Constant | None:
        """See ``Cells.example``."""
        if code == self._another:
            return "another" + "_" * sum(str(v).startswith("another") for v in self._values)
        return self._values[code - 1] if code else None
