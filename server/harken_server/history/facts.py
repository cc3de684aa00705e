"""Usable rows become columns of facts: what the model adds, and what rules read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from harken_models.bundle import with_segments
from harken_rules import RuleBase
from harken_rules.column_cells import Column
from numpy.typing import NDArray

from harken_server.history.rows import Rows, coded, open_hours

if TYPE_CHECKING:
    from harken_models import Bundle

Facts = Mapping[str, Column]
IDS = ("grumble_id", "customer_id")
"""No facts: hardly any two are alike."""


def facts_of(rows: Rows, bundle: Bundle) -> dict[str, Column]:
    """Every fact of the rows that is not derived by rules, by name.

    Segment, association and probability are the bundle's, but for a history that brings its
    own probability. Codes come as ``Coded``, so that two rule bases look at each value once.
    """
    made: dict[str, Column] = {
        name: coded(column) if column.dtype == object else column
        for name, column in rows.columns.items()
        if name not in IDS
    }
    segment, association, probability = _assess(rows, bundle)
    made["segment"] = coded(segment)
    made["association"], made["probability"] = association, probability
    made["open_hours"] = open_hours(rows)
    return made


def for_rules(facts: Facts, base: RuleBase) -> dict[str, Column]:
    """The facts that ``base`` declares."""
    return {
        fact.name: facts[fact.name]
        for fact in base.facts.values()
        if fact.source in ("request", "model", "attribute") and fact.name in facts
    }


def _assess(
    rows: Rows, bundle: Bundle
) -> tuple[NDArray[np.object_], NDArray[np.float64], NDArray[np.float64]]:
    columns = {name: column for name, column in rows.columns.items() if name != "grumble_id"}
    if rows.probability is None:
        found = bundle.assess_columns(columns, len(rows))
        return found.segment, found.association, found.probability
    # The dearest part by far, and not needed: the trees are left out.
    segment = with_segments(columns, len(rows), bundle.parts.segments)["segment"]
    points = columns.get("point", np.full(len(rows), None, dtype=object))
    return segment, bundle.parts.association.many(points, segment), rows.probability
