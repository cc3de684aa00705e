"""``harken rules publish`` and its like: what they send, what they show, how they end."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from harken.v1 import rule_bases_pb2, rule_bases_pb2_grpc
from harken_client import (
    NotFound,
    Refused,
    RuleBaseClient,
    RuleBaseFile,
    main,
    rule_commands,
    rule_types,
)
from harken_client.requests import request_from_json
from typer.testing import CliRunner, Result

PAGE = (Path(__file__).parents[2] / "docs/client.md").read_text(encoding="utf-8")
COMMANDS = ("publish", "status", "activate", "rollback", "revisions", "shadow", "simulate")
SAMPLE = {"grumble": {"grumbleId": "g-1", "voiceTime": "2026-03-01T08:00:00Z"}}


@pytest.fixture
def harken(control: Any) -> Callable[..., Result]:
    """Runs ``harken rules`` against a control plane inside the test."""
    app = typer.Typer()
    rule_commands.register(app)

    def run(*arguments: str, target: str = control.target) -> Result:
        environment = {"HARKEN_CONTROL_TARGET": target, "COLUMNS": "120"}
        return CliRunner().invoke(app, ["rules", *arguments], env=environment)

    return run


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder that the fake check finds sound."""
    folder = tmp_path / "my-rules"
    (folder / "decisions").mkdir(parents=True)
    (folder / "rulebase.yaml").write_text("name: mine\nwarning: odd\n")
    (folder / "decisions" / "level.yml").write_text("decision: level\n")
    (folder / ".hidden.yaml").write_text("secret: 1\n")
    (folder / "notes.txt").write_text("not sent\n")
    return folder


def test_publish_checks_keeps_and_serves(control: Any, harken: Any, rules: Path) -> None:
    former = control.store.active.digest
    result = harken("publish", str(rules), "--message", "try it", "--author", "ann")
    assert result.exit_code == 0, result.output
    active = control.store.active
    assert (active.author, active.message) == ("ann", "try it")
    files = {file.path for file in control.store.files(active)}
    assert files == {"rulebase.yaml", "decisions/level.yml"}
    said = result.stdout
    assert said.startswith(f"warning[gap]: odd\n  --> {rules.as_posix()}/rulebase.yaml:2:1\n")
    assert "explained in docs/checks/gap.md\nor by: harken rules check --explain gap\n\n" in said
    for part in ("every worker serves it", active.digest, former, "by        ann", "try it"):
        assert part in said


def test_publish_is_signed_by_the_user_of_the_machine(
    control: Any, harken: Any, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "someone")
    assert harken("publish", str(rules), "-m", "why").exit_code == 0
    assert control.store.active.author == "someone"


def test_publish_of_an_unsound_base_ends_with_1(control: Any, harken: Any, rules: Path) -> None:
    (rules / "rulebase.yaml").write_text("error: wrong\nwarning: odd\n")
    result = harken("publish", str(rules), "-m", "why")
    assert result.exit_code == 1
    assert "error[gap]: wrong" in result.stdout
    assert "1 error, 1 warning; nothing was published" in result.stdout
    assert len(control.store.page()[0]) == 1
    as_json = harken("publish", str(rules), "-m", "why", "--json")
    assert as_json.exit_code == 1
    said = json.loads(as_json.stdout)
    assert [each["message"] for each in said["findings"]] == ["wrong", "odd"]
    assert (said["digest"], said["revision"], said["activation"]) == ("", None, None)


def test_publish_can_stop_before_keeping_or_before_serving(
    control: Any, harken: Any, rules: Path
) -> None:
    before = control.store.active
    checked = harken("publish", str(rules), "--validate-only")
    assert checked.exit_code == 0
    assert "sound (1 warning); only checked" in checked.stdout
    assert len(control.store.page()[0]) == 1
    kept = harken("publish", str(rules), "-m", "why", "--no-activate")
    assert kept.exit_code == 0
    assert "kept (1 warning), not served" in kept.stdout
    again = harken("publish", str(rules), "-m", "why", "--no-activate", "--json")
    assert json.loads(again.stdout)["created"] is False
    assert control.store.active == before


