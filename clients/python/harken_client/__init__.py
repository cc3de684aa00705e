"""A thin client of Harken's scoring service: grpcio and protobuf, nothing heavier.

    from harken_client import Client

    with Client("127.0.0.1:50051") as client:
        score = client.score({"grumble_id": "g-1", "voice_time": "2026-03-01T08:00:00Z",
                              "category": "charges", "point": "bill_inaccurate"})
        print(score.level, score.probability, [reason.text for reason in score.reasons])

``AsyncClient`` is the same for asyncio; ``RuleBaseClient`` publishes rule bases. The names below
are the public ones; each is imported when first used, so that commands which need no transport
start without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harken_client.aio import Client as AsyncClient
    from harken_client.client import Client
    from harken_client.errors import (
        AccessDenied,
        Conflict,
        DeadlineExceeded,
        FieldViolation,
        HarkenError,
        InvalidRequest,
        MessageTooLarge,
        NotFound,
        Overloaded,
        Refused,
        ServerFault,
        TransientError,
        Unavailable,
    )
    from harken_client.requests import ScoreInput, grumble_request, request_from_json
    from harken_client.rule_types import (
        ChangedCount,
        CheckedRuleBase,
        Finding,
        LevelTransition,
        RevisionPage,
        RevisionWithFiles,
        RuleBaseActivation,
        RuleBaseFile,
        RuleBaseRevision,
        ServingError,
        ServingState,
        ShadowState,
        Simulation,
        WorkerState,
    )
    from harken_client.rulebases import RuleBaseClient
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
    "ChangedCount",
    "CheckedRuleBase",
    "Client",
    "Conflict",
    "DeadlineExceeded",
    "Department",
    "Explanation",
    "FactValue",
    "FeatureContribution",
    "FieldViolation",
    "Finding",
    "FiredRule",
    "HarkenError",
    "InvalidRequest",
    "LevelTransition",
    "MessageTooLarge",
    "NotFound",
    "Overloaded",
    "Reason",
    "Refused",
    "RevisionPage",
    "RevisionWithFiles",
    "RuleBaseActivation",
    "RuleBaseClient",
    "RuleBaseFile",
    "RuleBaseRevision",
    "Score",
    "ScoreError",
    "ScoreInput",
    "ScoreWarning",
    "ServerFault",
    "ServingError",
    "ServingState",
    "ShadowState",
    "Simulation",
    "Strategy",
    "Tls",
    "TransientError",
    "Unavailable",
    "WorkerState",
    "grumble_request",
    "request_from_json",
]


_MODULES = ("client", "errors", "requests", "rule_types", "rulebases", "transport", "types")


def __getattr__(name: str) -> object:
    if name == "AsyncClient":
        return importlib.import_module("harken_client.aio").Client
    if name in __all__:
        for module in map(importlib.import_module, (f"harken_client.{home}" for home in _MODULES)):
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
