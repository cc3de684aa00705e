"""The core: what a score says, and that one row and many rows say the same."""

from __future__ import annotations

import numpy as np
import pytest
from harken_models.bundle import Assessment
from harken_rules.column_cells import Coded
from harken_server.errors import MisfitError, Reason, ScoringError
from harken_server.grumble import Score
from harken_server.replay import score_rows

HOUR_US = 3_600_000_000


def anonymous(score):
    """A score but for its random id."""
    return score._replace(decision_id="")


def test_a_score_holds_everything_the_rules_and_the_model_say(scorer, grumble):
    score = scorer.score(grumble(50, brand="gotone", dissatisfied=True, monthly_spend_yuan=900.0))
    assert score.level == 5
    assert score.probability == pytest.approx(0.65)
    assert score.severity == 16.3
    assert score.segment.code == "gotone_1"
    assert score.tolerance.code == "medium"
    assert [r.code for r in score.reasons] == ["severity.likely", "severity.long"]
    assert score.reasons[0].text == "Likely to complain"
    assert (score.advice.treatment.code, score.advice.treatment.text) == (
        "quality_specialist",
        "Quality specialist calls",
    )
    assert score.advice.contact_policy.text == "Call the customer"
    assert [s.code for s in score.strategies] == ["explain-bill", "apologise"]
    assert score.strategies[0].steps == ("Open the bill", "Go through it")
    assert score.advice.owner.text == "Billing"
    assert [d.code for d in score.advice.supporting_departments] == ["quality"]
    assert [d.text for d in score.advice.escalation_chain] == ["Billing", "Quality"]
    assert [w.code for w in score.warnings] == ["above-warning-line"]
    assert score.rule_base_digest.startswith("sha256:")
    assert score.model_digest == "sha256:" + "f" * 64
    assert score.explanation is None
    assert len(score.decision_id) == 32


def test_deadlines_count_from_the_observation_and_are_exact(scorer, grumble):
    g = grumble(brand="gotone")
    score = scorer.score(g)
    assert score.reply_deadline_us == g.observe_time_us + HOUR_US // 10
    assert score.resolve_deadline_us == g.observe_time_us + 24 * HOUR_US


def test_texts_follow_the_language(scorer, grumble):
    score = scorer.score(grumble(50, brand="gotone", language="zh", attributes={"colour": "red"}))
    assert score.strategies[0].title == "解释账单"
    assert score.strategies[0].script == "我们一起看一下。"
    assert score.advice.owner.text == "计费部"
    assert [w.code for w in score.warnings] == ["attribute-ignored"]
    assert "colour" in score.warnings[0].text
    assert "未声明" in score.warnings[0].text


def test_an_explanation_holds_facts_rules_and_contributions(scorer, grumble):
    g = grumble(50, brand="gotone", age_years=61, explain=True)
    explanation = scorer.score(g).explanation
    facts = {f.name: f for f in explanation.facts}
    assert list(facts) == list(scorer.snapshot.base.facts)
    assert (facts["brand"].value, facts["brand"].label) == ("gotone", "GoTone")
    assert facts["open_hours"].value == "50"
    assert facts["behaviour_type"].missing
    assert facts["severity"].source == "severity"
    assert facts["level"].value == str(scorer.score(g).level)
    fired = {(r.decision, r.rule_id): r for r in explanation.rules}
    rule = fired["severity", "long"]
    assert (rule.file, rule.partial_score) == ("decisions/severity.yaml", 6.3)
    lines = (scorer.snapshot.base.decisions, rule.line)
    assert lines[1] > 1
    assert explanation.base_value == -2.5
    assert explanation.contributions[0].feature == "age_years"


def test_attributes_reach_rules_and_model(scorer, grumble):
    plain = scorer.score(grumble())
    premium = scorer.score(grumble(attributes={"plan": "premium", "lines": 2.0}))
    assert premium.severity == plain.severity + 0.7
    roaming = scorer.score(grumble(attributes={"roaming": True}))
    assert roaming.probability > plain.probability


