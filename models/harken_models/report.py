"""What a training run found, for people (rich tables) and machines (plain values)."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from harken_models.train import Training

_COLUMNS = (
    ("AUC", "auc", ".4f"), ("AP", "ap", ".4f"), ("Brier", "brier", ".4f"),
    ("log-\nloss", "log_loss", ".4f"), ("ECE", "ece", ".4f"), ("lift\n10 %", "lift_10", ".2f"),
    ("recall\n10 %", "recall_10", ".3f"), ("recall\n15 %", "recall_15", ".3f"),
)  # fmt: skip


def to_plain(training: Training, digest: str, bad_rows: int, seconds: float) -> dict[str, Any]:
    """The values that ``--json`` prints."""
    about = training.about
    return {
        "chosen": training.chosen,
        "because": about["because"],
        "candidates": {
            kind: {
                **candidate.test.to_plain(),
                "validation_log_loss": round(candidate.validation_log_loss, 6),
                "judged_log_loss": round(candidate.judged_log_loss, 6),
                "interval": {
                    name: [_plain(low), _plain(high)]
                    for name, (low, high) in candidate.interval.items()
                },
                "pieces": {
                    name: {"rows": training.pieces[name][0], **metrics.to_plain()}
                    for name, metrics in candidate.pieces.items()
                },
            }
            for kind, candidate in training.candidates.items()
        },
        "simulated": about["simulated"],
        "test_rows": training.test_rows,
        "positives": training.positives,
        "windows": about["windows"],
        "validation": {
            **about["validation"],
            "folds": about["validation"]["pieces"],
            "one_se": True,
        },
        "budget": about["search"]["budget"],
        "seeds": about["search"]["lightgbm"]["seeds"],
        "blend_weight": about["search"]["blend_weight"],
        "search": about["search"],
        "needs": about["needs"],
        "bad_rows": bad_rows,
        "model_digest": digest,
        "seconds": round(seconds, 1),
    }


def print_training(console: Console, training: Training, seconds: float) -> None:
    """The table of all candidates on the test with intervals, and why one was chosen."""
    windows, found = training.about["windows"], training.about["search"]
    console.print(_candidates(training))
    for name in training.pieces:
        console.print(_piece(training, name))
    console.print(f"chosen: {training.about['because']}")
    boosted, logistic = found["lightgbm"], found["logistic"]
    settings = " and ".join(
        f"{name}, {rounds} rounds" for name, rounds in boosted["settings"].items()
    )
    seeds = f", {boosted['seeds']} seeds" if boosted["seeds"] > 1 else ""
    before = "before the test" if windows["test_start"] else "and is not in the test"
    console.print(
        f"learnt from {windows['training']['rows']:,} {_rows(training)} whose outcome was known "
        f"{before}; LightGBM {settings}{seeds}{_recent(boosted)}; "
        f"logistic C {logistic['inverse_penalty']:g}{_recent(logistic)}; "
        f"LightGBM's share of the blend {found['blend_weight']:g}; "
        f"calibration {training.parts.calibration.method}; {seconds:.0f} seconds"
    )
    for note in training.about["validation"]["notes"]:
        console.print(f"note: {note}")
    if found["cut_short_by_budget"]:
        console.print("the budget ended the search early: another run may choose otherwise")


def _candidates(training: Training) -> Table:
    windows = training.about["windows"]
    since = f" from {windows['test_start'][:10]}" if windows["test_start"] else ""
    share = training.positives / training.test_rows
    table = _table(
        f"Test{' (simulated data)' if training.about['simulated'] else ''}: "
        f"{training.test_rows:,} {_rows(training)}{since}, {share:.1%} became complaints; "
        "95 % intervals beneath",
        held_out=True,
    )
    for kind, candidate in training.candidates.items():
        figures = [format(getattr(candidate.test, name), form) for _, name, form in _COLUMNS]
        mark, style = (" ✔", "bold") if kind == training.chosen else ("", None)
        loss = f"{candidate.judged_log_loss:.4f}"
        table.add_row(kind + mark, loss, *figures, style=style)
        for end, said in enumerate(("  from", "  to")):
            ends = [
                format(candidate.interval[name][end], form) if name in candidate.interval else ""
                for _, name, form in _COLUMNS
            ]
            table.add_row(said, "", *ends, style="dim")
    return table


def _piece(training: Training, name: str) -> Table:
    rows, positives = training.pieces[name]
    table = _table(f"{name}: {rows:,} rows, {positives / max(rows, 1):.1%} became complaints")
    for kind, candidate in training.candidates.items():
        if name in candidate.pieces:
            metrics = candidate.pieces[name]
            mark, style = (" ✔", "bold") if kind == training.chosen else ("", None)
            figures = [format(getattr(metrics, name), form) for _, name, form in _COLUMNS]
            table.add_row(kind + mark, *figures, style=style)
    return table


def _table(title: str, held_out: bool = False) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=0,  # eighty columns are all there is
    )
    table.add_column("model", no_wrap=True)
    if held_out:
        table.add_column("held\nout", justify="right")
    for heading, _, _ in _COLUMNS:
        table.add_column(heading, justify="right")
    return table


def _rows(training: Training) -> str:
    return "snapshots" if training.pieces else "grumbles"


def _recent(found: dict[str, Any]) -> str:
    if found["half_life"] is None:
        return ""
    return f", rows count half after {found['half_life']:g} of the training time"


def _plain(value: float) -> float | None:
    return round(value, 6) if value == value else None
