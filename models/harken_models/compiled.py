"""The boosted trees as machine code: the optional extra ``compiled``.

LightGBM walks its trees through tables; compiled by lleaves and LLVM they are branches on
constants, six times as fast over many rows and four times for one. Nothing depends on it: where
the code cannot be had, or says anything else than LightGBM on a sample, LightGBM goes on.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from harken_models.boosted_predictor import BoostedPredictor
from harken_models.codecache import forget, kept_or_made
from harken_models.contributions import Contributions
from harken_models.errors import ModelsError, NotCompiledError, NotCompiledWarning
from harken_models.treetext import CATEGORICAL, TreeArrays, read_trees

if TYPE_CHECKING:
    from harken_models.predictor import Predictor
    from harken_models.treecode import Linked

EXTRA = "harken-models[compiled]"
TOLERANCE = 1e-12
"""How far the sum of the trees may be from LightGBM's, in log-odds."""
_SLICE_ROWS = 4096
_SAMPLE_ROWS = 1000
_EXPLAINED_ROWS = 5
_EXPLAINED_TOLERANCE = 1e-9


class CompiledPredictor:
    """The trees of a BoostedPredictor as machine code; a ``BoostedPart``.

    ``made`` says that they were compiled now, not found in the cache.
    """

    def __init__(
        self, plain: BoostedPredictor, trees: list[TreeArrays], linked: Linked, made: bool
    ) -> None:
        self.made = made
        self._plain = plain
        self._trees = trees
        self._preparing = threading.Lock()
        self._contributions: list[Contributions | None] = []  # one, once it is prepared
        self._code = linked
        self._width = plain.booster.num_feature()
        self._pack = struct.Struct(f"{self._width}d").pack
        self._prepares = plain.prepares

    def one(self, values: Sequence[float]) -> float:
        """Raw log-odds of one row."""
        if self._prepares:
            values = self._plain.prepared(values)
        return self._code.one(self._pack(*values))

    def many(self, matrix: np.ndarray) -> np.ndarray:
        """Raw log-odds of rows, by as many threads as the plain part has."""
        count = len(matrix)
        result = np.empty(count)
        starts = range(0, count, _SLICE_ROWS)

        def run(start: int) -> None:
            rows = self._plain.model.prepare(matrix[start : start + _SLICE_ROWS])
            rows = np.ascontiguousarray(rows, dtype=np.float64)
            self._code.many(rows.ctypes.data, result[start:].ctypes.data, len(rows))

        if matrix.shape[1] != self._plain.width:
            raise ValueError(f"rows have {matrix.shape[1]} values, the trees {self._plain.width}")
        threads = min(self._plain.threads, len(starts))
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(run, starts))
        else:
            for start in starts:
                run(start)
        return result

    def explain(self, values: Sequence[float]) -> tuple[float, list[float]]:
        """Base value and each feature's contribution; the first call prepares, for some 0.3 s."""
        with self._preparing:
            if not self._contributions:
                self._contributions.append(self._closed_form())
        shares = self._contributions[0]
        if shares is None:
            return self._plain.explain(values)
        columns = shares(np.array(self._plain.prepared(values))).tolist()
        return shares.base, self._plain.by_feature(columns)

    def _closed_form(self) -> Contributions | None:
        """None where LightGBM is to be asked, as it would say something else."""
        from harken_models.contribcode import kernel

        rows = sample_rows(self._trees, self._width)[:_EXPLAINED_ROWS]
        booster = self._plain.booster
        wanted = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=1))
        try:
            made = Contributions(self._trees, self._width, kernel)
        except Exception:  # whatever it was, LightGBM has the same to say
            return None
        found = np.array([[*made(row), made.base] for row in rows])
        return made if np.abs(found - wanted).max() <= _EXPLAINED_TOLERANCE else None


def compile_or_warn(predictor: Predictor) -> None:
    """Have the predictor use machine code; a NotCompiledWarning says why where it cannot."""
    try:
        compile_predictor(predictor)
    except NotCompiledError as error:
        message = f"the model is not compiled, LightGBM runs it: {error}"
        warnings.warn(message, NotCompiledWarning, stacklevel=3)


