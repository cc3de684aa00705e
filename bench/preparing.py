"""What a whole run needs, made beforehand on two cores: data, models, machine code, the peer.

Nothing is measured here. Everything is kept in ``build/bench`` and found there by the next run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import mlserver_peer
from demo import HARKEN
from figures import Unmeasurable
from harken_models import default_bundle_path
from parts import growth, offline
from setting import Setting


def prepare(setting: Setting) -> None:
    """Make what is not there yet; what cannot be made is said by the part that needs it."""
    with ThreadPoolExecutor(2) as pool:
        lanes = [pool.submit(_files, setting), pool.submit(_models, setting)]
        for lane in lanes:
            lane.result()


def _files(setting: Setting) -> None:
    setting.workload.repeated(offline.rows_of_many(setting))


def _models(setting: Setting) -> None:
    works: tuple[Callable[[], object], ...] = (
        lambda: setting.reference(growth.many_trees(setting)),
        lambda: _compile(setting),
        mlserver_peer.environment,
    )
    for work in works:
        try:
            work()
        except (Unmeasurable, subprocess.SubprocessError):
            continue


def _compile(setting: Setting) -> None:
    for path in (setting.reference(), default_bundle_path()):
        command = [HARKEN, "model", "compile", str(path)]
        subprocess.run(command, check=True, capture_output=True)
