"""A change from edit to publish and back, by the commands, on a real server."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from google.protobuf import json_format
from harken_client import Client, RuleBaseClient, grumble_request, rule_commands
from typer.testing import CliRunner

BASE = Path(__file__).parents[1] / "server" / "base"
GRUMBLES = [
    {
        "grumble_id": f"g-{hours}-{spend}",
        "voice_time": "2026-03-01T08:00:00Z",
        "observe_time": f"2026-03-{1 + hours // 24:02}T{8 + hours % 24 % 16:02}:00:00Z",
        "category": "charges",
        "monthly_spend_yuan": spend,
        "dissatisfied": bool(hours % 2),
    }
    for hours in (0, 1, 30, 75, 200, 501)
    for spend in (0, 90, 900)
]


@pytest.fixture(scope="module")
def served(serve_for_all: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The small rule base, served by one worker, its revisions kept."""
    kept = tmp_path_factory.mktemp("kept") / "revisions"
    return serve_for_all("--rules", str(BASE), "--workers", "1", "--revisions", str(kept))


@pytest.fixture
def harken(served: Any) -> Callable[..., Any]:
    """Runs ``harken rules COMMAND ... --json`` on the server; answers exit code and JSON."""
    app = typer.Typer()
    rule_commands.register(app)

    def run(*arguments: str) -> tuple[int, Any]:
        options = ("--target", served.control, "--json")
        done = CliRunner().invoke(app, ["rules", *arguments, *options])
        return done.exit_code, json.loads(done.stdout)

    return run


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The small rule base with another way from severity to level."""
    copy = tmp_path / "my-rules"
    shutil.copytree(BASE, copy)
    level = copy / "decisions" / "level.yaml"
    text = level.read_text(encoding="utf-8")
    changed = text.replace("    then: 1\n", "    then: 4\n")
    assert changed != text
    level.write_text(changed, encoding="utf-8")
    return copy


def scores(served: Any) -> list[Any]:
    with Client(served.target) as client:
        return client.batch_score(GRUMBLES)


def test_from_edit_to_publish_and_back(served: Any, harken: Any, edited: Path) -> None:
    before = scores(served)
    (edited / "decisions" / "half.yaml").write_text("decision: half\nrules: [\n", "utf-8")
    code, said = harken("publish", str(edited), "--message", "not done yet")
    assert code == 1
    assert {(f["id"], f["file"]) for f in said["findings"] if f["severity"] == "error"} >= {
        ("yaml-syntax", "decisions/half.yaml")
    }
    (edited / "decisions" / "half.yaml").unlink()

    code, said = harken("publish", str(edited), "-m", "try", "--no-activate")
    assert (code, said["created"]) == (0, True)
    digest = said["digest"]
    assert {score.rule_base_digest for score in scores(served)} == {served.rule_base_digest}

    sample = edited.parent / "sample.json"
    requests = [json_format.MessageToDict(grumble_request(each)) for each in GRUMBLES]
    sample.write_text(json.dumps(requests), encoding="utf-8")
    code, simulated = harken("simulate", digest[:20], str(sample))
    assert code == 0

    code, said = harken("publish", str(edited), "-m", "level 4 at once", "--author", "ann")
    assert (code, said["created"]) == (0, False)
    assert said["activation"]["former_digest"] == served.rule_base_digest
    after = scores(served)
    assert {score.rule_base_digest for score in after} == {digest}

    # What the simulation said is what has happened.
    pairs = Counter((old.level, new.level) for old, new in zip(before, after, strict=True))
    assert simulated["scored_count"] == len(GRUMBLES)
    assert pairs == {(t["former_level"], t["level"]): t["count"] for t in simulated["transitions"]}
    assert simulated["changed_level_count"] == sum(a != b for a, b in pairs.elements()) > 0
    for counts, of in (
        (simulated["owners"], lambda score: [score.owner.code] if score.owner else []),
        (simulated["strategies"], lambda score: [each.code for each in score.strategies]),
    ):
        was = Counter(code for score in before for code in of(score))
        now = Counter(code for score in after for code in of(score))
        assert {each["code"]: (each["former_count"], each["count"]) for each in counts} == {
            code: (was[code], now[code]) for code in {*was, *now} if was[code] != now[code]
        }

    code, state = harken("status")
    assert (code, state["active"]["digest"], state["durable"]) == (0, digest, True)
    assert (state["activation"]["author"], state["activation"]["message"]) == (
        *("ann", "level 4 at once"),
    )
    assert [worker["rule_base_digest"] for worker in state["workers"]] == [digest]

    code, said = harken("rollback", "--message", "too much at once")
    assert (code, said["digest"]) == (0, served.rule_base_digest)
    assert [score.level for score in scores(served)] == [score.level for score in before]
    code, said = harken("rollback", "--message", "still")
    assert (code, said["error"]["reason"]) == (1, "NO_FORMER_REVISION")
    code, said = harken("revisions")
    assert [each["digest"] for each in said["revisions"]] == [digest, served.rule_base_digest]


def test_a_revision_changed_on_the_disk_is_not_served(
    served: Any, harken: Any, edited: Path
) -> None:
    header = edited / "rulebase.yaml"
    header.write_text(header.read_text("utf-8").replace("name: sample", "name: other"), "utf-8")
    _, said = harken("publish", str(edited), "-m", "try", "--no-activate")
    assert said["revision"]["name"] == "other"
    digest = said["digest"]
    with RuleBaseClient(served.control) as client:
        found = client.get_rule_base_revision(digest, include_files=True)
        sent = {path.relative_to(edited).as_posix() for path in edited.rglob("*.yaml")}
        assert {file.path for file in found.files} == sent
    revisions = Path(json.loads((served.log.parent / "ready.json").read_text())["revisions"])
    kept = revisions / "revisions" / digest.removeprefix("sha256:") / "files" / "rulebase.yaml"
    kept.chmod(0o644)
    kept.write_text("name: tampered\n", encoding="utf-8")
    code, said = harken("shadow", digest[:20])
    assert (code, said["error"]["reason"]) == (1, "REVISION_DAMAGED")
    assert {score.rule_base_digest for score in scores(served)} == {served.rule_base_digest}
    # The same content sent again mends it; this time it is served.
    code, said = harken("publish", str(edited), "-m", "again")
    assert (code, said["activation"]["digest"]) == (0, digest)
    assert {score.rule_base_digest for score in scores(served)} == {digest}
