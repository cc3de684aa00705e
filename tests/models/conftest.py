"""A small made-up operator, and one bundle of each kind trained on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harken_models.bundle import Bundle
from harken_models.bundlefile import write_bundle
from harken_models.core import BRANDS, CHANNELS, RESOLUTION_STATES, VIP_TIERS
from harken_models.dataset import Dataset, load_dataset
from harken_models.spec import DatasetSpec
from harken_models.specreader import read_spec
from harken_models.train import Options, Training, train

ROWS = 2400
START_US = 1_300_000_000_000_000
HOUR_US = 3_600_000_000
POINTS = ("spam_sms", "weak_signal", "bill_inaccurate", "staff_attitude", "extra_fee")
PLANS = ("basic", "family", "студент", "商务")

SPEC = """
dataset: operator
time_zone: Asia/Shanghai
horizon_days: 0
fields:
  grumble_id: {column: id}
  customer_id: {column: customer}
  voice_time: {column: voiced}
  observe_time: {column: observed}
  point: {column: point}
  channel: {column: channel}
  resolution_state: {column: state}
  dissatisfied: {column: angry}
  brand: {column: brand}
  age_years: {column: age}
  tenure_months: {column: tenure}
  monthly_spend_yuan: {column: spend}
  vip_tier: {column: vip}
  grumble_count_90d: {column: grumbles}
  complaint_count_90d: {column: complaints}
attributes:
  plan: {column: plan, type: category}
  roaming: {column: roaming, type: flag}
  data_gb: {column: data_gb, type: number}
label: {column: complained}
split: {test_fraction: 0.25, validation_fraction: 0.2}
"""


def operator_rows(rows: int, seed: int) -> pd.DataFrame:
    """Grumbles of a made-up operator; complaints follow point, state, mood and hours."""
    rng = np.random.default_rng(seed)
    brand = rng.integers(0, 3, rows)
    hours = rng.exponential(40, rows)
    point, state = rng.integers(0, len(POINTS), rows), rng.integers(0, 5, rows)
    angry, plan = rng.random(rows) < 0.4, rng.integers(0, len(PLANS), rows)
    z = -3.2 + 0.35 * point + 0.4 * state + 0.9 * angry + 0.01 * hours + 0.3 * (plan == 1)
    voiced = START_US + np.sort(rng.integers(0, 200 * 24 * HOUR_US, rows))
    frame = pd.DataFrame(
        {
            "id": [f"g{i}" for i in range(rows)],
            "customer": [f"c{i}" for i in rng.integers(0, rows // 2, rows)],
            "voiced": pd.to_datetime(voiced, unit="us", utc=True),
            "observed": pd.to_datetime(voiced + (hours * HOUR_US).astype(int), unit="us", utc=True),
            "point": np.array(POINTS)[point],
            "channel": np.array(CHANNELS)[rng.integers(0, 5, rows)],
            "state": np.array(RESOLUTION_STATES)[state],
            "angry": angry,
            "brand": np.array(BRANDS)[brand],
            "age": rng.integers(18, 70, rows),
            "tenure": rng.integers(0, 200, rows),
            "spend": np.round(rng.lognormal(4, 0.7, rows), 2),
            "vip": np.array(VIP_TIERS)[rng.integers(0, 5, rows)],
            "grumbles": rng.poisson(1, rows),
            "complaints": rng.poisson(0.1, rows),
            "plan": np.array(PLANS)[plan],
            "roaming": rng.random(rows) < 0.2,
            "data_gb": rng.gamma(2, 2, rows),
            "complained": rng.random(rows) < 1 / (1 + np.exp(-z)),
        }
    )
    for name in ("point", "state", "angry", "brand", "age", "spend", "plan", "roaming"):
        frame[name] = frame[name].astype(object).mask(rng.random(rows) < 0.05)
    return frame


@pytest.fixture(scope="session")
def operator_spec(tmp_path_factory: pytest.TempPathFactory) -> DatasetSpec:
    path = tmp_path_factory.mktemp("spec") / "operator.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return read_spec(path)


@pytest.fixture(scope="session")
def operator_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "operator.csv"
    operator_rows(ROWS, 5).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def operator_data(operator_spec: DatasetSpec, operator_file: Path) -> Dataset:
    return load_dataset(operator_spec, operator_file)


@pytest.fixture(scope="session")
def training(operator_data: Dataset) -> Training:
    return train(operator_data, Options(seed=3, trials=1, threads=1, seeds=1))


@pytest.fixture(scope="session")
def write(training: Training) -> Callable[..., Bundle]:
    """Writes the trained bundle, or one of another kind or calibration, to a folder."""

    def write_kind(path: Path, kind: str = "", **changes: object) -> Bundle:
        candidate = training.candidates[kind or training.chosen]  # type: ignore[index]
        parts = replace(training.parts, model=candidate.model, calibration=candidate.calibration)
        return write_bundle(path, replace(parts, **changes), training.about, training.probes)  # type: ignore[arg-type]

    return write_kind


@pytest.fixture
def real_data() -> Path | None:
    """The folder of real data files, None where this checkout has none beside it."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("HARKEN_DATA", beside))
    return folder if folder.is_dir() else None
