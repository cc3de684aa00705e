"""``harken rules schema``: what an editor accepts, refuses and offers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
import typer
import yaml
from harken_rules import load_rule_base
from harken_rules.commands import register
from harken_rules.loader import check_rule_base, default_base_path
from harken_rules.schemas import KINDS, kind_of, read_vocabulary, schema_of
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from typer.testing import CliRunner, Result

SAMPLE = Path(__file__).parent / "sample"

Edit = Callable[[dict[str, tuple[str, str]]], Path]


class Yaml12Loader(yaml.SafeLoader):
    """As editors read YAML: version 1.2, in which only true and false are booleans."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~\0"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]*", "-+0123456789"),
):
    expression = re.compile(f"^(?:{pattern})$")
    Yaml12Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", expression, [*first, ""])


def harken(*words: str | Path) -> Result:
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100"})
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def validators(root: Path) -> dict[str, Draft202012Validator]:
    words, found = read_vocabulary(root)
    assert words is not None, found
    return {kind: Draft202012Validator(schema_of(kind, words)) for kind in KINDS}


def wrong(validator: Draft202012Validator, text: str) -> list[str]:
    """The paths of all that is wrong, as ``rules/0/when``."""
    data = yaml.load(text, Loader=Yaml12Loader)
    found = []
    for error in validator.iter_errors(data):
        while error.context:
            error = best_match(error.context)
        found.append("/".join(str(one) for one in error.absolute_path))
    return sorted(set(found))


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_schemas(kind: str) -> None:
    words, _ = read_vocabulary(SAMPLE)
    assert words is not None
    Draft202012Validator.check_schema(schema_of(kind, words))


@pytest.mark.parametrize("root", [SAMPLE, default_base_path()], ids=["sample", "shipped"])
def test_sound_files_are_valid(root: Path) -> None:
    valid = validators(root)
    names = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.yaml"))]
    kinds = {kind_of(name) for name in names}
    assert kinds == set(KINDS)
    for name in names:
        text = (root / name).read_text("utf-8")
        assert wrong(valid[kind_of(name) or ""], text) == [], name