def test_what_the_workers_refuse_ends_with_1(control: Any, harken: Any, rules: Path) -> None:
    control.crew.problems = ("worker 0: no memory", "worker 1: it ended")
    result = harken("publish", str(rules), "-m", "why")
    assert result.exit_code == 1
    assert "ACTIVATION_FAILED" in result.stderr
    assert "worker 1: it ended" in result.stderr
    said = json.loads(harken("publish", str(rules), "-m", "why", "--json").stdout)
    assert said["error"]["problems"] == list(control.crew.problems)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("publish", "{tmp}/none", "-m", "why"), "is no folder"),
        (("publish", "{tmp}", "-m", "why"), "has no rulebase.yaml"),
        (("publish", "{rules}"), "say why with --message"),
        (("publish", "{rules}", "-m", " "), "say why with --message"),
        (("publish", "{rules}", "-m", "x" * 2001), "at most 2,000 are allowed"),
        (("rollback",), "say why with --message"),
        (("activate", "12345678"), "say why with --message"),
        (("activate", "12345678", "-m", "w"), "no revision has a digest that begins with 12345678"),
        (("simulate", "12345678", "{tmp}/none.csv"), "No such file"),
        (("simulate", "12345678", "{tmp}/s.json", "--spec", "x"), "--spec goes with a .csv"),
        (("shadow",), "or --off to end it"),
        (("shadow", "12345678", "--off"), "or --off to end it"),
        (("shadow", "12345678", "--share", "1.5"), "must lie above 0"),
        (("shadow", "12345678"), "no revision has a digest that begins with 12345678"),
        (("simulate", "12345678", "{tmp}/none.json"), "No such file"),
    ],
)
def test_unusable_input_ends_with_2_and_says_why(
    harken: Any, rules: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    given = [each.format(tmp=tmp_path, rules=rules) for each in arguments]
    result = harken(*given)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"harken rules {arguments[0]}: ")
    assert words in result.stderr
    as_json = harken(*given, "--json")
    assert words in json.loads(as_json.stdout)["error"]["message"]


def test_links_stay_in_the_folder(control: Any, harken: Any, rules: Path) -> None:
    (rules / "linked.yaml").symlink_to("rulebase.yaml")
    (rules / "round").symlink_to(rules)
    assert harken("publish", str(rules), "-m", "why").exit_code == 0
    files = {file.path for file in control.store.files(control.store.active)}
    assert files == {"rulebase.yaml", "decisions/level.yml", "linked.yaml"}
    (rules / "out.yaml").symlink_to("/etc/hostname")
    result = harken("publish", str(rules), "-m", "why")
    assert result.exit_code == 2
    words = "out.yaml is a link that leads out of the folder; copy here what it leads to"
    assert result.stderr == f"harken rules publish: {words}\n"
    said = json.loads(harken("publish", str(rules), "-m", "why", "--json").stdout)
    assert said["error"]["message"] == words


def test_a_file_whose_name_is_no_text_is_named(harken: Any, rules: Path) -> None:
    (rules / os.fsdecode(b"\xff.yaml")).write_text("a: 1\n")
    result = harken("publish", str(rules), "-m", "why")
    assert (result.exit_code, result.stderr) == (
        2,
        "harken rules publish: \\udcff.yaml is no UTF-8; rename it\n",
    )


@pytest.mark.parametrize("command", ["status", "revisions"])
def test_no_server_ends_with_2(harken: Any, command: str) -> None:
    result = harken(command, target="127.0.0.1:1")
    assert result.exit_code == 2
    assert "no server answers at 127.0.0.1:1" in result.stderr
    assert "harken serve" in result.stderr


