"""A scorer that is slow on purpose."""

from __future__ import annotations

import threading
from typing import Any

from harken_server.scoring import Scorer


class Held:
    """A scorer that keeps its callers waiting until it is let go; ``calls`` counts them."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self.entered = threading.Semaphore(0)
        self.go = threading.Event()
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scorer, name)

    def score(self, grumble: Any) -> Any:
        self._wait()
        return self._scorer.score(grumble)

    def score_columns(self, grumbles: Any) -> Any:
        self._wait()
        return self._scorer.score_columns(grumbles)

    def _wait(self) -> None:
        self.calls += 1
        self.entered.release()
        assert self.go.wait(30)
