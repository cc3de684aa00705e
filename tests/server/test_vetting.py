"""Vetting in a child: sound, unsound, and whatever becomes of the child."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from harken.v1 import rule_bases_pb2
from harken_rules import default_base_path, load_rule_base
from harken_server import children, vetting
from harken_server.children import Answer, ask
from harken_server.errors import PublishingError, Reason, Violation
from harken_server.errors import ScoringError as Unscored
from harken_server.grpc.simulation import simulate
from harken_server.scoring import Scorer
from harken_server.settings import shipped
from harken_server.transitions import Comparison, changed, compare, differing
from harken_server.vetting import Vetter, vet

BUNDLE = shipped("harken_models", "default")


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Runs a child whose program is given, with limits of the test's own."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def run(program: str, **limits: Any) -> Answer:
        lines = "\n".join(f"    {line}" for line in program.splitlines())
        imports = "import os, time\nfrom harken_server.children import Telling\n"
        text = f"{imports}with Telling() as t:\n{lines}\n"
        (tmp_path / "one_child.py").write_text(text)
        return ask("one_child", [], **limits)

    return run


def test_a_child_says_what_it_found_stage_by_stage(child: Callable[..., Answer]) -> None:
    assert child("t.say(a=1)\nprint('noise')\nt.say(b=[2])") == Answer({"a": 1, "b": [2]})


@pytest.mark.parametrize(
    ("program", "limits", "failure"),
    [
        ("t.say(a=1)\ntime.sleep(60)", {"timeout": 2.0}, "did not finish within 2 seconds"),
        ("t.say(a=1)\nos.abort()", {}, "it crashed (SIGABRT)"),
        ("t.say(a=1)\nos.kill(os.getpid(), 11)", {}, "it crashed (SIGSEGV)"),
        ("t.say(a=1)\nos._exit(7)", {}, "it ended with code 7"),
        ("t.say(a=1)\nraise ValueError('13800138000')", {}, "it failed (ValueError at "),
        (
            "t.say(a=1)\nx = bytearray(900 << 20)",
            {"memory_bytes": 512 << 20},
            "it needed more than 512 MiB of memory",
        ),
    ],
)
def test_whatever_becomes_of_the_child_is_said_in_words(
    child: Callable[..., Answer], program: str, limits: dict[str, Any], failure: str
) -> None:
    answer = child(program, **limits)
    assert failure in answer.failure
    assert answer.said["a"] == 1
    assert "13800138000" not in str(answer)


def test_a_line_that_breaks_off_was_not_said(child: Callable[..., Answer]) -> None:
    program = "t.say(a=1)\nos.write(t._out, b'{\"b\": 2')\nos.abort()"
    assert child(program) == Answer({"a": 1}, "it crashed (SIGABRT)")


def test_a_process_that_cannot_be_started_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children.sys, "executable", "/no/such/python")
    assert ask("json", []).failure == "no process could be started: No such file or directory"


@pytest.fixture(scope="module")
def vetter() -> Vetter:
    """Knows the shipped bundle after its first use."""
    return Vetter(BUNDLE)


def test_the_shipped_base_is_sound(vetter: Vetter) -> None:
    vetted = vetter(default_base_path())
    assert vetted.sound
    assert vetted.digest == load_rule_base(default_base_path()).digest
    assert vetted.name
    assert vetted.problems == ()
    assert "signatures of" in vetted.report


def test_a_base_that_does_not_fit_the_bundle_or_the_server_is_unsound(
    vetter: Vetter, tmp_path: Path
) -> None:
    copy = tmp_path / "base"
    shutil.copytree(default_base_path(), copy)
    for file in copy.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("reply_hours", "answer_hours"), encoding="utf-8")
    vetted = vetter(copy)
    assert not vetted.sound
    assert vetted.digest
    (finding,) = [each for each in vetted.findings if each.severity == "error"]
    assert (finding.id, finding.file, finding.line) == (vetting.BUNDLE_MISFIT, "", 0)
    assert "no decision of the rule base has the result 'reply_hours'" in finding.message
    assert vetted.problems == (finding.rendered.rstrip(),)


def test_the_bundle_is_read_once_and_its_attributes_are_held_against_each_base(
    base_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []

    def asked(module: str, arguments: list[str], data: bytes, timeout: float) -> Answer:
        sent.append(data)
        if len(sent) == 1:
            return Answer({"digest": "d", "declared": '{"plan": "category", "lines": "flag"}'})
        return ask(module, arguments, data, timeout)

    monkeypatch.setattr(vetting, "ask", asked)
    vetter = Vetter(Path("no such bundle"))
    assert vetter(base_path).sound
    (problem,) = vetter(base_path).problems
    assert problem == (
        "error[bundle-misfit]: attribute 'lines' is a whole number in the rule base and a flag in "
        "the bundle; make them agree"
    )
    assert sent == [b"", b'{"plan": "category", "lines": "flag"}']


def test_a_bundle_that_cannot_be_read_is_an_answer(base_path: Path, tmp_path: Path) -> None:
    said: dict[str, Any] = {}
    telling: Any = SimpleNamespace(say=lambda **values: said.update(values))
    vetting._fit(load_rule_base(base_path), tmp_path, b"", telling)
    (misfit,) = said["misfits"]
    assert misfit.startswith("the bundle cannot be read: ")


def test_everything_that_is_wrong_is_found_with_its_place(tmp_path: Path) -> None:
    copy = tmp_path / "base"
    shutil.copytree(default_base_path(), copy)
    (copy / "decisions" / "tolerance.yaml").write_text("decision: tolerance\nrules: [\n", "utf-8")
    vetted = vet(copy, BUNDLE)
    assert (vetted.digest, vetted.name, vetted.sound) == ("", "", False)
    found = {(each.id, each.file) for each in vetted.findings}
    assert ("yaml-syntax", "decisions/tolerance.yaml") in found
    assert all(each.rendered.startswith(each.severity) for each in vetted.findings)
    assert len(vetted.problems) == sum(each.severity == "error" for each in vetted.findings)


def test_a_folder_that_is_gone_is_an_answer(tmp_path: Path) -> None:
    vetted = vet(tmp_path / "gone", BUNDLE)
    assert not vetted.sound
    assert "no such folder" in vetted.problems[0]


def test_a_check_that_does_not_end_says_how_far_it_came() -> None:
    vetted = vet(default_base_path(), BUNDLE, timeout=0.1)
    assert not vetted.sound
    assert [each.id for each in vetted.findings] == [vetting.CHECK_FAILED]
    (problem,) = vetted.problems
    assert "given up while it was read: it did not finish within 0.1 seconds" in problem


def test_what_was_found_before_a_crash_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    warning = {"id": "gap", "severity": "warning", "message": "odd", "rendered": "warning"}
    said = {"findings": [warning], "digest": "d", "stage": "while the rule engine compiled it"}
    monkeypatch.setattr(vetting, "ask", lambda *_a, **_k: Answer(said, "it crashed (SIGSEGV)"))
    vetted = vet(Path("x"), Path("y"))
    assert [each.id for each in vetted.findings] == ["gap", vetting.CHECK_FAILED]
    assert "given up while the rule engine compiled it: it crashed" in vetted.problems[0]


def test_an_engine_that_differs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"digest": "d", "differences": ["decision 'level': other"], "misfits": []}
    monkeypatch.setattr(vetting, "ask", lambda *_a, **_k: Answer(said))
    vetted = vet(Path("x"), Path("y"))
    assert [(each.id, each.severity) for each in vetted.findings] == [
        (vetting.ENGINE_DIFFERS, "error")
    ]
    assert not vetted.sound


def test_a_comparison_counts_levels_strategies_owners_and_warnings(
    scorer: Scorer, grumble: Callable[..., Any]
) -> None:
    spends = (0, 200, 900, 900)
    given = [grumble(monthly_spend_yuan=spend, dissatisfied=spend > 500) for spend in spends]
    scores = scorer.score_batch(given)
    bad = Unscored([Violation(Reason.FIELD_INVALID, "brand", "no")])
    same = compare([*scores, bad], [*scores, scores[0]])
    assert (same.scored, same.refused, changed(same.transitions)) == (4, 1, 0)
    assert differing(same.strategies) == {}
    assert len({score.level for score in scores}) > 1
    other = compare(scores, scores[::-1])
    expected = sum(a.level != b.level for a, b in zip(scores, scores[::-1], strict=True))
    assert changed(other.transitions) == expected > 0
    codes = [code for score in scores for code in [each.code for each in score.strategies]]
    assert codes
    assert {code: old for code, (old, _) in other.strategies.items()} == {
        code: codes.count(code) for code in codes
    }
    owners = [score.advice.owner.code for score in scores]
    assert other.owners == {code: (owners.count(code),) * 2 for code in sorted(set(owners))}
    assert Comparison.from_json(json.loads(json.dumps(other.to_json()))) == other


def test_a_simulation_scores_as_the_server_does(
    tmp_path: Path, request_of: Callable[..., Any]
) -> None:
    copy = tmp_path / "base"
    shutil.copytree(default_base_path(), copy)
    level = copy / "decisions" / "base_level.yaml"
    text = level.read_text(encoding="utf-8")
    assert text.count("    then: 3\n") == 1
    level.write_text(text.replace("    then: 3\n", "    then: 2\n"), encoding="utf-8")
    requests = [request_of(hours=hours) for hours in (1, 30, 300)]
    requests[0].explain = True
    requests.append(request_of(customer={"brand": "nokia"}))
    data = rule_bases_pb2.SimulateRuleBaseRequest(requests=requests).SerializeToString()
    found = simulate(copy, default_base_path(), data, BUNDLE)
    assert (found.scored, found.refused) == (3, 1)
    assert sum(found.transitions.values()) == 3
    assert changed(found.transitions) == found.transitions[3, 2] == 2


def test_a_simulation_that_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(PublishingError) as caught:
        simulate(tmp_path, tmp_path, b"\xff", tmp_path, timeout=60)
    assert caught.value.reason is Reason.SIMULATION_FAILED
    assert "the sample could not be scored: it failed" in caught.value.message
