"""``harken data simulate``: a simulated history on disk."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from harken_models.simulator.run import (
    Period,
    Simulation,
    SimulationError,
    simulate_history,
)

_UNUSABLE = 2


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; made if it is missing.")],
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same history.")] = 7,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV files as well.")] = False,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the grumbles.")
    ] = datetime(2011, 1, 1),  # noqa: DTZ001 - a day, not a moment
    months: Annotated[int, typer.Option(min=1, max=120, help="Months of grumbles.")] = 6,
    history_days: Annotated[
        int,
        typer.Option(min=0, max=3660, help="Days before the start that are written for history."),
    ] = 90,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was simulated as JSON.")
    ] = False,
) -> None:
    """Simulate customers, grumbles and complaints, with the hidden truth beside them.

    Writes customers, grumbles, status_changes, complaints and truth as Parquet (and CSV), and
    simulation.yaml with every parameter. Nothing in it describes a real person.

    Example: harken data simulate --customers 200000 --seed 7 --out build/simulated
    """
    console = Console(stderr=True)
    began = perf_counter()
    period = Period(np.datetime64(start.date(), "D"), months, history_days)
    try:
        with ExitStack() as stack:
            bar = _Bar(stack, console)
            simulation = simulate_history(out, customers, seed, period, csv, progress=bar)
    except SimulationError as error:
        console.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(_UNUSABLE) from None
    except OSError as error:
        console.print(
            f"error: cannot write {out}: {error.strerror or error}", style="red", markup=False
        )
        raise typer.Exit(_UNUSABLE) from None
    seconds = perf_counter() - began
    if as_json:
        summary = {k: v for k, v in simulation.description.items() if k != "parameters"}
        typer.echo(json.dumps({**summary, "out": str(out), "seconds": round(seconds, 1)}))
    else:
        _print(simulation, out, seconds)


class _Bar:
    """A progress bar on standard error; on anything but a terminal, nothing."""

    def __init__(self, stack: ExitStack, console: Console) -> None:
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = stack.enter_context(
                Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
                    TimeElapsedColumn(),
                    TimeRemainingColumn(),
                    console=console,
                )
            )
        self._tasks: dict[str, int] = {}

    def __call__(self, what: str, done: int, of: int) -> None:
        if self._bar is None:
            return
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=of)
        self._bar.update(self._tasks[what], completed=done)  # type: ignore[arg-type]


def _print(simulation: Simulation, out: Path, seconds: float) -> None:
    """A table of what was written, and the figures that matter."""
    console = Console(highlight=False)
    console.print(f"Simulated history in {out}", soft_wrap=True)
    table = Table()
    table.add_column("table")
    table.add_column("rows", justify="right")
    for name, rows in simulation.tables.items():
        table.add_row(name, f"{rows.num_rows:,}")
    console.print(table)
    counted = simulation.description["counted"]
    assert isinstance(counted, dict)
    for text, key in (
        ("grumbles that became a complaint", "complaint_share"),
        ("scored grumbles followed by one within the horizon", "label_rate"),
        ("AUC of the true probability, the ceiling of any model", "auc_of_truth"),
    ):
        value = counted[key]
        console.print(f"{text}: {'–' if value is None else format(value, '.4f')}")
    console.print(f"{seconds:.1f} seconds, seed {simulation.description['seed']}")
