"""What the package promises: its names, and clients that mirror the service."""

from __future__ import annotations

import dataclasses
import inspect
import re

import harken_client
import pytest
from harken.v1 import errors_pb2, score_pb2, scoring_pb2_grpc
from harken_client import aio, client, errors, types
from harken_client.requests import CORE_FIELDS, ScoreInput
from harken_client.transport import service_config


def test_all_names_resolve_and_nothing_else_does() -> None:
    for name in harken_client.__all__:
        assert getattr(harken_client, name).__name__ in (name, "Client", "function")
    assert harken_client.__all__ == sorted(harken_client.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = harken_client.Klient


def test_every_error_and_type_is_public() -> None:
    own = {
        name
        for module in (errors, types)
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }
    assert own <= set(harken_client.__all__)


def test_the_error_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"^([ │├└─]*)(\w+) {2,}", errors.__doc__ or "", re.MULTILINE)
    parents: list[str] = []
    for prefix, name in drawn:
        depth = (len(prefix) - 4) // 4
        cls = getattr(errors, name)
        assert issubclass(cls, Exception)
        if depth:
            assert cls.__bases__[0].__name__ == parents[depth - 1]
        parents[depth:] = [name]
    classes = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception) and "errors" in value.__module__
    }
    assert {name for _, name in drawn} == {c for c in classes if hasattr(errors, c)} - {
        "DecodeError"
    }


@pytest.mark.parametrize("cls", [client.Client, aio.Client])
def test_client_methods_are_the_services(cls: type) -> None:
    remote = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        for name, value in vars(scoring_pb2_grpc.ScoringServiceServicer).items()
        if inspect.isfunction(value)
    }
    own = {name for name in vars(cls) if not name.startswith("_")}
    # Streams of chunks are the replay's business, which keeps channels of its own.
    assert own - {"call", "close", "open_channel"} == remote - {"replay_scores"}


def test_both_clients_take_the_same_arguments() -> None:
    for name in ("__init__", "score", "batch_score", "call", "close"):
        sync, asynchronous = getattr(client.Client, name), getattr(aio.Client, name)
        assert list(inspect.signature(sync).parameters) == list(
            inspect.signature(asynchronous).parameters
        )


def test_score_input_has_every_core_field() -> None:
    own = {field.name for field in dataclasses.fields(ScoreInput)}
    assert own - {"attributes", "explain", "language"} == set(CORE_FIELDS)


@pytest.mark.parametrize(
    ("message", "mirror"),
    [
        (score_pb2.Score, types.Score),
        (score_pb2.Reason, types.Reason),
        (score_pb2.Strategy, types.Strategy),
        (score_pb2.Department, types.Department),
        (score_pb2.Warning, types.ScoreWarning),
        (score_pb2.FactValue, types.FactValue),
        (score_pb2.FiredRule, types.FiredRule),
        (score_pb2.FeatureContribution, types.FeatureContribution),
        (score_pb2.Explanation, types.Explanation),
    ],
)
def test_types_mirror_their_messages(message: type, mirror: type) -> None:
    assert [f.name for f in dataclasses.fields(mirror)] == [
        field.name for field in message.DESCRIPTOR.fields
    ]


def test_retries_cover_the_service_by_its_real_name() -> None:
    assert '"harken.v1.ScoringService"' in service_config(3)
    assert "harken.v1" in errors_pb2.DESCRIPTOR.package
