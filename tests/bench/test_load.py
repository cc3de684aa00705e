"""What is measured: the reference bundle, the fixed answer, and whether answers are answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lightgbm
import pytest
import reference
from harken.v1 import scoring_pb2
from load import Loaded, LoadError, _end_h2load
from null_server import answer_of
from workload import Workload

H2LOAD = """finished in 500.00ms, 20.00 req/s, 50.90KB/s
requests: {done} total, {done} started, {done} succeeded, {failed} failed, 0 errored
status codes: {done} 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 25.45KB ({total}) total, 410B (410) headers (space savings 90.00%), 25KB ({data}) data
"""


@pytest.mark.slow
def test_the_reference_bundle_is_what_it_is_said_to_be(tmp_path: Path) -> None:
    """The same bytes each time, with few trees here: the training is the same for any number."""
    history = Workload(tmp_path, 1200).history
    one = reference.make_bundle(history, tmp_path / "one", trees=4)
    other = reference.make_bundle(history, tmp_path / "other", trees=4)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    for name in files:
        first, second = (tmp_path / folder / name for folder in ("one", "other"))
        assert first.read_bytes() == second.read_bytes(), name
    assert one.digest == other.digest
    features = one.parts.features.features
    assert len(features) == 30
    assert sum(feature.type == "category" for feature in features) == 6
    trees = lightgbm.Booster(model_file=tmp_path / "one" / "model.txt").dump_model()["tree_info"]
    assert [tree["num_leaves"] for tree in trees] == [31] * 4
    assert reference.reference_bundle(history, tmp_path / "one", trees=4).digest == one.digest


@pytest.mark.parametrize("size", [60, 200, 1000, 2400, 2467])
def test_the_fixed_answer_is_as_long_as_asked(size: int) -> None:
    answer = scoring_pb2.ScoreResponse(score=answer_of(size))
    assert abs(answer.ByteSize() - size) <= 8


def _h2load(tmp_path: Path, done: int, failed: int, data: int) -> Loaded:
    """What is made of an h2load that says so, of answers of 95 bytes."""
    said = H2LOAD.format(done=done, failed=failed, total=data + 410, data=data)
    (tmp_path / "0.log").write_text("".join(f"{at}\t200\t{at * 10}\n" for at in range(done)))
    lane = subprocess.Popen(
        [sys.executable, "-c", f"print({said!r})"], stdout=subprocess.PIPE, text=True
    )
    return _end_h2load(lane, tmp_path / "0", 95)


def test_calls_are_counted(tmp_path: Path) -> None:
    found = _h2load(tmp_path, 1000, 0, 100_000)
    assert (found.calls, found.seconds, found.per_second) == (1000, 0.5, 2000)
    assert found.quantile(0.5) == 4995
    assert found.quantile(0.99) == 9890


@pytest.mark.parametrize(
    ("failed", "data", "words"),
    [
        (0, 40_000, "some answers are no answers"),
        (0, 120_000, "some answers are no answers"),
        (3, 100_000, "1000 calls succeeded, 3 failed"),
    ],
)
def test_refusals_are_no_answers(tmp_path: Path, failed: int, data: int, words: str) -> None:
    """gRPC's refusals are HTTP's successes: their bytes give them away."""
    with pytest.raises(LoadError, match=words):
        _h2load(tmp_path, 1000, failed, data)
