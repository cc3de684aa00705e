"""What a worker serves just now, and its change while calls are being answered.

A call reads ``scorer()`` once, at its start, and is answered with what it got there, whatever
is served by the time it is done. What nobody holds any more is freed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from harken_rules import RuleBase

from harken_server.assignment import Answer, Order
from harken_server.errors import SnapshotError
from harken_server.grumble import Grumble, Score
from harken_server.heap import unsettle
from harken_server.metrics import Metrics
from harken_server.scoring import Scorer
from harken_server.shadow import Shadow
from harken_server.snapshot import Snapshot, build_snapshot, read_base

if TYPE_CHECKING:
    from harken_models import Bundle

_log = structlog.get_logger("harken.worker")


class Live:
    """The scorer that calls use, the one that may follow it, and the shadow.

    Orders are carried out one at a time, in a thread of their own; calls only read.
    """

    def __init__(self, snapshot: Snapshot, memo_size: int, metrics: Metrics) -> None:
        self._scorer = Scorer(snapshot)
        self._memo_size = memo_size
        self._metrics = metrics
        self._prepared: Scorer | None = None
        self._prepared_shadow: Scorer | None = None
        self._retired: list[Scorer] = []
        self._shadow: Shadow | None = None
        self._tidying = threading.Lock()
        self._ways: dict[str, Callable[[Order], Answer]] = {
            "prepare": self._prepare,
            "swap": self._swap,
            "drop": self._drop,
            "shadow": self._set_shadow,
            "counts": self._counts,
        }

    def scorer(self) -> Scorer:
        """What to answer a call with; ask once a call."""
        return self._scorer

    def answered(self, pairs: Iterable[tuple[Grumble, Score]]) -> None:
        """Let the shadow, if there is one, have its share of what was answered."""
        shadow = self._shadow
        if shadow is not None:
            shadow.offer(pairs)

    def carry_out(self, order: Order) -> Answer:
        """Do as told; raises nothing."""
        try:
            return self._ways[order.do](order)
        except SnapshotError as error:
            return Answer(problems=error.problems)
        except Exception as error:
            # Its text is for the log: the answer reaches whoever asked for the change.
            _log.error("order failed", order=order.do, kind=type(error).__name__, why=str(error))
            return Answer(failure=f"it failed ({type(error).__name__}); its log says more")

    def tidy(self) -> None:
        """Bring what was counted to the metrics, and let go of what was served before.

        Called now and then; a former scorer is kept until then, so that freeing it seldom falls
        to the last call that holds it.
        """
        with self._tidying:
            retired, self._retired = self._retired, []
            for scorer in (*retired, self._scorer):
                self._metrics.take_memo(scorer.snapshot.engine)
        self._metrics.flush()

    def _prepare(self, order: Order) -> Answer:
        self._drop(order)
        self.tidy()
        bundle = self._scorer.snapshot.bundle
        if order.bundle is not None:
            bundle = _read_bundle(Path(order.bundle), order.compiled)
            if self._shadow is not None:  # it goes over to the bundle too, or nothing does
                self._prepared_shadow = self._built(self._shadow.base, bundle)
        self._prepared = self._built(read_base(Path(order.rules or "")), bundle)
        return self._of(self._prepared)

    def _swap(self, _order: Order) -> Answer:
        if self._prepared is None:
            return Answer(failure="nothing was prepared")
        former, self._scorer, self._prepared = self._scorer, self._prepared, None
        with self._tidying:
            self._retired.append(former)
        unsettle()
        digest, shadow = self._scorer.snapshot.rule_base_digest, self._shadow
        if shadow is not None and self._prepared_shadow is not None:
            self._shadow = Shadow(self._prepared_shadow, digest, shadow.share)
            self._prepared_shadow = None
            shadow.close()
        elif shadow is not None:
            shadow.follow(digest)
        return self._of(self._scorer)

    def _drop(self, _order: Order) -> Answer:
        self._prepared = self._prepared_shadow = None
        return self._of(self._scorer)

    def _set_shadow(self, order: Order) -> Answer:
        former, self._shadow = self._shadow, None
        if former is not None:
            former.close()
        if order.rules is None:
            return Answer()
        scorer = self._built(read_base(Path(order.rules)), self._scorer.snapshot.bundle)
        self._shadow = Shadow(scorer, self._scorer.snapshot.rule_base_digest, order.share)
        return self._of(scorer)

    def _counts(self, _order: Order) -> Answer:
        return Answer(counts=self._shadow.counts() if self._shadow is not None else None)

    def _built(self, base: RuleBase, bundle: Bundle) -> Scorer:
        """Raises ``SnapshotError`` where the two do not fit each other."""
        return Scorer(build_snapshot(base, bundle, self._memo_size))

    def _of(self, scorer: Scorer) -> Answer:
        base, model = scorer.snapshot.base, scorer.snapshot.model_digest
        return Answer(rule_base=base.name, digest=base.digest, model_digest=model)


def _read_bundle(folder: Path, compiled: bool) -> Bundle:
    from harken_models import BundleError, load_bundle

    try:
        return load_bundle(folder, compiled=compiled)
    except BundleError as error:
        raise SnapshotError([f"bundle: {error}"]) from None
