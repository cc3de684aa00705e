"""A search that was interrupted goes on, and ends in the same bundle to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harken_models import search as searching
from harken_models.bundlefile import write_bundle
from harken_models.dataset import Dataset, load_dataset
from harken_models.progress_file import Judged, ProgressFile, key_of, progress_path
from harken_models.spec import DatasetSpec
from harken_models.train import Options, Training, train

from .conftest import SPEC, operator_rows


class KilledError(Exception):
    """What stands for a killed process."""


def options(path: Path | None) -> Options:
    return Options(seed=3, trials=2, threads=1, seeds=1, resume=path)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "operator.csv"
    operator_rows(700, 6).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def data(operator_spec: DatasetSpec, file: Path) -> Dataset:
    return load_dataset(operator_spec, file)


@pytest.fixture(scope="module")
def undisturbed(data: Dataset) -> Training:
    return train(data, options(None))


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was really fitted in a search, and not read from the progress file."""
    names: list[str] = []
    tune, fit = searching.tune, searching.fit_logistic

    def noted_tune(*given: Any) -> Any:
        names.append(f"{given[2].name} {given[0].weight.std()}")
        return tune(*given)

    def noted_fit(*given: Any) -> Any:
        names.append(f"C={given[3]} {given[4].std()} {len(given[1])}")
        return fit(*given)

    monkeypatch.setattr(searching, "tune", noted_tune)
    monkeypatch.setattr(searching, "fit_logistic", noted_fit)
    return names


def test_judgements_come_back_to_the_bit(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    z = np.array([1 / 3, -0.0, 1e-308, np.pi])
    ProgressFile(path, "key").put("a", Judged(7, z))
    found = ProgressFile(path, "key").get("a")
    assert found is not None
    assert (found.rounds, found.z.tobytes()) == (7, z.tobytes())
    assert ProgressFile(path, "key").get("b") is None


@pytest.mark.parametrize("tail", ["", "{", '{"name": "b", "rounds": 1, "z": "????"}\n', "[]\n"])
def test_a_line_that_was_cut_off_is_dropped_and_the_others_stay(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "x.jsonl"
    ProgressFile(path, "key").put("a", Judged(7, np.ones(3)))
    with path.open("a") as file:
        file.write(tail)
    log = ProgressFile(path, "key")
    assert log.names == ("a",)
    log.put("c", Judged(0, np.zeros(2)))
    assert ProgressFile(path, "key").names == ("a", "c")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b"[1]\n", b'{"format": 1}\n'])
def test_another_search_or_no_file_of_ours_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    assert ProgressFile(path, "key").names == ()
    ProgressFile(path, "key").put("a", Judged(1, np.ones(1)))
    assert ProgressFile(path, "other").names == ()
    assert json.loads(path.read_text().splitlines()[0])["key"] == "other"


def test_a_key_is_of_values_shapes_types_and_words() -> None:
    a = np.arange(6.0)
    keys = [
        key_of([a], 1), key_of([a], 2), key_of([a.reshape(2, 3)], 1), key_of([a + 1e-12], 1),
        key_of([a.astype(np.float32)], 1), key_of([a[:3], a[3:]], 1),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert key_of([a.reshape(2, 3)], 1) == key_of([np.asfortranarray(a.reshape(2, 3))], 1)


@pytest.mark.parametrize("after", [4, 9])
def test_a_resumed_training_gives_the_very_same_bundle(
    data: Dataset, undisturbed: Training, tmp_path: Path, fitted: list[str], after: int
) -> None:
    path = progress_path(tmp_path / "b")

    def stop(_what: str, done: int, _of: int) -> None:
        if done > after:
            raise KilledError

    with pytest.raises(KilledError):
        train(data, options(path), stop)
    before = list(fitted)
    assert before
    resumed = train(data, options(path))
    again = fitted[len(before) :]
    assert not set(before) & set(again)
    assert again
    first = write_bundle(tmp_path / "a", undisturbed.parts, undisturbed.about, undisturbed.probes)
    second = write_bundle(tmp_path / "b", resumed.parts, resumed.about, resumed.probes)
    assert first.digest == second.digest
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_two_processes_that_hash_differently_write_the_same_files(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    for name in ("a", "b"):
        words = [
            sys.executable, "-c", "from harken_client.main import main; main()", "train",
            "--spec", tmp_path / "spec.yaml", file, "--out", tmp_path / name,
            "--trials", "2", "--threads", "1",
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONHASHSEED": "1" if name == "a" else "2"}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    files = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"manifest.yaml", "model_card.md", "model_card.zh.md", "drift.yaml"} <= files
    assert files == {path.name for path in (tmp_path / "b").iterdir()}
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    # What the search had kept is gone with the bundle written.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "spec.yaml"]
