"""What a replay found: level shares, and against known outcomes how good the scores were."""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from harken_client.replay.journal import Checkpoint
from harken_client.replay.metrics import Bin, expected_calibration_error
from harken_client.replay.tally import Tally

LEVELS = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class Summary:
    """Of a finished replay; rates and shares from 0 to 1, keyed by level ``"1"`` to ``"5"``.

    ``rows`` counts IN, ``labelled`` the scored rows whose outcome is known and counts.
    Measures are None without enough outcomes; a level without any has no complaint rate.
    ``auc_error`` is the most by which ``auc`` may be off, 0 where every probability was compared
    with every other. ``via`` says how the rows were scored: batch, stream or offline.
    """

    rows: int
    scored: int
    rejects: int
    seconds: float
    level_shares: dict[str, float]
    rule_base_digest: str
    model_digest: str
    labelled: int
    positives: int
    auc: float | None
    ap: float | None
    brier: float | None
    ece: float | None
    complaint_rate_by_level: dict[str, float | None]
    calibration: tuple[Bin, ...]
    auc_error: float
    via: str

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``."""
        return dataclasses.asdict(self)


def tally_rows(rows_csv: Path) -> Tally:
    """Count the rows of a finished replay, from its lines of CSV."""
    tally = Tally()
    with rows_csv.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        level_at, probability_at, label_at = map(header.index, ("level", "probability", "label"))
        for row in reader:
            label = int(row[label_at]) if row[label_at] else None
            tally.add(int(row[level_at]), float(row[probability_at]), label)
    return tally


def summarise(tally: Tally, state: Checkpoint, via: str) -> Summary:
    """The summary of a finished replay whose rows are counted in ``tally``."""
    scored, measures = tally.levels.total(), tally.measures()
    return Summary(
        rows=state.rows,
        scored=scored,
        rejects=state.rejects,
        seconds=round(state.seconds, 3),
        level_shares={
            level: tally.levels[int(level)] / scored if scored else 0.0 for level in LEVELS
        },
        rule_base_digest=state.rule_base_digest,
        model_digest=state.model_digest,
        labelled=tally.labelled,
        positives=tally.positives,
        auc=measures.auc,
        ap=measures.ap,
        brier=measures.brier,
        ece=expected_calibration_error(measures.calibration),
        complaint_rate_by_level={level: _rate(tally, int(level)) for level in LEVELS},
        calibration=measures.calibration,
        auc_error=measures.auc_error,
        via=via,
    )


def _rate(tally: Tally, level: int) -> float | None:
    rows = tally.outcomes[level, 0] + tally.outcomes[level, 1]
    return tally.outcomes[level, 1] / rows if rows else None


def print_summary(console: Console, summary: Summary, out: Path, rejects: Path) -> None:
    """The summary for a person."""
    pace = summary.rows / summary.seconds if summary.seconds else 0
    console.print(
        f"{summary.rows:,} rows in {summary.seconds:,.1f} s ({pace:,.0f} a second, "
        f"{summary.via}): "
        f"{summary.scored:,} scored → {out}, {summary.rejects:,} rejected"
        + (f" → {rejects}" if summary.rejects else ""),
        highlight=False,
        soft_wrap=True,
    )
    table = Table("level", "share", "", "complained", box=None, pad_edge=False)
    for level in reversed(LEVELS):
        share, rate = summary.level_shares[level], summary.complaint_rate_by_level[level]
        table.add_row(
            level,
            f"{share:6.1%}",
            "█" * round(share * 40),
            "" if rate is None else f"{rate:.2%}",
        )
    console.print(table)
    if summary.auc is not None:
        console.print(
            f"{summary.labelled:,} outcomes known, {summary.positives:,} complained: "
            f"AUC {summary.auc:.4f}{_doubt(summary.auc_error)}  AP {summary.ap:.4f}  "
            f"Brier {summary.brier:.4f}  ECE {summary.ece:.4f}",
            highlight=False,
            soft_wrap=True,
        )
        console.print(_calibration_table(summary.calibration))
    elif summary.labelled:
        console.print(f"{summary.labelled:,} outcomes known, all alike: no AUC", highlight=False)
    console.print(f"rule base {summary.rule_base_digest}", highlight=False, soft_wrap=True)
    console.print(f"model     {summary.model_digest}", highlight=False, soft_wrap=True)


def _doubt(error: float) -> str:
    """``±``, where it would show in the figures that are."""
    return f" ±{error:.0e}" if error >= 0.00005 else ""


def _calibration_table(bins: tuple[Bin, ...]) -> Table:
    table = Table("probability", "rows", "predicted", "complained", box=None, pad_edge=False)
    for item in bins:
        table.add_row(
            f"{item.lowest:.4f} to {item.highest:.4f}",
            f"{item.rows:,}",
            f"{item.mean_probability:.2%}",
            f"{item.complaint_rate:.2%}",
        )
    return table
