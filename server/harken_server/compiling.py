"""The model made machine code once, before the workers ask for it.

    python -m harken_server.compiling BUNDLE

compiles in a process of its own, whose memory is given back, and which alone would suffer from
code that crashes; the workers find the code in the cache.
"""

from __future__ import annotations

import argparse
import sys
import threading
from dataclasses import replace
from pathlib import Path

import structlog
from harken_models.lean import import_lightgbm

from harken_server.children import Telling, ask
from harken_server.supervision import Crew

TIMEOUT_SECONDS = 600.0
MEMORY_BYTES = 4 << 30
_PATIENCE_SECONDS = 3.0
"""What is found in the cache takes no longer than this; then it is worth a line."""

_log = structlog.get_logger("harken.control")


def compile_ahead(bundle: Path, crew: Crew) -> None:
    """See that the bundle's machine code is in the cache; without it the workers use LightGBM."""
    if compiled_ahead(bundle):
        return
    for worker in crew.workers:
        worker.assignment = replace(worker.assignment, compiled=False)


def compiled_ahead(bundle: Path) -> bool:
    """Is the bundle's machine code in the cache now? The log says why it is not."""
    notice = threading.Timer(
        _PATIENCE_SECONDS, _log.info, ["compiling the model"], {"note": "up to a minute, once"}
    )
    notice.daemon = True
    notice.start()
    answer = ask(
        "harken_server.compiling",
        [str(bundle)],
        timeout=TIMEOUT_SECONDS,
        memory_bytes=MEMORY_BYTES,
    )
    notice.cancel()
    problem = answer.failure or answer.said.get("problem", "")
    if not problem:
        _log.info("model compiled", seconds=answer.said.get("seconds"))
        return True
    _log.warning("model not compiled, LightGBM runs it", why=problem)
    return False


def main(arguments: list[str] | None = None) -> int:
    """The child's side; see the module."""
    parser = argparse.ArgumentParser(prog="python -m harken_server.compiling", description=__doc__)
    parser.add_argument("bundle", type=Path, help="folder of the model bundle")
    given = parser.parse_args(arguments)
    import_lightgbm()
    with Telling() as telling:
        telling.say(**compile_bundle(given.bundle))
    return 0


def compile_bundle(bundle: Path) -> dict[str, object]:
    """``problem``, empty if there is none, and ``seconds``."""
    import time

    from harken_models import ModelsError, load_bundle
    from harken_models.compiled import compile_predictor

    began = time.monotonic()
    try:
        compile_predictor(load_bundle(bundle).predictor)
    except ModelsError as error:
        return {"problem": str(error)}
    return {"problem": "", "seconds": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    sys.exit(main())
