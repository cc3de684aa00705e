"""One row at a time, at the speed of a few dozen look-ups.

A chain of groups (see ``chain``) is walked by a function written for it: a line for each given
fact, which looks up what its value adds to the keys of the groups that read it, and two for each
group, which add these numbers up and look the key up. Written out, each costs a few hundredths of
a microsecond; the same in loops over prepared lists takes twice as long. For a base that reads a
flag and a number the function is

    def decide(row):
        v0, v1, = row
        try:
            f0_0, f0_1, = fact0[v0]
            f1_0, = fact1[bisect(edges1, v1)] if v1 is not None else missing1
            k0 = f0_0 + f1_0
            g0_1, s0, r0, w0, = known0[k0] or ask0(k0)
            k1 = f0_1 + g0_1
            s1, r1, = known1.get(k1) or ask1(k1)
            reasons = ranked[w0, ]
        except (KeyError, TypeError):
            return patient(row)
        tick()
        verdict = new(Verdict)
        verdict.said = chain, s0, s1,
        verdict.results = {**template, **r0, **r1, }
        verdict.reasons = reasons
        return verdict

A value that is not plainly acceptable breaks off; ``patient`` then goes the same way step by step,
and where it does not accept the value either asks ``RuleEngine.decide``, which says what is wrong.
"""

from __future__ import annotations

import functools
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from harken_rules.cells import Cells
from harken_rules.chain import Chain, ChainVerdict
from harken_rules.named_cells import MISSING, NamedCells
from harken_rules.number_cells import EXACT_INTEGER, NumberCells
from harken_rules.verdict import Verdict

if TYPE_CHECKING:
    from harken_rules.engine import RuleEngine

Parts = tuple[int, ...]
"""What a fact adds to the keys of its readers."""

Row = Sequence[object]

USUAL = 256
"""Whole numbers up to here are looked up, greater ones bisected."""


class Line:
    """A number's line in the pieces that its readers tell apart.

    ``parts[bisect_right(edges, value)]`` is what a value adds; ``None`` where it is out of range,
    infinite, NaN, or so great that not every integer is a float.
    """

    def __init__(self, cells: NumberCells, parts: Sequence[Parts]) -> None:
        self.edges: list[float] = [-float(EXACT_INTEGER)]
        self.parts: list[Parts | None] = [None]
        first = 1 + bisect_right(cells.edges, -float(EXACT_INTEGER))
        last = 1 + bisect_right(cells.edges, float(EXACT_INTEGER))
        for code in range(first, last + 1):
            here = parts[code] if cells.first <= code <= cells.last else None
            if len(self.parts) > 1 and here == self.parts[-1]:
                continue
            if code > first:
                self.edges.append(cells.edges[code - 2])
            self.parts.append(here)
        self.edges.append(math.nextafter(EXACT_INTEGER, math.inf))
        self.parts.append(None)

    def __call__(self, value: object) -> Parts | None:
        """What a value adds; raises TypeError where it is no number."""
        return self.parts[bisect_right(self.edges, value)]  # type: ignore[call-overload]


class Whole(dict[object, Parts]):
    """What whole numbers add; the usual ones are held, others found on the line."""

    def __init__(self, line: Line, parts: Parts) -> None:
        self._line = line
        held = {value: line(value) for value in range(USUAL)}
        super().__init__({value: each for value, each in held.items() if each is not None})
        self[None] = parts

    def __missing__(self, value: object) -> Parts:
        if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
            parts = self._line(value)
            if parts is not None:
                return parts
        raise KeyError(value)


class Names(dict[object, Parts]):
    """What the values of an open enum add, and any other text."""

    def __init__(self, held: dict[object, Parts], another: Parts) -> None:
        super().__init__(held)
        self._another = another

    def __missing__(self, value: object) -> Parts:
        if type(value) is str:
            return self._another
        raise KeyError(value)


Reader = dict[object, Parts] | Line


def reader_of(chain: Chain, name: str) -> Reader:
    """What looks up what a fact's values add to the keys of its readers."""
    cells: Cells = chain.engine.cells[name]
    parts = chain.parts_of(name)
    if isinstance(cells, NumberCells):
        line = Line(cells, parts)
        return Whole(line, parts[MISSING]) if cells.integral else line
    assert isinstance(cells, NamedCells)
    held = {value: parts[code] for value, code in cells.table.items()}
    if cells.fact.open:
        return Names(held, parts[-1])
    return held