WRONG = [
    # file, what is replaced, by what, where an editor shows it
    ("decisions/level.yaml", "vip_tier:", "vip_teir:", "rules/1/when"),
    ("decisions/level.yaml", "[diamond, gold]", "[diamond, golden]", "rules/1/when/vip_tier/1"),
    ("decisions/level.yaml", "[diamond, gold]", "[gold, gold]", "rules/1/when/vip_tier"),
    ("decisions/level.yaml", "{above: 1, below: 3.9}", "{over: 1}", "rules/1/when/severity"),
    ("decisions/level.yaml", "{above: 1, below: 3.9}", "{}", "rules/1/when/severity"),
    (
        "decisions/level.yaml",
        "{above: 1, below: 3.9}",
        "{above: high}",
        "rules/1/when/severity/above",
    ),
    (
        "decisions/level.yaml",
        "{above: 1, below: 3.9}",
        "{above: 1, at_least: 1}",
        "rules/1/when/severity",
    ),
    (
        "decisions/level.yaml",
        "{above: 1, below: 3.9}",
        "{above: 1, missing: true}",
        "rules/1/when/severity",
    ),
    ("decisions/level.yaml", "then: 5", "then: 6", "rules/0/then"),
    ("decisions/level.yaml", "then: 5", "then: 4.5", "rules/0/then"),
    ("decisions/level.yaml", "then: 5", "then: [5]", "rules/0/then"),
    ("decisions/level.yaml", "id: five", "id: Five", "rules/0/id"),
    ("decisions/level.yaml", "id: five", "name: five", "rules/0"),
    ("decisions/level.yaml", "hit: first", "hit: last", "hit"),
    ("decisions/level.yaml", "hit: first", "hit: first\nreasons: 2", "reasons"),
    ("decisions/level.yaml", "result: level", "result: probability", "result"),
    ("decisions/level.yaml", "result: level", "other: level", ""),
    ("decisions/level.yaml", "zh: 抱怨级别", "fr: Niveau", "title"),
    ("decisions/strategies.yaml", "hit: all", "hit: all\notherwise: missing", "otherwise"),
    ("decisions/strategies.yaml", "call_back]", "call_bcak]", "rules/0/then/1"),
    ("decisions/strategies.yaml", "then: test_signal", "then: test", "rules/1/then"),
    ("decisions/handling.yaml", "owner: network}", "owner: nobody}", "rules/0/then/owner"),
    ("decisions/handling.yaml", "owner: network}", "level: 5}", "rules/0/then/level"),
    ("decisions/handling.yaml", "treatment: quality_specialist, ", "", "rules/0/then"),
    ("decisions/severity.yaml", "then: 4.5", "then: much", "rules/3/then"),
    ("decisions/severity.yaml", "weight: 0.4", "weight: heavy", "characteristics/duration/weight"),
    (
        "decisions/severity.yaml",
        "dissatisfied: true",
        "dissatisfied: yes",
        "rules/2/when/dissatisfied",
    ),
    ("decisions/duration_band.yaml", "24 hours", "24 days", "rules/0/when/open_hours/at_least"),
    (
        "decisions/duration_band.yaml",
        "{not: limited",
        "{not: unlimited",
        "rules/1/when/any/1/behaviour_type/not",
    ),
    (
        "decisions/duration_band.yaml",
        "{missing: true}",
        "{missing: maybe}",
        "rules/1/when/any/0/behaviour_type/missing",
    ),
    ("facts.yaml", "type: boolean", "type: bool", "facts/dissatisfied/type"),
    ("facts.yaml", "values_from: points", "values_from: [points]", "facts/point/values_from"),
    ("facts.yaml", "    unit: hours", "    units: hours", "facts/open_hours"),
    ("facts.yaml", "type: boolean", "type: boolean\n    unit: hours", "facts/dissatisfied/unit"),
    ("facts.yaml", "    values_from: departments\n", "", "facts/owner"),
    ("facts.yaml", "  owner:", "  Owner:", "facts"),
    (
        "facts.yaml",
        "range: {at_least: 0}",
        "range: {at_least: zero}",
        "facts/open_hours/range/at_least",
    ),
    ("cases/levels.yaml", "level: 5", "level: five", "cases/0/expect/level"),
    ("cases/levels.yaml", "    given: {}\n", "", "cases/1"),
    ("cases/levels.yaml", "category: charges", "level: 5", "cases/0/given"),
    ("cases/levels.yaml", "probability: 0.2", "probability: 1.2", "cases/0/given/probability"),
    ("cases/levels.yaml", "probability: 0.2", "probability:", "cases/0/given/probability"),
    (
        "cases/levels.yaml",
        "{contains: [call_back]",
        "{contain: [call_back]",
        "cases/2/expect/strategies",
    ),
    ("cases/levels.yaml", "owner: network", "probability: 1", "cases/2/expect"),
    (
        "catalogue/escalations.yaml",
        "[customer_service, network]",
        "[customer_service, net]",
        "entries/usual/departments/1",
    ),
    (
        "catalogue/strategies.yaml",
        "zh: 逐项说明账单}",
        "cn: 逐项说明账单}",
        "entries/explain_bill/steps/0",
    ),
    (
        "catalogue/strategies.yaml",
        "    script: {en: Let",
        "    words: {en: Let",
        "entries/explain_bill",
    ),
    ("catalogue/taxonomy.yaml", "services:", "service:", "taxonomy/charges"),
    (
        "catalogue/taxonomy.yaml",
        "{title: {en: Weak signal, zh: 信号不好}}",
        "{}",
        "taxonomy/basic_comms/services/coverage/points/weak_signal",
    ),
    ("rulebase.yaml", "languages: [en, zh]", "languages: en", "languages"),
    ("rulebase.yaml", "name: sample", "nom: sample", ""),
    ("decisions/level.yaml", "decision: level", "decision: request", "decision"),
    ("decisions/level.yaml", "zh: 抱怨级别", 'zh: " "', "title/zh"),
    ("decisions/severity.yaml", "then: 4.5", "then: 1e3", "rules/3/then"),
    ("cases/levels.yaml", "point: bill_inaccurate", 'point: " "', "cases/0/given/point"),
    (
        "catalogue/departments.yaml",
        "group: front_end",
        "group: {en: Front}",
        "entries/customer_service/group",
    ),
]


@pytest.fixture(scope="module")
def valid() -> dict[str, Draft202012Validator]:
    return validators(SAMPLE)


@pytest.mark.parametrize(("file", "old", "new", "path"), WRONG)
def test_wrong_files_fail_at_the_right_place(
    file: str, old: str, new: str, path: str, valid: dict[str, Draft202012Validator]
) -> None:
    text = (SAMPLE / file).read_text("utf-8")
    assert old in text
    assert path in wrong(valid[kind_of(file) or ""], text.replace(old, new, 1))


