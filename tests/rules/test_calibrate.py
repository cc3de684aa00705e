"""Cut-offs that give the levels their shares, and the file in which only they change."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from harken_rules.calibrate import CalibrationError, Histogram, calibrate, grid_place
from harken_rules.cutoffs import CutOffError, Scale, find_scale, forced, moved, written
from harken_rules.engine import RuleEngine
from harken_rules.language import RuleBase
from harken_rules.loader import default_base_path, load_rule_base
from hypothesis import given, settings
from hypothesis import strategies as st

STEP = Decimal("0.01")
TARGETS = {5: 0.125, 4: 0.175, 3: 0.30, 2: 0.20, 1: 0.20}
KEEP = (1, 2, 3, 4, 5)
UP = (2, 3, 4, 5, 5)
DOWN = (1, 1, 2, 3, 4)
PRESENT = tuple(map(Decimal, ("2.04", "2.40", "3.08", "3.60")))


def histogram(rows: list[tuple[Decimal, tuple[int, ...]]], step: Decimal = STEP) -> Histogram:
    return Histogram(Counter((grid_place(number, step, True), profile) for number, profile in rows))


def final(number: Decimal, profile: tuple[int, ...], cuts: tuple[Decimal, ...]) -> int:
    return profile[sum(number >= cut for cut in cuts)]


def drawn(seed: int, rows: int, digits: int) -> list[tuple[Decimal, tuple[int, ...]]]:
    """Severities with many ties where there are few digits, a third of them adjusted."""
    rng = random.Random(seed)
    middle = rng.uniform(2, 4)
    return [
        (
            Decimal(str(round(min(max(rng.gauss(middle, 0.8), 1), 5), digits))),
            rng.choice((KEEP, KEEP, KEEP, KEEP, UP, DOWN)),
        )
        for _ in range(rows)
    ]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(40, 400), st.sampled_from([1, 2, 3]))
def test_shares_are_as_near_as_ties_allow(seed: int, rows: int, digits: int) -> None:
    sample = drawn(seed, rows, digits)
    found = calibrate(histogram(sample), TARGETS, STEP, PRESENT)
    counted = Counter(final(number, profile, found.cuts) for number, profile in sample)
    shares = dict(zip(found.levels, found.shares, strict=True))
    assert {level: counted[level] / rows for level in KEEP} == pytest.approx(
        {level: shares.get(level, 0.0) for level in KEEP}
    )
    # What one cut-off can hit or miss is the rows of one grid place.
    heaviest = max(Counter(grid_place(number, STEP, True) for number, _ in sample).values())
    for level in KEEP:
        cumulative = sum(counted[each] - TARGETS[each] * rows for each in KEEP if each >= level)
        assert abs(cumulative) <= 1.5 * heaviest + 1
    assert list(found.cuts) == sorted(set(found.cuts))
    assert all(cut % STEP == 0 for cut in found.cuts)
    # Once more from where it got to: nothing moves.
    assert calibrate(histogram(sample), TARGETS, STEP, found.cuts) == found


@pytest.mark.parametrize("seed", range(6))
def test_no_other_cut_offs_on_the_grid_are_nearer(seed: int) -> None:
    """All of them are tried, on a coarse grid."""
    step = Decimal("0.5")
    sample = drawn(seed, 150, 1)
    rows = histogram(sample, step)
    targets = {3: 0.25, 2: 0.45, 1: 0.3}
    sample = [(number, profile[1:4]) for number, profile in sample]
    sample = [(n, tuple(min(max(each - 1, 1), 3) for each in p)) for n, p in sample]
    rows = histogram(sample, step)
    found = calibrate(rows, targets, step, ())

    def loss(cuts: tuple[Decimal, ...]) -> float:
        counted = Counter(final(number, profile, cuts) for number, profile in sample)
        return sum((counted[level] / 150 - share) ** 2 for level, share in targets.items())

    grid = [step * place for place in range(14)]
    best = min(loss((low, high)) for low in grid for high in grid if low < high)
    assert loss(found.cuts) == pytest.approx(best)


def test_a_cut_off_that_does_as_well_stays() -> None:
    sample = [(Decimal(number), (1, 2)) for number in ["1", "1", "1", "1", "4", "4", "4", "4"]]
    targets = {1: 0.5, 2: 0.5}
    for cut in ("1.01", "2.37", "4.00"):
        assert calibrate(histogram(sample), targets, STEP, [Decimal(cut)]).cuts == (Decimal(cut),)
    amid = calibrate(histogram(sample), targets, STEP, [Decimal("4.01")]).cuts
    assert amid == (Decimal("2.50"),)
    off_the_grid = calibrate(histogram(sample), targets, STEP, [Decimal("2.375")]).cuts
    assert off_the_grid == amid


def test_rows_without_the_number_count_too() -> None:
    counts = Counter({(place, (1, 2)): 1 for place in range(100, 160)})
    rows = Histogram(counts, {2: 40})
    found = calibrate(rows, {1: 0.3, 2: 0.7}, STEP, ())
    assert found.shares == (0.3, 0.7)
    assert found.cuts == (Decimal("1.30"),)


def test_places_are_exact() -> None:
    assert grid_place(Decimal("0.29"), STEP, True) == 29  # 0.29 / 0.01 is 28.999… in floats
    assert grid_place(Decimal("0.29"), STEP, False) == 28
    assert grid_place(Decimal("0.2900000001"), STEP, False) == 29
    assert grid_place(Decimal("-0.005"), STEP, True) == -1


def test_what_cannot_be_calibrated_says_so() -> None:
    with pytest.raises(CalibrationError, match="no row has the number"):
        Histogram({})
    with pytest.raises(CalibrationError, match="greater --step"):
        Histogram({(0, (1, 2)): 1, (10**9, (1, 2)): 1})


# The decision, found by what it does.


@pytest.fixture(scope="module")
def base() -> RuleBase:
    return load_rule_base(default_base_path())


def test_the_shipped_scale_is_found(base: RuleBase) -> None:
    scale = find_scale(base, 5)
    assert (scale.decision.name, scale.fact, scale.result) == (
        "base_level", "severity", "base_level"
    )  # fmt: skip
    assert scale.bands == tuple(map(Decimal, KEEP))
    assert scale.reached
    assert scale.unknown == 0  # the rule without a condition holds for a missing number, too


def test_forced_bands_give_the_levels_around(base: RuleBase) -> None:
    scale = find_scale(base, 5)
    results = [RuleEngine(forced(base, scale, band)).decide({}).results for band in range(5)]
    assert [each["base_level"] for each in results] == [1, 2, 3, 4, 5]
    assert [each["level"] for each in results] == [1, 2, 3, 4, 5]
    up = {"same_point_count_90d": 9, "dissatisfied": True}
    raised = [RuleEngine(forced(base, scale, band)).decide(up).results for band in range(5)]
    assert [each["level"] for each in raised] == [2, 3, 4, 5, 5]


FACTS = """
facts:
  speed: {type: number, source: request, title: {en: Speed, zh: 速度}, unit: km/h}
  colour: {type: enum, source: request, title: {en: C, zh: 色}, values: {red: {en: R, zh: 红}}}
  level: {type: integer, source: level, title: {en: Level, zh: 级别}}