class Decider:
    """What the written function is made from, and the same way step by step."""

    def __init__(self, engine: RuleEngine, chain: Chain, names: Sequence[str]) -> None:
        if len(set(names)) < len(names):
            raise ValueError("a name stands in two positions")
        self.engine = engine
        self.chain = chain
        self.names = tuple(names)
        # A fact that nobody reads must be acceptable all the same.
        self.facts = [
            (place, name, reader_of(chain, name))
            for place, name in enumerate(names)
            if name in chain.given
        ]

    def patient(self, row: Row) -> Verdict:
        """The verdict on a row of which something may not be known yet, or not be right."""
        chain = self.chain
        keys = [0] * len(chain.groups)
        for place, name, reader in self.facts:
            parts = self._parts(reader, name, row[place])
            if parts is None:
                return self._at_length(row)
            for group, part in zip(chain.readers.get(name, ()), parts, strict=True):
                keys[group] += part
        answers = []
        for place, key in enumerate(keys):
            answer = chain.answer(place, key)
            for group, part in zip(chain.readers.get(place, ()), answer, strict=False):
                keys[group] += part
            answers.append(answer)
        chain.tick()
        return chain.verdict(answers)

    def _at_length(self, row: Row) -> Verdict:
        """The verdict on a row with a value that is not plainly acceptable, if it is at all."""
        verdict = self.engine.decide(dict(zip(self.names, row, strict=True)))
        results = {name: verdict.results[name] for name in self.chain.template}
        decisions = {self.engine.plans[index].table.decision.name for index in self.chain.wanted}
        return Verdict(
            results,
            tuple([fired for fired in verdict.fired if fired.decision in decisions]),
            tuple([fired for fired in verdict.reasons if fired.decision in decisions]),
        )

    def _parts(self, reader: Reader, name: str, value: object) -> Parts | None:
        if isinstance(reader, Line) and value is None:
            return (0,) * len(self.chain.readers.get(name, ()))
        try:
            return reader(value) if isinstance(reader, Line) else reader[value]
        except (KeyError, TypeError):
            return None

    def lines(self) -> Iterator[str]:
        """The function's text."""
        chain = self.chain
        added: list[list[str]] = [[] for _ in chain.groups]

        def unpacked(source: str | int, short: str) -> str:
            readers = chain.readers.get(source, ())
            for reader in readers:
                added[reader].append(f"{short}_{reader}")
            return "".join(f"{short}_{reader}, " for reader in readers)

        places = {place for place, _, _ in self.facts}
        values = (f"v{place}" if place in places else "_" for place in range(len(self.names)))
        row = "".join(f"{value}, " for value in values)
        yield "def decide(row):"
        yield f"    {row or '()'} = row"
        yield "    try:"
        for place, name, reader in self.facts:
            found = f"fact{place}[v{place}]"
            if isinstance(reader, Line):
                found = f"fact{place}[bisect(edges{place}, v{place})]"
                found += f" if v{place} is not None else missing{place}"
            yield f"        {unpacked(name, f'f{place}') or '() '}= {found}"
        for place in range(len(chain.groups)):
            key = " + ".join(added[place]) or "0"
            answer = f"{unpacked(place, f'g{place}')}s{place}, "
            answer += f"r{place}, " if place in chain.holding else ""
            answer += f"w{place}, " if place in chain.weighing else ""
            find = f"known{place}[k{place}]"
            if isinstance(chain.memo.shelves[place], dict):
                find = f"known{place}.get(k{place})"
            yield f"        k{place} = {key}"
            yield f"        {answer}= {find} or ask{place}(k{place})"
        weights = "".join(f"w{place}, " for place in chain.weighing)
        yield f"        reasons = ranked[{weights or '()'}]"
        yield "    except (KeyError, TypeError):"
        yield "        return patient(row)"
        yield "    tick()"
        yield "    verdict = new(Verdict)"
        said = "".join(f"s{place}, " for place in range(len(chain.groups)))
        yield f"    verdict.said = chain, {said}"
        results = "".join(f"**r{place}, " for place in chain.holding)
        yield f"    verdict.results = {{**template, {results}}}"
        yield "    verdict.reasons = reasons"
        yield "    return verdict"

    def written(self) -> Callable[[Row], Verdict]:
        """The function."""
        chain = self.chain
        known = {f"known{place}": known for place, known in enumerate(chain.memo.shelves)}
        asking = {
            f"ask{place}": functools.partial(chain.ask, place) for place in range(len(chain.groups))
        }
        held: dict[str, object] = {
            "bisect": bisect_right,
            "chain": chain,
            "new": ChainVerdict.__new__,
            "patient": self.patient,
            "ranked": chain.ranked,
            "template": chain.template,
            "tick": chain.tick,
            "Verdict": ChainVerdict,
            **known,
            **asking,
        }
        for place, name, reader in self.facts:
            if isinstance(reader, Line):
                held[f"edges{place}"], held[f"fact{place}"] = reader.edges, reader.parts
                held[f"missing{place}"] = (0,) * len(chain.readers.get(name, ()))
            else:
                held[f"fact{place}"] = reader
        text = "\n".join(f"    {line}" for line in self.lines())
        made: dict[str, Callable[..., Callable[[Row], Verdict]]] = {}
        exec(f"def make({', '.join(held)}):\n{text}\n    return decide", made)
        return made["make"](**held)
