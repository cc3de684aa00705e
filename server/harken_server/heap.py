"""Python's garbage collector, told what a scoring process is like.

What is loaded stays, memos grow by tuples that are never part of a cycle, and an answer leaves
next to nothing behind. With the interpreter's own thresholds the collector looks at all of that
again and again and finds nothing: a fifth of the time of a batch of new grumbles. Reference counts
free nearly everything; the collector still comes for what they cannot, only seldom.
"""

from __future__ import annotations

import gc

_THRESHOLDS = 20_000, 50, 100
"""Objects made and not freed before the youngest are looked at; then, how often each generation
is before the next older one."""


def settle() -> None:
    """Call once all is loaded: what is there now is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


def unsettle() -> None:
    """Call when something that was loaded has been replaced: it may have to be collected."""
    gc.unfreeze()
