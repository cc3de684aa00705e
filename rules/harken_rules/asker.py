"""What a group says to a key that nobody asked about yet, by a function written for the group.

Every row that is unlike all before asks some group; so this too is written out (see ``decider``).
Digits are read off the key; what each digit means to a decision is one look-up, for a code of the
digit's class stands in for all of them. For a group whose second decision reads what the first
yields, and hands it on, the function is

    def ask(key):
        d0 = key // 1 % 5
        d1 = key // 5 % 3
        s = (d0, t1[d1],)
        o0 = known0(s) or asked(12, s)
        (_, c7), = o0.derived
        s = (t2[c7],)
        o1 = known1(s) or asked(13, s)
        return (o0, o1,), (a3[c7] + a4[d1],)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from harken_rules.boxes import Signature
from harken_rules.keys import Digit
from harken_rules.outcomes import Outcome

if TYPE_CHECKING:
    from harken_rules.engine import RuleEngine

Asked = tuple[tuple[Outcome, ...], tuple[int, ...]]
"""The outcomes of a group's decisions, and what they and the group's facts add to the key of each
of its readers."""
Adding = Sequence[Sequence[tuple[int, tuple[int, ...]]]]
"""For each reader the slots of facts, and what each code of these adds."""


class Asker:
    """What the function is written from. ``engine`` may be a weak proxy: it is not held."""

    def __init__(
        self, engine: RuleEngine, decisions: Sequence[int], digits: Sequence[Digit], adding: Adding
    ) -> None:
        self._engine = engine
        self._decisions = decisions
        self._digits = digits
        self._adding = adding
        self._place = {engine.slot(digit.name): at for at, digit in enumerate(digits)}
        self._held: dict[str, object] = {}

    def written(self) -> Callable[[int], Asked]:
        """The function."""
        text = "\n".join(f"    {line}" for line in self._lines())
        engine = self._engine

        def asked(decision: int, signature: Signature) -> Outcome:
            return engine.outcome(decision, signature)

        held = {"asked": asked, **self._held}
        made: dict[str, Callable[..., Callable[[int], Asked]]] = {}
        exec(f"def make({', '.join(held)}):\n{text}\n    return ask", made)
        return made["make"](**held)

    def _lines(self) -> Iterator[str]:
        yield "def ask(key):"
        for at, digit in enumerate(self._digits):
            yield f"    d{at} = {digit.source('key')}"
        for at, decision in enumerate(self._decisions):
            plan = self._engine.plans[decision]
            self._held[f"known{at}"] = self._engine.known(decision).get
            signature = "".join(
                f"{self._looked_up(slot, classes)}, "
                for slot, classes in zip(plan.slots, plan.classes, strict=True)
            )
            yield f"    s = ({signature})"
            yield f"    o{at} = known{at}(s) or asked({decision}, s)"
            if plan.derived:
                codes = "".join(f"(_, c{slot}), " for slot in plan.derived)
                yield f"    {codes}= o{at}.derived"
        outcomes = "".join(f"o{at}, " for at, _ in enumerate(self._decisions))
        sums = [
            " + ".join(self._looked_up(slot, parts) for slot, parts in reader) or "0"
            for reader in self._adding
        ]
        yield f"    return ({outcomes}), ({''.join(f'{each}, ' for each in sums)})"

    def _looked_up(self, slot: int, table: tuple[int, ...]) -> str:
        """What a table by code has for a fact, as an expression."""
        at = self._place.get(slot)
        if at is None:  # the group itself yields it
            index = f"c{slot}"
        else:
            index, table = f"d{at}", tuple([table[code] for code in self._digits[at].samples])
            if table == tuple(range(len(table))):
                return index
        name = f"t{len(self._held)}"
        self._held[name] = table
        return f"{name}[{index}]"
