"""Trees as machine code: the same answers as LightGBM, or LightGBM itself and a word why."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import IO

import lightgbm as lgb
import numpy as np
import pytest
import typer
from harken_models import codecache, default_bundle_path, load_bundle
from harken_models.boosted import BoostedModel
from harken_models.boosted_predictor import BoostedPredictor
from harken_models.bundle import Bundle
from harken_models.bundlefile import write_bundle
from harken_models.commands import register
from harken_models.compiled import CompiledPredictor, compile_trees, sample_rows
from harken_models.errors import NotCompiledError, NotCompiledWarning
from harken_models.predictor import Model
from harken_models.treetext import read_trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

WIDTH = 7
CODES = 40
"""Categories of the last two features: more than fit one word of a bit set."""
PARAMETERS: dict[str, dict[str, object]] = {
    "missing is nan": {},
    "missing is zero": {"zero_as_missing": True},
    "nothing is missing": {"use_missing": False},
}
ODD = [np.nan, 0.0, -0.0, 1e-36, -1e-36, float(np.float32(1e-35)), -float(np.float32(1e-35))]
ODD += [-0.5, 0.5, -1.0, 31.0, 32.0, 39.9, 63.0, 64.0, 1e9, 2.0**31, -(2.0**31) - 1, 2.0**32 + 3]
ODD += [1e300, -1e300, np.inf, -np.inf]


ROW = {"point": "spam_sms", "voice_time_us": 10**15, "observe_time_us": 10**15 + 10**9}


def rows_of(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, WIDTH)).round(2)
    rows[:, -2:] = rng.integers(0, CODES, (count, 2))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[rng.random(rows.shape) < 0.1] = 0.0
    return rows


def trained(seed: int = 1, trees: int = 12, **parameters: object) -> str:
    rows = rows_of(1500, seed)
    z = np.nan_to_num(rows[:, 0]) - np.nan_to_num(rows[:, 1] * rows[:, 2]) + (rows[:, -1] % 3)
    label = np.nan_to_num(z) > np.random.default_rng(seed).normal(1, 1, len(rows))
    given_too = {"objective": "binary", "num_leaves": 12, "min_data_in_leaf": 10, "verbosity": -1}
    settings = {**given_too, "cat_smooth": 1.0, "max_cat_to_onehot": 2, "num_threads": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM's, of settings given twice
        data = lgb.Dataset(rows, label, categorical_feature=[WIDTH - 2, WIDTH - 1])
        return lgb.train({**settings, **parameters}, data, trees).model_to_string()


def plain_of(text: str, threads: int = 1) -> BoostedPredictor:
    return BoostedPredictor(BoostedModel(text, {}), threads)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache") / "code"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARKEN_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARKEN_CACHE_DIR", str(tmp_path / "own" / "cache"))
    return tmp_path / "own" / "cache"


@pytest.fixture(scope="module", params=list(PARAMETERS))
def both(request: pytest.FixtureRequest) -> tuple[BoostedPredictor, CompiledPredictor]:
    """LightGBM and the compiled trees, of models that take different things for missing."""
    plain = plain_of(trained(**PARAMETERS[request.param]))
    return plain, compile_trees(plain)


@pytest.fixture(scope="module")
def text() -> str:
    return trained()


@pytest.fixture(scope="module")
def small() -> Callable[[Path, str], Bundle]:
    """Writes the shipped bundle with its first trees only, which are compiled in a second."""
    parts = load_bundle(default_bundle_path()).parts
    booster = lgb.Booster(model_str=parts.model.boosted.text)
    boosted = replace(parts.model.boosted, text=booster.model_to_string(num_iteration=10))
    models = {
        "lightgbm": Model("lightgbm", boosted, None),
        "logistic": Model("logistic", None, parts.model.logistic),
        "blend": Model("blend", boosted, parts.model.logistic),
    }

    def write(path: Path, kind: str) -> Bundle:
        return write_bundle(path, replace(parts, model=models[kind]), {}, [ROW])

    return write


Both = tuple[BoostedPredictor, CompiledPredictor]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(
            st.sampled_from(ODD) | st.floats(-4, 4) | st.integers(-2, 70).map(float),
            min_size=WIDTH,
            max_size=WIDTH,
        ),
        min_size=1,
        max_size=8,
    )
)
def test_rows_of_any_numbers_score_as_in_lightgbm(both: Both, rows: list[list[float]]) -> None:
    plain, compiled = both
    found = compiled.many(np.array(rows))
    assert np.abs(found - plain.many(np.array(rows))).max() <= 1e-12
    assert [compiled.one(row) for row in rows] == found.tolist()


def test_many_rows_score_to_the_bit_as_in_lightgbm_and_as_alone(both: Both) -> None:
    plain, compiled = both
    rows = np.concatenate([rows_of(9000, 3), sample_rows(read_trees(plain.model.text), WIDTH)])
    found = compiled.many(rows)
    assert len(set(found.tolist())) > 500
    assert found.tolist() == plain.many(rows).tolist()
    assert [compiled.one(row) for row in rows[-2000:].tolist()] == found[-2000:].tolist()
    assert compiled.many(np.asfortranarray(rows)).tolist() == found.tolist()
    assert compiled.many(rows[::2]).tolist() == found[::2].tolist()


def test_the_sample_reaches_every_leaf_of_a_tree(text: str) -> None:
    rows = sample_rows(read_trees(text), WIDTH)
    leaves = np.asarray(plain_of(text).booster.predict(rows, pred_leaf=True))
    counts = [len(tree.leaf_value) for tree in read_trees(text)]
    reached = [len(set(column.tolist())) for column in leaves.T]
    assert sum(reached) >= 0.95 * sum(counts)
    assert np.isnan(rows).any()
    assert np.isinf(rows).any()


def test_several_threads_and_callers_get_the_same(text: str) -> None:
    rows = rows_of(20_000, 4)
    compiled = compile_trees(plain_of(text, threads=3))
    found = compiled.many(rows).tolist()
    assert found == compile_trees(plain_of(text)).many(rows).tolist()
    singles = rows[:3000].tolist()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(compiled.one, singles)) == found[:3000]
        assert all(each.tolist() == found for each in pool.map(compiled.many, [rows] * 4))


def test_no_rows_and_rows_of_another_width(text: str) -> None:
    compiled = compile_trees(plain_of(text))
    assert compiled.many(np.zeros((0, WIDTH))).tolist() == []
    with pytest.raises(ValueError, match="rows have 6 values, the trees 7"):
        compiled.many(np.zeros((3, WIDTH - 1)))


def test_a_category_told_by_its_rate_is_looked_up(text: str) -> None:
    rates = {1: np.array([-1.0, 0.5, 2.0])}
    plain = BoostedPredictor(BoostedModel(text, rates))
    rows = rows_of(50, 5)
    rows[:, 1] = np.arange(50) % 3
    compiled = compile_trees(plain)
    assert compiled.many(rows).tolist() == plain.many(rows).tolist()
    assert [compiled.one(row) for row in rows.tolist()] == plain.many(rows).tolist()
    np.testing.assert_allclose(
        compiled.explain(rows[1].tolist())[1], plain.explain(rows[1].tolist())[1], atol=1e-9, rtol=0
    )


def test_contributions_are_those_of_lightgbm(both: Both) -> None:
    plain, compiled = both
    rows = sample_rows(read_trees(plain.model.text), WIDTH)[:150]
    wanted = np.asarray(plain.booster.predict(rows, pred_contrib=True))
    found = [compiled.explain(row) for row in rows.tolist()]
    assert compiled._contributions != [None]
    assert np.abs(wanted[:, :-1]).max(axis=0).min() > 0.01
    np.testing.assert_allclose([shares for _, shares in found], wanted[:, :-1], atol=1e-9, rtol=0)
    np.testing.assert_allclose([base for base, _ in found], wanted[:, -1], atol=1e-9, rtol=0)


def test_paths_over_many_features_are_explained_with_more_nodes() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(800, 12))
    label = rows.sum(axis=1) + rng.normal(size=800) > 0
    settings = {"objective": "binary", "num_leaves": 60, "min_data_in_leaf": 2, "verbosity": -1}
    data = lgb.Dataset(rows, label, params={"verbosity": -1})
    text = lgb.train({**settings, "num_threads": 1}, data, 4).model_to_string()
    plain = plain_of(text)
    compiled = compile_trees(plain)
    for row in rows[:20].tolist():
        np.testing.assert_allclose(
            compiled.explain(row)[1], plain.explain(row)[1], atol=1e-9, rtol=0
        )
    assert [len(group.nodes) for group in compiled._contributions[0]._groups] == [4, 8]


def test_contributions_that_differ_are_not_used(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = plain_of(text)
    compiled = compile_trees(plain)
    compiled._trees = read_trees(trained(seed=9))
    row = rows_of(1, 6)[0].tolist()
    assert compiled.explain(row) == plain.explain(row)


def test_contributions_that_cannot_be_had_are_lightgbms(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_nodes: int) -> None:
        raise RuntimeError("LLVM says no")

    monkeypatch.setattr("harken_models.contribcode.kernel", broken)
    plain = plain_of(text)
    row = rows_of(1, 6)[0].tolist()
    assert compile_trees(plain).explain(row) == plain.explain(row)


def test_what_was_compiled_is_found_again(
    text: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    first = compile_trees(plain_of(text), lambda: begun.append("first"))
    assert first.made
    assert empty_cache.stat().st_mode & 0o777 == 0o700

    def again(_text: str) -> bytes:
        raise AssertionError("compiled again")

    monkeypatch.setattr("harken_models.treecode.generate", again)
    second = compile_trees(plain_of(text), lambda: begun.append("second"))
    assert not second.made
    assert begun == ["first"]
    rows = rows_of(100, 7)
    assert second.many(rows).tolist() == first.many(rows).tolist()
    with pytest.raises(NotCompiledError, match="compiled again"):
        compile_trees(plain_of(trained(seed=8, trees=2)))


@pytest.mark.parametrize("damage", ["cut", "empty", "a bit", "other code"])
def test_a_damaged_file_is_made_anew(text: str, empty_cache: Path, damage: str) -> None:
    compile_trees(plain_of(text))
    (file,) = empty_cache.glob("*.code")
    whole = file.read_bytes()
    other = bytearray(whole)
    other[len(whole) // 2] ^= 1
    file.write_bytes(
        {"cut": whole[:-100], "empty": b"", "a bit": bytes(other), "other code": b"\x90" * 500}[
            damage
        ]
    )
    assert compile_trees(plain_of(text)).made
    assert file.read_bytes() == whole


def test_processes_that_start_at_once_compile_once(
    text: str, empty_cache: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.txt"
    model.write_text(text)
    script = """
