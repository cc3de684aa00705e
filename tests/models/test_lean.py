"""LightGBM without scikit-learn: the same model, and scikit-learn still to be had afterwards."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from harken_models import default_bundle_path, load_bundle

PROGRAM = """
import json, sys
from harken_models.lean import import_lightgbm
{first}
import_lightgbm()
from harken_models import default_bundle_path, load_bundle
assessed = load_bundle(default_bundle_path()).assess({row})
lean = not any(name in sys.modules for name in ("sklearn", "scipy.stats"))
import sklearn.metrics
print(json.dumps([lean, assessed.probability]))
"""
ROW = {"point": "bill_inaccurate", "voice_time_us": 10**15, "observe_time_us": 10**15 + 10**11}


@pytest.mark.parametrize("first", ["", "import sklearn"])
def test_a_model_says_the_same_whether_lightgbm_has_found_scikit_learn_or_not(first: str) -> None:
    program = PROGRAM.format(first=first, row=ROW)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    lean, probability = json.loads(done.stdout)
    assert lean == (not first)
    assert probability == load_bundle(default_bundle_path()).assess(ROW).probability
