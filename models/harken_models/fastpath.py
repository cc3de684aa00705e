"""One row through LightGBM's C API without the cost of its Python wrapper.

``Booster.predict`` spends far more on preparing a row than on the trees. The C API's
single-row fast path prepares once and then takes a pointer; the answer is identical. A
prepared configuration must not be shared by threads, so each thread makes its own at first
use; it is freed when the thread ends or the booster is dropped.

The call keeps Python's lock: it is over in microseconds, and giving the lock away in between would
have every call of a busy server wait for it a second time.
"""

from __future__ import annotations

import ctypes
import struct
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import NoReturn

import lightgbm as lgb
from lightgbm.basic import _LIB  # type: ignore[attr-defined]

from harken_models.errors import ModelsError

_FLOAT64 = 1  # C_API_DTYPE_FLOAT64
_RAW_SCORE = 1  # C_API_PREDICT_RAW_SCORE
_KEEPING_THE_LOCK = ctypes.PyDLL(_LIB._name)


class SingleRow:
    """Raw scores (log-odds) of single rows, from any thread."""

    def __init__(self, booster: lgb.Booster) -> None:
        self._booster = booster
        self._threads = threading.local()

    def __call__(self, values: Sequence[float]) -> float:
        """The raw score of one row: as many numbers as the booster has features."""
        try:
            predict: Callable[[Sequence[float]], float] = self._threads.predict
        except AttributeError:
            self._threads.lane = lane = _Lane(self._booster)
            predict = self._threads.predict = lane.predict
        return predict(values)


class _Lane:
    """One thread's prepared configuration with its input and output buffers."""

    __slots__ = ("__weakref__", "_booster", "_config", "_length", "_output", "_row", "predict")

    def __init__(self, booster: lgb.Booster) -> None:
        width = booster.num_feature()
        self._booster = booster  # the handle must outlive the configuration
        self._row = row = (ctypes.c_double * width)()
        self._length = ctypes.c_int64()
        self._output = output = (ctypes.c_double * 1)()
        self._config = config = ctypes.c_void_p()
        _check(
            _LIB.LGBM_BoosterPredictForMatSingleRowFastInit(
                booster._handle,
                ctypes.c_int(_RAW_SCORE),
                ctypes.c_int(0),
                ctypes.c_int(-1),
                ctypes.c_int(_FLOAT64),
                ctypes.c_int32(width),
                ctypes.c_char_p(b"num_threads=1"),
                ctypes.byref(config),
            )
        )
        weakref.finalize(self, _LIB.LGBM_FastConfigFree, config)
        call = _KEEPING_THE_LOCK.LGBM_BoosterPredictForMatSingleRowFast
        length = ctypes.byref(self._length)
        pack = struct.Struct(f"{width}d").pack_into  # refuses a row of another length

        def predict(values: Sequence[float]) -> float:
            pack(row, 0, *values)
            if call(config, row, length, output):
                _refuse()
            return output[0]

        self.predict = predict


def _check(code: int) -> None:
    if code != 0:
        _refuse()


def _refuse() -> NoReturn:
    reason = _LIB.LGBM_GetLastError
    reason.restype = ctypes.c_char_p
    text = (reason() or b"unknown error").decode("utf-8", "replace")
    raise ModelsError(f"LightGBM refused a row: {text}")
