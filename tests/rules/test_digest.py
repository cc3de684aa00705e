"""The digest: the same for the same content however it is written, another for another."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from harken_rules import load_rule_base

PRINT = "import sys, harken_rules as h; print(h.load_rule_base(sys.argv[1]).digest)"


@pytest.fixture
def expected(sample: Path) -> str:
    digest = load_rule_base(sample).digest
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    return digest


def rewrite(base: Path, change: object) -> None:
    assert callable(change)
    for path in base.rglob("*.yaml"):
        path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.decode().encode("utf-16"),
        lambda data: b"# a remark\n\n" + data.replace(b"\n", b"   # another\n") + b"\n\n# end",
        lambda data: data + b"...\n",
    ],
    ids=["crlf", "cr", "bom", "utf-16", "comments", "end mark"],
)
def test_bytes_make_no_difference(change: object, copy: Path, expected: str) -> None:
    rewrite(copy, change)
    assert load_rule_base(copy).digest == expected


@pytest.mark.parametrize("seed", range(3))
def test_layout_and_order_of_keys_make_no_difference(seed: int, copy: Path, expected: str) -> None:
    shuffled = random.Random(seed)

    def reorder(node: object) -> object:
        if isinstance(node, dict):
            keys = list(node)
            shuffled.shuffle(keys)
            return {key: reorder(node[key]) for key in keys}
        return [reorder(one) for one in node] if isinstance(node, list) else node

    for path in copy.rglob("*.yaml"):
        # BaseLoader leaves every scalar the text it is.
        node = reorder(yaml.load(path.read_bytes(), Loader=yaml.BaseLoader))
        flow = shuffled.choice([True, False, None])
        text = yaml.safe_dump(
            node, sort_keys=False, allow_unicode=True, indent=shuffled.randint(2, 7),
            default_flow_style=flow, width=shuffled.choice([20, 200]),
        )  # fmt: skip
        path.write_text(text, encoding="utf-8")
    assert load_rule_base(copy).digest == expected


def test_files_make_no_difference(copy: Path, expected: str) -> None:
    decisions = copy / "decisions"
    (decisions / "grading").mkdir()
    names = ["level", "severity", "handling"]
    shutil.move(decisions / "level.yaml", decisions / "grading" / "zz.yml")
    shutil.move(decisions / "severity.yaml", decisions / "aa.yaml")
    shutil.move(decisions / "handling.yaml", decisions / "level.yaml")
    assert load_rule_base(copy).digest == expected, names


def test_hash_seed_and_order_of_creation_make_no_difference(
    sample: Path, tmp_path: Path, expected: str
) -> None:
    files = sorted(path for path in sample.rglob("*.yaml"))
    for seed in ("0", "1", "4711"):
        random.Random(seed).shuffle(files)
        base = tmp_path / seed
        for file in files:
            target = base / file.relative_to(sample)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        done = subprocess.run(
            [sys.executable, "-c", PRINT, str(base)],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.stdout.strip() == expected


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("decisions/severity.yaml", "weight: 0.4,", "weight: 0.40,"),
        ("decisions/severity.yaml", "{above: 2}", "{above: +2.0}"),
        ("decisions/level.yaml", "[diamond, gold]", "[gold, diamond]"),
        ("decisions/duration_band.yaml", "24 hours", "24"),
        ("decisions/duration_band.yaml", "not: limited_patience", "not: [limited_patience]"),
        ("decisions/handling.yaml", "level: [4, 5]", "any: [{level: [5, 4]}]"),
        ("decisions/level.yaml", "then: 1", "when: {}\n    then: 1"),
        # It says that a gap is meant, and changes no verdict.
        ("decisions/level.yaml", "result: level", "result: level\notherwise: missing"),
        ("cases/levels.yaml", "open_hours: 50", "open_hours: 51"),
    ],
)
def test_another_spelling_makes_no_difference(
    file: str, old: str, new: str, copy: Path, expected: str
) -> None:
    change(copy / file, old, new)
    assert load_rule_base(copy).digest == expected


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rulebase.yaml", "name: sample", "name: another"),
        ("rulebase.yaml", "for tests", "for test"),
        ("facts.yaml", "open: true", "open: false"),
        ("facts.yaml", "at_most: 1000", "at_most: 1001"),
        ("facts.yaml", "range: {at_least: 0}", "range: {above: 0}"),
        ("facts.yaml", "Gold card", "Golden card"),
        ("facts.yaml", "unit: hours", "unit: hour"),
        ("facts.yaml", "source: model", "source: attribute"),
        ("catalogue/strategies.yaml", "逐项说明账单}", "逐项解释账单}"),
        (
            "catalogue/escalations.yaml",
            "[customer_service, network]",
            "[network, customer_service]",
        ),
        ("catalogue/departments.yaml", "group: front_end", "group: back_end"),
        ("decisions/level.yaml", "at_least: 3.9", "above: 3.9"),
        ("decisions/level.yaml", "at_least: 3.9", "at_least: 3.91"),
        ("decisions/level.yaml", "id: five", "id: fifth"),
        ("decisions/level.yaml", "{en: Level,", "{en: Levels,"),
        ("decisions/severity.yaml", "reasons: 2", "reasons: 3"),
        ("decisions/severity.yaml", "weight: 0.4", "weight: 0.41"),
        ("decisions/severity.yaml", "characteristic: emotion", "characteristic: model"),
        ("decisions/severity.yaml", "Open for long", "Long open"),
        ("decisions/strategies.yaml", "[explain_bill, call_back]", "[call_back, explain_bill]"),
        ("decisions/duration_band.yaml", "{at_least: 48}", "{at_least: 480}"),
    ],
)
def test_another_content_makes_a_difference(
    file: str, old: str, new: str, copy: Path, expected: str
) -> None:
    change(copy / file, old, new)
    assert load_rule_base(copy).digest != expected


def test_the_order_of_rules_makes_a_difference(copy: Path, expected: str) -> None:
    path = copy / "decisions" / "strategies.yaml"
    text = path.read_text(encoding="utf-8")
    head, *rules = re.split(r"(?m)^(?=  - id: )", text)
    path.write_text(head + "".join(reversed(rules)), encoding="utf-8")
    assert load_rule_base(copy).digest != expected


def test_a_code_is_not_the_number_of_its_spelling(copy: Path) -> None:
    digests = set()
    for old in ("type: enum\n    values: {'1': {en: A, zh: 甲}}", "type: integer"):
        facts = copy / "facts.yaml"
        text = facts.read_text(encoding="utf-8")
        kept = text.partition("  extra:")[0]
        extra = f"  extra:\n    source: request\n    title: {{en: E, zh: 戊}}\n    {old}\n"
        facts.write_text(kept + extra, encoding="utf-8")
        rules = copy / "decisions" / "escalation.yaml"
        rule = rules.read_text(encoding="utf-8").replace("{level: {at_least: 4}}", "{extra: 1}")
        rules.write_text(rule, encoding="utf-8")
        digests.add(load_rule_base(copy).digest)
    assert len(digests) == 2


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
