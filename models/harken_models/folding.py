"""Several boosters as one: their weighted mean is again a sum of trees.

A booster's raw score is the sum of its trees (the average it starts from stands in the leaves of
its first), so the mean of several is the sum of all their trees with leaves scaled. What serves
one booster, compiles it or explains it then serves the mean, at the price of more trees.

The boosters may see different columns: each says where its own stand among those of the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_END = "end of trees"
_FIELD = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)


class Part(NamedTuple):
    """A booster in LightGBM's text format; ``places``: of each of its columns, in the whole."""

    text: str
    weight: float
    places: Sequence[int]


def fold(parts: Sequence[Part], names: Sequence[str]) -> str:
    """One booster's text that gives the weighted sum of the parts' raw scores.

    ``names``: the columns of the whole. Parameters, which nothing computes with, are the first
    part's. A single part that is the whole is returned as it is.
    """
    first = parts[0]
    if len(parts) == 1 and first.weight == 1.0 and list(first.places) == list(range(len(names))):
        return first.text
    blocks = [block for part in parts for block in _trees(part)]
    numbered = [f"Tree={number}\n{block}" for number, block in enumerate(blocks)]
    head = _header(parts, names, [len(block.encode()) for block in numbered])
    tail = first.text.split("\nparameters:\n", 1)[1]
    return f"{head}\n\n{''.join(numbered)}{_END}\n\nparameters:\n{tail}"


def _trees(part: Part) -> list[str]:
    """The part's trees, without their numbers."""
    places = list(map(str, part.places))
    change: dict[str, Callable[[str], str]] = {
        "split_feature": lambda column: places[int(column)],
        "leaf_value": lambda value: repr(float(value) * part.weight),
        "internal_value": lambda value: repr(float(value) * part.weight),
        "shrinkage": lambda value: repr(float(value) * part.weight),
    }

    def changed(field: re.Match[str]) -> str:
        name, values = field.groups()
        if name not in change:
            return field[0]
        return f"{name}={' '.join(map(change[name], values.split()))}"

    _, *blocks = re.split(r"\nTree=\d+\n", part.text.split(f"\n{_END}", 1)[0])
    # Between trees stand two empty lines, one of which the cut has taken.
    return [f"{_FIELD.sub(changed, block.rstrip(chr(10)))}\n\n\n" for block in blocks]


def _header(parts: Sequence[Part], names: Sequence[str], sizes: Sequence[int]) -> str:
    """The first part's header, with the columns and sizes of the whole."""
    said = [dict(_FIELD.findall(_head(part.text))) for part in parts]

    def merged(name: str, nothing: str) -> str:
        """Of each column what the first part says that says anything of it."""
        whole = [nothing] * len(names)
        for part, own in zip(parts, said, strict=True):
            for place, value in zip(part.places, own[name].split(), strict=True):
                whole[place] = value if whole[place] == nothing else whole[place]
        return " ".join(whole)

    change = {
        "max_feature_idx": str(len(names) - 1),
        "feature_names": " ".join(names),
        "feature_infos": merged("feature_infos", "none"),
        "tree_sizes": " ".join(map(str, sizes)),
    }
    if all("monotone_constraints" in own for own in said):
        change["monotone_constraints"] = merged("monotone_constraints", "0")
    return _FIELD.sub(
        lambda field: f"{field[1]}={change.get(field[1], field[2])}", _head(parts[0].text)
    )


def _head(text: str) -> str:
    return text.split("\nTree=", 1)[0].rstrip("\n")
