"""Names and texts of generated rule bases."""

from __future__ import annotations

import random

from .yaml_tree import Node, Table, node_of

CODES = ("red", "green", "blue", "white", "black", "grey", "brown", "pink", "1", "no", "A/1", "红")
_EN = (
    "Billing",
    "Time open",
    "Signal: weak",
    "Bill, wrong",
    "Roaming #2",
    '"Free" data',
    "It's late",
)
_ZH = ("账单", "抱怨时长", "信号弱：室内", "资费 争议", "升级链", "安抚策略", "“免费”流量")


def label(rng: random.Random) -> Node:
    """A text in both languages."""
    texts = {
        "en": f"{rng.choice(_EN)} {rng.randint(1, 99)}",
        "zh": f"{rng.choice(_ZH)}{rng.randint(1, 99)}",
    }
    return node_of(dict(rng.sample(sorted(texts.items()), 2)))


def labels(rng: random.Random, count: int) -> Node:
    """A list of texts."""
    return node_of([label(rng) for _ in range(count)])


def codes(rng: random.Random, prefix: str, count: int) -> list[str]:
    """``count`` ids that begin with ``prefix``."""
    return [f"{prefix}_{number}" for number in sorted(rng.sample(range(1, 100), count))]


def rule_id(rng: random.Random, number: int) -> str:
    """A rule's id, the only one of its number."""
    return f"{rng.choice(['if', 'when', 'case_', '7'])}-{number}"


def entry(rng: random.Random, **more: object) -> Table:
    """A catalogue's entry: a title and what its kind adds."""
    made = node_of({"title": label(rng), **more})
    assert isinstance(made, Table)
    return made
