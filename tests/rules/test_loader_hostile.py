"""Whatever a folder holds, the answer is a rule base or diagnostics: never a traceback."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from harken_rules import Severity, check_rule_base
from harken_rules.diagnostics import MAX_FOUND
from harken_rules.loader import read_rule_base
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SAMPLE = Path(__file__).parent / "sample"
FILES = sorted(str(path.relative_to(SAMPLE)) for path in SAMPLE.rglob("*.yaml"))
TEXTS = {name: (SAMPLE / name).read_bytes() for name in FILES}
TOKENS = [
    *b"[ ] { } : - , ? | > & * ! % @ ` ' \" # ~ . .. --- ... << \x00 \xff \xef\xbb\xbf".split(),
    b" ", b"\n", b"\r\n", b"\r", b"  ", b"\t", b": ", b"- ", b"\x85", "\u2028".encode(),
    b"true", b"null", b"no", b"-0", b"1e999999999", b"0x10", b".nan", b"999999999999999999",
    b"any", b"not", b"missing", b"at_least", b"when", b"then", b"level", b"rules", b"decision",
    b"results", b"hit: all", b"hit: sum", b"hit: unique", b"[[]]", b"{{}: {}}", b"level: 5",
    "数".encode(), "😀".encode(), b"\xed\xa0\x80", b"a" * 5000, b"0" * 400,
]  # fmt: skip

edits = st.lists(
    st.tuples(
        st.sampled_from(FILES),
        st.sampled_from(["insert", "delete", "replace", "copy"]),
        st.floats(0, 1),
        st.integers(0, 60),
        st.sampled_from(TOKENS),
    ),
    min_size=1,
    max_size=6,
)


def mutate(data: bytes, how: str, where: float, length: int, token: bytes) -> bytes:
    start = int(where * len(data))
    match how:
        case "insert":
            return data[:start] + token + data[start:]
        case "delete":
            return data[:start] + data[start + length :]
        case "replace":
            return data[:start] + token + data[start + length :]
        case _:
            return data[:start] + data[start : start + length] * 3 + data[start:]


def read_and_judge(path: Path) -> None:
    """Load; every diagnostic must be sayable and point somewhere, any error keeps the base back."""
    loaded = read_rule_base(path)
    found = list(loaded.diagnostics)
    assert found == sorted(found, key=lambda one: one.place)
    for one in found:
        assert one.place.line >= 1
        assert one.place.column >= 1
        one.render("base/").encode()
        assert str(one.place) in one.render()
    assert (loaded.base is None) == any(one.severity is Severity.ERROR for one in found)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits)
def test_random_edits(tmp_path: Path, changes: list[tuple[str, str, float, int, bytes]]) -> None:
    base = tmp_path / "base"
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(SAMPLE, base)
    texts = dict(TEXTS)
    for name, how, where, length, token in changes:
        texts[name] = mutate(texts[name], how, where, length, token)
    for name in {one[0] for one in changes}:
        (base / name).write_bytes(texts[name])
    read_and_judge(base)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(FILES), st.binary(max_size=200))
def test_random_bytes(tmp_path: Path, name: str, data: bytes) -> None:
    base = tmp_path / "base"
    shutil.rmtree(base, ignore_errors=True)
    shutil.copytree(SAMPLE, base)
    (base / name).write_bytes(data)
    read_and_judge(base)


# Values of each shape, put in turn where another is wanted, everywhere.
SHAPES = ["", "x", "[]", "{}", "[x]", "{x: y}", "[[x]]", "[{}]", "{any: []}", "1", "true", "''"]


@pytest.mark.parametrize("turn", range(2))
def test_every_value_in_another_shape(turn: int, tmp_path: Path) -> None:
    for name, data in TEXTS.items():
        lines = data.decode().splitlines(keepends=True)
        for index, line in enumerate(lines):
            key, colon, _ = line.partition(":")
            if not colon or "{" in key:
                continue
            base = tmp_path / "base"
            if not base.exists():
                shutil.copytree(SAMPLE, base)
            shape = SHAPES[(7 * turn + index) % len(SHAPES)]
            rest = _below(lines, index)
            (base / name).write_text(
                "".join([*lines[:index], f"{key}: {shape}\n", *lines[rest:]]), encoding="utf-8"
            )
            read_and_judge(base)
        (tmp_path / "base" / name).write_bytes(data)


def _below(lines: list[str], index: int) -> int:
    """The first line after ``index`` that is not part of its value."""
    indent = len(lines[index]) - len(lines[index].lstrip(" -"))
    rest = index + 1
    while rest < len(lines) and len(lines[rest]) - len(lines[rest].lstrip(" ")) > indent:
        rest += 1
    return rest


@pytest.mark.parametrize("name", FILES)
def test_any_file_may_be_absent_empty_or_a_folder(name: str, copy: Path) -> None:
    (copy / name).unlink()
    read_and_judge(copy)
    (copy / name).touch()
    read_and_judge(copy)
    (copy / name).unlink()
    (copy / name).mkdir()
    read_and_judge(copy)


def test_files_that_cannot_be_read_are_named(copy: Path) -> None:
    os.mkfifo(copy / "decisions" / "pipe.yaml")
    (copy / "decisions" / "gone.yaml").symlink_to(copy / "nowhere")
    (copy / "decisions" / "self.yaml").symlink_to(copy / "decisions" / "self.yaml")
    found = [one for one in check_rule_base(copy) if one.id == "unreadable"]
    assert [one.place.file for one in found] == [
        "decisions/gone.yaml",
        "decisions/pipe.yaml",
        "decisions/self.yaml",
    ]


def test_a_folder_linked_into_itself_is_read_once(copy: Path) -> None:
    (copy / "decisions" / "again").symlink_to(copy / "decisions", target_is_directory=True)
    assert check_rule_base(copy) == []


def test_a_name_that_cannot_be_shown_is_refused(copy: Path) -> None:
    (copy / "decisions" / "a\nb.yaml").touch()
    assert [one.id for one in check_rule_base(copy)] == ["unreadable"]


def test_very_many_problems_end_in_one_that_says_so(copy: Path) -> None:
    keys = "".join(f"wrong_{n}: 1\n" for n in range(MAX_FOUND * 3))
    (copy / "decisions" / "many.yaml").write_text(keys, encoding="utf-8")
    found = check_rule_base(copy)
    assert len(found) == MAX_FOUND + 1
    assert sum(one.id == "too-large" for one in found) == 1


def test_a_long_line_is_shown_around_the_place(copy: Path) -> None:
    path = copy / "decisions" / "escalation.yaml"
    text = path.read_text(encoding="utf-8")
    long = ", ".join(["4"] + ["抱怨"] * 500)
    path.write_text(text.replace("{at_least: 4}", f"[{long}]"), encoding="utf-8")
    for one in check_rule_base(copy):
        assert max(len(line) for line in one.render().splitlines()) < 400


def test_a_hidden_control_character_never_reaches_the_terminal(copy: Path) -> None:
    path = copy / "decisions" / "escalation.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("then: usual", 'then: "\\e[31m\\u202e"'), encoding="utf-8")
    rendered = "".join(one.render() for one in check_rule_base(copy))
    assert "unknown-value" in rendered
    assert "\x1b" not in rendered
    assert "\u202e" not in rendered
