"""From a folder to a rule base: what is read, and what is wrong with what cannot be."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from harken_rules import RuleBaseError, check_rule_base, default_base_path, load_rule_base
from harken_rules.language import (
    Clause,
    FactType,
    Hit,
    Interval,
    Missing,
    OneOf,
    Place,
    Within,
)

D = Decimal


def ids(path: Path) -> list[str]:
    return [one.id for one in check_rule_base(path)]


def test_sample_is_read_whole(sample: Path) -> None:
    base = load_rule_base(sample)
    assert (base.name, base.languages) == ("sample", ("en", "zh"))
    assert list(base.facts)[:3] == ["category", "point", "open_hours"]
    hours = base.facts["open_hours"]
    assert (hours.type, hours.source, hours.unit) == (FactType.NUMBER, "request", "hours")
    assert hours.range == Interval(low=D(0))
    assert hours.place == Place("facts.yaml", 14, 3)
    assert base.facts["grumble_count_30d"].range == Interval(D(0), D(1000))
    assert base.facts["point"].open
    assert not base.facts["category"].open


def test_values_and_labels_come_from_catalogues(sample: Path) -> None:
    base = load_rule_base(sample)
    assert list(base.facts["category"].values or {}) == ["charges", "basic_comms"]
    assert list(base.facts["point"].values or {}) == [
        "bill_inaccurate",
        "charges_opaque",
        "weak_signal",
    ]
    assert base.label("owner", "network", "zh") == "网络部"
    assert base.label("owner", "network", "fr") == "Network"
    assert base.label("owner", "elsewhere", "en") == "elsewhere"
    assert base.label("vip_tier", "none", "zh") == "无"


def test_catalogues_hold_what_their_kind_adds(sample: Path) -> None:
    catalogues = load_rule_base(sample).catalogues
    explain = catalogues["strategies"]["explain_bill"]
    steps = explain.data["steps"]
    assert isinstance(steps, tuple)
    assert steps[1] == {"en": "Send the itemised bill", "zh": "发送详单"}
    assert catalogues["escalations"]["usual"].data == {
        "departments": ("customer_service", "network")
    }
    assert catalogues["departments"]["network"].data == {"group": "production_close"}
    assert catalogues["points"]["weak_signal"].data == {
        "category": "basic_comms",
        "service": "coverage",
    }
    assert catalogues["services"]["billing"].data == {"category": "charges"}


def test_decisions_stand_in_dependency_order_by_name_where_free(sample: Path) -> None:
    names = [one.name for one in load_rule_base(sample).decisions]
    assert names == [
        "duration_band",
        "severity",
        "level",
        "escalation",
        "handling",
        "strategies",
    ]


def test_alternatives_are_multiplied_out(sample: Path) -> None:
    band = load_rule_base(sample).decisions[0]
    assert (band.hit, band.results) == (Hit.UNIQUE, ("duration_band",))
    assert band.inputs == ("open_hours", "behaviour_type")
    file = "decisions/duration_band.yaml"
    long = Clause("open_hours", Within(Interval(low=D(48))), Place(file, 14, 7))
    assert band.rules[1].alternatives == (
        (Clause("behaviour_type", Missing(wanted=True), Place(file, 12, 11)), long),
        (
            Clause(
                "behaviour_type",
                OneOf(("limited_patience",), negated=True),
                Place(file, 13, 11),
            ),
            long,
        ),
    )
    assert band.rules[1].then == {"duration_band": ("long",)}


def test_scorecards_and_lists_and_several_results(sample: Path) -> None:
    decisions = {one.name: one for one in load_rule_base(sample).decisions}
    severity = decisions["severity"]
    assert severity.reasons == 2
    assert severity.characteristics["duration"].weight == D("0.4")
    assert severity.rules[0].characteristic == "duration"
    assert severity.rules[0].because == {"en": "Open for long", "zh": "抱怨时间长"}
    assert severity.rules[3].then == {"severity": (D("4.5"),)}
    strategies = decisions["strategies"].rules[0].then
    assert strategies == {"strategies": ("explain_bill", "call_back")}
    handling = decisions["handling"].rules[0].then
    assert handling == {"treatment": ("quality_specialist",), "owner": ("network",)}


CONDITIONS: list[tuple[str, str, object]] = [
    ("category", "charges", OneOf(("charges",))),
    ("category", '"charges"', OneOf(("charges",))),
    ("category", "[charges, basic_comms]", OneOf(("charges", "basic_comms"))),
    ("category", "{not: charges}", OneOf(("charges",), negated=True)),
    ("category", "{missing: false}", Missing(wanted=False)),
    ("dissatisfied", "false", OneOf((False,))),
    ("dissatisfied", "'true'", OneOf((True,))),
    ("open_hours", "3.90", OneOf((D("3.9"),))),
    ("open_hours", "+12 hours", OneOf((D(12),))),
    (
        "open_hours",
        "{at_least: 1 hour, below: 48hours}",
        Within(Interval(D(1), D(48), False, True)),
    ),
    ("open_hours", "{above: 0.000000000000001}", Within(Interval(D("1E-15"), None, True))),
    ("open_hours", "{at_most: 999999999999999}", Within(Interval(None, D(999999999999999)))),
    ("open_hours", "{not: [1, 2.0]}", OneOf((D(1), D(2)), negated=True)),
    ("grumble_count_30d", "{above: 2.0}", Within(Interval(D(2), None, True))),
    ("vip_tier", "none", OneOf(("none",))),
]


@pytest.mark.parametrize(("fact", "written", "read"), CONDITIONS)
def test_valid_conditions(fact: str, written: str, read: object, copy: Path) -> None:
    (copy / "decisions" / "escalation.yaml").write_text(
        "decision: escalation\ntitle: {en: E, zh: 升级}\nhit: first\nresult: escalation\n"
        f"rules:\n  - id: one\n    when: {{{fact}: {written}}}\n    then: usual\n"
        "otherwise: missing\n",
        encoding="utf-8",
    )
    decision = next(one for one in load_rule_base(copy).decisions if one.name == "escalation")
    assert decision.rules[0].alternatives[0][0].condition == read


WRONG: list[tuple[str, str]] = [
    ("{category: charge}", "unknown-value"),
    ("{category: Charges}", "unknown-value"),
    ("{category: [charges, charges]}", "duplicate-id"),
    ("{category: []}", "wrong-shape"),
    ("{category: {}}", "wrong-shape"),
    ("{category: }", "wrong-shape"),
    ("{category: {not: }}", "wrong-shape"),
    ("{category: {not: {missing: true}}}", "wrong-shape"),
    ("{category: {not: charges, missing: true}}", "wrong-shape"),
    ("{category: {missing: yes}}", "type-mismatch"),
    ("{category: {at_least: 3}}", "type-mismatch"),
    ("{category: {is: charges}}", "unknown-key"),
    ("{catgory: charges}", "unknown-fact"),
    ("{strategies: call_back}", "type-mismatch"),
    ("{dissatisfied: True}", "type-mismatch"),
    ("{dissatisfied: 1}", "type-mismatch"),
    ("{dissatisfied: {above: 0}}", "type-mismatch"),
    ("{open_hours: long}", "type-mismatch"),
    ("{open_hours: .inf}", "type-mismatch"),
    ("{open_hours: .nan}", "type-mismatch"),
    ("{open_hours: 0x10}", "unit-mismatch"),
    ("{open_hours: 1e3}", "bad-number"),
    ("{open_hours: 1_000}", "bad-number"),
    ("{open_hours: 1:30}", "type-mismatch"),
    ("{open_hours: 1.}", "bad-number"),
    ("{open_hours: 1234567890.1234567}", "bad-number"),
    ("{open_hours: 10000000000000000}", "bad-number"),
    ("{open_hours: 0.0000000000000001}", "bad-number"),
    ("{open_hours: 2 days}", "unit-mismatch"),
    ("{open_hours: {at_least: 2 days}}", "unit-mismatch"),
    ("{grumble_count_30d: 3 times}", "unit-mismatch"),
    ("{open_hours: -1}", "out-of-range"),
    ("{probability: {above: 1.01}}", "out-of-range"),
    ("{open_hours: {at_least: 5, at_most: 4}}", "empty-range"),
    ("{open_hours: {above: 5, at_most: 5}}", "empty-range"),
    ("{open_hours: {at_least: 5, above: 6}}", "wrong-shape"),
    ("{open_hours: {}}", "wrong-shape"),
    ("{open_hours: {'>=': 5}}", "unknown-key"),
    ("{open_hours: {at_least: [5]}}", "wrong-shape"),
    ("{grumble_count_30d: {above: 4, below: 5}}", "empty-range"),
    ("{grumble_count_30d: 1.5}", "type-mismatch"),
    ("{any: {category: charges}}", "wrong-shape"),
    ("{any: []}", "wrong-shape"),
    ("{any: [charges]}", "wrong-shape"),
    ("charges", "wrong-shape"),
    ("", "wrong-shape"),
]


@pytest.mark.parametrize(("when", "finding"), WRONG)
def test_wrong_conditions(when: str, finding: str, copy: Path) -> None:
    (copy / "decisions" / "escalation.yaml").write_text(
        "decision: escalation\ntitle: {en: E, zh: 升级}\nhit: first\nresult: escalation\n"
        f"rules:\n  - id: one\n    when: {when}\n    then: usual\n",
        encoding="utf-8",
    )
    assert ids(copy) == [finding]
    assert check_rule_base(copy)[0].place.line == 7


def test_a_rule_may_not_multiply_without_bound(copy: Path) -> None:
    pair = "{any: [{category: charges}, {vip_tier: gold}]}"
    nested = f"{{any: [{pair}, {pair}]}}"
    many = ", ".join(["{any: [" + ", ".join([nested] * 50) + "]}"] * 8)
    (copy / "decisions" / "escalation.yaml").write_text(
        "decision: escalation\ntitle: {en: E, zh: 升级}\nhit: first\nresult: escalation\n"
        f"rules:\n  - id: one\n    when: {{any: [{many}]}}\n    then: usual\n",
        encoding="utf-8",
    )
    assert set(ids(copy)) == {"too-large"}


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("facts.yaml", "type: boolean", "type: bool", "unknown-value"),
        ("facts.yaml", "unit: hours", "units: hours", "unknown-key"),
        ("facts.yaml", "range: {at_least: 0}", "range: {at_least: none}", "type-mismatch"),
        ("facts.yaml", "range: {at_least: 0}", "values: {a: {en: A, zh: 甲}}", "unknown-key"),
        ("facts.yaml", "values_from: points", "values: {}", "wrong-shape"),
        ("facts.yaml", "    values_from: points\n", "", "missing-key"),
        ("facts.yaml", "open: true", "open: maybe", "type-mismatch"),
        ("facts.yaml", "  dissatisfied:", "  any:", "bad-name"),
        ("rulebase.yaml", "languages: [en, zh]", "languages: []", "wrong-shape"),
        ("rulebase.yaml", "languages: [en, zh]", "languages: [en, en, zh]", "duplicate-id"),
        ("rulebase.yaml", "name: sample\n", "", "missing-key"),
        ("rulebase.yaml", "name: sample", "name: [sample]", "wrong-shape"),
        ("decisions/level.yaml", "then: 5", "then: five", "type-mismatch"),
        ("decisions/level.yaml", "then: 5", "then: 4.5", "type-mismatch"),
        ("decisions/level.yaml", "then: 5", "then: {level: 5}", "wrong-shape"),
        ("decisions/level.yaml", "hit: first", "hit: first\nreasons: 3", "unknown-key"),
        ("decisions/level.yaml", "hit: first", "hit: first\ncharacteristics: {}", "unknown-key"),
        ("decisions/level.yaml", "id: five", "id: five\n    characteristic: x", "unknown-key"),
        ("decisions/level.yaml", "decision: level", "decision: request", "bad-name"),
        ("decisions/severity.yaml", "reasons: 2", "reasons: 1000", "out-of-range"),
        (
            "decisions/severity.yaml",
            "characteristic: model",
            "characteristic: modl",
            "unknown-value",
        ),
        ("decisions/severity.yaml", "then: 0.5", "then: half", "type-mismatch"),
        ("decisions/severity.yaml", "weight: 0.4", "weight: heavy", "type-mismatch"),
        ("decisions/handling.yaml", "results: [", "results: [owner, ", "duplicate-id"),
        ("decisions/handling.yaml", "hit: first", "hit: all", "wrong-shape"),
        ("decisions/handling.yaml", "owner: network}", "owner: network, x: 1}", "unknown-key"),
        ("decisions/handling.yaml", "hit: first", "hit: first\nresult: owner", "wrong-shape"),
        ("decisions/strategies.yaml", "then: test_signal", "then: [test_signl]", "unknown-value"),
        ("catalogue/strategies.yaml", "expectation:", "expectations:", "unknown-key"),
        ("catalogue/strategies.yaml", "steps:\n", "steps: none\n    #", "yaml-syntax"),
        (
            "catalogue/departments.yaml",
            "catalogue: departments",
            "catalog: departments",
            "unknown-key",
        ),
        ("catalogue/taxonomy.yaml", "points:", "point:", "unknown-key"),
        ("cases/levels.yaml", "open_hours: 50", "open_hours: -50", "out-of-range"),
        ("cases/levels.yaml", "open_hours: 50", "open_hours:", "wrong-shape"),
        ("cases/levels.yaml", "category: charges", "category: fees", "unknown-value"),
        ("cases/levels.yaml", "category: charges", "catgory: charges", "unknown-fact"),
        ("cases/levels.yaml", "level: 5", "level: 6", "out-of-range"),
        ("cases/levels.yaml", "level: 5", "levels: 5", "unknown-fact"),
        ("cases/levels.yaml", "strategies: []", "strategies: {missing: true}", "type-mismatch"),
        ("cases/levels.yaml", "absent: [", "without: [", "unknown-key"),
        ("cases/levels.yaml", "given: {}", "given: []", "wrong-shape"),
    ],
)
def test_wrong_declarations(file: str, old: str, new: str, finding: str, copy: Path) -> None:
    path = copy / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = check_rule_base(copy)
    assert finding in {one.id for one in found}
    assert next(one for one in found if one.id == finding).place.file in (file, "facts.yaml")


def test_an_open_fact_takes_other_codes_in_cases_only(copy: Path) -> None:
    cases = copy / "cases" / "more.yaml"
    cases.write_text(
        "cases: [{name: n, given: {point: something new}, expect: {level: 1}}]", encoding="utf-8"
    )
    assert ids(copy) == []
    rules = copy / "decisions" / "strategies.yaml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(text.replace("weak_signal", "something new"), encoding="utf-8")
    assert ids(copy) == ["unknown-value"]


def test_whole_number_results_only_take_whole_sums(copy: Path) -> None:
    facts = copy / "facts.yaml"
    text = facts.read_text(encoding="utf-8")
    assert "  severity:\n    type: number" in text
    facts.write_text(
        text.replace("  severity:\n    type: number", "  severity:\n    type: integer"),
        encoding="utf-8",
    )
    lines = [one.place.line for one in check_rule_base(copy) if "adds" in one.message]
    assert lines == [19, 23, 28, 32]


def test_all_problems_come_at_once_in_file_order(copy: Path) -> None:
    for name in ("escalation", "handling", "level"):
        path = copy / "decisions" / f"{name}.yaml"
        path.write_text(
            path.read_text(encoding="utf-8").replace("when:", "wenn:"), encoding="utf-8"
        )
    with pytest.raises(RuleBaseError) as error:
        load_rule_base(copy)
    found = error.value.diagnostics
    places = [one.place for one in found if one.id == "unknown-key"]
    assert len(places) == 6
    assert [one.place for one in found] == sorted(one.place for one in found)
    assert "and 5 more" in str(error.value)
    assert all(one.hint == "did you mean 'when'?" for one in found if one.id == "unknown-key")


def test_broken_facts_do_not_make_every_rule_wrong(copy: Path) -> None:
    (copy / "facts.yaml").write_text("facts: [", encoding="utf-8")
    assert ids(copy) == ["yaml-syntax"]


def test_a_broken_catalogue_does_not_make_every_value_wrong(copy: Path) -> None:
    (copy / "catalogue" / "taxonomy.yaml").write_text("taxonomy: [", encoding="utf-8")
    assert ids(copy) == ["yaml-syntax"]


def test_a_broken_decision_does_not_make_its_readers_wrong(copy: Path) -> None:
    (copy / "decisions" / "duration_band.yaml").write_bytes(b"\xff\xfe\x00")
    assert ids(copy) == ["yaml-syntax"]


def test_a_warning_does_not_keep_a_base_from_loading(copy: Path) -> None:
    (copy / "notes.yaml").write_text("a: 1", encoding="utf-8")
    (copy / "README.md").write_text("not YAML: [", encoding="utf-8")
    (copy / ".hidden.yaml").write_text("[", encoding="utf-8")
    assert ids(copy) == ["stray-file"]
    assert load_rule_base(copy).name == "sample"


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path, words in ((tmp_path / "nowhere", "no such folder"), (file, "not a folder")):
        with pytest.raises(RuleBaseError, match=words):
            load_rule_base(path)


def test_the_shipped_base_is_beside_the_package() -> None:
    assert (default_base_path() / "rulebase.yaml").is_file()


def test_an_installed_package_finds_the_base_inside_itself(tmp_path: Path) -> None:
    import harken_rules

    package = Path(harken_rules.__file__).parent
    (tmp_path / "base").mkdir()
    code = (
        "import sys, pathlib; from harken_rules import loader;"
        "loader.PACKAGE = pathlib.Path(sys.argv[1]); print(loader.default_base_path())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "base")
    assert default_base_path() == package.parent / "base"
