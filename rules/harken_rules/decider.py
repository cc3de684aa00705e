"""One row at a time, at the speed of a few dozen look-ups.

A chain of groups (see ``chain``) is walked by a function written for it: a line for each given
fact, which finds what its value adds to the keys of the groups that read it, and two for each
group, which add these numbers up and look the key up. Written out, each costs a few hundredths of
a microsecond; the same in loops over prepared lists takes twice as long. For a base that reads an
enum and a number the function is

    def decide(row):
        v0, v1, = row
        try:
            f0_0, f0_1, = v0_known[v0]
            f1_0, = v1_line[(0 if v1 < 0.0 else 1)] if type(v1) is float else …
            k0 = f0_0 + f1_0
            g0_1, s0, r0, w0, = known0[k0] or ask0(k0)
            k1 = f0_1 + g0_1
            s1, r1, = known1.get(k1) or ask1(k1)
            reasons = ranked[w0, ]
        except (KeyError, TypeError):
            return otherwise(row)
        tick()
        verdict = new(Verdict)
        verdict.said = chain, s0, s1,
        verdict.results = {**template, **r0, **r1, }
        verdict.reasons = reasons
        return verdict

A value that is not plainly acceptable breaks off, and ``RuleEngine.decide`` says what it thinks of
the row.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from harken_rules.chain import Chain, ChainVerdict
from harken_rules.readers import reading_of
from harken_rules.verdict import Verdict

if TYPE_CHECKING:
    from harken_rules.engine import RuleEngine

Row = Sequence[object]


class Decider:
    """What the function is written from; see ``RuleEngine.decider``."""

    def __init__(self, engine: RuleEngine, chain: Chain, names: Sequence[str]) -> None:
        if len(set(names)) < len(names):
            raise ValueError("a name stands in two positions")
        self.engine = engine
        self.chain = chain
        self.names = tuple(names)
        self.readings = {
            # A fact that nobody reads must be acceptable all the same.
            place: reading_of(engine.cells[name], chain.parts_of(name), f"v{place}")
            for place, name in enumerate(names)
            if name in chain.given
        }

    def otherwise(self, row: Row) -> Verdict:
        """The verdict on a row with a value that is not plainly acceptable, if it is at all."""
        verdict = self.engine.decide(dict(zip(self.names, row, strict=True)))
        results = {name: verdict.results[name] for name in self.chain.template}
        decisions = {self.engine.plans[index].table.decision.name for index in self.chain.wanted}
        return Verdict(
            results,
            tuple([fired for fired in verdict.fired if fired.decision in decisions]),
            tuple([fired for fired in verdict.reasons if fired.decision in decisions]),
        )

    def lines(self) -> Iterator[str]:
        """The function's text."""
        chain, places = self.chain, range(len(self.chain.groups))
        added: list[list[str]] = [[] for _ in places]

        def unpacked(source: str | int, short: str) -> str:
            names = {reader: f"{short}_{reader}" for reader in chain.readers.get(source, ())}
            for reader, name in names.items():
                added[reader].append(name)
            return "".join(f"{name}, " for name in names.values())

        values = (
            f"v{place}" if place in self.readings else "_" for place, _ in enumerate(self.names)
        )
        yield "def decide(row):"
        yield f"    {''.join(f'{value}, ' for value in values) or '()'} = row"
        yield "    try:"
        for place, reading in self.readings.items():
            parts = unpacked(self.names[place], f"f{place}") or "_, "
            yield f"        {parts}= {reading.expression}"
        for place in places:
            answer = f"{unpacked(place, f'g{place}')}s{place}, "
            answer += f"r{place}, " if place in chain.holding else ""
            answer += f"w{place}, " if place in chain.weighing else ""
            found = f"known{place}[k{place}]"
            if isinstance(chain.memo.shelves[place], dict):
                found = f"known{place}.get(k{place})"
            yield f"        k{place} = {' + '.join(added[place]) or '0'}"
            yield f"        {answer}= {found} or ask{place}(k{place})"
        weights = "".join(f"w{place}, " for place in chain.weighing)
        yield f"        reasons = ranked[{weights or '()'}]"
        yield "    except (KeyError, TypeError):"
        yield "        return otherwise(row)"
        yield "    tick()"
        yield "    verdict = new(Verdict)"
        yield f"    verdict.said = chain, {''.join(f's{place}, ' for place in places)}"
        results = "".join(f"**r{place}, " for place in chain.holding)
        yield f"    verdict.results = {{**template, {results}}}"
        yield "    verdict.reasons = reasons"
        yield "    return verdict"

    def written(self) -> Callable[[Row], Verdict]:
        """The function."""
        chain = self.chain
        held: dict[str, object] = {
            "chain": chain,
            "new": ChainVerdict.__new__,
            "otherwise": self.otherwise,
            "ranked": chain.ranked,
            "template": chain.template,
            "tick": chain.tick,
            "Verdict": ChainVerdict,
        }
        for place, shelf in enumerate(chain.memo.shelves):
            held[f"known{place}"] = shelf
            held[f"ask{place}"] = functools.partial(chain.ask, place)
        for reading in self.readings.values():
            held.update(reading.held)
        text = "\n".join(f"    {line}" for line in self.lines())
        made: dict[str, Callable[..., Callable[[Row], Verdict]]] = {}
        exec(f"def make({', '.join(held)}):\n{text}\n    return decide", made)
        return made["make"](**held)