BAD = {
    "no id": ({"grumble_id": ""}, Reason.FIELD_REQUIRED, "grumble_id"),
    "long id": ({"customer_id": "x" * 129}, Reason.FIELD_INVALID, "customer_id"),
    "unknown brand": ({"brand": "gotoen"}, Reason.UNKNOWN_VALUE, "brand"),
    "negative age": ({"age_years": -1}, Reason.VALUE_OUT_OF_RANGE, "age_years"),
    "the base's own range": ({"age_years": 130}, Reason.VALUE_OUT_OF_RANGE, "age_years"),
    "no number": ({"monthly_spend_yuan": float("nan")}, Reason.FIELD_INVALID, "monthly_spend_yuan"),
    "infinite": ({"data_mb": float("inf")}, Reason.FIELD_INVALID, "data_mb"),
    "credit": ({"credit_level": 6}, Reason.VALUE_OUT_OF_RANGE, "credit_level"),
    "backwards": ({"observe_time_us": 1_600_000_000_000_000}, Reason.TIME_ORDER, "observe_time"),
    "before 1970": ({"voice_time_us": -1}, Reason.VALUE_OUT_OF_RANGE, "voice_time"),
    "segment": ({"segment": "gotone_9"}, Reason.UNKNOWN_VALUE, "segment"),
    "language": ({"language": "fr"}, Reason.UNKNOWN_VALUE, "language"),
    "attribute type": ({"attributes": {"plan": 3.0}}, Reason.ATTRIBUTE_TYPE, "attributes[plan]"),
    "no flag": ({"attributes": {"roaming": 1.0}}, Reason.ATTRIBUTE_TYPE, "attributes[roaming]"),
    "not whole": ({"attributes": {"lines": 1.5}}, Reason.ATTRIBUTE_TYPE, "attributes[lines]"),
    "unknown plan": ({"attributes": {"plan": "x"}}, Reason.UNKNOWN_VALUE, "attributes[plan]"),
    "long text": ({"attributes": {"a": "x" * 1025}}, Reason.FIELD_INVALID, "attributes[a]"),
    "nan attribute": (
        {"attributes": {"usage": float("nan")}},
        Reason.FIELD_INVALID,
        "attributes[usage]",
    ),
    "many": ({"attributes": {f"a{i}": 1.0 for i in range(65)}}, Reason.FIELD_INVALID, "attributes"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_alike_alone_and_in_a_batch(scorer, grumble, case):
    fields, reason, field = BAD[case]
    bad, good = grumble(**fields), grumble()
    with pytest.raises(ScoringError) as caught:
        scorer.score(bad)
    assert (caught.value.reason, caught.value.field) == (reason, field)
    before, error, after = scorer.score_batch([good, bad, good])
    assert error.violations == caught.value.violations
    assert before.level == after.level == scorer.score(good).level


def test_everything_wrong_is_reported_at_once(scorer, grumble):
    bad = grumble(
        grumble_id="",
        brand="foo",
        age_years=-3,
        behaviour_type="cross",
        language="fr",
        attributes={"plan": 1.0, "lines": 2.0, "x": "y" * 2000},
    )
    with pytest.raises(ScoringError) as caught:
        scorer.score(bad)
    fields = [v.field for v in caught.value.violations]
    assert fields == [
        "grumble_id",
        "age_years",
        "language",
        "attributes[plan]",
        "attributes[x]",
        "brand",
        "behaviour_type",
    ]


def test_a_suggestion_comes_with_an_unknown_value(scorer, grumble):
    with pytest.raises(ScoringError, match="did you mean 'gotone'"):
        scorer.score(grumble(brand="gotoen"))


def test_rows_without_a_server_come_in_order(scorer, grumble):
    rows = [grumble(i, grumble_id=f"g{i}") for i in range(25)]
    rows[7] = rows[7]._replace(brand="none such")
    outcomes = list(score_rows(scorer, iter(rows), batch=10))
    assert len(outcomes) == 25
    assert isinstance(outcomes[7], ScoringError)
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome is not outcomes[7]:
            assert anonymous(outcome) == anonymous(scorer.score(row))


def test_a_value_of_the_bundle_that_the_rules_refuse_is_not_the_callers_fault(
    scorer, grumble, bundle, monkeypatch
):
    monkeypatch.setattr(type(bundle), "assess", lambda *_: BAD_ASSESSMENT)
    with pytest.raises(MisfitError, match="segment") as caught:
        scorer.score(grumble())
    assert caught.value.reason is Reason.INTERNAL


def test_such_a_value_spoils_only_its_own_item(scorer, grumble, bundle, monkeypatch):
    right, one = type(bundle).assess_columns, type(bundle).assess

    def wrong(self, columns, rows):
        with monkeypatch.context() as patch:
            patch.setattr(type(bundle), "assess", one)
            assessed = right(self, columns, rows)
        segment = assessed.segment_coded
        codes = np.array([*segment.codes[:1], len(segment.values), *segment.codes[2:]])
        assessed.segment_coded = Coded(codes, (*segment.values, "martian"))
        return assessed

    monkeypatch.setattr(type(bundle), "assess_columns", wrong)
    monkeypatch.setattr(type(bundle), "assess", lambda *_: BAD_ASSESSMENT)
    first, second, third = scorer.score_batch([grumble(), grumble(), grumble()])
    assert isinstance(second, MisfitError)
    assert isinstance(first, Score)
    assert isinstance(third, Score)


BAD_ASSESSMENT = Assessment("martian", None, 0.5)