"""
HEADER = "name: some\ntitle: {en: Some, zh: 某}\nlanguages: [en, zh]\n"
HEAD = "decision: level\ntitle: {en: Level, zh: 级别}\nhit: %s\nresult: level\nrules:\n"


def made(folder: Path, hit: str, rules: str) -> RuleBase:
    (folder / "decisions").mkdir(parents=True)
    (folder / "rulebase.yaml").write_text(HEADER, encoding="utf-8")
    (folder / "facts.yaml").write_text(FACTS, encoding="utf-8")
    path = folder / "decisions" / "level.yaml"
    path.write_text(HEAD % hit + rules, encoding="utf-8", newline="")
    return load_rule_base(folder)


TWO_SIDED = """\
  - {id: fast, when: {speed: {above: "50 km/h"}}, then: 3}   # quickest
  - id: usual
    when:
      any:
        - speed: {above: 20.5, at_most: 50}
    then: 2
  - {id: slow, when: {speed: {at_most: 20.50}}, then: 1}
  - {id: unknown, when: {speed: {missing: true}}, then: 2}
"""


def test_two_sided_bands_move_together(tmp_path: Path) -> None:
    scale = find_scale(made(tmp_path, "unique", TWO_SIDED), 3)
    assert (scale.cuts, scale.reached) == ((Decimal("20.5"), Decimal(50)), False)
    assert scale.unknown == 1
    path = tmp_path / "decisions" / "level.yaml"
    new = {Decimal("20.5"): Decimal("21.75"), Decimal(50): Decimal("48.5")}
    text = moved(path.read_bytes(), scale, new, 1).decode()
    body = TWO_SIDED.replace("50 km/h", "48.5 km/h").replace("at_most: 50}", "at_most: 48.5}")
    body = body.replace("20.50}", "21.75}").replace("above: 20.5,", "above: 21.75,")
    assert text == HEAD % "unique" + body
    path.write_text(text, encoding="utf-8")
    assert find_scale(load_rule_base(tmp_path), 3).cuts == (Decimal("21.75"), Decimal("48.5"))


NESTED = "  - {id: b, when: {speed: {at_least: 9}}, then: 2}\n  - {id: a, then: 1}\n"


@pytest.mark.parametrize(
    "rules",
    [
        # falling
        "  - {id: b, when: {speed: {at_least: 9}}, then: 1}\n  - {id: a, then: 2}\n",
        # another fact has a say
        "  - {id: b, when: {speed: {at_least: 9}, colour: red}, then: 2}\n  - {id: a, then: 1}\n",
        # a band of one point
        "  - {id: c, when: {speed: {above: 9}}, then: 3}\n"
        "  - {id: b, when: {speed: 9}, then: 2}\n  - {id: a, then: 1}\n",
        # one of each kind of bound
        "  - {id: c, when: {speed: {above: 9}}, then: 3}\n"
        "  - {id: b, when: {speed: {at_least: 5}}, then: 2}\n  - {id: a, then: 1}\n",
    ],
)
def test_what_is_no_scale(tmp_path: Path, rules: str) -> None:
    base = made(tmp_path, "first", rules)
    for name in (None, "level"):
        with pytest.raises(CutOffError, match="one number into"):
            find_scale(base, 2, name)


def test_a_scale_of_other_width_or_name_is_not_taken(tmp_path: Path) -> None:
    base = made(tmp_path, "first", NESTED)
    with pytest.raises(CutOffError, match="has 2 bands, but there are 5 shares"):
        find_scale(base, 5, "level")
    with pytest.raises(CutOffError, match="no decision cuts"):
        find_scale(base, 5)
    with pytest.raises(CutOffError, match="no decision 'lever'"):
        find_scale(base, 2, "lever")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_nothing_else_in_the_file_changes(
    base: RuleBase, tmp_path: Path, encoding: str, ends: str
) -> None:
    folder = Path(shutil.copytree(default_base_path(), tmp_path / "base"))
    path = folder / "decisions" / "base_level.yaml"
    text = path.read_text(encoding="utf-8").replace("\n", ends).replace("# Source", "# 来源 3.60")
    path.write_bytes(text.encode(encoding))
    scale = find_scale(base, 5)
    new = dict(zip(scale.cuts, map(Decimal, ("1.9", "2.40", "3.08", "4")), strict=True))
    after = moved(path.read_bytes(), scale, new, 2).decode(encoding)
    wanted = text.replace("at_least: 3.60", "at_least: 4.00").replace("2.04", "1.90")
    assert after == wanted
    same = {cut: cut for cut in scale.cuts}
    assert moved(path.read_bytes(), scale, same, 2) == path.read_bytes()


def test_a_file_of_other_cut_offs_is_refused(base: RuleBase) -> None:
    scale: Scale = find_scale(base, 5)
    data = (default_base_path() / "decisions" / "base_level.yaml").read_bytes()
    gone = data.replace(b"3.08", b"3.09")
    with pytest.raises(CutOffError, match=r"no cut-off 3\.08 any more"):
        moved(gone, scale, {cut: cut + 1 for cut in scale.cuts}, 2)
    with pytest.raises(CutOffError, match="cannot be read"):
        moved(b"rules: [", scale, {}, 2)


def test_numbers_are_written_as_people_do() -> None:
    assert [written(Decimal(text), 2) for text in ("4", "3.6", "1E+1", "2.125", "-0.5")] == [
        "4.00", "3.60", "10.00", "2.125", "-0.50"
    ]  # fmt: skip
