"""The scoring core: a grumble in, a score out; one at a time or by columns, the same bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from operator import attrgetter
from uuid import uuid4

from harken_rules import FactError, Verdict
from harken_rules.language import FactType

from harken_server.columns import COLUMN_FACTS, Columns
from harken_server.errors import GapError, MisfitError, Reason, ScoringError, Violation
from harken_server.explaining import explain
from harken_server.grumble import Grumble, Score
from harken_server.limits import sound, violations, without
from harken_server.snapshot import Snapshot
from harken_server.texts import Texts

US_PER_HOUR = 3_600_000_000

ROW = tuple(f.name for f in fields(Grumble) if f.name not in ("attributes", "explain", "language"))
"""The core fields that rules and model may read."""
_row = attrgetter(*ROW)
_TIMES = {"open_hours": "observe_time"}
"""Derived facts, and the field to blame when they are out of range."""


class Scorer:
    """Scores with one snapshot; safe to share between threads."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._texts = Texts(snapshot.base)
        self._languages = snapshot.base.languages

    def score(self, grumble: Grumble) -> Score:
        """The score of ``grumble``; raises ``ScoringError`` naming everything wrong with it."""
        row = self._read(grumble)
        if row is None:
            raise self._refusal(grumble)
        self._assess(row)
        try:
            verdict = self.snapshot.engine.decide(row)
        except FactError:
            raise self._refusal(grumble) from None
        return self._answer(grumble, row, verdict)

    def score_batch(self, grumbles: Sequence[Grumble]) -> list[Score | ScoringError]:
        """As many outcomes as ``grumbles``, in their order; a bad one spoils only itself."""
        outcomes: list[Score | ScoringError | None] = [None] * len(grumbles)
        rows: list[dict[str, object]] = []
        places: list[int] = []
        for place, grumble in enumerate(grumbles):
            row = self._read(grumble)
            if row is None:
                outcomes[place] = self._refusal(grumble)
            else:
                rows.append(row)
                places.append(place)
        if rows:
            self._score_rows(grumbles, rows, places, outcomes)
        return [outcome for outcome in outcomes if outcome is not None]

    def violations(self, grumble: Grumble) -> list[Violation]:
        """Everything wrong with ``grumble``, at most one violation a field."""
        declared = self.snapshot.attributes
        found = violations(grumble, self._languages)
        of_attributes = declared.violations(grumble.attributes)
        found += of_attributes
        rest = without(grumble, {violation.field for violation in found})
        bad = {violation.field for violation in of_attributes}
        if "attributes" in bad:
            rest = replace(rest, attributes={})
        elif bad:
            kept = {k: v for k, v in rest.attributes.items() if f"attributes[{k}]" not in bad}
            rest = replace(rest, attributes=kept)
        row = self._row_of(rest)
        self._assess(row)
        while True:
            try:
                self.snapshot.engine.decide(row)
            except FactError as error:
                found.append(self._blame(error, row, grumble))
                row[error.fact] = None
            else:
                return found

    def _read(self, grumble: Grumble) -> dict[str, object] | None:
        """The facts known of a sound grumble, before the model; ``None`` for an unsound one."""
        if not sound(grumble, self._languages):
            return None
        if grumble.attributes and self.snapshot.attributes.violations(grumble.attributes):
            return None
        return self._row_of(grumble)

    def _row_of(self, grumble: Grumble) -> dict[str, object]:
        row = dict(zip(ROW, _row(grumble), strict=True))
        if grumble.attributes:
            # A core field is never overruled by an attribute of its name.
            row = {**self.snapshot.attributes.read(grumble.attributes), **row}
        row["open_hours"] = (grumble.observe_time_us - grumble.voice_time_us) / US_PER_HOUR
        return row

    def _assess(self, row: dict[str, object]) -> None:
        """Add what the model says of a row."""
        assessed = self.snapshot.bundle.assess(row)
        row["segment"] = assessed.segment
        row["association"] = assessed.association
        row["probability"] = assessed.probability

    def _score_rows(
        self,
        grumbles: Sequence[Grumble],
        rows: list[dict[str, object]],
        places: list[int],
        outcomes: list[Score | ScoringError | None],
    ) -> None:
        """Score the sound ``rows`` by columns and put what comes of them at their ``places``."""
        columns = Columns(rows, self.snapshot)
        assessed = self.snapshot.bundle.assess_columns(columns.for_model(), len(rows))
        given = {name: getattr(assessed, name) for name in COLUMN_FACTS}
        decided = self.snapshot.engine.decide_columns(columns.for_rules(given), len(rows))
        lists = {name: values.tolist() for name, values in given.items()}
        for at, place in enumerate(places):
            grumble, row = grumbles[place], rows[at]
            if at in decided.errors:
                outcomes[place] = self._refusal(grumble)
                continue
            for name, values in lists.items():
                row[name] = values[at]
            if row["association"] != row["association"]:  # NaN: missing
                row["association"] = None
            try:
                outcomes[place] = self._answer(grumble, row, decided.verdict(at))
            except GapError as gap:
                outcomes[place] = gap

    def _refusal(self, grumble: Grumble) -> ScoringError:
        try:
            found = self.violations(grumble)
        except MisfitError as misfit:
            return misfit
        if not found:
            raise RuntimeError("a grumble was refused, but nothing is wrong with it")
        return ScoringError(found)

    def _blame(self, error: FactError, row: Mapping[str, object], grumble: Grumble) -> Violation:
        """The caller's field behind a fact that the rule base refuses."""
        fact, value = self.snapshot.base.facts[error.fact], row[error.fact]
        field = _TIMES.get(error.fact, error.fact)
        if fact.source == "attribute":
            field = f"attributes[{error.fact}]"
        elif error.fact not in _TIMES and getattr(grumble, error.fact, None) is None:
            # The bundle's value, not the caller's: the two do not fit each other.
            raise MisfitError(error.fact)
        if fact.values is not None and isinstance(value, str):
            reason = Reason.UNKNOWN_VALUE
        elif isinstance(value, int | float) and (
            fact.type is FactType.NUMBER or float(value).is_integer()
        ):
            reason = Reason.VALUE_OUT_OF_RANGE
        else:
            reason = Reason.FIELD_INVALID
        words = f"{error.message}; {error.suggestion}" if error.suggestion else error.message
        return Violation(reason, field, words)

    def _answer(self, grumble: Grumble, row: Mapping[str, object], verdict: Verdict) -> Score:
        results, language, texts = verdict.results, grumble.language, self._texts
        level = results["level"]
        if level is None:
            raise GapError("level")
        advice = texts.advice(results, language)
        warnings = advice.warnings
        if grumble.attributes:
            ignored = self.snapshot.attributes.ignored(grumble.attributes)
            warnings += tuple(texts.ignored(name, language) for name in ignored)
        behaviour_type = results.get("behaviour_type", grumble.behaviour_type)
        return Score(
            decision_id=uuid4().hex,
            level=int(level),  # type: ignore[arg-type]
            probability=row["probability"],  # type: ignore[arg-type]
            severity=float(results["severity"] or 0),  # type: ignore[arg-type]
            segment=texts.label("segment", row["segment"], language),
            behaviour_type=texts.label("behaviour_type", behaviour_type, language),
            tolerance=texts.label("tolerance", results["tolerance"], language),
            reasons=tuple(texts.reason(fired, language) for fired in verdict.reasons),
            treatment=advice.treatment,
            contact_policy=advice.contact_policy,
            strategies=advice.strategies,
            owner=advice.owner,
            supporting_departments=advice.supporting_departments,
            escalation_chain=advice.escalation_chain,
            reply_deadline_us=_after(grumble, results["reply_hours"]),
            resolve_deadline_us=_after(grumble, results["resolve_hours"]),
            warnings=warnings,
            rule_base_digest=self.snapshot.base.digest,
            model_digest=self.snapshot.bundle.digest,
            explanation=explain(self.snapshot, texts, grumble, row, verdict)
            if grumble.explain
            else None,
        )


def _after(grumble: Grumble, hours: object) -> int | None:
    """Microseconds of ``hours`` after the observation, exactly; ``None`` where no rule says."""
    if hours is None:
        return None
    exact = hours if isinstance(hours, Decimal) else Decimal(str(hours))
    return grumble.observe_time_us + int(exact * US_PER_HOUR)
