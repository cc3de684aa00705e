"""``harken rules fmt``: one layout; nothing said is changed, no comment is lost."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from harken_rules.commands import register
from harken_rules.diagnostics import Report
from harken_rules.formatting import Formatted, format_folder, format_text, write_formatted
from harken_rules.loader import default_base_path, read_rule_base
from harken_rules.reading.cases import Case
from harken_rules.source import read_source
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result
from yaml.emitter import Emitter
from yaml.representer import Representer
from yaml.resolver import BaseResolver
from yaml.serializer import Serializer

Edit = Callable[[dict[str, tuple[str, str]]], Path]

SAMPLE = Path(__file__).parent / "sample"
FILES = [
    pytest.param(
        root, path.relative_to(root).as_posix(), id=f"{root.name}/{path.stem}-{path.parent.name}"
    )
    for root in (SAMPLE, default_base_path())
    for path in sorted(root.rglob("*.yaml"))
]


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def formatted(text: str | bytes, name: str = "decisions/one.yaml") -> str:
    report = Report()
    data = text.encode() if isinstance(text, str) else text
    after = format_text(data, name, report)
    assert after is not None, [one.render() for one in report.sorted()]
    again = format_text(after, name, Report())
    assert again == after, "formatting once more changes the text"
    return after.decode()


# --- What the layout is ---------------------------------------------------------------------------


def test_the_order_of_keys() -> None:
    text = """\
# About the file.
rules:
    # About b.
    - then: yes
      because: {en: B, zh: 乙}   # its reason
      id: b
      when:
         one: 1
    - {then: no, id: c}
title: {zh: 甲, en: A}
result:   two
hit: first
decision: two
"""
    assert (
        formatted(text)
        == """\
# About the file.
decision: two
title: {zh: 甲, en: A}
hit: first
result: two
rules:
  # About b.
  - id: b
    when: {one: 1}
    then: yes
    because: {en: B, zh: 乙}  # its reason
  - id: c
    then: no
"""
    )


def test_comments_in_odd_places_stay_with_what_they_belong_to() -> None:
    text = """\
decision: two # beside decision
title: # beside title
  en: A # beside en
  zh: 甲
hit: first


# over result, far away

result: two
rules: # beside rules
# over a, not indented
  - # beside the dash of a
    id: a
    # over when
    when:
      one: [1, # beside 1
        # over 2
        2,
        # after 2
      ]
      # after the conditions
    then: yes
    # ends a
  # over b
  -
    # over the id of b
    id: b
    then: no # beside no
  # ends the rules
# ends the file
"""
    assert (
        formatted(text)
        == """\
decision: two  # beside decision
title:         # beside title
  en: A        # beside en
  zh: 甲
hit: first

# over result, far away

result: two
rules:  # beside rules
  # over a, not indented
  # beside the dash of a
  - id: a
    # over when
    when:
      one:
        - 1  # beside 1
        # over 2
        - 2
        # after 2
      # after the conditions
    then: yes
    # ends a
  # over b
  # over the id of b
  - id: b
    then: no  # beside no
  # ends the rules
# ends the file
"""
    )


def test_comments_around_a_value_stand_over_it_in_the_order_they_were_written() -> None:
    text = """\
decision: two
rules:
  - id: # before the value
      a  # beside the value
    then: yes
  - { # after the brace
      # over the key
      id: b, then: no}  # beside b
  - # beside the dash
    # over the id
    id: c
    then: [ # in no list
      # nor here
      ] # but here
title: # one
  # two
  # three
  x # four
"""
    assert (
        formatted(text)
        == """\
decision: two
# one
# two
# three
title: x  # four
rules:
  # before the value
  - id: a  # beside the value
    then: yes
  # after the brace
  # over the key
  # beside b
  - id: b
    then: no
  # beside the dash
  # over the id
  - id: c
    # in no list
    # nor here
    then: []  # but here
