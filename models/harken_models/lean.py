"""LightGBM without its scikit-learn classes, for processes that only serve a model.

``import lightgbm`` imports scikit-learn wherever that is installed, and with it ``scipy.stats``:
one and a half seconds of every start, for estimator classes that serving never uses. LightGBM
does without where there is none, and that is what ``import_lightgbm`` has it believe.
"""

from __future__ import annotations

import sys


def import_lightgbm() -> None:
    """Import LightGBM alone, unless it or scikit-learn is imported already.

    For the first lines of a process of our own: ``lightgbm.LGBMClassifier`` and its kind cannot
    be used in it. ``lightgbm.Booster`` is the same, and scikit-learn can be imported afterwards.
    """
    if "sklearn" in sys.modules or "lightgbm" in sys.modules:
        return
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        import lightgbm  # noqa: F401
    finally:
        del sys.modules["sklearn"]
