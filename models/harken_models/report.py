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
    return {
        "chosen": training.chosen,
        "because": training.about["because"],
        "candidates": {
            kind: {
                **candidate.test.to_plain(),
                "validation_log_loss": round(candidate.validation_log_loss, 6),
            }
            for kind, candidate in training.candidates.items()
        },
        "simulated": training.about["simulated"],
        "test_rows": training.test_rows,
        "positives": training.positives,
        "windows": training.about["windows"],
        "bad_rows": bad_rows,
        "model_digest": digest,
        "seconds": round(seconds, 1),
    }


def print_training(console: Console, training: Training, seconds: float) -> None:
    """The table of all candidates on the test, and why one was chosen."""
    windows = training.about["windows"]
    share = training.positives / training.test_rows
    table = Table(
        title=f"Test{' (simulated data)' if training.about['simulated'] else ''}: "
        f"{training.test_rows:,} grumbles from {windows['test_start'][:10]}, "
        f"{share:.1%} became complaints",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=0,  # eighty columns are all there is
    )
    table.add_column("model", no_wrap=True)
    table.add_column("held\nout", justify="right")
    for title, _, _ in _COLUMNS:
        table.add_column(title, justify="right")
    for kind, candidate in training.candidates.items():
        figures = [format(getattr(candidate.test, name), form) for _, name, form in _COLUMNS]
        mark, style = (" ✔", "bold") if kind == training.chosen else ("", None)
        loss = f"{candidate.validation_log_loss:.4f}"
        table.add_row(kind + mark, loss, *figures, style=style)
    console.print(table)
    found = training.about["search"]
    console.print(f"chosen: {training.about['because']}")
    console.print(
        f"learnt from {windows['training']['rows']:,} grumbles whose outcome was known before the "
        f"test; LightGBM {found['lightgbm']['trial']}, {found['lightgbm']['rounds']} rounds; "
        f"logistic C {found['logistic']['inverse_penalty']:g}; "
        f"calibration {training.parts.calibration.method}; {seconds:.0f} seconds"
    )
    if found["cut_short_by_budget"]:
        console.print("the budget ended the search early: another run may choose otherwise")
