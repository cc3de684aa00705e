"""All detectors on one dataset, in an order in which the plainest word comes first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from harken_models.check import doubles, drift, filling, leaks, outcomes, texts, times
from harken_models.check.detector import Detector
from harken_models.check.finding import Finding, Report
from harken_models.check.look import Look
from harken_models.check.summary import summarise
from harken_models.dataset import Raw, build_dataset

_VALUES = (*texts.DETECTORS, *filling.DETECTORS, *doubles.DETECTORS, *times.DETECTORS)
_OUTCOMES = outcomes.DETECTORS
_RELATIONS = (*leaks.DETECTORS, outcomes.DRIFT, *drift.DETECTORS)

IDS = (
    "two-date-formats",
    "mixed-types",
    "bad-values",
    "impossible-order",
    "constant-column",
    "empty-column",
    "mostly-missing",
    "duplicate-id",
    "duplicate-rows",
    "time-travel",
    "leak-later",
    "gap-in-time",
    "no-label",
    "label-one-class",
    "few-rows",
    "unknown-outcome",
    "leak-filled",
    "leak-strong",
    "drift-label",
    "new-levels",
    "drift-field",
    "not-checked",
)
"""Every id that a finding can have, in the order in which they are shown."""


def check_data(raw: Raw, allow: Collection[str] = ()) -> Report:
    """What is to be known of the data before anything is trained on it.

    ``allow`` are ids, or ``id:column`` (the operator's column, or the field): what they name is
    shown and does not count. Raises DataError where the data cannot be built at all.
    """
    look = Look(raw, build_dataset(raw))
    found: list[Finding] = []
    waiting: list[str] = []
    timeless = look.spec.timeless
    unreadable = False
    for detector in _VALUES + _OUTCOMES:
        if detector.in_time and unreadable:
            waiting.append(detector.id)
        elif not (detector.in_time and timeless):
            found += _fresh(detector, look, found)
        if detector.id == "two-date-formats":
            unreadable = _times_unreadable(found)
    look = look.without(outcomes.undecided(look))
    for detector in _RELATIONS:
        if detector.in_time and unreadable:
            waiting.append(detector.id)
        elif not (detector.in_time and timeless):
            found += _fresh(detector, look, found)
    if waiting:
        found.append(Finding("not-checked", "note", figures={"waiting": waiting}))
    ordered = sorted(found, key=lambda one: IDS.index(one.id))
    return Report(summarise(look), tuple(_allowed(one, allow) for one in ordered))


def _fresh(detector: Detector, look: Look, found: list[Finding]) -> Iterator[Finding]:
    """What a detector says that nothing before has said better of the same column."""
    said = {(one.id, one.column) for one in found if one.severity != "note"}
    for one in detector.run(look):
        plainer = {(name, one.column) for name in detector.unless}
        if one.column is None or not plainer & said:
            yield one


def _times_unreadable(found: list[Finding]) -> bool:
    """Whether a moment of the rows is written in two ways: then no order can be relied on."""
    moments = ("voice_time", "observe_time", "events.time")
    several = [one for one in found if one.id == "two-date-formats" and one.severity != "note"]
    return any(one.figures["field"] in moments for one in several)


def _allowed(finding: Finding, allow: Collection[str]) -> Finding:
    field = finding.figures.get("field")
    names = {finding.id, f"{finding.id}:{finding.column}", f"{finding.id}:{field}"}
    return replace(finding, allowed=True) if names & set(allow) else finding