def test_status_shows_who_serves_what_and_what_went_wrong(
    control: Any, harken: Any, rules: Path
) -> None:
    published = harken("publish", str(rules), "-m", "Cut-off\nof level 4", "--author", "ann")
    assert published.exit_code == 0
    control.crew.problems = ("worker 0: no memory",)
    control.publisher.create(control.store.files(control.store.active), "bob", "same")
    digest = control.store.active.digest
    first = control.store.page()[0][-1].digest
    assert harken("rollback", "-m", "back").exit_code == 1
    said = harken("status").stdout
    for part in (digest, "ann", "Cut-off\n", "of level 4", "since", first, "worker 0: no memory"):
        assert part in said
    assert re.search(rf"^0 +yes +{digest[7:19]} +b{{12}} +2026-03-01 08:00:00 UTC", said, re.M)
    assert re.search(rf"^1 +no +{digest[7:19]}", said, re.M)
    assert re.search(rf"not served at 20.* \(start\) {first[7:19]}", said)
    state = json.loads(harken("status", "--json").stdout)
    assert state["active"]["digest"] == digest
    assert state["durable"] is True
    assert state["last_error"]["problems"] == ["worker 0: no memory"]
    assert state["workers"][0]["since_time"] == "2026-03-01T08:00:00Z"


def test_rollback_says_what_is_served_now(control: Any, harken: Any, rules: Path) -> None:
    first = control.store.active.digest
    harken("publish", str(rules), "-m", "why")
    result = harken("rollback", "-m", "too many level 5")
    assert result.exit_code == 0
    assert first in result.stdout
    assert control.store.active.digest == first
    refused = harken("rollback", "-m", "further")
    assert refused.exit_code == 1
    assert "nothing was active before" in refused.stderr


def test_activate_serves_what_is_kept(control: Any, harken: Any, rules: Path) -> None:
    first = control.store.active.digest
    harken("publish", str(rules), "-m", "try it", "--no-activate")
    kept = control.store.page()[0][0].digest
    result = harken("activate", kept[7:15], "-m", "tried", "--author", "ann")
    assert result.exit_code == 0, result.stderr
    assert control.store.active.digest == kept
    for part in ("every worker serves it", kept, first, "by        ann", "why       tried"):
        assert part in result.stdout
    said = json.loads(harken("activate", first[7:15], "-m", "back", "--json").stdout)
    assert (said["digest"], said["former_digest"], said["message"]) == (first, kept, "back")


def test_a_sound_base_names_no_pages(control: Any, harken: Any, rules: Path) -> None:
    (rules / "rulebase.yaml").write_text("name: mine\n")
    assert "explained in" not in harken("publish", str(rules), "-m", "why").stdout


def test_revisions_are_listed_newest_first(control: Any, harken: Any, rules: Path) -> None:
    harken("publish", str(rules), "-m", "try it", "--author", "ann")
    said = harken("revisions").stdout
    lines = said.splitlines()
    assert lines[1].startswith(f"*  {control.store.active.digest[7:19]}")
    assert "ann" in lines[1]
    assert "published" in lines[1]
    assert "start" in lines[2]
    assert "there are more" in harken("revisions", "--limit", "1").stdout
    page = json.loads(harken("revisions", "--json").stdout)
    assert [each["source"] for each in page["revisions"]] == ["published", "start"]


def test_a_shadow_is_shown_with_its_matrix(control: Any, harken: Any, rules: Path) -> None:
    harken("publish", str(rules), "-m", "why", "--no-activate")
    digest = control.store.page()[0][0].digest
    result = harken("shadow", digest[7:15], "--share", "0.25")
    assert result.exit_code == 0, result.stderr
    for said in (result.stdout, harken("status").stdout):
        assert f"in the shadow: {digest}" in said
        assert "25% of the grumbles" in said
        assert "10, 30.0% with another level" in said
        assert re.search(r"^level +to 1 +to 2 +to 3\nfrom 1 +7 +2 +·", said, re.M)
        assert re.search(r"^from 3 +· +1 +·", said, re.M)
    assert "no shadow runs" in harken("shadow", "--off").stdout
    assert control.crew.shadow is None


