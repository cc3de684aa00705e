"""The decision that cuts a number into levels: where its cut-offs are, and how to move them.

Found by what its rules do, not by how they are written: on the cells of the number the result
must rise step by step. In the file, only the digits of a cut-off are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from harken_rules.boxes import boxes_of, codes_in, matching
from harken_rules.diagnostics import Report
from harken_rules.language import Constant, Decision, FactType, Hit, Rule, RuleBase
from harken_rules.number_cells import NumberCells
from harken_rules.source import Items, Node, Scalar, Table, read_source

BOUNDS = ("at_least", "above", "at_most", "below")
_DIGITS = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class CutOffError(Exception):
    """The cut-offs cannot be found or moved; one sentence says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A decision whose one result rises with one number.

    ``cuts`` ascend; ``bands`` are the results below, between and above them, one more than
    cuts. With ``reached`` a number equal to a cut-off lies above it. ``unknown`` is the place
    among ``bands`` of a missing number's result; None if it has none of them.
    """

    decision: Decision
    fact: str
    cuts: tuple[Decimal, ...]
    bands: tuple[Decimal, ...]
    reached: bool
    unknown: int | None

    @property
    def result(self) -> str:
        """The result's name."""
        return self.decision.results[0]


def find_scale(base: RuleBase, levels: int, name: str | None = None) -> Scale:
    """The decision with ``levels`` bands, behind ``level`` or yielding it; or the one named.

    Raises CutOffError if there is none, or more than one and no name.
    """
    if name is not None and all(name != each.name for each in base.decisions):
        raise CutOffError(f"the rule base has no decision '{name}'")
    found = []
    for decision in base.decisions:
        if name not in (None, decision.name):
            continue
        scale = scale_of(base, decision)
        if scale is not None and (name is not None or len(scale.bands) == levels):
            found.append(scale)
    if len(found) == 1:
        if len(found[0].bands) != levels:
            raise CutOffError(
                f"decision '{found[0].decision.name}' has {len(found[0].bands)} bands, but there "
                f"are {levels} shares; give as many"
            )
        return found[0]
    if found:
        names = ", ".join(f"'{each.decision.name}'" for each in found)
        raise CutOffError(f"several decisions cut a number into levels: {names}; say --decision")
    which = f"decision '{name}'" if name else "no decision"
    raise CutOffError(
        f"{which} cuts one number into {levels} rising levels by cut-offs"
        if name is None
        else f"{which} does not cut one number into rising levels by cut-offs"
    )


def scale_of(base: RuleBase, decision: Decision) -> Scale | None:
    """``decision`` as a scale; None if it is none."""
    numbers = (FactType.NUMBER, FactType.INTEGER)
    if (
        decision.hit not in (Hit.FIRST, Hit.UNIQUE)
        or len(decision.results) != 1
        or len(decision.inputs) != 1
        or base.facts[decision.inputs[0]].type not in numbers
        or base.facts[decision.results[0]].type not in numbers
    ):
        return None
    boxes = boxes_of(base, decision)
    cells = boxes.cells[0]
    assert isinstance(cells, NumberCells)
    said = {
        code: _result(decision, matching(boxes.rules, decision.hit, (code,)))
        for code in codes_in(cells.reachable)
    }
    unknown = said.pop(0, None)
    bands: list[Decimal] = []
    cuts: list[tuple[Decimal, bool]] = []
    for code, value in said.items():
        if not isinstance(value, Decimal) or (bands and value < bands[-1]):
            return None
        if not bands or value != bands[-1]:
            if bands:
                place, on_cut = divmod(code - 1, 2)
                cuts.append((cells.cuts[place if on_cut else place - 1], bool(on_cut)))
            bands.append(value)
    values = [cut for cut, _ in cuts]
    if not cuts or len(set(values)) < len(values) or len({reached for _, reached in cuts}) > 1:
        return None
    return Scale(
        decision,
        decision.inputs[0],
        tuple(values),
        tuple(bands),
        cuts[0][1],
        bands.index(unknown) if isinstance(unknown, Decimal) and unknown in bands else None,
    )


def forced(base: RuleBase, scale: Scale, band: int) -> RuleBase:
    """``base`` in which the scale's decision always answers ``bands[band]``."""
    rule = scale.decision.rules[0]
    always = Rule("forced", rule.place, ((),), {scale.result: (scale.bands[band],)})
    changed = replace(scale.decision, rules=(always,), inputs=())
    decisions = tuple(changed if one is scale.decision else one for one in base.decisions)
    return replace(base, decisions=decisions)


def moved(data: bytes, scale: Scale, cuts: Mapping[Decimal, Decimal], places: int) -> bytes:
    """The decision's file with each cut-off among the keys replaced, all else byte for byte.

    New values are written with at least ``places`` decimals. Raises CutOffError if the file
    does not hold a cut-off where the rules have it.
    """
    encoding = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(data[:2], "utf-8")
    text = data.decode(encoding)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix("\ufeff")
    file = scale.decision.place.file
    node = read_source(data, file, Report())
    if node is None:
        raise CutOffError(f"{file}: cannot be read any more")
    starts = [0, *(found.end() for found in _LINE_BREAK.finditer(body))]
    left = set(cuts)
    edits: list[tuple[int, int, str]] = []
    for scalar, digits in _bounds(node, scale.fact):
        value = Decimal(digits)
        if value not in cuts:
            continue
        left.discard(value)
        at = starts[scalar.place.line - 1] + scalar.place.column - 1 + (not scalar.plain)
        end = at + len(digits)  # a unit behind the number stays
        if body[at:end] != digits:
            raise CutOffError(f"{scalar.place}: the number is written in a way not to be edited")
        if cuts[value] != value:
            edits.append((at, end, written(cuts[value], places)))
    if left:
        raise CutOffError(f"{file}: has no cut-off {min(left)} any more")
    for at, end, new in sorted(edits, reverse=True):
        body = body[:at] + new + body[end:]
    return (mark + body).encode(encoding)


def written(value: Decimal, places: int) -> str:
    """A cut-off as a person writes it, with at least ``places`` decimals."""
    exponent = value.normalize().as_tuple().exponent
    digits = max(places, -exponent if isinstance(exponent, int) else 0)
    return f"{value:.{digits}f}"


def _result(decision: Decision, matched: tuple[int, ...]) -> Constant | None:
    return decision.rules[matched[0]].then[decision.results[0]][0] if matched else None


def _bounds(node: Node, fact: str) -> Iterator[tuple[Scalar, str]]:
    """Every bound that the file's rules set to ``fact``, with its digits."""
    rules = node.get("rules") if isinstance(node, Table) else None
    for rule in rules.items if isinstance(rules, Items) else ():
        when = rule.get("when") if isinstance(rule, Table) else None
        if when is not None:
            yield from _under(when, fact)


def _under(node: Node, fact: str) -> Iterator[tuple[Scalar, str]]:
    if isinstance(node, Items):
        for item in node.items:
            yield from _under(item, fact)
    elif isinstance(node, Table):
        for key, value in node.entries:
            if key.text == fact and isinstance(value, Table):
                yield from _numbers(value)
            elif key.text == "any":
                yield from _under(value, fact)


def _numbers(table: Table) -> Iterator[tuple[Scalar, str]]:
    for key, value in table.entries:
        if isinstance(value, Table):  # not: {at_least: …}
            yield from _numbers(value)
        elif key.text in BOUNDS and isinstance(value, Scalar):
            digits = _DIGITS.match(value.text)
            if digits is not None:
                yield value, digits.group()