"""
    )


def test_comments_beside_neighbours_stand_in_one_column() -> None:
    text = "name: a # one\ntitle: {en: A longer text, zh: 甲}     # two\nlanguages: [en, zh]\n"
    assert formatted(text, "rulebase.yaml") == (
        "name: a                             # one\n"
        "title: {en: A longer text, zh: 甲}  # two\n"
        "languages: [en, zh]\n"
    )


def test_a_comment_at_the_top_stays_at_the_top() -> None:
    head = "# yaml-language-server: $schema=x.json\n# The file.\n"
    text = f"{head}\n# The title.\ntitle: {{en: A}}\nname: a\n"
    assert formatted(text, "rulebase.yaml") == (
        f"{head}name: a\n\n# The title.\ntitle: {{en: A}}\n"
    )


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("3.60", "3.60"),
        ('"3.60"', '"3.60"'),
        ("24 hours", "24 hours"),
        ("-2", "-2"),
        ("'plain'", "plain"),
        ('"plain"', "plain"),
        ("'true'", '"true"'),
        ("no", "no"),
        ("'it''s: so'", '"it\'s: so"'),
        ("it's so", "it's so"),
        ('"say \\"so\\""', 'say "so"'),
        ("a\n    b", "a b"),
        ("'#1'", '"#1"'),
        ("a#1", "a#1"),
        ('"a\\nb"', '"a\\nb"'),
        ('""', '""'),
        ("'a\tb'", '"a\\tb"'),
        ("账单，信息", "账单，信息"),
        ("'甲: 乙'", '"甲: 乙"'),
    ],
)
def test_how_a_value_is_written(written: str, wanted: str) -> None:
    name = "decisions/one.yaml"
    assert formatted(f"decision: {written}\n", name) == f"decision: {wanted}\n"


def test_a_label_is_quoted_alike_on_one_line_and_on_two() -> None:
    long = "A text, which is rather long, and which does not leave much room for another one"
    short = formatted('title: {en: "One, two", zh: 甲}\n')
    assert short == 'title: {en: "One, two", zh: 甲}\n'
    assert formatted(f'title: {{en: "{long}", zh: 一二三四五六七}}\n') == (
        f'title:\n  en: "{long}"\n  zh: 一二三四五六七\n'
    )


def test_texts_of_several_lines_stay_as_they_are_written() -> None:
    text = """\
catalogue: notes
entries:
    one:
        title: {en: A, zh: 甲}
        literal: |  # a comment
            one
              two  # no comment

            three
        folded: >-

            one
            two
        started:   |2
              one
            two
        kept: |+
            one

# The end.
"""
    assert (
        formatted(text, "catalogue/notes.yaml")
        == """\
catalogue: notes
entries:
  one:
    title: {en: A, zh: 甲}
    literal: |  # a comment
      one
        two  # no comment

      three
    folded: >-

      one
      two
    started: |2
          one
        two
    kept: "one\\n\\n"

# The end.
"""
    )


def test_what_does_not_fit_on_a_line() -> None:
    points = ", ".join(f"point_number_{number}" for number in range(8))
    long = f"rules:\n  - id: a\n    when: {{point: {{not: [{points}]}}, brand: b}}\n    then: x\n"
    assert (
        formatted(long)
        == """\
rules:
  - id: a
    when:
      point: {not: [point_number_0, point_number_1, point_number_2, point_number_3, point_number_4,
                    point_number_5, point_number_6, point_number_7]}
      brand: b
    then: x
"""
    )
    facts = ", ".join(f"fact_number_{number}: {number}" for number in range(8))
    assert (
        formatted(f"cases:\n- {{name: a, given: {{{facts}}}}}\n", "cases/a.yaml")
        == """\
cases:
  - name: a
    given: {fact_number_0: 0, fact_number_1: 1, fact_number_2: 2, fact_number_3: 3,
            fact_number_4: 4, fact_number_5: 5, fact_number_6: 6, fact_number_7: 7}
