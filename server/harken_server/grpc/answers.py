"""Scores as the bytes of answers, put together from parts that were written before.

The bytes of a message are its fields one after the other, in any order; so the bytes of some
fields followed by those of the others are the whole message. What many scores share (labels,
reasons, advice and digests: nearly all of it) is written by protobuf once and kept. What is a
score's own stands at fixed places: id, level, probability, severity, and the two deadlines. The
bytes read as the very message that ``convert.to_proto`` builds field by field; whatever is
unusual about a score is left to it.

The numbers below are the tags of ``score.proto``: a field's number times eight, and how it is
written. A number of up to 35 bits is written as five bytes of seven bits each (``seven_bits``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from struct import Struct
from typing import Any

import numpy as np
from google.rpc import status_pb2
from harken.v1 import score_pb2, scoring_pb2
from numpy.typing import NDArray

from harken_server.batch import ScoreBatch
from harken_server.errors import ScoringError
from harken_server.grpc.convert import (
    US,
    advice_to_proto,
    reasons_to_proto,
    strategy_to_proto,
    to_proto,
    warnings_to_proto,
)
from harken_server.grumble import Advice, Labelled, Score, Strategy, Words
from harken_server.kept import Kept

_OWN = Struct("<H32sBBBdBd")
"""The tag and length of decision_id, the id, then tag and value of level, probability, severity."""
_ID, _LEVEL, _PROBABILITY, _SEVERITY = 0x200A, 0x10, 0x19, 0x21
_REPLY, _RESOLVE = b"\xa2\x01", b"\xaa\x01"
_SECONDS, _SECONDS_AND_NANOS = b"\x06\x08", b"\x0c\x08"
"""A time's length and its first tag, without and with nanoseconds."""
_NANOS = b"\x10"
_NEVER = -1
_END = 2**35 * US
_KEPT = 16384
"""Lengths whose heads are remembered."""


def score_response(score: Score) -> bytes:
    """The bytes of a ``ScoreResponse``."""
    parts = score_parts(score)
    # Joined once, its length before it: an answer is long enough for copying it to show.
    return b"".join((b"\x0a", varint(sum(map(len, parts))), *parts))


def score_parts(score: Score) -> tuple[bytes, ...]:
    """The bytes of a ``Score``, in pieces."""
    reply, resolve, level = score.reply_deadline_us, score.resolve_deadline_us, score.level
    identity = score.decision_id.encode()
    usual = (
        score.explanation is None
        and len(identity) == 32
        and 0 <= level < 128
        and (reply is None or 0 <= reply < _END)
        and (resolve is None or 0 <= resolve < _END)
    )
    if not usual:
        return (to_proto(score).SerializeToString(),)
    probability, severity = score.probability, score.severity
    return (
        _OWN.pack(_ID, identity, _LEVEL, level, _PROBABILITY, probability, _SEVERITY, severity),
        b"" if reply is None else _REPLY + time_bytes(reply),
        b"" if resolve is None else _RESOLVE + time_bytes(resolve),
        words_bytes(score.words),
        reasons_bytes(score.reasons),
        *strategies_bytes(score.strategies),
        advice_bytes(score.advice),
        digests_bytes(score.rule_base_digest, score.model_digest),
        notices_bytes(score.notices) if score.notices else b"",
    )


def batch_response(batch: ScoreBatch, status: Callable[[ScoringError], status_pb2.Status]) -> bytes:
    """The bytes of a ``BatchScoreResponse``; ``status`` says why a row has no score."""
    digests = digests_bytes(*batch.digests)
    own, unusual = own_bytes(batch)
    words = list(map(words_bytes, batch.words.values))
    reasons = list(map(reasons_bytes, batch.reasons.values))
    strategies = list(map(strategies_bytes, batch.strategies.values))
    advice = [advice_bytes(each) + digests for each in batch.advice.values]
    lengths = np.fromiter(map(len, own), np.int64, len(own))
    for part, written in (
        (batch.words, words),
        (batch.reasons, reasons),
        (batch.strategies, map(b"".join, strategies)),
        (batch.advice, advice),
    ):
        lengths += np.array(list(map(len, written)), dtype=np.int64)[part.places]
    # All is joined at the very end: answers are long enough for each copy of them to show.
    results: list[tuple[bytes, ...]] = [
        (result_head(length), mine, words[w], reasons[r], *strategies[s], advice[a])
        for length, mine, w, r, s, a in zip(
            lengths.tolist(),
            own,
            batch.words.places,
            batch.reasons.places,
            batch.strategies.places,
            batch.advice.places,
            strict=True,
        )
    ]
    for row, notices in batch.notices.items():
        more = notices_bytes(notices)
        head = result_head(int(lengths[row]) + len(more))
        results[row] = (head, *results[row][1:], more)
    for row in {*batch.apart, *unusual}:
        outcome = batch[row]
        if isinstance(outcome, Score):
            result = score_response(outcome)
        else:
            failed = scoring_pb2.BatchScoreResult(status=status(outcome))
            result = failed.SerializeToString()
        results[row] = (b"\x0a", varint(len(result)), result)
    return b"".join(chain.from_iterable(results))


_BATCH_OWN = np.dtype(
    [
        *(("id_tag", "<u2"), ("id", "S32"), ("level_tag", "u1"), ("level", "u1")),
        *(("probability_tag", "u1"), ("probability", "<f8")),
        *(("severity_tag", "u1"), ("severity", "<f8")),
    ]
)
"""As ``_OWN``."""


