"""Sets as bits, and what is worked out on them by runs, against the plain way of doing it."""

from __future__ import annotations

import itertools
import random

import pytest
from harken_rules.bits import Holders, codes_in, runs
from harken_rules.boxes import FEW, simplify, within
from harken_rules.covering import Grid, TooMuchWorkError, Work
from harken_rules.tables import Recoder, classify


def draw(rng: random.Random, size: int) -> int:
    """A set of numbers below ``size``: scattered, a run or two, full or empty."""
    kind = rng.randrange(5)
    if kind == 0:
        return rng.getrandbits(size)
    if kind == 1:
        return (1 << size) - 1
    if kind == 2:
        return 0
    mask = 0
    for _ in range(rng.randint(1, 2)):
        low, high = sorted(rng.choices(range(size + 1), k=2))
        mask |= (1 << high) - (1 << low)
    return mask


def members(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


@pytest.mark.parametrize("seed", range(100))
def test_codes_and_runs(seed: int) -> None:
    rng = random.Random(seed)
    mask = draw(rng, rng.choice([1, 7, 64, 65, 300]))
    assert list(codes_in(mask)) == members(mask)
    found = list(runs(mask))
    assert [n for first, last in found for n in range(first, last + 1)] == members(mask)
    for (_, last), (first, _) in itertools.pairwise(found):
        assert last + 1 < first


@pytest.mark.parametrize("seed", range(60))
def test_holders(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice([1, 5, 63, 64, 65, 128, 200])
    sets = [draw(rng, size) for _ in range(rng.randint(1, 9))]
    holders = Holders(size, sets)
    for mask in [draw(rng, size) for _ in range(20)]:
        numbers = members(mask)
        held = {n: sum((one >> n & 1) << place for place, one in enumerate(sets)) for n in numbers}
        every = any_ = 0
        for place, one in enumerate(sets):
            every |= (not mask & ~one) << place
            any_ |= bool(mask & one) << place
        assert holders.of_all(mask) == every
        assert holders.of_any(mask) == any_
        among = rng.getrandbits(len(sets))
        groups = holders.groups(mask, among)
        assert set(groups) == {pattern & among for pattern in held.values()}
        assert all(held[number] & among == pattern for pattern, number in groups.items())


@pytest.mark.parametrize("seed", range(40))
def test_classes(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.choice([3, 20, 90])
    reachable = draw(rng, size) | 1
    masks = [draw(rng, size) & reachable for _ in range(rng.randint(0, 6))]
    classes, sample = classify(size, reachable, masks)
    alike: dict[tuple[int, ...], int] = {}
    for code in members(reachable):
        held = tuple(mask >> code & 1 for mask in masks)
        assert classes[code] == alike.setdefault(held, len(alike))
    assert list(sample) == sorted(sample)
    assert [classes[code] for code in sample] == list(range(len(alike)))
    recode = Recoder(sample)
    for mask in masks:
        assert members(recode(mask)) == sorted({classes[code] for code in members(mask)})


@pytest.mark.parametrize("seed", range(40))
def test_boxes_within_others_are_left_out(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.choice([1, 5, FEW, FEW + 1, 60])
    boxes = [tuple(draw(rng, 6) for _ in range(2)) for _ in range(count)]
    kept = []
    for place, box in enumerate(boxes):
        others = boxes[:place] + [one for one in boxes[place + 1 :] if one != box]
        if all(box) and not any(within(box, other) for other in others if all(other)):
            kept.append(box)
    assert list(simplify(boxes)) == kept


def test_work_is_bounded() -> None:
    rng = random.Random(1)
    sizes = [2] * 40
    boxes = [
        tuple(rng.choice([1, 2]) if slot in chosen else 3 for slot in range(40))
        for chosen in (rng.sample(range(40), 3) for _ in range(400))
    ]
    grid = Grid(sizes, boxes, Work())
    with pytest.raises(TooMuchWorkError):
        grid.uncovered(grid.whole, grid.every, Work(each=500))
    with pytest.raises(TooMuchWorkError):
        Grid(sizes, boxes, Work(total=100))
