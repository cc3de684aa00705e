"""A batch of scores: by columns what many have in common, a ``Score`` for whoever wants one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar, overload

from harken_server.columns import CodedResult, ScoredColumns, combined
from harken_server.decision_ids import new_ids
from harken_server.errors import ScoringError
from harken_server.grumble import Advice, Labelled, Score, Strategy, Words
from harken_server.texts import ADVICE, Texts

Outcome = Score | ScoringError
Part = TypeVar("Part")


class Shared(NamedTuple, Generic[Part]):
    """A part of every score: ``values[places[row]]``."""

    places: list[int]
    values: list[Part]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBatch(Sequence[Outcome]):
    """Scores and errors in the order of the grumbles; a ``Score`` is made when asked for.

    ``apart`` are the rows that were answered by themselves, the wrong ones among them; in these
    the other parts mean nothing. ``notices`` are those of the rows that have any. Decision ids
    have 32 characters. Times are microseconds, -1 where there is no deadline.
    """

    apart: Mapping[int, Outcome]
    notices: Mapping[int, tuple[Labelled, ...]]
    decision_ids: list[str]
    level: list[int]
    probability: list[float]
    severity: list[float]
    words: Shared[Words]
    reasons: Shared[tuple[Labelled, ...]]
    strategies: Shared[tuple[Strategy, ...]]
    advice: Shared[Advice]
    reply_deadline_us: list[int]
    resolve_deadline_us: list[int]
    rule_base_digest: str
    model_digest: str

    def __len__(self) -> int:
        return len(self.level)

    def levels(self) -> Counter[int]:
        """How many were given each level."""
        counts = Counter(self.level)
        counts.subtract(self.level[row] for row in self.apart)
        counts.update(each.level for each in self.apart.values() if isinstance(each, Score))
        return +counts

    @overload
    def __getitem__(self, row: int) -> Outcome: ...
    @overload
    def __getitem__(self, row: slice) -> list[Outcome]: ...
    def __getitem__(self, row: int | slice) -> Outcome | list[Outcome]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        if row in self.apart:
            return self.apart[row]
        reply, resolve = self.reply_deadline_us[row], self.resolve_deadline_us[row]
        return Score(
            self.decision_ids[row],
            self.level[row],
            self.probability[row],
            self.severity[row],
            self.words.values[self.words.places[row]],
            self.reasons.values[self.reasons.places[row]],
            self.strategies.values[self.strategies.places[row]],
            self.advice.values[self.advice.places[row]],
            None if reply == -1 else reply,
            None if resolve == -1 else resolve,
            self.rule_base_digest,
            self.model_digest,
            self.notices.get(row, ()),
        )


def make_batch(
    columns: ScoredColumns,
    languages: CodedResult,
    texts: Mapping[str, Texts],
    apart: Mapping[int, Outcome],
    notices: Mapping[int, tuple[Labelled, ...]],
    model_digest: str,
) -> ScoreBatch:
    """The batch of these columns, with the words of each row's language."""
    told = columns.told

    def shared(names: Sequence[str]) -> tuple[list[int], list[tuple[Any, ...]]]:
        index, values = combined([languages, *(told[name] for name in names)])
        return index.tolist(), values

    index, values = shared(Words._fields)
    words = Shared(index, [texts[language].words(*codes) for language, *codes in values])
    index, values = shared(["reasons"])
    reasons = Shared(index, [texts[language].reasons(fired) for language, fired in values])
    index, values = shared(["strategies"])
    strategies = Shared(index, [texts[language].strategies(codes) for language, codes in values])
    index, values = shared(ADVICE)
    advice = Shared(
        index,
        [
            texts[language].advice(dict(zip(ADVICE, results, strict=True)))
            for language, *results in values
        ],
    )
    return ScoreBatch(
        apart=apart,
        notices=notices,
        decision_ids=new_ids(columns.rows),
        level=columns.level.tolist(),
        probability=columns.probability.tolist(),
        severity=columns.severity.tolist(),
        words=words,
        reasons=reasons,
        strategies=strategies,
        advice=advice,
        reply_deadline_us=columns.reply_deadline_us.tolist(),
        resolve_deadline_us=columns.resolve_deadline_us.tolist(),
        rule_base_digest=columns.base.digest,
        model_digest=model_digest,
    )
