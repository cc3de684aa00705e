"""A thin client of Harken's scoring service: grpcio and protobuf, nothing heavier.

    from harken_client import Client

    with Client("127.0.0.1:50051") as client:
        score = client.score({"grumble_id": "g-1", "voice_time": "2026-03-01T08:00:00Z",
                              "category": "charges", "point": "bill_inaccurate"})
        print(score.level, score.probability, [reason.text for reason in score.reasons])

``AsyncClient`` is the same for asyncio. The names below are the public ones; each is
imported when first used, so that commands which need no transport start without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harken_client.aio import Client as AsyncClient
    from harken_client.client import Client
    from harken_client.errors import (
        AccessDenied,
        DeadlineExceeded,
        FieldViolation,
        HarkenError,
        InvalidRequest,
        MessageTooLarge,
        Overloaded,
        ServerFault,
        TransientError,
        Unavailable,
    )
    from harken_client.requests import ScoreInput, grumble_request, request_from_json
    from harken_client.transport import Tls
    from harken_client.types import (
        Department,
        Explanation,
        FactValue,
        FeatureContribution,
        FiredRule,
        Reason,
        Score,
        ScoreError,
        ScoreWarning,
        Strategy,
    )

__all__ = [
    "AccessDenied",
    "AsyncClient",
    "Client",
    "DeadlineExceeded",
    "Department",
    "Explanation",
    "FactValue",
    "FeatureContribution",
    "FieldViolation",
    "FiredRule",
    "HarkenError",
    "InvalidRequest",
    "MessageTooLarge",
    "Overloaded",
    "Reason",
    "Score",
    "ScoreError",
    "ScoreInput",
    "ScoreWarning",
    "ServerFault",
    "Strategy",
    "Tls",
    "TransientError",
    "Unavailable",
    "grumble_request",
    "request_from_json",
]


_MODULES = ("client", "errors", "requests", "transport", "types")


def __getattr__(name: str) -> object:
    if name == "AsyncClient":
        return importlib.import_module("harken_client.aio").Client
    if name in __all__:
        for module in map(importlib.import_module, (f"harken_client.{home}" for home in _MODULES)):
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
