"""Both clients against the stand-in: answers, deadlines, retries, typed errors."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from harken_client import (
    AccessDenied,
    AsyncClient,
    Client,
    DeadlineExceeded,
    FieldViolation,
    HarkenError,
    InvalidRequest,
    MessageTooLarge,
    Overloaded,
    Score,
    ScoreError,
    ScoreInput,
    ServerFault,
    Tls,
    Unavailable,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRUMBLE = ScoreInput("g-1", NOON - timedelta(hours=30), NOON, category="charges", age_years=30)
Call = Callable[..., Any]


@pytest.fixture(params=["sync", "asyncio"])
def call(request: pytest.FixtureRequest) -> Call:
    """``call(target, "score", request, options...)`` on a fresh client of either kind."""

    def sync(target: str, method: str, argument: Any, **options: Any) -> Any:
        with Client(target, **options) as client:
            return getattr(client, method)(argument)

    def asynchronous(target: str, method: str, argument: Any, **options: Any) -> Any:
        async def run() -> Any:
            async with AsyncClient(target, **options) as client:
                return await getattr(client, method)(argument)

        return asyncio.run(run())

    return sync if request.param == "sync" else asynchronous


def test_a_score_is_typed_and_frozen(fake: Any, call: Call) -> None:
    score = call(fake.target, "score", GRUMBLE)
    assert isinstance(score, Score)
    assert score.level in range(1, 6)
    assert 0 <= score.probability <= 1
    assert [strategy.code for strategy in score.strategies] == ["explain_bill", "apologise"]
    assert score.strategies[0].steps == ("Look the bill up", "Call back")
    assert score.owner is not None
    assert score.owner.name == "Billing"
    assert [department.code for department in score.escalation_chain] == ["branch", "head"]
    assert score.reply_deadline_time == NOON + timedelta(hours=1)
    assert score.warnings[0].code == "above-line"
    assert score.explanation is None
    with pytest.raises(AttributeError):
        score.level = 5
    sent = fake.requests[0]
    assert sent.grumble.category == "charges"
    assert sent.customer.age_years == 30
    assert not sent.customer.HasField("tenure_months")


def test_explanation_and_language_are_asked_for(fake: Any, call: Call) -> None:
    wish = {"grumble_id": "g", "voice_time": NOON, "explain": True, "language": "zh"}
    score = call(fake.target, "score", wish)
    assert score.reasons[0].text == "等待时间过长"
    assert score.explanation is not None
    assert score.explanation.rules[0].partial_score == 1.5
    assert score.explanation.base_value == -2.5


def test_a_batch_keeps_order_and_a_bad_item_spoils_only_itself(fake: Any, call: Call) -> None:
    bad = ScoreInput("bad", NOON, age_years=-3)
    results = call(fake.target, "batch_score", [GRUMBLE, bad, ScoreInput("g-2", NOON)])
    assert [type(item) for item in results] == [Score, ScoreError, Score]
    assert results[1].index == 1
    assert isinstance(results[1].error, InvalidRequest)
    assert results[1].error.field_violations[0].field == "customer.age_years"
    assert results[0] == call(fake.target, "score", GRUMBLE)


def test_invalid_argument_names_fields_and_reason(fake: Any, call: Call) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call(fake.target, "score", ScoreInput("g", NOON, age_years=-3))
    assert caught.value.reason == "VALUE_OUT_OF_RANGE"
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.field_violations == (
        FieldViolation("customer.age_years", "age_years is -3; it must lie between 0 and 150"),
    )
    assert fake.calls == 1, "a wrong request must not be retried"


@pytest.mark.parametrize(
    ("code", "reason", "metadata", "expected"),
    [
        ("RESOURCE_EXHAUSTED", "OVERLOADED", {}, Overloaded),
        ("DEADLINE_EXCEEDED", "DEADLINE_PASSED", {}, DeadlineExceeded),
        ("UNAVAILABLE", "SHUTTING_DOWN", {}, Unavailable),
        ("INTERNAL", "INTERNAL", {"incident": "abc123"}, ServerFault),
        ("UNIMPLEMENTED", "", {}, ServerFault),
        ("UNKNOWN", "", {}, ServerFault),
        ("PERMISSION_DENIED", "", {}, AccessDenied),
        ("UNAUTHENTICATED", "", {}, AccessDenied),
    ],
)
def test_every_status_has_its_error(
    fake: Any,
    call: Call,
    status: Any,
    code: str,
    reason: str,
    metadata: dict[str, str],
    expected: type[HarkenError],
) -> None:
    fake.failures = [status(grpc.StatusCode[code], "said so", reason, **metadata)]
    with pytest.raises(expected) as caught:
        call(fake.target, "score", GRUMBLE, attempts=1)
    assert type(caught.value) is expected
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert caught.value.message == "said so"
    if isinstance(caught.value, ServerFault):
        assert caught.value.incident_id == metadata.get("incident", "")


@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
@pytest.mark.parametrize("method", ["score", "batch_score"])
def test_what_may_pass_is_tried_again(
    fake: Any, call: Call, status: Any, code: str, method: str
) -> None:
    fake.failures = [status(grpc.StatusCode[code], "later", "OVERLOADED")] * 2
    argument = GRUMBLE if method == "score" else [GRUMBLE] * 3
    assert call(fake.target, method, argument)
    assert fake.calls == 3


def test_a_batch_larger_than_grpcs_retry_buffer_is_tried_again(
    fake: Any, call: Call, status: Any
) -> None:
    fake.failures = [status(grpc.StatusCode.UNAVAILABLE, "later", "SHUTTING_DOWN")]
    large = ScoreInput("g", NOON, attributes={"note": "x" * 1000})
    assert len(call(fake.target, "batch_score", [large] * 900)) == 900
    assert fake.calls == 2


def test_internal_errors_are_not_tried_again(fake: Any, call: Call, status: Any) -> None:
    fake.failures = [status(grpc.StatusCode.INTERNAL, "broken", "INTERNAL")]
    with pytest.raises(ServerFault):
        call(fake.target, "score", GRUMBLE)
    assert fake.calls == 1


def test_a_slow_server_meets_the_deadline(fake: Any, call: Call) -> None:
    fake.seconds_a_batch = 5
    with pytest.raises(DeadlineExceeded):
        call(fake.target, "batch_score", [GRUMBLE], timeout=0.2)


def test_nobody_there_is_unavailable(call: Call) -> None:
    with pytest.raises(Unavailable, match="connect"):
        call("127.0.0.1:1", "score", GRUMBLE, attempts=1)


def test_an_oversized_message_is_the_callers_affair(fake: Any, call: Call) -> None:
    huge = ScoreInput("g", NOON, attributes={"note": "x" * 5_000_000})
    with pytest.raises(MessageTooLarge, match="larger than max"):
        call(fake.target, "score", huge)


def test_several_channels_are_several_connections(fake: Any) -> None:
    with Client(fake.target, channels=3) as client:
        for _ in range(6):
            client.score(GRUMBLE)
    assert len(fake.peers) == 3


def test_details_of_another_make_leave_code_and_text() -> None:
    class Odd(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.INVALID_ARGUMENT

        def details(self) -> str:
            return "no good"

        def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
            return (("grpc-status-details-bin", b"\xff\xff\xff"),)

    from harken_client.errors import from_rpc_error

    error = from_rpc_error(Odd())
    assert isinstance(error, InvalidRequest)
    assert error.message == "no good"


def test_half_of_mutual_tls_is_refused() -> None:
    with pytest.raises(HarkenError, match="both a certificate and its key"):
        Client("localhost:1", tls=Tls(certificate=__import__("pathlib").Path("x")))


def test_one_async_client_serves_many_calls_at_once(fake: Any) -> None:
    async def run() -> list[Score]:
        async with AsyncClient(fake.target) as client:
            return await asyncio.gather(*(client.score(GRUMBLE) for _ in range(20)))

    scores = asyncio.run(run())
    assert len({score.probability for score in scores}) == 1
    assert not math.isnan(scores[0].probability)
