"""Why a replay ends without an OUT file.

HarkenError
└── ReplayError         the message says what is wrong and how to mend it
    └── Interrupted     stopped half way; the same command goes on from there
"""

from __future__ import annotations

from harken_client.errors import HarkenError


class ReplayError(HarkenError):
    """The replay cannot be done, or cannot go on."""


class Interrupted(ReplayError):  # noqa: N818 - what happened, not what is wrong
    """The replay was stopped (``by_hand``) or lost the server; the same command resumes it."""

    def __init__(self, message: str, *, by_hand: bool = False) -> None:
        super().__init__(message)
        self.by_hand = by_hand
