"""What ``harken score`` does between its options and its exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from harken.v1 import scoring_pb2
from rich.console import Console

from harken_client.client import Client
from harken_client.errors import HarkenError, InvalidRequest
from harken_client.render import as_json, error_text, print_score
from harken_client.requests import grumble_request, request_from_json
from harken_client.transport import Tls
from harken_client.types import Score, ScoreError


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of ``harken score``. ``fields`` by core name, None where not given.

    ``more_fields`` and ``attributes`` are ``NAME=VALUE`` texts.
    """

    fields: Mapping[str, object]
    more_fields: Sequence[str]
    attributes: Sequence[str]
    voiced_hours_ago: float | None
    voiced: str | None
    observed: str | None
    json_file: str | None
    language: str
    explain: bool


def run(asked: Asked, *, target: str, tls: Tls | None, timeout: float, machine: bool) -> int:
    """Score, print, and answer the exit code: 0 scored, 1 server trouble, 2 wrong request."""
    try:
        requests = requests_of(asked)
        with Client(target, channels=1, timeout=timeout, tls=tls) as client:
            if isinstance(requests, list):
                return _show_batch(client.batch_score(requests), requests, target, machine)
            _show(client.score(requests), requests, machine)
            return 0
    except HarkenError as error:
        return _show_error(error, target, machine)


def assignments(texts: Sequence[str], option: str) -> dict[str, object]:
    """``NAME=VALUE`` options: a value that is JSON is taken as such, any other as text."""
    values: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InvalidRequest(f"{option} {text!r}: write NAME=VALUE")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return values


def requests_of(asked: Asked) -> scoring_pb2.ScoreRequest | list[scoring_pb2.ScoreRequest]:
    """One request, or the list that a JSON list gives."""
    if asked.json_file is None:
        return _from_options(asked)
    if (
        asked.attributes
        or asked.more_fields
        or any(value is not None for value in asked.fields.values())
    ):
        raise InvalidRequest("give the grumble either by --json or by options, not by both")
    value = _read_json(asked.json_file)
    items = value if isinstance(value, list) else [value]
    requests = [_adjusted(request_from_json(item), asked) for item in items]
    return requests if isinstance(value, list) else requests[0]


def _from_options(asked: Asked) -> scoring_pb2.ScoreRequest:
    now = datetime.now().astimezone()
    observed = _time(asked.observed, "--observed") or now
    voiced = _time(asked.voiced, "--voiced")
    if voiced is None:
        try:
            voiced = observed - timedelta(hours=asked.voiced_hours_ago or 0)
        except (OverflowError, ValueError):
            raise InvalidRequest("--voiced-hours-ago is out of range") from None
    values: dict[str, object] = {
        "grumble_id": f"cli-{now:%Y%m%dT%H%M%S}",
        "voice_time": voiced,
        "observe_time": observed,
    }
    values |= {name: value for name, value in asked.fields.items() if value is not None}
    values |= assignments(asked.more_fields, "--set")
    values["attributes"] = assignments(asked.attributes, "--attribute")
    request = grumble_request(values)
    return _adjusted(request, asked)


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()  # no offset: this machine's zone
    except (ValueError, OverflowError):
        raise InvalidRequest(f"{option} {text!r} is not an ISO 8601 time") from None


def _read_json(name: str) -> Any:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise InvalidRequest(f"cannot read {name}: {error.strerror}") from None
    except ValueError as error:
        raise InvalidRequest(f"{name} is not JSON: {error}") from None


def _adjusted(request: scoring_pb2.ScoreRequest, asked: Asked) -> scoring_pb2.ScoreRequest:
    request.explain = request.explain or asked.explain
    if not request.language_code:
        request.language_code = asked.language
    return request


def _show(score: Score, request: scoring_pb2.ScoreRequest, machine: bool) -> None:
    if machine:
        _print_json(as_json(score))
    else:
        print_score(Console(), score, request.language_code)


def _show_batch(
    outcomes: list[Score | ScoreError],
    requests: list[scoring_pb2.ScoreRequest],
    target: str,
    machine: bool,
) -> int:
    errors = [item.error for item in outcomes if isinstance(item, ScoreError)]
    if machine:
        _print_json([as_json(item) for item in outcomes])
    else:
        console = Console()
        for request, item in zip(requests, outcomes, strict=True):
            console.print(f"\n{request.grumble.grumble_id}", style="bold", markup=False)
            if isinstance(item, ScoreError):
                console.print(error_text(item.error, target), markup=False, highlight=False)
            else:
                print_score(console, item, request.language_code)
    return max(map(_exit_code, errors), default=0)


def _show_error(error: HarkenError, target: str, machine: bool) -> int:
    if machine:
        _print_json(as_json(error))
    print(f"harken score: {error_text(error, target)}", file=sys.stderr)
    return _exit_code(error)


def _exit_code(error: HarkenError) -> int:
    # An error without a status never left this machine: the options are wrong.
    return 2 if isinstance(error, InvalidRequest) or not error.code else 1


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
