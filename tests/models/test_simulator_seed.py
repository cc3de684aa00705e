"""The same seed gives the same history, whatever the machine, the size and the hash seed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pytest
from harken_models.simulator import Period, simulate_tables
from harken_models.simulator.streams import Streams, choose, poisson

SHORT = Period(months=2, history_days=30)
DIGEST = "89d9cbc042668a2506d75795521d49c43b191b381dafa6a4e6509c065081f043"
"""Of 200 customers, seed 5: changes only together with the generator's version."""
FIRST = ("customers", "grumbles", "status_changes", "complaints", "truth")
"""The tables of that digest; later ones have a digest of their own."""
LATER = "d9fedf6a941e1409b959bd33120cd1154d9d577824a9fb2a3ed42c1f93016d53"


def digest(table: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(table, sink)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def digests(customers: int, seed: int) -> dict[str, str]:
    tables = simulate_tables(customers, seed, SHORT).tables
    return {name: digest(table) for name, table in tables.items()}


def test_same_seed_same_history() -> None:
    assert digests(500, 5) == digests(500, 5)


def test_other_seed_other_history() -> None:
    one, two = digests(500, 5), digests(500, 6)
    assert all(one[name] != two[name] for name in one)


def test_the_history_of_a_seed_is_what_it_always_was() -> None:
    found = digests(200, 5)
    together = "".join(found.pop(name) for name in FIRST)
    assert hashlib.sha256(together.encode()).hexdigest() == DIGEST
    assert hashlib.sha256("".join(found.values()).encode()).hexdigest() == LATER


def test_neither_hash_seed_nor_threads_matter() -> None:
    code = (
        "from harken_models.simulator import Period, simulate_tables as s;"
        "import hashlib, pyarrow as pa, pyarrow.csv as c;"
        "b = pa.BufferOutputStream();"
        "c.write_csv(s(300, 5, Period(months=2, history_days=30)).tables['truth'], b);"
        "print(hashlib.sha256(b.getvalue()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digests(300, 5)["truth"]


@pytest.mark.parametrize("block", [20_000, 150])
def test_more_customers_change_nothing_of_the_first(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harken_models.simulator.run.BLOCK", block)
    few = simulate_tables(150, 5, SHORT).tables
    many = simulate_tables(400, 5, SHORT).tables
    last = few["customers"]["customer_id"][-1]
    for name in ("customers", "grumbles", "complaints"):
        known = many[name].filter(pc.less_equal(many[name]["customer_id"], last))
        assert known.num_rows == few[name].num_rows
        assert known.equals(few[name])


def test_streams_are_independent_of_each_other() -> None:
    streams = Streams(3, 0)
    first = streams.uniform("a", 1000)
    streams.uniform("new", 10)
    np.testing.assert_array_equal(first, streams.uniform("a", 1000))
    np.testing.assert_array_equal(first[:10], streams.uniform("a", 10))
    assert abs(np.corrcoef(first, streams.uniform("b", 1000))[0, 1]) < 0.15
    assert abs(np.corrcoef(first, Streams(3, 1).uniform("a", 1000))[0, 1]) < 0.15
    assert first.min() > 0
    assert first.max() < 1


def test_inverse_transforms() -> None:
    u = Streams(3, 0).uniform("u", 40_000)
    counts = poisson(u, np.full(len(u), 2.5))
    assert counts.mean() == pytest.approx(2.5, abs=0.05)
    assert counts.var() == pytest.approx(2.5, abs=0.1)
    row = np.tile([0, 1], 20_000)
    code = choose(u, np.array([[1.0, 3.0, 0.0], [0.0, 0.5, 0.5]]), row)
    assert np.bincount(code[row == 0], minlength=3) / 20_000 == pytest.approx(
        [0.25, 0.75, 0], abs=0.02
    )
    assert np.bincount(code[row == 1], minlength=3) / 20_000 == pytest.approx(
        [0, 0.5, 0.5], abs=0.02
    )