def own_bytes(batch: ScoreBatch) -> tuple[list[bytes], list[int]]:
    """What each row has of its own, and the rows that have to be written field by field."""
    columns, rows = batch.columns, len(batch)
    level, reply, resolve = columns.level, columns.reply_deadline_us, columns.resolve_deadline_us
    table = np.empty(rows, dtype=_BATCH_OWN)
    table["id_tag"], table["id"] = _ID, np.frombuffer(batch.digits.encode(), dtype="S32")
    table["level_tag"], table["level"] = _LEVEL, level & 0x7F
    table["probability_tag"], table["probability"] = _PROBABILITY, columns.probability
    table["severity_tag"], table["severity"] = _SEVERITY, columns.severity
    # Every byte that a row may have, and which of them it has.
    parts = [table.view(np.uint8).reshape(rows, -1), times(_REPLY, reply), times(_RESOLVE, resolve)]
    has = [np.ones(parts[0].shape, dtype=bool), time_needs(reply), time_needs(resolve)]
    wanted = np.hstack(has)
    written = np.hstack(parts)[wanted].tobytes()
    ends = wanted.sum(axis=1).cumsum().tolist()
    own = [written[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    odd = (level < 0) | (level > 0x7F)
    for time in (reply, resolve):
        odd |= (time != _NEVER) & ((time < 0) | (time >= _END))
    return own, np.flatnonzero(odd).tolist()


def time_bytes(microseconds: int) -> bytes:
    """The length and the bytes of a Timestamp from 1970 on."""
    seconds, rest = divmod(microseconds, US)
    first: bytes = seven_bits(seconds).to_bytes(5, "little")
    if not rest:
        return _SECONDS + first
    second: bytes = seven_bits(rest * 1000).to_bytes(5, "little")
    return _SECONDS_AND_NANOS + first + _NANOS + second


def times(tag: bytes, microseconds: NDArray[np.int64]) -> NDArray[np.uint8]:
    """A column's ``tag + time_bytes``, shape (rows, 15), all with nanoseconds."""
    seconds, rest = np.divmod(microseconds, US)
    table = np.empty((len(microseconds), 15), dtype=np.uint8)
    table[:, :2] = list(tag)
    table[:, 2] = np.where(rest == 0, _SECONDS[0], _SECONDS_AND_NANOS[0])
    table[:, 3] = _SECONDS[1]
    table[:, 4:9] = _five_bytes(seconds)
    table[:, 9] = _NANOS[0]
    table[:, 10:15] = _five_bytes(rest * 1000)
    return table


def time_needs(microseconds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of those bytes are wanted: none without a deadline, nanoseconds if there are any."""
    there = microseconds != _NEVER
    nanos = there & (microseconds % US != 0)
    return np.repeat(np.stack([there, nanos], axis=1), [9, 6], axis=1)


def _five_bytes(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    little = np.ascontiguousarray(seven_bits(numbers), dtype="<i8")
    return little.view(np.uint8).reshape(-1, 8)[:, :5]


def seven_bits(number: Any) -> Any:
    """A number below 2**35, or a column of such, as protobuf's varint of five bytes.

    Seven bits go into each byte; the four lower bytes are marked as not the last. Numbers below
    2**28 fit into fewer bytes, but may be written with five.
    """
    return (
        0x80808080
        | number & 0x7F
        | (number & 0x3F80) << 1
        | (number & 0x1FC000) << 2
        | (number & 0xFE00000) << 3
        | (number & 0x7F0000000) << 4
    )


def _write_words(words: Words) -> bytes:
    segment, behaviour_type, tolerance = words
    return score_pb2.Score(
        segment=segment.code,
        segment_text=segment.text,
        behaviour_type=behaviour_type.code,
        behaviour_type_text=behaviour_type.text,
        tolerance=tolerance.code,
        tolerance_text=tolerance.text,
    ).SerializeToString()


def _write_reasons(reasons: tuple[Labelled, ...]) -> bytes:
    return score_pb2.Score(reasons=reasons_to_proto(reasons)).SerializeToString()


@lru_cache(maxsize=4096)
def _write_strategy(strategy: Strategy) -> bytes:
    return score_pb2.Score(strategies=[strategy_to_proto(strategy)]).SerializeToString()


def _write_strategies(strategies: tuple[Strategy, ...]) -> tuple[bytes, ...]:
    return tuple(map(_write_strategy, strategies))


def _write_advice(advice: Advice) -> bytes:
    return advice_to_proto(advice).SerializeToString()


words_bytes = Kept(_write_words)
reasons_bytes = Kept(_write_reasons)
strategies_bytes = Kept(_write_strategies)
"""The bytes of each strategy: lists of them there are too many to keep their bytes as a whole."""
advice_bytes = Kept(_write_advice)


@lru_cache(maxsize=64)
def digests_bytes(rule_base_digest: str, model_digest: str) -> bytes:
    """The bytes of the two digests."""
    return score_pb2.Score(
        rule_base_digest=rule_base_digest, model_digest=model_digest
    ).SerializeToString()


def notices_bytes(notices: tuple[Labelled, ...]) -> bytes:
    """The bytes of warnings that are a grumble's own: not kept, they quote the caller."""
    return score_pb2.Score(warnings=warnings_to_proto(notices)).SerializeToString()


@lru_cache(maxsize=_KEPT)
def result_head(length: int) -> bytes:
    """What goes before a score of so many bytes to make it a result of a batch."""
    inner = b"\x0a" + varint(length)
    return b"\x0a" + varint(len(inner) + length) + inner


def varint(number: int) -> bytes:
    """A length as protobuf writes it."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    return bytes((number & 0x7F | 0x80,)) + varint(number >> 7)
