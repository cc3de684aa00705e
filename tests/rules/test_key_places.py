"""Keys find their places, however they are kept and whatever they collide with."""

from __future__ import annotations

import numpy as np
import pytest
from harken_rules.key_places import Dense, Hashed, KeyPlaces, Wide

SIZE = 5000


def found(places: KeyPlaces, words: list[np.ndarray]) -> list[int]:
    out = np.empty(len(words[0]), dtype=np.int64)
    places.find(words, out)
    return out.tolist()


@pytest.mark.parametrize("make", [lambda: Dense(SIZE), Hashed, Wide])
def test_every_key_has_the_place_it_was_given(make: type[Hashed]) -> None:
    places, known = make(), {}
    chance = np.random.default_rng(3)
    for _ in range(60):
        keys = chance.integers(0, SIZE, 200)
        assert found(places, [keys]) == [known.get(key, -1) for key in keys.tolist()]
        rows = np.flatnonzero([key not in known for key in keys.tolist()])
        new = places.unknown([keys], rows)
        assert len(set(new)) == len(new)
        assert set(new) == {int(key) for key in keys[rows]}
        places.add(new, len(known))
        known |= {key: place for place, key in enumerate(new, start=len(known))}
    everything = np.arange(SIZE)
    assert found(places, [everything]) == [known.get(key, -1) for key in range(SIZE)]
    assert len(known) > SIZE * 0.8


def test_hashed_keys_may_be_great_and_lie_anywhere() -> None:
    for keys in (
        np.arange(3000) << 40,
        np.arange(3000) << 12,
        (np.arange(3000) * 6700417) % (1 << 62),
        (1 << 62) - 1 - np.arange(3000),
    ):
        places = Hashed()
        for begin in range(0, 3000, 500):
            places.add(keys[begin : begin + 500].tolist(), begin)
        assert found(places, [keys]) == list(range(3000))
        assert found(places, [keys + 1 if keys[1] - keys[0] != 1 else keys - 5000]) != []
        assert found(places, [np.array([77777777777])]) == [-1]


def test_wide_keys_differ_in_any_word() -> None:
    places = Wide()
    low, high = np.array([1, 1, 2, 1]), np.array([0, 3, 0, 0])
    new = places.unknown([low, high], np.arange(4))
    assert new == [1, 1 | 3 << 62, 2]
    places.add(new, 0)
    assert found(places, [low, high]) == [0, 1, 2, 0]