"""
    )


def test_line_ends_bom_and_encoding() -> None:
    text = "# 注释\nname: a\ntitle: {en: A, zh: 甲}\n"
    for data in (
        text.replace("\n", "\r\n").encode(),
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.rstrip().encode(),
        b"---\n" + text.encode() + b"...\n",
        f"\n\n{text}\n\n".encode(),
    ):
        assert formatted(data, "rulebase.yaml") == text


# --- Nothing said is changed ----------------------------------------------------------------------


def mangled(text: str, chance: random.Random) -> tuple[str, list[str]]:
    """The same content, indented otherwise and with comments everywhere; and these comments."""
    wide = chance.choice((1, 2, 3))
    lines, added = [], []

    def comment() -> str:
        added.append(f"# remark {len(added)}: {{not}} [yaml] 'at' \"all\"")
        return added[-1]

    for line in text.split("\n"):
        while chance.random() < 0.1:
            lines.append(" " * chance.randrange(12) + comment())
        if chance.random() < 0.1:
            lines.append(" " * chance.randrange(3))
        body = line.lstrip(" ")
        indent = " " * wide * (len(line) - len(body))
        if body.startswith("- "):
            body = "-" + " " * (2 * wide - 1) + body[2:]
        beside = "" if "#" in line or not body or chance.random() < 0.8 else f" {comment()}"
        lines.append(f"{indent}{body}{beside}")
    return "\n".join(lines), added


@pytest.mark.parametrize(("root", "name"), FILES)
def test_mangled_files(root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    chance = random.Random(name)
    meant = _meaning(formatted(text, name), name)
    for _ in range(3 if root == SAMPLE else 1):
        other, added = mangled(text, chance)
        if chance.random() < 0.5:
            other = "\ufeff" + other.replace("\n", "\r\n")
        after = formatted(other, name)
        found = re.findall(r"# remark \d+: \{not\} \[yaml\] 'at' \"all\"$", after, re.MULTILINE)
        assert sorted(found) == sorted(added)
        for line in text.split("\n"):
            if line.strip().startswith("#"):
                assert line.strip() in after
        without = re.sub(r"^ *# remark .*\n|\s*# remark .*$", "", after, flags=re.MULTILINE)
        assert _meaning(without, name) == meant


def _meaning(text: str, name: str) -> object:
    def plain(node: object) -> object:
        entries = getattr(node, "entries", None)
        if entries is not None:
            return [(key.text, plain(value)) for key, value in entries]
        items = getattr(node, "items", None)
        return [plain(one) for one in items] if items is not None else getattr(node, "text", None)

    return plain(read_source(text.encode(), name, Report()))


class PlainDumper(Emitter, Serializer, Representer, BaseResolver):
    """Writes all texts without quotes, since none is ever taken for a number."""

    def __init__(self, stream: object, **options: Any) -> None:
        Emitter.__init__(self, stream, width=options["width"], allow_unicode=True)
        Serializer.__init__(self)
        Representer.__init__(self, default_flow_style=options["default_flow_style"])
        BaseResolver.__init__(self)
        self.sort_keys = False


@pytest.mark.parametrize(("root", "name"), FILES)
def test_there_is_one_layout_however_a_file_was_written(root: Path, name: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    text = re.sub(r"^ *#.*\n|^\n| +#.*$", "", text, flags=re.MULTILINE)
    data = yaml.load(text, Loader=yaml.BaseLoader)
    meant = formatted(text, name)
    for flow in (True, False) if root == SAMPLE else (len(name) % 2 == 0,):
        other = yaml.dump(data, Dumper=PlainDumper, default_flow_style=flow, width=40)
        assert formatted(other, name) == meant


@pytest.mark.parametrize("root", [SAMPLE, default_base_path()], ids=["sample", "shipped"])
def test_digest_and_cases_stay(root: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    chance = random.Random(7)
    for path in root.rglob("*.yaml"):
        target = base / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(mangled(path.read_text("utf-8"), chance)[0], "utf-8", newline="\r\n")
    write_formatted(base, format_folder(base))
    before, after = read_rule_base(root), read_rule_base(base)
    assert before.base is not None
    assert after.base is not None
    assert after.base.digest == before.base.digest
    assert _said(after.cases) == _said(before.cases)


def _said(cases: tuple[Case, ...]) -> list[object]:
    return [
        (one.name, one.given, [(each.result, each.wanted) for each in one.expect]) for one in cases
    ]


def test_a_text_that_would_say_something_else_is_not_written(
    edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = edit({"decisions/level.yaml": ("hit: first", "hit:   first")})
    monkeypatch.setattr("harken_rules.formatting.files.write", lambda *_: "decision: other\n")
    done = harken("rules", "fmt", base)
    assert done.exit_code == 1
    assert "would change what this file says" in done.output
    spoilt = [Formatted("rulebase.yaml", b"", b"name: other\n")]
    monkeypatch.setattr("harken_rules.commands.fmt.format_folder", lambda _: spoilt)
    done = harken("rules", "fmt", base)
    assert (done.exit_code, "would change what the rules say" in done.output) == (2, True)
    assert "hit:   first" in (base / "decisions" / "level.yaml").read_text("utf-8")


@settings(max_examples=300, deadline=None)
@given(text=st.text(min_size=1, max_size=30), where=st.sampled_from(["decision", "en", "item"]))
def test_any_text_comes_back(text: str, where: str) -> None:
    quoted = json.dumps(text).replace("\x7f", "\\x7f")
    if not all(character in "\t\n\r" or character >= " " for character in text):
        return  # JSON's escapes of control characters are not YAML's
    if any("\ud800" <= character <= "\udfff" or character > "\uffff" for character in text):
        quoted = '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'
    source = {
        "decision": f"decision: {quoted}\n",
        "en": f'title: {{en: {quoted}, {quoted[:-1]}x": b}}\n',
        "item": f"results:\n- {quoted}\n- b\n",
    }[where]
    report = Report()
    if read_source(source.encode(), "decisions/one.yaml", report) is None:
        return
    assert _meaning(formatted(source), "x") == _meaning(source, "x")


# --- The command ----------------------------------------------------------------------------------


def test_it_writes_only_what_changes(edit: Edit) -> None:
    base = edit(
        {"decisions/level.yaml": ("hit: first\nresult: level", "result: level\nhit:   first")}
    )
    harken("rules", "fmt", base)
    before = {path: path.stat().st_mtime_ns for path in base.rglob("*.yaml")}
    path = base / "decisions" / "level.yaml"
    good = path.read_text("utf-8")
    path.write_text(good.replace("hit: first", "hit:   first"), "utf-8")
    path.chmod(0o640)
    done = harken("rules", "fmt", base)
    assert (done.exit_code, path.read_text("utf-8")) == (0, good)
    assert f"{base}/decisions/level.yaml: laid out anew\n" in done.output
    assert f"1 file changed, {len(before) - 1} in order" in done.output
    assert path.stat().st_mode & 0o777 == 0o640
    others = [one for one in before if one != path]
    assert all(one.stat().st_mtime_ns == before[one] for one in others)
    assert not list(base.rglob(".*"))


def test_check_and_diff_write_nothing(edit: Edit) -> None:
    base = edit({})
    harken("rules", "fmt", base)
    path = base / "decisions" / "level.yaml"
    bad = path.read_text("utf-8").replace("hit: first", "hit:   first")
    path.write_text(bad, "utf-8")
    done = harken("rules", "fmt", base, "--check")
    assert done.exit_code == 1
    assert f"{base}/decisions/level.yaml: would be laid out anew\n" in done.output
    done = harken("rules", "fmt", base, "--diff")
    assert done.exit_code == 1
    assert "-hit:   first\n+hit: first\n" in done.output
    done = harken("rules", "fmt", base, "--check", "--json")
    answer = json.loads(done.output)
    assert (done.exit_code, answer["changed"], answer["written"]) == (
        1,
        ["decisions/level.yaml"],
        False,
    )
    assert len(answer["unchanged"]) == len(list(base.rglob("*.yaml"))) - 1
    assert path.read_text("utf-8") == bad
    harken("rules", "fmt", base)
    assert harken("rules", "fmt", base, "--check").exit_code == 0


def test_a_missing_line_end_is_shown(copy: Path) -> None:
    harken("rules", "fmt", copy)
    path = copy / "rulebase.yaml"
    path.write_bytes(path.read_bytes().rstrip())
    done = harken("rules", "fmt", copy, "--diff")
    assert "\\ No newline at end of file" in done.output


def test_what_is_not_yaml_is_reported_and_left(edit: Edit) -> None:
    base = edit({"decisions/level.yaml": ("then: 4", "then: 4: 5")})
    spoilt = (base / "decisions" / "level.yaml").read_bytes()
    other = base / "decisions" / "severity.yaml"
    other.write_bytes(other.read_bytes().replace(b"hit: sum", b"hit:  sum"))
    done = harken("rules", "fmt", base)
    assert done.exit_code == 1
    assert "decisions/level.yaml:" in done.output
    assert "yaml-syntax" in done.output
    assert "1 left as they are" in done.output
    assert (base / "decisions" / "level.yaml").read_bytes() == spoilt
    assert b"hit: sum" in other.read_bytes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n", "not a mapping"),
        ("a: &b 1\n", "anchor"),
        ("a: 1\na: 2\n", "a second time"),
        (f"a: [{'[' * 50}{']' * 50}]\n", "nested more than"),
        (f"? {'k' * 1100}\n: 1\n", "would change what this file says"),
    ],
)
def test_what_cannot_be_laid_out(text: str, words: str, copy: Path) -> None:
    path = copy / "decisions" / "odd.yaml"
    path.write_text(text, "utf-8")
    done = harken("rules", "fmt", copy)
    assert done.exit_code == 1
    assert words in done.output
    assert path.read_text("utf-8") == text


def test_a_base_with_errors_is_laid_out_too(edit: Edit) -> None:
    base = edit({"decisions/level.yaml": ("vip_tier:", "vip_teir:   ")})
    assert harken("rules", "fmt", base).exit_code == 0
    assert "{vip_teir: [diamond" in (base / "decisions" / "level.yaml").read_text("utf-8")


def test_files_of_no_kind_are_left(copy: Path) -> None:
    (copy / "notes.yaml").write_text("b:   1\n", "utf-8")
    assert harken("rules", "fmt", copy).exit_code == 0
    assert (copy / "notes.yaml").read_text("utf-8") == "b:   1\n"


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert harken("rules", "fmt", tmp_path / "nowhere").exit_code == 2


def test_a_folder_without_rule_files(tmp_path: Path) -> None:
    done = harken("rules", "fmt", tmp_path)
    assert (done.exit_code, "no YAML file" in done.output) == (2, True)


def test_the_shipped_base_is_not_changed_unasked() -> None:
    done = harken("rules", "fmt")
    assert (done.exit_code, "name the folder" in done.output) == (2, True)
    assert harken("rules", "fmt", "--check").exit_code == 0


def test_a_folder_that_cannot_be_written(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copy / "decisions" / "level.yaml"
    path.write_text(path.read_text("utf-8").replace("hit: first", "hit:   first"), "utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harken_rules.formatting.files.write_whole", full)
    done = harken("rules", "fmt", copy)
    assert (done.exit_code, "No space left" in done.output) == (2, True)
    assert "hit:   first" in path.read_text("utf-8")


def test_help_teaches() -> None:
    done = harken("rules", "fmt", "--help")
    for words in ("harken rules fmt my-rules", "--check", "--diff", "--json", "Exit code"):
        assert words in done.output


def test_the_shipped_base_is_laid_out(tmp_path: Path) -> None:
    base = Path(shutil.copytree(default_base_path(), tmp_path / "base"))
    assert [one.name for one in format_folder(base) if one.changed or one.findings] == []
