"""A batch of scores: by columns what many have in common, a ``Score`` for whoever wants one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar, overload

from harken_server.columns import CodedResult, ScoredColumns, combined
from harken_server.decision_ids import id_of, new_digits
from harken_server.errors import ScoringError
from harken_server.grumble import Advice, Labelled, Score, Strategy, Words
from harken_server.texts import ADVICE, Texts

Outcome = Score | ScoringError
Part = TypeVar("Part")


class Shared(NamedTuple, Generic[Part]):
    """A part of every score: ``values[places[row]]``."""

    places: list[int]
    values: list[Part]

    def of(self, row: int) -> Part:
        """That of one row."""
        return self.values[self.places[row]]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBatch(Sequence[Outcome]):
    """Scores and errors in the order of the grumbles; a ``Score`` is made when asked for.

    ``columns`` are the scores without texts, and the others the texts. ``apart`` are the rows
    that were answered by themselves, the wrong ones among them; in these the other parts mean
    nothing. ``notices`` are those of the rows that have any. ``digits`` are the decisions' ids,
    one after the other.
    """

    columns: ScoredColumns
    apart: Mapping[int, Outcome]
    notices: Mapping[int, tuple[Labelled, ...]]
    digits: str
    words: Shared[Words]
    reasons: Shared[tuple[Labelled, ...]]
    strategies: Shared[tuple[Strategy, ...]]
    advice: Shared[Advice]
    digests: tuple[str, str]

    def __len__(self) -> int:
        return self.columns.rows

    def levels(self) -> Counter[int]:
        """How many were given each level."""
        level = self.columns.level.tolist()
        counts = Counter(level)
        counts.subtract(level[row] for row in self.apart)
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
        columns = self.columns
        reply, resolve = int(columns.reply_deadline_us[row]), int(columns.resolve_deadline_us[row])
        return Score(
            id_of(self.digits, row),
            int(columns.level[row]),
            float(columns.probability[row]),
            float(columns.severity[row]),
            self.words.of(row),
            self.reasons.of(row),
            self.strategies.of(row),
            self.advice.of(row),
            None if reply == -1 else reply,
            None if resolve == -1 else resolve,
            *self.digests,
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

    def shared(names: Sequence[str], find: Callable[..., Part]) -> Shared[Part]:
        places, distinct = combined([languages, *(told[name] for name in names)])
        values = [find(texts[language], *codes) for language, *codes in distinct]
        return Shared(places.tolist(), values)

    return ScoreBatch(
        columns=columns,
        apart=apart,
        notices=notices,
        digits=new_digits(columns.rows),
        words=shared(Words._fields, Texts.words),
        reasons=shared(["reasons"], lambda theirs, fired: theirs.reasons(fired)),
        strategies=shared(["strategies"], lambda theirs, codes: theirs.strategies(codes)),
        advice=shared(ADVICE, lambda theirs, *results: theirs.advice(results)),
        digests=(columns.base.digest, model_digest),
    )
