"""A rule base is tried in a child process: sound, wrong, hanging, crashing, unreadable."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from harken_rules import probe
from harken_rules.boxes import boxes_of
from harken_rules.durable_engine import DurableEvaluator
from harken_rules.probe import compare, probe_rule_base, signatures
from harken_rules.tables import table_of

from .random_bases import random_base

SAMPLE = Path(__file__).parent / "sample"


def test_a_sound_base() -> None:
    found = probe_rule_base(SAMPLE)
    assert found.sound, found.report
    assert found.report.endswith(" 0 differences")


def test_an_unreadable_base(tmp_path: Path) -> None:
    found = probe_rule_base(tmp_path)
    assert not found.sound
    assert "Traceback" not in found.report


@pytest.mark.parametrize(
    ("script", "report"),
    [
        ("while True: pass", "did not finish within 3 seconds"),
        ("import os; os.abort()", "crashed (signal 6)"),
        ("print('level (1,): engine (), boxes r1'); raise SystemExit(1)", "engine ()"),
        ("raise SystemExit(2)", "ended with 2"),
    ],
)
def test_a_bad_engine(monkeypatch: pytest.MonkeyPatch, script: str, report: str) -> None:
    real = subprocess.run

    def run(command: list[str], **more: object) -> object:
        return real([command[0], "-c", script], **more)  # type: ignore[call-overload]

    monkeypatch.setattr(probe.subprocess, "run", run)
    found = probe_rule_base("anywhere", timeout=3)
    assert not found.sound
    assert report in found.report


def test_differences_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    base = random_base(7, rules=40, least=20)
    compared, differences = compare(base, sample=200)
    assert compared > 0
    assert not differences
    monkeypatch.setattr(DurableEvaluator, "matching", lambda *_: ())
    _, differences = compare(base, sample=200)
    assert differences
    assert not differences[0].engine
    assert differences[0].boxes


def test_a_sample_shows_every_rule_and_is_the_same_again() -> None:
    base = random_base(7, rules=40, least=40, decisions=1)
    table = table_of(boxes_of(base, base.decisions[0]))
    sample = list(signatures(table, 200))
    assert len(sample) == 200
    assert sample == list(signatures(table, 200))
    for rule in table.rules:
        for box in rule:
            assert any(
                all(mask >> code & 1 for mask, code in zip(box, each, strict=True))
                for each in sample
            )


@pytest.mark.parametrize(
    ("sizes", "share"),
    [
        ([], probe.SAMPLE),
        ([10, 10**9], probe.SAMPLE),
        ([100] * 150, probe.SAMPLE),
        ([100] * 151, 99),
        ([10**9] * 60, 250),
        ([250] * 20 + [10**9] * 20, 500),
        ([0, *[10**9] * 10**5], 1),
    ],
)
def test_a_large_base_is_compared_on_fewer_inputs_of_each_decision(
    sizes: list[int], share: int
) -> None:
    found = probe._fair_share(sizes)
    assert found == share
    if found > 1:
        assert sum(min(size, found) for size in sizes) <= probe.TOTAL
