"""The bytes of answers read as the messages that are built field by field."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from google.rpc import status_pb2
from harken.v1 import scoring_pb2
from harken_server.batch import ScoreBatch, Shared
from harken_server.columns import ScoredColumns
from harken_server.errors import GapError
from harken_server.grpc import answers
from harken_server.grpc.answers import batch_response, score_response
from harken_server.grpc.convert import to_proto
from harken_server.grumble import (
    Advice,
    Contribution,
    Explanation,
    Labelled,
    Score,
    Strategy,
    Words,
)
from harken_server.kept import Kept, KeptTogether
from hypothesis import given, settings
from hypothesis import strategies as st

texts = st.sampled_from(["", "a", "billing", "计费部", "x" * 127, "é" * 200])
labels = st.builds(Labelled, texts, texts)
label_lists = st.lists(labels, max_size=3).map(tuple)
times = st.none() | st.sampled_from(
    [0, 1, 999_999, 1_000_000, 2**28 * 10**6, 1_700_000_000_123_456, 2**35 * 10**6 - 1]
)
odd_times = st.sampled_from([-2, -1_000_001, 2**35 * 10**6, 10**17])
doubles = st.sampled_from([0.0, -0.0, 0.5, 1.0, -3.25, 1e300, float("inf"), 5e-324])
explanations = st.none() | st.builds(
    Explanation,
    st.just(()),
    st.just(()),
    st.just((Contribution("age", "", 0.5),)),
    doubles,
)
advice = st.builds(Advice, labels, labels, labels, label_lists, label_lists, label_lists)
strategy_lists = st.lists(
    st.builds(Strategy, texts, texts, st.lists(texts, max_size=2).map(tuple), texts, texts),
    max_size=3,
).map(tuple)
scores = st.builds(
    Score,
    st.sampled_from(["0" * 32, "c0ffee" * 5 + "42", "short", ""]),
    st.sampled_from([1, 5, 127, 0, 128, -1, 2**31 - 1]),
    doubles,
    doubles,
    st.builds(Words, labels, labels, labels),
    label_lists,
    strategy_lists,
    advice,
    times | odd_times.filter(lambda time: time != -1),
    times | odd_times.filter(lambda time: time != -1),
    st.just("sha256:" + "a" * 64),
    st.just("sha256:" + "b" * 64),
    label_lists,
    explanations,
)


@settings(max_examples=100, deadline=None)
@given(score=scores)
def test_an_answers_bytes_are_those_of_its_message(score):
    read = scoring_pb2.ScoreResponse.FromString(score_response(score))
    assert read == scoring_pb2.ScoreResponse(score=to_proto(score))


def batch_of(given):
    """A batch of these scores, the parts of each its own; ``None`` is an error."""
    plain = [each for each in given if each is not None]
    filled = [each or plain[0] for each in given]
    places = list(range(len(given)))

    def column(name):
        return [getattr(each, name) for each in filled]

    apart = {row: GapError("level") for row, each in enumerate(given) if each is None}
    apart |= {row: each for row, each in enumerate(given) if each and each.explanation}
    deadlines = (
        np.array([-1 if time is None else time for time in column(name)])
        for name in ("reply_deadline_us", "resolve_deadline_us")
    )
    columns = ScoredColumns(
        len(given),
        {},
        np.array(column("level")),
        np.array(column("probability")),
        np.array(column("severity")),
        *deadlines,
        {},
        None,
    )
    return ScoreBatch(
        columns,
        apart,
        {row: each.notices for row, each in enumerate(filled) if each.notices},
        "".join(column("decision_id")),
        Shared(places, column("words")),
        Shared(places[::-1], column("reasons")[::-1]),
        Shared(places, column("strategies")),
        Shared(places, column("advice")),
        (filled[0].rule_base_digest, filled[0].model_digest),
    )


@settings(max_examples=60, deadline=None)
@given(given=st.lists(st.none() | scores, min_size=1, max_size=4).filter(any))
def test_a_batchs_bytes_are_those_of_its_messages(given):
    # A batch makes its ids itself, and all alike.
    given = [each and each._replace(decision_id=f"{row:032}") for row, each in enumerate(given)]
    batch = batch_of(given)
    failed = status_pb2.Status(code=13, message="no level")
    read = scoring_pb2.BatchScoreResponse.FromString(batch_response(batch, lambda _: failed))
    assert list(read.results) == [
        scoring_pb2.BatchScoreResult(status=failed)
        if each is None
        else scoring_pb2.BatchScoreResult(score=to_proto(each))
        for each in given
    ]
    assert [each for each in batch if isinstance(each, Score)] == [s for s in given if s]
    assert batch.levels() == +Counter(each.level for each in given if each)


def test_usual_answers_are_not_built_field_by_field(scorer, grumble, monkeypatch):
    usual = scorer.score(grumble(50.0001, brand="gotone", dissatisfied=True))
    monkeypatch.setattr(answers, "to_proto", None)
    assert score_response(usual)
    with pytest.raises(TypeError):
        score_response(usual._replace(level=200))


def test_what_is_kept_stays_within_bounds():
    made = Kept(lambda text: text.upper(), most=10)
    texts = [f"a{number}" for number in range(50)]
    for text in texts * 2:
        assert made(text) == text.upper()
        assert 1 <= len(made) <= 10
    together = KeptTogether("".join, most=10)
    for text in texts * 2:
        assert together((text, "b")) == text + "b"


def test_equal_things_are_made_anew_and_the_same_one_is_not():
    made = Kept(list)
    one, other = ("a", *"b"), ("a", *"b")
    assert one is not other
    assert made(one) is made(one)
    assert made(one) is not made(other)
