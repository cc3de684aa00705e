"""From a seed to a history: block by block, then sorted and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from harken_models.simulator import output
from harken_models.simulator.customers import draw_customers
from harken_models.simulator.describe import Outcome, Progress, describe, write_tables
from harken_models.simulator.grumbles import Clock, Grumbles, Marks, draw_grumbles
from harken_models.simulator.hazard import Cumulative, SurvivalTables
from harken_models.simulator.parameters import DEFAULT, Parameters
from harken_models.simulator.paths import NEVER, Paths, draw_paths
from harken_models.simulator.streams import Flags, Streams
from harken_models.simulator.truth import FutureTable, World, true_probability

GENERATOR = "1"
"""Version of the generator: changes whenever the same seed gives another history."""
BLOCK = 20_000
"""Customers drawn at once. Part of the generator: another size is another history."""
WARM_UP_DAYS = 30
"""Simulated before anything is written, so that grumbles are already open at the start."""
LAST_REVIEW_DAYS = 10
FIRST_DAY = np.datetime64("2011-01-01", "D")


class SimulationError(Exception):
    """The simulation asked for is impossible; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Period:
    """The time simulated: grumbles to learn from, and the history before them."""

    start: np.datetime64 = FIRST_DAY
    months: int = 6
    history_days: int = 90

    def end(self) -> np.datetime64:
        """The day after the last, the same day of the month as ``start`` or the month's last."""
        month = self.start.astype("datetime64[M]")
        target = month + np.timedelta64(self.months, "M")
        day = self.start - month.astype("datetime64[D]")
        following = (target + np.timedelta64(1, "M")).astype("datetime64[D]")
        return min(target.astype("datetime64[D]") + day, following - np.timedelta64(1, "D"))


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated history: tables by name, and what was simulated."""

    tables: Mapping[str, pa.Table]
    description: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Block:
    tables: dict[str, pa.Table]
    outcome: Outcome


def simulate_tables(
    customers: int,
    seed: int,
    period: Period | None = None,
    parameters: Parameters = DEFAULT,
    progress: Progress = lambda _what, _done, _of: None,
) -> Simulation:
    """Simulate a history in memory.

    The same arguments give the same tables on any machine; a customer's history does not
    depend on how many customers there are. Raises SimulationError for impossible sizes.
    """
    period = period or Period()
    _check(customers, seed, period)
    before = period.history_days + WARM_UP_DAYS
    origin = period.start - np.timedelta64(before, "D")
    span = _days(period.end() - period.start)
    after = parameters.horizon_days + LAST_REVIEW_DAYS
    window = output.Window(
        origin_us=int(origin.astype("datetime64[us]").astype(np.int64)),
        history=WARM_UP_DAYS * 86_400,
        start=before * 86_400,
        end=(before + span) * 86_400,
        followed=(before + span + after) * 86_400,
    )
    progress("hazards", 0, 1)
    clock = Clock.of(parameters, origin, 24 * (before + span + after))
    marks, tables, future, cumulative = _solved(parameters)
    world = World(parameters, marks, clock, tables, future)
    progress("hazards", 1, 1)

    blocks = []
    for number, first in enumerate(range(0, customers, BLOCK)):
        progress("customers", first, customers)
        size = min(BLOCK, customers - first)
        blocks.append(_block(world, cumulative, window, Streams(seed, number), first, size))
    progress("customers", customers, customers)
    joined = _joined(blocks, progress)
    description = describe(
        GENERATOR,
        customers,
        seed,
        period.start,
        period.end(),
        period.history_days,
        parameters,
        joined,
        Outcome.joined([block.outcome for block in blocks]),
    )
    return Simulation(MappingProxyType(joined), MappingProxyType(description))


@lru_cache(maxsize=2)
def _solved(p: Parameters) -> tuple[Marks, SurvivalTables, FutureTable, Cumulative]:
    """What depends on the parameters alone, and takes a second or two."""
    marks, tables = Marks.of(p), SurvivalTables.of(p)
    return marks, tables, FutureTable.of(p, marks, tables), Cumulative.of(p)


def _check(customers: int, seed: int, period: Period) -> None:
    if customers < 1:
        raise SimulationError(f"{customers} customers: give at least 1")
    if seed < 0:
        raise SimulationError(f"seed {seed}: give a whole number from 0")
    if not 1 <= period.months <= 120:
        raise SimulationError(f"{period.months} months: give 1 to 120")
    if not 0 <= period.history_days <= 3660:
        raise SimulationError(f"{period.history_days} days of history: give 0 to 3660")


def _block(
    world: World,
    cumulative: Cumulative,
    window: output.Window,
    streams: Streams,
    first: int,
    size: int,
) -> _Block:
    """Draw one block.

    Every stream is read in the order of the customers, so that a smaller last block is the
    beginning of a full one.
    """
    p = world.parameters
    customers = draw_customers(p, streams, first, size)
    grumbles = draw_grumbles(p, world.marks, world.clock, customers, streams)
    if len(grumbles) and grumbles.nth.max() >= output.MOST_GRUMBLES:
        raise SimulationError("a customer has over 1,000 grumbles: give fewer months")
    kind = customers.behaviour_type[grumbles.customer]
    paths = draw_paths(p, cumulative, grumbles, kind, streams)
    truth = true_probability(world, customers, grumbles, paths)
    voiced = grumbles.voice_second
    rows = np.flatnonzero((voiced >= window.history) & (voiced < window.end))
    # The order of an export: by time, then customer.
    rows = rows[np.lexsort((grumbles.customer[rows], voiced[rows]))]
    tables = {
        "customers": output.customers_table(p, customers, streams),
        "grumbles": output.grumbles_table(p, window, customers, grumbles, paths, rows, streams),
        "status_changes": output.changes_table(window, customers, grumbles, paths, rows),
        "complaints": output.complaints_table(p, window, customers, grumbles, paths, rows, streams),
        "truth": output.truth_table(world, window, customers, grumbles, paths, truth, rows),
    }
    in_period = rows[voiced[rows] >= window.start]
    tables["closures"] = output.closures_table(window, customers, grumbles, paths, rows)
    tables["truth_in_flight"] = output.truth_in_flight_table(
        world, window, customers, grumbles, paths, in_period
    )
    counted = in_period[~paths.missed[in_period]]
    label = followed_by_complaint(p, grumbles, paths)
    outcome = Outcome(
        truth.probability[counted], label[counted], paths.complaint[in_period] < NEVER
    )
    return _Block(tables, outcome)


def followed_by_complaint(p: Parameters, grumbles: Grumbles, paths: Paths) -> Flags:
    """Whether the customer complained within the horizon after each grumble was scored."""
    far = 2**40
    base = grumbles.customer * far
    when = base + grumbles.voice_second + paths.complaint
    ends = np.sort(when[paths.complaint < NEVER])
    moment = base + grumbles.voice_second + paths.observed
    until = moment + p.horizon_days * 86_400
    found = np.searchsorted(ends, until, side="right") - np.searchsorted(ends, moment, side="right")
    return np.asarray(found > 0, dtype=np.bool_)


def _joined(blocks: list[_Block], progress: Progress) -> dict[str, pa.Table]:
    """One table of each name, in the order of time (customers: of their numbers)."""
    order = {
        "customers": ("customer_id",),
        "grumbles": ("voice_time", "grumble_id"),
        "status_changes": ("change_time", "grumble_id", "resolution_state"),
        "complaints": ("complaint_time", "complaint_id"),
        "truth": ("grumble_id",),
        "closures": ("close_time", "grumble_id"),
        "truth_in_flight": ("observe_time", "grumble_id"),
    }
    joined = {}
    for done, (name, keys) in enumerate(order.items()):
        progress("sorting", done, len(order))
        table = pa.concat_tables([block.tables[name] for block in blocks])
        joined[name] = table.sort_by([(key, "ascending") for key in keys]).combine_chunks()
    progress("sorting", len(order), len(order))
    return joined


def simulate_history(
    out: Path,
    customers: int,
    seed: int,
    period: Period | None = None,
    csv: bool = False,
    parameters: Parameters = DEFAULT,
    progress: Progress = lambda _what, _done, _of: None,
) -> Simulation:
    """Simulate a history and write it to the folder ``out``.

    Writes ``customers``, ``grumbles``, ``status_changes``, ``closures``, ``complaints``,
    ``truth`` and ``truth_in_flight`` as Parquet (and CSV), and ``simulation.yaml``. Raises
    SimulationError for impossible sizes and OSError where the folder cannot be written.
    """
    simulation = simulate_tables(customers, seed, period, parameters, progress)
    write_tables(out, simulation.tables, simulation.description, csv, progress)
    return simulation


def _days(span: np.timedelta64) -> int:
    return int(span.astype("timedelta64[D]").astype(np.int64))
