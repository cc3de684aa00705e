"""Which rule bases and bundles can be served together."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from harken_rules import load_rule_base
from harken_server.errors import SnapshotError
from harken_server.snapshot import build_snapshot, load_snapshot, problems_of


@pytest.fixture
def changed(base_path, tmp_path):
    """The sample rule base with a text replaced wherever it stands."""

    def change(old, new):
        copy = tmp_path / "base"
        shutil.copytree(base_path, copy)
        for file in copy.rglob("*.yaml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(old, new), encoding="utf-8")
        return load_rule_base(copy)

    return change


def test_the_sample_can_be_served(base_path, bundle):
    base = load_rule_base(base_path)
    assert problems_of(base, bundle) == []
    snapshot = build_snapshot(base, bundle)
    assert (snapshot.rule_base_digest, snapshot.model_digest) == (base.digest, bundle.digest)


def test_a_missing_result_is_named(base_path, tmp_path, bundle):
    copy = tmp_path / "base"
    shutil.copytree(base_path, copy)
    (copy / "decisions" / "warnings.yaml").unlink()
    facts = (copy / "facts.yaml").read_text(encoding="utf-8")
    (copy / "facts.yaml").write_text(facts[: facts.index("  warnings:")], encoding="utf-8")
    (problem,) = problems_of(load_rule_base(copy), bundle)
    assert "no decision of the rule base has the result 'warnings'" in problem


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "hit: all\nresult: warnings",
            "hit: first\notherwise: missing\nresult: warnings",
            "its hit must be all",
        ),
        ("dissatisfied:", "cross:", "'cross' has the source 'request', but no request supplies"),
        ("lines:", "region:", "'region' is a whole number in the rule base and a text"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(changed, bundle, old, new, says):
    base = changed(old, new)
    assert any(says in problem for problem in problems_of(base, bundle))
    with pytest.raises(SnapshotError):
        build_snapshot(base, bundle)


def test_everything_wrong_with_both_folders_is_said_at_once(tmp_path):
    with pytest.raises(SnapshotError) as caught:
        load_snapshot(tmp_path / "rules", tmp_path / "bundle")
    assert len(caught.value.problems) == 2
    assert "there is no such folder" in caught.value.problems[0]
    assert caught.value.problems[1].startswith("bundle: ")


def test_an_attribute_named_by_both_must_be_of_one_kind(base_path, bundle):
    bundle.attributes["plan"] = SimpleNamespace(name="plan", type="number", categories=())
    (problem,) = problems_of(load_rule_base(base_path), bundle)
    assert problem == (
        "attribute 'plan' is a text in the rule base and a number in the bundle; make them agree"
    )
