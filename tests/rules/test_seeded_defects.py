"""Every check finds what it is for: defects planted in generated rule bases, at the exact place.

Each way to plant a finding is tried on rule bases of seeds of its own, until there are ``BASES``
rule bases in all. A finding is right if it is reported where it was planted
and nowhere else, and if nothing else is reported but what its planter names.
"""

from __future__ import annotations

import itertools
import math
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from harken_rules import check_rule_base
from harken_rules.diagnostics import FindingId

from .seeded import planters
from .seeded.base import Base, write
from .seeded.grow import sound_base
from .seeded.planting import PLANTERS, NoSpotError, Plant, Planter

BASES = 20
IDS = get_args(FindingId)
MAX_ALONG = 1


def test_every_finding_has_a_planter() -> None:
    assert planters.__all__
    assert PLANTERS.keys() == set(IDS)


@pytest.mark.parametrize("finding", IDS)
def test_planted_defects_are_found(finding: FindingId, tmp_path: Path) -> None:
    missed = []
    ways = PLANTERS[finding]
    wanted = math.ceil(BASES / len(ways))
    for way in ways:
        for base, plant in itertools.islice(planted(finding, way), wanted):
            problem = _problem(finding, base, plant, tmp_path / "here" / "base")
            if problem:
                missed.append(f"{way.__name__}, seed {base.seed}: {problem}")
    assert not missed, "\n\n".join([f"{len(missed)} wrong", *missed[:5]])


def planted(finding: FindingId, way: Planter) -> Iterator[tuple[Base, Plant]]:
    """Bases of ever other seeds, spoilt that way; those with no place for it are left out."""
    start = zlib.crc32(f"{finding} {way.__name__}".encode()) % 100_000 * 1_000
    for seed in range(start, start + 1_000):
        base = sound_base(seed)
        try:
            plant = way(base)
        except NoSpotError:
            continue
        yield base, plant
    raise AssertionError(f"{way.__name__} hardly ever finds a place")


def _problem(finding: FindingId, base: Base, plant: Plant, folder: Path) -> str:
    """What is wrong with what is found; "" if nothing is."""
    assert plant.spots
    assert len(plant.along) <= MAX_ALONG
    written = write(base)
    try:
        found = check_rule_base(written.to(folder))
    finally:
        shutil.rmtree(folder.parent)
    wanted = plant.places(written)
    right = {one.place for one in found if one.id == finding} == wanted
    along = {one.id for one in found} - {finding} - plant.along
    if right and not along:
        return ""
    places = ", ".join(map(str, sorted(wanted)))
    return f"wanted at {places}\n" + "\n".join(one.render() for one in found)