def compile_predictor(
    predictor: Predictor, begins: Callable[[], None] = lambda: None
) -> CompiledPredictor:
    """Have the predictor use machine code from now on; see ``compile_trees``."""
    if predictor.booster is None:
        raise NotCompiledError("the model has no trees")
    predictor.boosted = compiled = compile_trees(predictor.booster, begins)
    return compiled


def compile_trees(
    plain: BoostedPredictor, begins: Callable[[], None] = lambda: None
) -> CompiledPredictor:
    """The same trees as machine code, from the cache if they were compiled before.

    ``begins`` is called when they have to be compiled now, which takes tens of seconds. Raises
    NotCompiledError where that cannot be done, or disagrees with LightGBM.
    """
    text = plain.model.text
    try:
        trees = read_trees(text)
        import harken_models.treecode as treecode

        key = f"{treecode.made_for()}; {hashlib.sha256(text.encode()).hexdigest()}"
    except ModelsError as error:
        raise NotCompiledError(str(error)) from None
    except ImportError as error:
        raise NotCompiledError(f"{EXTRA} is not installed ({error})") from None

    def make() -> bytes:
        begins()
        return treecode.generate(text)

    try:
        code, made = kept_or_made(key, make)
        compiled = CompiledPredictor(plain, trees, treecode.Linked(code), made)
        _compare(compiled, plain, trees)
    except NotCompiledError:
        forget(key)
        raise
    except ModelsError as error:
        raise NotCompiledError(str(error)) from None
    except Exception as error:  # lleaves asserts, and raises whatever comes
        forget(key)
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise NotCompiledError(f"lleaves cannot compile these trees ({what})") from None
    return compiled


def _compare(compiled: CompiledPredictor, plain: BoostedPredictor, trees: list[TreeArrays]) -> None:
    """Raises NotCompiledError unless both say the same of a sample."""
    rows = sample_rows(trees, plain.booster.num_feature())
    wanted = np.asarray(plain.booster.predict(rows, raw_score=True, num_threads=1))
    found = np.empty(len(rows))
    compiled._code.many(rows.ctypes.data, found.ctypes.data, len(rows))
    worst = float(np.max(np.abs(found - wanted)))
    if not worst <= TOLERANCE:
        raise NotCompiledError(f"it differs from LightGBM by {worst:g} in log-odds")
    for row, value in zip(rows[:100], found[:100], strict=True):
        if compiled._code.one(row.tobytes()) != value:
            raise NotCompiledError("one row and many differ")


def sample_rows(trees: list[TreeArrays], width: int) -> np.ndarray:
    """Rows (sample × features) that come to all kinds of decisions.

    Values are the trees' own thresholds and categories and what lies just beside them; in a
    tenth of the places they are missing, zero, negative, never seen, or out of all bounds.
    """
    rng = np.random.default_rng(7)
    odd = [np.nan, 0.0, -0.0, 1e-36, -1e-36, -1.0, -0.5, 0.5, 1e9, -(2.0**31), 2.0**31, 1e300]
    odd += [-1e300, np.inf, -np.inf]
    known: list[list[np.ndarray]] = [[np.zeros(1)] for _ in range(width)]
    for tree in trees:
        for node in np.flatnonzero(tree.decision & CATEGORICAL == 0).tolist():
            threshold = tree.threshold[node]
            known[tree.feature[node]].append(np.array([threshold, np.nextafter(threshold, np.inf)]))
        for node, codes in tree.categories.items():
            known[tree.feature[node]].append(np.arange(max(codes, default=0) + 2.0))
    columns = [rng.choice(np.concatenate(values), _SAMPLE_ROWS) for values in known]
    rows = np.stack(columns, axis=1)
    strange = rng.random(rows.shape) < 0.1
    rows[strange] = rng.choice(odd, int(strange.sum()))
    return np.ascontiguousarray(rows)