@pytest.mark.parametrize("suffix", ["json", "jsonl", "one.json"])
def test_simulate_sends_the_sample(
    control: Any, harken: Any, rules: Path, tmp_path: Path, suffix: str
) -> None:
    harken("publish", str(rules), "-m", "why", "--no-activate")
    digest = control.store.page()[0][0].digest
    sample = tmp_path / f"sample.{suffix}"
    texts = {
        "json": json.dumps([SAMPLE] * 3),
        "jsonl": f"{json.dumps(SAMPLE)}\n\n" * 3,
        "one.json": json.dumps(SAMPLE),
    }
    sample.write_text(texts[suffix], encoding="utf-8")
    result = harken("simulate", digest[:15], str(sample))
    assert result.exit_code == 0, result.stderr
    count = 1 if suffix == "one.json" else 3
    for part in (
        *(f"{count} by both; 2 could not be", "3 above the line, now 5", "1 get another"),
        *("refund", "billing", "+4", "-1", "from 1"),
    ):
        assert part in result.stdout
    assert "apology" not in result.stdout
    found = json.loads(harken("simulate", digest[:15], str(sample), "--json").stdout)
    assert (found["scored_count"], found["digest"]) == (count, digest)


HISTORY = "nummer,zeit,label\n" + "".join(
    f"g-{number},2026-03-01T08:00:00Z,0\n" for number in range(5)
)
SPEC = "dataset: mine\nfields: {grumble_id: {column: nummer}, voice_time: {column: zeit}}\n"


