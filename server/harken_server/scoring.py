"""The scoring core: a grumble in, a score out; one at a time or by columns, the same bits."""

from __future__ import annotations

from collections.abc import Sequence

from harken_rules import FactError, Verdict

from harken_server.batch import Outcome, ScoreBatch, make_batch
from harken_server.column_scoring import score_columns
from harken_server.columns import GrumbleColumns, ScoredColumns
from harken_server.deadlines import US_PER_HOUR, microseconds
from harken_server.decision_ids import new_id
from harken_server.errors import GapError, ScoringError, Violation
from harken_server.explaining import explain
from harken_server.grumble import CORE, Explanation, Grumble, Labelled, Score
from harken_server.limits import sound
from harken_server.refusing import all_violations, assessed_facts, refusal
from harken_server.snapshot import Snapshot
from harken_server.texts import Texts, advised
from harken_server.transposing import GrumbleBatch, batch_of

_ADDED = ("open_hours", "segment", "association", "probability")
"""What the rules read beside core fields and attributes."""
_CORE = len(CORE)


class Scorer:
    """Scores with one snapshot; safe to share between threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        base, kinds = snapshot.base, snapshot.attributes.kinds
        self._texts = {language: Texts(base, language) for language in base.languages}
        self._behaviour_given = "behaviour_type" not in snapshot.results
        # A core field is never overruled by an attribute of its name.
        self._own = tuple(name for name in kinds if name not in (*CORE, *_ADDED))
        self._no_own = (None,) * len(self._own)
        # The segment that rules read is the model's, who finds one where the caller has none.
        given = ["" if name == "segment" else name for name in CORE]
        self._decide = snapshot.engine.decider([*given, *_ADDED, *self._own])
        self._assess = snapshot.bundle.assessor(CORE)
        self._digests = base.digest, snapshot.bundle.digest

    def score(self, grumble: Grumble) -> Score:
        """The score of ``grumble``; raises ``ScoringError`` naming everything wrong with it."""
        attributes = grumble.attributes
        if not sound(grumble, self._texts) or (
            attributes and self.snapshot.attributes.violations(attributes)
        ):
            raise refusal(self.snapshot, grumble)
        core = grumble[:_CORE]
        segment, association, probability = self._assess(core, attributes)
        observed = grumble.observe_time_us
        open_hours = (observed - grumble.voice_time_us) / US_PER_HOUR
        own = self._own_of(grumble) if attributes else self._no_own
        try:
            verdict = self._decide((*core, open_hours, segment, association, probability, *own))
        except FactError:
            raise refusal(self.snapshot, grumble) from None
        results, texts = verdict.results, self._texts[grumble.language]
        level, reply, resolve = results["level"], results["reply_hours"], results["resolve_hours"]
        if level is None:
            raise GapError("level")
        behaviour = grumble.behaviour_type if self._behaviour_given else results["behaviour_type"]
        return Score(
            new_id(),
            int(level),  # type: ignore[arg-type]
            probability,
            float(results["severity"] or 0),  # type: ignore[arg-type]
            texts.words(segment, behaviour, results["tolerance"]),
            texts.reasons(verdict.reasons),
            texts.strategies(results["strategies"]),
            texts.advice(advised(results)),
            None if reply is None else observed + microseconds(reply),
            None if resolve is None else observed + microseconds(resolve),
            *self._digests,
            self._notices(grumble) if attributes else (),
            self._explain(grumble, verdict) if grumble.explain else None,
        )

    def score_columns(self, grumbles: GrumbleColumns) -> ScoredColumns:
        """The scores of all rows, without texts; a row that is wrong spoils only itself."""
        return score_columns(self.snapshot, grumbles)

    def score_batch(self, grumbles: Sequence[Grumble | ScoringError]) -> ScoreBatch:
        """As many outcomes as ``grumbles``, in their order; a bad one spoils only itself.

        What is an error already stays one.
        """
        return self.score_read(batch_of(grumbles, self.snapshot))

    def score_read(self, batch: GrumbleBatch) -> ScoreBatch:
        """The same of grumbles that were turned into columns already."""
        scored = self.score_columns(batch.columns)
        originals, notices = batch.columns.originals, {}
        assert originals is not None
        apart: dict[int, Outcome] = {**scored.errors, **batch.errors}
        for row in batch.columns.aside - batch.errors.keys():
            apart[row] = self._outcome(originals[row])
        for row in batch.noted:
            if row not in apart:
                notices[row] = self._notices(originals[row])
        digest = self.snapshot.bundle.digest
        return make_batch(scored, batch.languages, self._texts, apart, notices, digest)

    def violations(self, grumble: Grumble) -> list[Violation]:
        """Everything wrong with ``grumble``, at most one violation a field.

        Raises ``MisfitError`` where the bundle and the rule base do not fit each other.
        """
        return all_violations(self.snapshot, grumble)

    def _outcome(self, grumble: Grumble) -> Outcome:
        try:
            return self.score(grumble)
        except ScoringError as error:
            return error

    def _own_of(self, grumble: Grumble) -> tuple[object, ...]:
        return tuple(map(self.snapshot.attributes.read(grumble.attributes).get, self._own))

    def _notices(self, grumble: Grumble) -> tuple[Labelled, ...]:
        ignored = self.snapshot.attributes.ignored(grumble.attributes)
        return tuple(map(self._texts[grumble.language].ignored, ignored))

    def _explain(self, grumble: Grumble, verdict: Verdict) -> Explanation:
        facts = assessed_facts(self.snapshot, grumble)
        texts = self._texts[grumble.language]
        return explain(self.snapshot, texts, grumble, facts, verdict)