RIGHT = [
    ("decisions/level.yaml", "then: 5", 'then: "5"'),
    ("decisions/level.yaml", "hit: first", "hit: first\notherwise: missing"),
    ("decisions/level.yaml", "decision: level", "decision: a_new_one"),
    ("decisions/level.yaml", "severity: {at_least: 3.9}", "severity: [3.9, 4]"),
    ("decisions/level.yaml", "severity: {at_least: 3.9}", "severity: {not: [3.9, 4]}"),
    ("decisions/duration_band.yaml", "24 hours", "24 hour"),
    ("decisions/duration_band.yaml", "24 hours", "24"),
    ("decisions/severity.yaml", "dissatisfied: true", 'dissatisfied: "true"'),
    ("decisions/strategies.yaml", "then: test_signal", "then: [test_signal, call_back]"),
    ("facts.yaml", "source: handling", "source: a_new_decision"),
    ("cases/levels.yaml", "point: bill_inaccurate", "point: anything_else"),
    ("cases/levels.yaml", "level: 5", "level: {at_least: 4}"),
    ("cases/levels.yaml", "strategies: []", "strategies: call_back"),
    (
        "cases/levels.yaml",
        "cases:\n",
        "cases:\n  - name: t\n    rows:\n      - {given: {open_hours: 1}, expect: {level: 1}}\n",
    ),
    ("catalogue/departments.yaml", "catalogue: departments", "catalogue: notes"),
    ("decisions/level.yaml", "- id: five", "- id: true"),
    ("catalogue/departments.yaml", "group: front_end", "group: [front_end, branches]"),
    ("facts.yaml", "range: {at_least: 0}", "range: {at_least: 0 hours}"),
    ("rulebase.yaml", "name: sample", "name: 2026"),
]


@pytest.mark.parametrize(("file", "old", "new"), RIGHT)
def test_what_the_language_allows_is_valid(
    file: str, old: str, new: str, valid: dict[str, Draft202012Validator]
) -> None:
    text = (SAMPLE / file).read_text("utf-8")
    assert old in text
    assert wrong(valid[kind_of(file) or ""], text.replace(old, new, 1)) == []


def test_rows_need_what_the_table_does_not_say(valid: dict[str, Draft202012Validator]) -> None:
    table = "cases:\n- name: t\n  rows:\n  - given: {open_hours: 1}\n"
    assert wrong(valid["cases"], table) == ["cases/0/rows/0"]
    assert wrong(valid["cases"], table + "  expect: {level: 1}\n") == []


def test_editors_are_told_titles_units_and_labels(valid: dict[str, Draft202012Validator]) -> None:
    shapes = valid["decision"].schema["$defs"]
    assert shapes["condition-open_hours"]["description"] == (
        "Time open · 抱怨时长\n\nnumber, hours, ≥ 0"
    )
    tier = shapes["value-vip_tier"]
    assert tier["enum"] == ["none", "gold", "diamond"]
    assert tier["enumDescriptions"] == ["None · 无", "Gold card · 金卡", "Diamond card · 钻石卡"]
    assert "strategies" not in shapes["when"]["properties"], "no rule can ask about a list"
    assert set(shapes["when"]["properties"]) > {"any", "category", "severity"}


def test_a_code_that_looks_like_a_number_may_stand_without_quotes(edit: Edit) -> None:
    root = edit(
        {
            "facts.yaml": ("gold: {en", '"1": {en'),
            "decisions/level.yaml": ("[diamond, gold]", "[diamond, 1]"),
        }
    )
    text = (root / "decisions" / "level.yaml").read_text("utf-8")
    assert wrong(validators(root)["decision"], text) == []
    assert wrong(validators(root)["decision"], text.replace(", 1]", ", '1']")) == []


def test_it_is_made_even_while_a_decision_is_wrong(edit: Edit) -> None:
    root = edit({"decisions/level.yaml": ("vip_tier:", "vip_teir:")})
    assert wrong(validators(root)["decision"], (root / "decisions/level.yaml").read_text("utf-8"))


# --- The command ----------------------------------------------------------------------------------


