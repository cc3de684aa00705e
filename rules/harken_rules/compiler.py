"""Compiling a decision's boxes to durable-rules, inside the envelope where it is right.

What the engine gets to see is small non-negative integers under short generated names:

    f0, f1, …   the class of a fact
    b0, b1, …   1 if a fact's class is in a certain set, otherwise 0
    z           always 1, the condition of a rule that always holds
    y           sent only to wake the idle rule before a ruleset is deleted

A box is a conjunction of equalities and ranges on these. A set of classes that is not
contiguous is split into its runs while that makes few boxes, and becomes a ``b`` otherwise.
There is no ``$or``, no ``$nex``, no empty condition; equal conditions are one engine rule; and
a decision is cut into rulesets of at most ``MAX_RULES`` of them. Thus at most that many nodes
match at any step (the engine's stack holds 64), the field names of a ruleset are few (it
takes 252), and no hash of one name is another's.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass

from harken_rules.bits import runs
from harken_rules.boxes import Box, Signature
from harken_rules.language import Hit
from harken_rules.tables import Table
from harken_rules.verdict import EngineError

MAX_RULES = 60
MAX_FIELDS = 120
MAX_SPLIT = 4
"""A box becomes at most so many engine rules."""

RESERVED = ("id", "sid", "$s", "y", "z")
IDLE = "idle"

Term = tuple[str, int, int]
"""A field and the least and greatest value accepted."""

Terms = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """What a generated name stands for: fact ``slot``'s class, or its membership in ``mask``."""

    slot: int
    mask: int | None = None

    def value(self, signature: Signature) -> int:
        """The integer that the engine gets."""
        held = signature[self.slot]
        return held if self.mask is None else self.mask >> held & 1


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One durable-rules ruleset.

    ``definition`` is its JSON, ``template`` a message with one ``%d`` for each of ``fields``;
    engine rule ``r<n>`` stands for the decision's rules ``rows[n]``.
    """

    definition: str
    template: str
    fields: tuple[Field, ...]
    rows: tuple[tuple[int, ...], ...]

    def message(self, signature: Signature) -> str:
        """The message that asks about ``signature``."""
        return self.template % tuple([field.value(signature) for field in self.fields])


class Names:
    """The fields of one decision; membership fields are made as they are wanted."""

    def __init__(self, table: Table) -> None:
        self.sizes = table.sizes
        self.fields = {f"f{slot}": Field(slot) for slot in range(len(table.sizes))}
        self._members: dict[tuple[int, int], str] = {}

    def member(self, slot: int, mask: int) -> str:
        """The name of the field that is 1 where fact ``slot`` is in ``mask``."""
        name = self._members.setdefault((slot, mask), f"b{len(self._members)}")
        self.fields.setdefault(name, Field(slot, mask))
        return name

    def width(self, name: str) -> int:
        """How many values the field takes; the condition on a wide one is selective."""
        if name == "z":
            return 1
        field = self.fields[name]
        return self.sizes[field.slot] if field.mask is None else 2


def compile_table(table: Table) -> tuple[Ruleset, ...]:
    """The rulesets of a decision, in the order in which they are to be asked."""
    names = Names(table)
    first_only = table.decision.hit in (Hit.FIRST, Hit.UNIQUE)
    rows: dict[Terms, list[int]] = {}
    for index, boxes in enumerate(table.rules):
        for terms in dict.fromkeys(itertools.chain(*(split(box, names) for box in boxes))):
            rows.setdefault(selective_first(terms, names), []).append(index)
        if first_only and ALWAYS in rows:
            break
    if first_only:
        # A later rule under the same conditions can never be the first.
        rows = {terms: indices[:1] for terms, indices in rows.items()}
    return tuple(ruleset(chunk, names) for chunk in chunks(list(rows.items())))


ALWAYS: Terms = (("z", 1, 1),)


def split(box: Box, names: Names) -> Iterator[Terms]:
    """The conjunctions that together are ``box``."""
    choices: list[list[Term]] = []
    ways = 1
    sets = [
        (slot, mask, list(runs(mask)))
        for slot, mask in enumerate(box)
        if mask != (1 << names.sizes[slot]) - 1
    ]
    for slot, mask, spans in sorted(sets, key=lambda each: len(each[2])):
        ways *= len(spans)
        if ways <= MAX_SPLIT:
            choices.append([(f"f{slot}", low, high) for low, high in spans])
        else:
            ways = MAX_SPLIT + 1
            choices.append([(names.member(slot, mask), 1, 1)])
    for terms in itertools.product(*choices):
        yield tuple(sorted(terms)) or ALWAYS


def selective_first(terms: Terms, names: Names) -> Terms:
    """Equalities on wide fields first: they keep the engine's network narrow at its root."""

    def share(term: Term) -> tuple[bool, float, str]:
        name, low, high = term
        return low != high, (high - low + 1) / names.width(name), name

    return tuple(sorted(terms, key=share))


def chunks(
    rows: list[tuple[Terms, list[int]]],
) -> Iterator[list[tuple[Terms, list[int]]]]:
    """``rows`` cut into rulesets of bounded size, order kept."""
    chunk: list[tuple[Terms, list[int]]] = []
    fields: set[str] = set()
    for terms, indices in rows:
        wanted = {name for name, _, _ in terms}
        if chunk and (len(chunk) == MAX_RULES or len(fields | wanted) > MAX_FIELDS):
            yield chunk
            chunk, fields = [], set()
        chunk.append((terms, indices))
        fields |= wanted
    if chunk:
        yield chunk


def ruleset(rows: list[tuple[Terms, list[int]]], names: Names) -> Ruleset:
    """One ruleset; engine rules have the priority of their place, least first."""
    used = sorted({name for terms, _ in rows for name, _, _ in terms} - {"z"})
    check_names(used)
    definition: dict[str, object] = {
        f"r{place}": {"all": [{"m": condition(terms, names)}], "pri": place}
        for place, (terms, _) in enumerate(rows)
    }
    definition[IDLE] = {"all": [{"m": {"y": 1}}], "pri": len(rows)}
    return Ruleset(
        json.dumps(definition, separators=(",", ":")),
        '{"id":"q","z":1' + "".join(f',"{name}":%d' for name in used) + "}",
        tuple(names.fields[name] for name in used),
        tuple(tuple(indices) for _, indices in rows),
    )


def condition(terms: Terms, names: Names) -> dict[str, object]:
    """``terms`` in durable-rules' JSON; a bound that always holds is left out."""
    parts: list[dict[str, object]] = []
    for name, low, high in terms:
        if low == high:
            parts.append({name: low})
            continue
        if low > 0:
            parts.append({"$gte": {name: low}})
        if high < names.width(name) - 1:
            parts.append({"$lte": {name: high}})
    return parts[0] if len(parts) == 1 else {"$and": parts}


def check_names(names: list[str]) -> None:
    """Refuses a ruleset in which two names would be one to the engine, or there are too many."""
    hashes = {fnv(name) for name in [*names, *RESERVED]}
    if len(hashes) != len(names) + len(RESERVED) or len(names) > 252 - len(RESERVED):
        raise EngineError("the generated field names of a ruleset are not usable")


def fnv(name: str) -> int:
    """durable-rules' hash of a name, by which alone it tells fields apart: FNV-1a, 32 bits."""
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value