import sys
from harken_models.boosted import BoostedModel
from harken_models.boosted_predictor import BoostedPredictor
from harken_models.compiled import compile_trees
plain = BoostedPredictor(BoostedModel(open(sys.argv[1]).read(), {}))
print("ready", flush=True)
sys.stdin.readline()
print(compile_trees(plain).made)
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate(timeout=60)[0].strip() for child in children]
    assert sorted(said) == ["False", "True"]
    assert sorted(file.suffix for file in empty_cache.iterdir()) == ["", ".code"]


def test_code_that_scores_differently_is_not_used(
    text: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harken_models import treecode

    wrong = treecode.generate(trained(seed=2))
    monkeypatch.setattr(treecode, "generate", lambda _text: wrong)
    with pytest.raises(NotCompiledError, match=r"it differs from LightGBM by \d"):
        compile_trees(plain_of(text))
    assert not list(empty_cache.glob("*.code"))


def test_models_that_are_no_sums_of_trees_are_refused() -> None:
    rows = rows_of(400, 1)[:, :5]
    rows = np.nan_to_num(rows)
    for parameters, why in (
        ({"objective": "regression", "linear_tree": True}, "linear leaves"),
        ({"objective": "multiclass", "num_class": 3}, "several outputs"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "averages its trees"),
    ):
        data = lgb.Dataset(rows, np.arange(400) % 3, params={"verbosity": -1, **parameters})
        settings = {"verbosity": -1, "num_leaves": 4, "num_threads": 1, **parameters}
        text = lgb.train(settings, data, 2).model_to_string()
        with pytest.raises(NotCompiledError, match=why):
            compile_trees(plain_of(text))


def test_a_cache_that_others_can_write_is_not_used(text: str, empty_cache: Path) -> None:
    empty_cache.mkdir(parents=True)
    empty_cache.chmod(0o777)
    with pytest.raises(NotCompiledError, match=r"can be written by others.*HARKEN_CACHE_DIR"):
        compile_trees(plain_of(text))


def test_a_cache_that_cannot_be_made_is_said(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARKEN_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(NotCompiledError, match="cannot be used as a cache: Not a directory"):
        compile_trees(plain_of(text))


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("HARKEN_CACHE_DIR", "/own")
    assert codecache.cache_folder() == Path("/own")
    monkeypatch.delenv("HARKEN_CACHE_DIR")
    assert codecache.cache_folder() == Path("/xdg/harken")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert codecache.cache_folder() == Path("/home/someone/.cache/harken")


def test_without_a_home_the_cache_has_to_be_named(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARKEN_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless(_path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(NotCompiledError, match="no cache folder; name one with HARKEN_CACHE_DIR"):
        compile_trees(plain_of(text))


def test_what_is_not_used_for_long_is_removed(empty_cache: Path) -> None:
    for number in range(codecache.KEPT + 3):
        codecache.kept_or_made(f"key {number}", lambda: b"code")
        (newest,) = [f for f in empty_cache.glob("*.code") if f.stat().st_mtime > 1e9]
        os.utime(newest, (number, number))
    (empty_cache / ".code-torn.part").write_bytes(b"")
    codecache.kept_or_made("last", lambda: b"code")
    assert len(list(empty_cache.glob("*.code"))) == codecache.KEPT
    assert codecache.kept_or_made("last", lambda: b"other") == (b"code", False)
    assert codecache.kept_or_made("key 0", lambda: b"other") == (b"other", True)
    assert not (empty_cache / ".code-torn.part").exists()


def test_files_of_others_in_the_folder_stay(empty_cache: Path) -> None:
    empty_cache.mkdir(parents=True, mode=0o700)
    own = {"morse.code", ".film.part", *(f"{number}.code" for number in range(codecache.KEPT))}
    for name in own:
        (empty_cache / name).write_bytes(b"")
        os.utime(empty_cache / name, (1, 1))
    codecache.kept_or_made("key", lambda: b"code")
    left = {file.name for file in empty_cache.iterdir()}
    assert own <= left
    assert len(left - own) == 2  # the code and the lock


def test_code_is_used_though_old_code_cannot_be_removed(empty_cache: Path) -> None:
    empty_cache.mkdir(parents=True, mode=0o700)
    for number in range(codecache.KEPT):
        folder = empty_cache / f"{number:032x}.code"
        folder.mkdir()
        os.utime(folder, (1, 1))
    assert codecache.kept_or_made("key", lambda: b"code") == (b"code", True)
    assert codecache.kept_or_made("key", lambda: b"other") == (b"code", False)


def test_a_full_disk_is_said_of_the_cache_only_where_it_is_the_cache(
    text: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object, **_named: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("harken_models.treecode.generate", full)
        with pytest.raises(NotCompiledError, match=r"lleaves cannot compile .*No space left"):
            compile_trees(plain_of(text))
    monkeypatch.setattr("harken_models.treecode.generate", lambda _text: b"code")
    monkeypatch.setattr(codecache.tempfile, "mkstemp", full)
    with pytest.raises(NotCompiledError, match="cannot be used as a cache: No space left"):
        compile_trees(plain_of(text))
    assert [file.name for file in empty_cache.iterdir()] == ["lock"]


def test_where_there_are_no_owners_the_mode_of_the_folder_says_nothing(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_cache.mkdir(parents=True)
    empty_cache.chmod(0o777)
    monkeypatch.delattr(os, "getuid")  # as on Windows
    assert codecache.kept_or_made("key", lambda: b"code") == (b"code", True)


def test_features_named_in_chinese_compile_in_any_locale(
    text: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = text.replace("Column_0", "月费")
    assert plain_of(named).feature_names[0] == "月费"

    def in_ascii(path: str) -> IO[str]:
        return Path(path).open(encoding="ascii")

    monkeypatch.setattr("lleaves.compiler.ast.scanner.open", in_ascii, raising=False)
    rows = rows_of(50, 8)
    assert compile_trees(plain_of(named)).many(rows).tolist() == plain_of(text).many(rows).tolist()


def test_a_model_without_a_tree_is_refused(text: str, empty_cache: Path) -> None:
    bare = lgb.Booster(model_str=text).model_to_string(num_iteration=1, start_iteration=12)
    with pytest.raises(NotCompiledError, match="the model has no trees"):
        compile_trees(plain_of(bare))


def test_without_the_extra_lightgbm_serves_and_a_warning_names_it(
    small: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = small(tmp_path / "bundle", "blend")
    monkeypatch.setitem(sys.modules, "harken_models.treecode", None)
    with pytest.warns(NotCompiledWarning, match=r"LightGBM runs it: harken-models\[compiled\]"):
        bundle = load_bundle(tmp_path / "bundle", compiled=True)
    assert not bundle.compiled
    assert bundle.assess(ROW) == plain.assess(ROW)
    assert bundle.explain(ROW) == plain.explain(ROW)


@pytest.mark.parametrize("kind", ["lightgbm", "blend"])
def test_a_bundle_says_the_same_compiled(
    small: Callable[..., Bundle], tmp_path: Path, kind: str
) -> None:
    plain = small(tmp_path / "bundle", kind)
    compiled = load_bundle(tmp_path / "bundle", compiled=True)
    assert compiled.compiled
    assert not plain.compiled
    rows = [ROW, {**ROW, "point": "never_seen", "age_years": 30.0}]
    assert [compiled.assess(each) for each in rows] == [plain.assess(each) for each in rows]
    base, shares = plain.explain(ROW)
    found, found_shares = compiled.explain(ROW)
    assert found == pytest.approx(base, abs=1e-9)
    wanted = {name: share for name, _, share in shares}
    assert {name: share for name, _, share in found_shares} == pytest.approx(wanted, abs=1e-9)


def test_a_bundle_without_trees_has_nothing_to_compile(
    small: Callable[..., Bundle], tmp_path: Path
) -> None:
    small(tmp_path / "bundle", "logistic")
    with pytest.warns(NotCompiledWarning, match="the model has no trees"):
        assert not load_bundle(tmp_path / "bundle", compiled=True).compiled


def test_the_command_fills_the_cache(
    small: Callable[..., Bundle],
    empty_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = typer.Typer()
    register(app)

    def run(*words: object) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["model", "compile", *map(str, words)])
        return result.exit_code, result.stdout, result.stderr

    digest = small(tmp_path / "bundle", "lightgbm").digest
    code, out, _ = run(tmp_path / "bundle", "--json")
    said = json.loads(out)
    assert (code, said["compiled"], said["made"], said["problem"]) == (0, True, True, "")
    assert said["model_digest"] == digest
    assert said["cache"] == str(empty_cache)
    code, out, _ = run(tmp_path / "bundle")
    assert (code, out) == (
        0,
        f"{tmp_path / 'bundle'}: was compiled before; kept in {empty_cache}\n",
    )
    monkeypatch.setitem(sys.modules, "harken_models.treecode", None)
    code, out, err = run(tmp_path / "bundle")
    assert code == 1
    assert "not compiled: harken-models[compiled] is not installed" in err
    code, out, err = run(tmp_path / "nothing")
    assert code == 2
    assert "Traceback" not in err