def test_one_schema_is_printed() -> None:
    done = harken("rules", "schema", SAMPLE)
    assert done.exit_code == 0
    assert json.loads(done.output)["title"] == "a decision of a Harken rule base"
    for kind in KINDS:
        answer = json.loads(harken("rules", "schema", SAMPLE, "--kind", kind).output)
        assert answer["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_one_schema_is_written(tmp_path: Path) -> None:
    out = tmp_path / "facts.json"
    done = harken("rules", "schema", SAMPLE, "--kind", "facts", "--out", out)
    assert (done.exit_code, json.loads(out.read_text("utf-8"))["type"]) == (0, "object")
    assert str(out) in done.output


def test_all_are_written_into_a_hidden_folder(copy: Path) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*.yaml")}
    done = harken("rules", "schema", copy, "--write")
    assert done.exit_code == 0
    names = sorted(path.name for path in (copy / ".schema").iterdir())
    assert names == sorted(f"{kind}.json" for kind in KINDS)
    assert {path: path.read_bytes() for path in copy.rglob("*.yaml")} == before
    assert check_rule_base(copy) == []


def test_modelines_lead_to_the_schemas(copy: Path) -> None:
    nested = copy / "cases" / "more" / "some.yaml"
    nested.parent.mkdir()
    text = (copy / "cases" / "levels.yaml").read_text("utf-8")
    nested.write_text(text.replace("- name: ", "- name: more "), "utf-8")
    (copy / "notes.yaml").write_text("a: 1\n", "utf-8")
    digest = load_rule_base(copy).digest
    before = {path: path.read_bytes() for path in copy.rglob("*.yaml")}
    done = harken("rules", "schema", copy, "--modeline", "--json")
    answer = json.loads(done.output)
    assert (done.exit_code, len(answer["changed"]), len(answer["written"])) == (
        0,
        len(before) - 1,
        5,
    )
    for path, was in before.items():
        line, _, rest = path.read_bytes().partition(b"\n")
        if path.name == "notes.yaml":
            assert path.read_bytes() == was
            continue
        assert rest == was
        found = re.fullmatch(r"# yaml-language-server: \$schema=(.*)", line.decode())
        assert found is not None
        schema = path.parent / found[1]
        kind = kind_of(path.relative_to(copy).as_posix())
        assert schema.resolve() == (copy / ".schema" / f"{kind}.json").resolve()
        assert schema.is_file()
    assert load_rule_base(copy).digest == digest
    again = {path: path.read_bytes() for path in copy.rglob("*.yaml")}
    assert (
        json.loads(harken("rules", "schema", copy, "--modeline", "--json").output)["changed"] == []
    )
    assert {path: path.read_bytes() for path in copy.rglob("*.yaml")} == again


def test_a_modeline_is_set_anew_and_keeps_line_ends_and_bom(copy: Path) -> None:
    path = copy / "rulebase.yaml"
    rest = path.read_bytes().replace(b"\n", b"\r\n")
    line = b"# yaml-language-server: $schema=%s\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + line % b"old.json" + rest)
    facts = copy / "facts.yaml"
    facts.write_text(facts.read_text("utf-8"), "utf-16")
    before = facts.read_bytes()
    assert harken("rules", "schema", copy, "--modeline").exit_code == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + line % b".schema/rulebase.json" + rest
    assert facts.read_bytes() == before


def test_facts_with_errors(edit: Edit) -> None:
    root = edit({"facts.yaml": ("type: boolean", "type: bool")})
    done = harken("rules", "schema", root)
    assert (done.exit_code, "facts.yaml:" in done.output) == (2, True)
    done = harken("rules", "schema", root, "--write", "--json")
    assert (done.exit_code, json.loads(done.output)["written"]) == (2, [])
    assert not (root / ".schema").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "no such folder"),
        ((SAMPLE, "--kind", "rules"), "no kind of file"),
        ((SAMPLE, "--out", "x", "--write"), "--out takes one schema"),
        ((SAMPLE, "--out", "nowhere/x.json"), "cannot be written"),
    ],
)
def test_refusals(words: tuple[str | Path, ...], said: str) -> None:
    done = harken("rules", "schema", *words)
    assert (done.exit_code, said in done.output) == (2, True)


@pytest.mark.parametrize("option", ["--write", "--modeline"])
def test_the_shipped_base_is_not_changed_unasked(option: str) -> None:
    done = harken("rules", "schema", option)
    assert (done.exit_code, "name the folder" in done.output) == (2, True)


def test_what_cannot_be_written_is_called_as_it_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "s.json"
    done = harken("rules", "schema", SAMPLE, "--out", out)
    assert (done.exit_code, f"{out}: cannot be written" in done.output) == (2, True)


def test_help_teaches() -> None:
    done = harken("rules", "schema", "--help")
    for words in ("harken rules schema my-rules --modeline", "--kind", "--write", "Exit code"):
        assert words in done.output
