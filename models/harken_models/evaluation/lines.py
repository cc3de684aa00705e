"""What the text and the page of an evaluation both say: sentences and cells of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harken_models.evaluation.metrics import FIGURES
from harken_models.evaluation.report import Plain
from harken_models.evaluation.whole import COMPARED
from harken_models.evaluation.words import Say

_SHARES = ("recall_10", "recall_15", "recall", "precision", "workload_reduction")
NOTHING = "–"


def head_lines(found: Plain, w: Say) -> list[str]:
    """What was measured on what, and what to mind."""
    window = found["window"]
    colon = w("colon")
    lines = [f"{w('bundle')}{colon}{found['model_digest']}"]
    on = w("on", found["dataset"], found["rows"], found["grumbles"], found["positives"],
           found["rate"])  # fmt: skip
    if window["from"]:
        on += w("comma") + w("window", window["from"][:10], window["to"][:10])
    lines.append(on)
    how = found["intervals"]
    lines.append(w(f"resampled_{how['by']}", how["resamples"], found["groups"]))
    return lines


def notes(found: Plain, w: Say) -> list[str]:
    """What must be known before the figures are believed; the first thing said."""
    window, told = found["window"], []
    if window["rows_in_training_window"]:
        told.append(w("flatters", window["rows_in_training_window"], found["rows"]))
    elif window["start"] is None and not found["tested_in_time"]:
        told.append(w("untimed"))
    if found["missing_fields"]:
        told.append(w("missing_fields", w("comma").join(found["missing_fields"])))
    if found["bad_rows"]:
        told.append(w("bad_rows", found["bad_rows"]))
    if found["base_rate_shift"]:
        told.append(w("shifted"))
    if found["simulated"]:
        told.append(w("simulated"))
    return told


def figure_rows(found: Plain, w: Say) -> Sequence[tuple[str, ...]]:
    """Name, value and interval of every figure; beside another bundle's also its value, the
    difference with its interval, and p."""
    against = found["against"]
    if against is None:
        return [
            (w(name), number(name, found["figures"][name]["value"]), span(name, each))
            for name, each in found["figures"].items()
        ]
    ours, theirs = _compared(found), _compared(against)
    rows = []
    for name in COMPARED:
        gap = against["differences"][name]
        rows.append(
            (
                w(name),
                number(name, ours[name]),
                number(name, theirs[name]),
                number(name, gap["value"], signed=True),
                span(name, gap, signed=True),
                NOTHING if gap["p"] is None else f"{gap['p']:.3f}",
            )
        )
    return rows


def figure_heads(found: Plain, w: Say) -> tuple[str, ...]:
    """The heads of ``figure_rows``."""
    if found["against"] is None:
        return (w("figure"), w("value"), w("interval"))
    return tuple(map(w, ("figure", "ours", "other", "difference", "interval", "p")))


def line_words(line: Plain, w: Say) -> str:
    """What happens at the warning line, in a sentence."""
    head = w("line" if line["given"] else "line_usual", line["probability"])
    cells: list[str] = []
    for name in ("recall", "workload_reduction", "precision"):
        cells += (number(name, line[name][end]) for end in ("value", "low", "high"))
    return head + w("colon") + w("line_says", *cells)


def verdict_words(found: Plain, w: Say) -> str:
    """Which of two bundles is better, if either: by log-loss, at 5 %."""
    gap = found["against"]["differences"]["log_loss"]
    if gap["p"] is None:
        return w("alike")
    sure = gap["p"] <= 0.05 and gap["value"] != 0
    which = ("better" if gap["value"] < 0 else "worse") if sure else "alike"
    return w("test_says", gap["value"], gap["low"], gap["high"], gap["p"], w(which))


def target_rows(found: Plain) -> Sequence[tuple[str, ...]]:
    """Wanted recall, its line, the workload reduction and its interval."""
    return [
        (
            f"{each['recall']:.0%}",
            f"{each['probability']:.4f}",
            number("workload_reduction", each["workload_reduction"]["value"]),
            span("workload_reduction", each["workload_reduction"]),
        )
        for each in found["recall_targets"]
    ]


def capacity_rows(found: Plain) -> Sequence[tuple[str, ...]]:
    """Calls a day, recall, precision (each with interval), calls in all."""
    return [
        (
            f"{each['per_day']:,}",
            number("recall", each["recall"]["value"]),
            span("recall", each["recall"]),
            number("precision", each["precision"]["value"]),
            span("precision", each["precision"]),
            f"{each['rows']:,}",
        )
        for each in found["capacity"]
    ]


def part_heads(first: str, w: Say) -> tuple[str, ...]:
    """The heads of ``part_row``."""
    names = "rows short_complaints short_predicted rate auc short_interval short_ece recall"
    return (first, *map(w, [*names.split(), "workload_reduction"]))


def part_row(name: str, part: Plain, w: Say) -> tuple[str, ...]:
    """One slice or age: counts, predicted and observed rate, AUC with interval, ECE, the line."""
    told = part.get("auc")
    if told is None:
        figures: tuple[str, ...] = (w("few"), "", "", "", "")
    else:
        figures = (
            number("auc", told["value"], 3),
            span("auc", told, 2).replace(" ", ""),
            number("ece", part["ece"]["value"], 3),
            number("recall", part["recall"]["value"], 0),
            number("workload_reduction", part["workload_reduction"]["value"], 0),
        )
    counts = (f"{part['rows']:,}", f"{part['positives']:,}")
    return (name, *counts, f"{part['predicted']:.1%}", f"{part['rate']:.1%}", *figures)


def number(name: str, value: float | None, digits: int | None = None, signed: bool = False) -> str:
    """A figure as a person reads it; differences with their sign."""
    if value is None:
        return NOTHING
    sign = "+" if signed else ""
    if any(name.startswith(share) for share in _SHARES):
        return f"{value:{sign}.{1 if digits is None else digits}%}"
    usual = 2 if name.startswith("lift") else 4
    return f"{value:{sign}.{usual if digits is None else digits}f}"


def span(name: str, each: dict[str, Any], digits: int | None = None, signed: bool = False) -> str:
    """An interval."""
    return " – ".join(number(name, each[end], digits, signed) for end in ("low", "high"))


def _compared(found: Plain) -> dict[str, float | None]:
    values = {name: found["figures"][name]["value"] for name in FIGURES}
    usual = next(each for each in found["recall_targets"] if each["recall"] == 0.87)
    return {**values, "workload_reduction_87": usual["workload_reduction"]["value"]}


def moved_rows(found: Plain, w: Say, every: bool) -> Sequence[tuple[str, ...]]:
    """Fields with their PSI, those that are not stable or ``every`` one."""
    return [
        (each["name"], f"{each['psi']:.3f}", w(each["verdict"]))
        for each in found["drift"]["columns"]
        if every or each["verdict"] != "stable"
    ]
