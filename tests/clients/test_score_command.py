"""``harken score``: what it sends, what it shows, and how it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from harken_client import commands
from typer.testing import CliRunner, Result


@pytest.fixture
def score(fake: Any) -> Any:
    """Runs ``harken score`` against the stand-in."""
    app = typer.Typer()
    commands.register(app)

    def run(*arguments: str, stdin: str = "", target: str = fake.target) -> Result:
        return CliRunner().invoke(
            app, ["score", *arguments], input=stdin, env={"HARKEN_TARGET": target, "COLUMNS": "100"}
        )

    return run


def test_options_become_the_request(fake: Any, score: Any) -> None:
    result = score(
        *("--id", "g-1", "--category", "charges", "--point", "bill_inaccurate"),
        *("--observed", "2026-03-02T12:00:00Z", "--voiced-hours-ago", "30"),
        *("--resolution", "unresolved", "--dissatisfied", "--not-responsible"),
        *("--brand", "gotone", "--vip", "gold", "--age", "40", "--spend", "88.5"),
        *("--set", "grumble_count_30d=3", "--set", "use_minutes=120.5"),
        *("--attribute", "plan=gold", "--attribute", "score=3", "--attribute", 'zip="0123"'),
    )
    assert result.exit_code == 0, result.output
    sent = fake.requests[0]
    assert sent.grumble.voice_time.ToJsonString() == "2026-03-01T06:00:00Z"
    assert sent.grumble.observe_time.ToJsonString() == "2026-03-02T12:00:00Z"
    assert (sent.grumble.dissatisfied, sent.grumble.company_responsible) == (True, False)
    assert not sent.grumble.HasField("problem_exists")
    assert (sent.customer.age_years, sent.customer.monthly_spend_yuan) == (40, 88.5)
    assert (sent.history.grumble_count_30d, sent.customer.use_minutes) == (3, 120.5)
    assert sent.attributes["plan"].text == "gold"
    assert sent.attributes["score"].number == 3
    assert sent.attributes["zip"].text == "0123"


def test_the_table_reads_well(score: Any) -> None:
    said = score("--category", "charges", "--explain").output
    for part in (
        *("Level", "probability of a complaint", "Why", "Open for a long time", "Billing"),
        *("Branch → Head company", "1. Explain the bill", "- Look the bill up", "Say: I have"),
        *("Reply before: 20", "! Above the warning line", "decisions/severity.yaml:12", "+0.7000"),
        "sha256:" + "a" * 64,
    ):
        assert part in said


def test_chinese_has_chinese_labels(score: Any) -> None:
    said = score("--category", "charges", "--language", "zh").output
    for part in (
        "抱怨级别",
        "投诉概率",
        "等待时间过长",
        "责任部门: 计费中心",
        "升级路径",
        "解释口径: 您好",
    ):
        assert part in said
    assert "Owner" not in said


def test_json_output_is_the_whole_score(score: Any) -> None:
    said = json.loads(score("--category", "charges", "--output", "json").stdout)
    assert said["level"] in range(1, 6)
    assert said["strategies"][0]["steps"] == ["Look the bill up", "Call back"]
    assert said["reply_deadline_time"].endswith("Z")
    assert said["explanation"] is None


def test_a_request_from_stdin(fake: Any, score: Any) -> None:
    request = {"grumble": {"grumbleId": "g-1", "voiceTime": "2026-03-01T08:00:00Z"}}
    result = score("--json", "-", "--language", "zh", "--explain", stdin=json.dumps(request))
    assert result.exit_code == 0
    assert fake.requests[0].language_code == "zh"
    assert fake.requests[0].explain


def test_a_list_is_a_batch(fake: Any, score: Any, tmp_path: Path) -> None:
    file = tmp_path / "batch.json"
    good = {"grumble": {"grumbleId": "g-1", "voiceTime": "2026-03-01T08:00:00Z"}}
    bad = {"grumble": {"grumbleId": "g-2"}, "customer": {"ageYears": -3}}
    file.write_text(json.dumps([good, bad]), encoding="utf-8")
    result = score("--json", str(file), "--output", "json")
    assert result.exit_code == 2
    scored, refused = json.loads(result.stdout)
    assert scored["level"] in range(1, 6)
    assert refused["error"]["reason"] == "VALUE_OUT_OF_RANGE"
    assert refused["error"]["field_violations"][0]["field"] == "customer.age_years"
    table = score("--json", str(file))
    assert table.exit_code == 2
    assert "customer.age_years: age_years is -3" in table.stdout
    assert fake.calls == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (("--category", "charges", "--age", "-3"), "", "customer.age_years"),
        (("--category", "charges", "--vip", "golden"), "", "did you mean 'gold'"),
        (("--json", "-"), "{}", "grumble.grumble_id"),
        (("--json", "-"), json.dumps([{}] * 1001), "1 to 1000 requests, not 1001"),
        (("--json", "-"), "[]", "1 to 1000 requests, not 0"),
        (("--json", "-"), "{", "not JSON"),
        (("--json", "-"), "7", "a JSON object"),
        (("--json", "-"), '{"grumbel": {}}', "grumbel"),
        (("--json", "-", "--category", "charges"), "{}", "not by both"),
        (("--json", "/no/such/file"), "", "cannot read /no/such/file"),
        (("--voiced", "yesterday"), "", "--voiced 'yesterday'"),
        (("--voiced-hours-ago", "1e300"), "", "out of range"),
        (("--set", "nonsense"), "", "write NAME=VALUE"),
        (("--set", "catgory=x"), "", "did you mean 'category'"),
        (("--attribute", "list=[1]"), "", "attributes[list]"),
        (("--attribute", "note=" + "x" * 5_000_000), "", "larger than max"),
    ],
)
def test_a_wrong_request_is_one_paragraph_and_exit_2(
    score: Any, arguments: tuple[str, ...], stdin: str, said: str
) -> None:
    result = score(*arguments, stdin=stdin)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.startswith("harken score: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_nobody_there_is_exit_1_and_says_what_to_do(score: Any) -> None:
    result = score("--category", "charges", target="127.0.0.1:1")
    assert result.exit_code == 1
    assert "no service answers at 127.0.0.1:1" in result.stderr
    assert "harken serve" in result.stderr


def test_a_server_fault_is_exit_1_with_the_incident(fake: Any, score: Any, status: Any) -> None:
    import grpc

    fault = status(grpc.StatusCode.INTERNAL, "incident abc123", "INTERNAL", incident="abc123")
    fake.failures = [fault]
    result = score("--category", "charges", "--output", "json")
    assert result.exit_code == 1
    assert "abc123" in result.stderr
    assert json.loads(result.stdout)["error"]["incident_id"] == "abc123"


def test_unreadable_certificates_are_said(score: Any) -> None:
    result = score("--category", "charges", "--ca", "/no/such.pem")
    assert result.exit_code == 2
    assert "cannot read /no/such.pem" in result.stderr