@pytest.mark.parametrize(("options", "count"), [((), 5), (("--rows", "2"), 2)])
def test_simulate_takes_the_first_rows_of_a_history(
    control: Any, harken: Any, tmp_path: Path, options: tuple[str, ...], count: int
) -> None:
    (tmp_path / "june.csv").write_text(HISTORY, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(SPEC, encoding="utf-8")
    words = (str(tmp_path / "june.csv"), "--spec", str(tmp_path / "mine.yaml"), *options)
    digest = control.store.active.digest[7:15]
    result = harken("simulate", digest, *words, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["scored_count"] == count


def test_simulate_reads_parquet_by_core_names(control: Any, harken: Any, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = {"grumble_id": ["a", "b"], "voice_time": ["2026-03-01T08:00:00Z"] * 2}
    parquet.write_table(pytest.importorskip("pyarrow").table(table), tmp_path / "june.parquet")
    digest = control.store.active.digest[7:15]
    result = harken("simulate", digest, str(tmp_path / "june.parquet"), "--json")
    assert json.loads(result.stdout)["scored_count"] == 2


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.csv", "nummer,zeit\n1,2\n", "the file has no column 'grumble_id'"),
        ("s.csv", "grumble_id,voice_time\na,noon\n", "s.csv, row 1: grumble.voice_time: "),
        ("s.json", "[{]", "s.json is not JSON"),
        ("s.jsonl", f"{json.dumps(SAMPLE)}\nnope\n", "s.jsonl:2 is not JSON"),
        ("s.json", json.dumps([SAMPLE, {"grumbel": 1}]), "s.json, request 2: not the JSON form"),
        ("s.json", json.dumps({"grumbel": 1}), "no such field; did you mean 'grumble'?"),
        ("s.json", "[]", "send a sample"),
        ("s.json", json.dumps([SAMPLE] * 1001), "at most 1,000 requests"),
    ],
)
def test_a_sample_that_is_wrong_is_said_where(
    control: Any, harken: Any, tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    digest = control.store.active.digest[7:20]
    result = harken("simulate", digest, str(tmp_path / name))
    assert result.exit_code in (1, 2)
    assert words in result.stderr


def test_the_library_publishes_and_names_what_is_refused(control: Any) -> None:
    with RuleBaseClient(control.target, timeout=30.0) as client:
        files = [RuleBaseFile("rulebase.yaml", b"name: other\n")]
        checked = client.create_rule_base_revision(files, author="ann", message="why")
        assert checked.created
        found = client.get_rule_base_revision(checked.digest, include_files=True)
        assert list(found.files) == files
        assert found.revision == checked.revision
        assert found.revision.activate_time is None
        with pytest.raises(NotFound, match="no revision"):
            client.get_rule_base_revision("f" * 10)
        control.crew.problems = ("worker 0: no memory",)
        with pytest.raises(Refused) as refused:
            client.activate_rule_base_revision(checked.digest, author="ann", message="why")
        assert refused.value.problems == ("worker 0: no memory",)
        control.crew.problems = ()
        activation = client.activate_rule_base_revision(checked.digest, author="a", message="m")
        state = client.get_serving_state()
        assert state.activation == activation
        assert state.active.source == "published"
        page = client.list_rule_base_revisions(page_size=1)
        assert page.next_page_token
        older = client.list_rule_base_revisions(page_token=page.next_page_token)
        assert [each.active for each in (*page.revisions, *older.revisions)] == [True, False]
        simulated = client.simulate_rule_base(checked.digest, [request_from_json(SAMPLE)])
        assert simulated.scored_count == 1
        assert client.set_shadow_rule_base(older.revisions[0].digest).sample_share == 0.1
        assert client.set_shadow_rule_base("") is None
        assert client.rollback_rule_base(author="a", message="m").former_digest == checked.digest


def test_client_methods_are_the_services() -> None:
    remote = {
        re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        for name, value in vars(rule_bases_pb2_grpc.RuleBaseServiceServicer).items()
        if inspect.isfunction(value)
    }
    assert {name for name in vars(RuleBaseClient) if not name.startswith("_")} - {"close"} == remote


@pytest.mark.parametrize("name", sorted(rule_types.MIRRORS))
def test_types_mirror_their_messages(name: str) -> None:
    fields = rule_bases_pb2.DESCRIPTOR.message_types_by_name[name].fields
    own = [field.name for field in dataclasses.fields(rule_types.MIRRORS[name])]
    assert own == [field.name for field in fields]


def test_every_command_and_option_is_described_and_explains_itself() -> None:
    app = typer.Typer()
    rule_commands.register(app)
    group: Any = typer.main.get_command(app)
    group = group.commands.get("rules", group) if hasattr(group, "commands") else group
    assert set(group.commands) == set(COMMANDS)
    for name in COMMANDS:
        assert f"harken rules {name}" in PAGE
        for parameter in group.commands[name].params:
            flags = [flag for flag in parameter.opts if flag.startswith("--")]
            assert [flag for flag in flags if flag != "--help" and f"`{flag}" not in PAGE] == []
            assert parameter.name == "help" or getattr(parameter, "help", None)
        assert "Exit codes:" in group.commands[name].help
        assert "harken rules " in group.commands[name].help


def test_the_commands_join_the_group_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    own = typer.Typer()
    own.command("check")(lambda: None)
    app = typer.Typer()
    app.add_typer(own, name="rules")
    rule_commands.register(app)
    rule_commands.register(app)  # as often as the application is built
    names = [one.name or one.callback.__name__ for one in own.registered_commands]
    assert names == ["check", *COMMANDS]
    assert len(app.registered_groups) == 1


def test_the_whole_command_has_both_kinds() -> None:
    group: Any = typer.main.get_command(main.build_app())
    assert {"check", *COMMANDS} <= set(group.commands["rules"].commands)


def test_help_starts_without_grpc() -> None:
    code = (
        "import sys, typer; from harken_client import rule_commands;"
        "rule_commands.register(typer.Typer()); sys.exit('grpc' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
