"""Rule bases made to break a server, sent and put into its folder: told, and nothing happens."""

from __future__ import annotations

import os
import re
import shutil
import threading
import time

import grpc
import pytest
from harken.v1 import rule_bases_pb2 as pb
from harken_server import children
from harken_server.vetting import vet

WITHIN_SECONDS = 10.0
"""How long it may take to refuse a poison."""


def write(name, text):
    def poison(folder):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return poison


def alias_bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    return "\n".join(lines)


def many_rules():
    rules = "".join(
        f"  - id: r{n}\n    when: {{severity: {{at_least: {n}, below: {n + 1}}}}}\n    then: 1\n"
        for n in range(5000)
    )
    head = "decision: level\ntitle: {en: Level, zh: 级}\nhit: first\nresult: level\nrules:\n"
    return head + rules + "  - {id: rest, then: 1}\n"


def many_alternatives():
    alternatives = "".join(
        f"        - {{severity: {{at_least: {2 * n}, below: {2 * n + 1}}}}}\n" for n in range(600)
    )
    head = "decision: level\ntitle: {en: Level, zh: 级}\nhit: first\nresult: level\nrules:\n"
    return f"{head}  - id: wide\n    when:\n      any:\n{alternatives}    then: 2\n" + (
        "  - {id: rest, then: 1}\n"
    )


def link_out(folder):
    secret = folder.parent / "secret.yaml"
    secret.write_text("password: hunter2\n")
    (folder / "decisions" / "out.yaml").symlink_to(secret)


def gone(folder):
    shutil.rmtree(folder)


def endless(folder):
    os.mkfifo(folder / "decisions" / "pipe.yaml")


LEVEL = "decisions/level.yaml"
POISONS = {
    "alias bomb": (write("facts.yaml", alias_bomb()), "yaml-feature"),
    "deep lists": (write(LEVEL, "[" * 20_000 + "]" * 20_000), "too-large"),
    "deep mappings": (write(LEVEL, "{a: " * 20_000 + "}" * 20_000), "too-large"),
    "5,000 rules": (write(LEVEL, many_rules()), "too-large"),
    "600 alternatives": (write(LEVEL, many_alternatives()), "too-large"),
    "10 MB": (write(LEVEL, "# " + "x" * 10_000_000), "4,000,000"),
    "not UTF-8": (write(LEVEL, b"title: \xff\xfe\xfa\n"), "not UTF-8"),
}
"""What is done to a sound folder, and what the answer says."""
ONLY_IN_A_FOLDER = {
    "link": (link_out, "leads out of the rule base's folder"),
    "gone": (gone, "No such file or directory"),
    "pipe": (endless, "not a regular file"),
}


@pytest.fixture(scope="module")
def folder(base_path, tmp_path_factory):
    home = tmp_path_factory.mktemp("poisoned")
    shutil.copytree(base_path, home / "rules")
    return home / "rules"


@pytest.fixture(scope="module")
def desk(serve_for_all, desk_of, folder):
    return desk_of(serve_for_all("--rules", str(folder), "--watch", "--workers", "1"))


def poison(folder, base, what):
    """Have ``what`` done to a sound rule base, and that put in the folder's place."""
    made = folder.with_name("poison")
    shutil.copytree(base, made)
    what(made)
    former = folder.with_name("former")
    if folder.exists():
        folder.rename(former)
    if made.exists():
        made.rename(folder)
    shutil.rmtree(former, ignore_errors=True)


def reason_and_problems(desk, folder):
    """Why the server does not take a folder's files: of the answer or of the error."""
    try:
        answer = desk.create(folder)
    except grpc.RpcError as error:
        return error.details()
    assert not answer.HasField("revision")
    assert not answer.digest
    return "\n".join(finding.rendered_text for finding in answer.findings)


@pytest.mark.parametrize("name", POISONS)
def test_a_poison_that_is_sent_is_refused(desk, base_path, tmp_path, name):
    what, says = POISONS[name]
    shutil.copytree(base_path, tmp_path / "rules")
    what(tmp_path / "rules")
    assert says in reason_and_problems(desk, tmp_path / "rules")
    assert desk.score().rule_base_digest == desk.served.rule_base_digest


@pytest.mark.parametrize(
    "path", ["../out.yaml", "/etc/out.yaml", "decisions/../../out.yaml", "a/./b.yaml", "\\\\x.yaml"]
)
def test_a_path_that_leaves_the_folder_is_refused(desk, path):
    files = [pb.RuleBaseFile(path=path, content=b"x: 1\n")]
    with pytest.raises(grpc.RpcError) as refused:
        desk.send(files)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "files[0].path" in refused.value.details()
    assert desk.score().rule_base_digest == desk.served.rule_base_digest


@pytest.mark.parametrize("name", {**POISONS, **ONLY_IN_A_FOLDER})
def test_a_poison_in_the_folder_is_told_and_the_last_good_one_served(desk, folder, base_path, name):
    what, says = {**POISONS, **ONLY_IN_A_FOLDER}[name]
    before = desk.state().last_error.report_time
    poison(folder, base_path, what)
    until = time.monotonic() + 120
    while desk.state().last_error.report_time == before:
        assert desk.score().rule_base_digest == desk.served.rule_base_digest
        assert time.monotonic() < until
    error = desk.state().last_error
    assert says in "\n".join(error.problems)
    assert "hunter2" not in "\n".join(error.problems)
    assert desk.score().rule_base_digest == desk.served.rule_base_digest


def test_after_all_of_it_a_sound_folder_is_served(desk, folder, base_path, relevel, wait_for):
    poison(folder, base_path, lambda made: relevel(made, 3))
    wait_for(lambda: desk.score().level == 3)
    assert not desk.state().HasField("last_error")


@pytest.mark.parametrize("name", POISONS)
def test_a_poison_is_refused_in_time_and_in_bounds(base_path, tmp_path, name):
    """The child has the time and the memory that it may take, and ends by itself."""
    what, _ = POISONS[name]
    rules = tmp_path / "rules"
    shutil.copytree(base_path, rules)
    what(rules)
    vetted = vet(rules, tmp_path / "no-bundle", timeout=WITHIN_SECONDS)
    assert not vetted.sound
    assert not any(finding.id == "check-failed" for finding in vetted.findings), vetted.problems


def test_memory_without_end_is_an_answer(tmp_path, monkeypatch):
    hungry = tmp_path / "hungry.py"
    hungry.write_text(
        "from harken_server.children import Telling\n"
        "with Telling() as telling:\n"
        "    held = [bytearray(1 << 20) for _ in range(100_000)]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = children.ask("hungry", [], timeout=60, memory_bytes=1 << 29)
    assert re.search(r"more than 512 MiB", answer.failure)


def test_what_a_child_started_does_not_outlive_its_time(tmp_path, monkeypatch):
    (tmp_path / "parental.py").write_text(
        "import subprocess, time\n"
        "from harken_server.children import Telling\n"
        "with Telling() as telling:\n"
        "    subprocess.Popen(['sleep', '600'], stdout=telling._out)\n"
        "    time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = children.ask("parental", [], timeout=3)
    assert answer.failure == "it did not finish within 3 seconds"


def test_once_stopping_no_child_is_waited_for():
    stopping = threading.Event()
    with children.none_once(stopping):
        stopping.set()
        answers = [children.ask("timeit", ["-n", "1", "import time; time.sleep(600)"])] * 2
    assert [each.failure for each in answers] == ["it crashed (SIGKILL)"] * 2
