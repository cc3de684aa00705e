"""Why not: the nearest misses and the smallest changes as text, in English or Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from harken_rules.changes import Alternative, Change, Search
from harken_rules.explain import held_of
from harken_rules.explain_text import Lines, Pieces
from harken_rules.hints import printable
from harken_rules.language import Condition, Interval, OneOf, Place, Rule, Within
from harken_rules.phrases import Phrases
from harken_rules.reading.expectations import Listed
from harken_rules.reading.numbers import number_text
from harken_rules.why_not import Misses, Room, WhyNot
from harken_rules.why_not_words import WORDS

MOST_OTHERS = 4
MOST_ROOMS = 5


@dataclass(frozen=True, slots=True)
class WhyNotTeller:
    """Tells why an outcome did not happen; ``prefix`` stands before file names."""

    why_not: WhyNot
    phrases: Phrases
    prefix: str = ""

    def lines(self) -> Lines:
        """The question, the nearest misses, and the smallest changes."""
        goal = self.why_not.goal
        yield 0, [(self._word("ask").format(printable(goal.text)), "bold")]
        now = self.phrases.said(goal.result, self.why_not.situation.value(goal.result))
        if self.why_not.search is None:
            yield 0, [(self._word("already").format(now=now), "")]
            return
        wanted = self._wanted(goal.result, goal.wanted)
        yield 0, [(self._word("now").format(now=now, wanted=wanted), "")]
        yield 0, []
        yield 0, [(self._word("misses"), "bold")]
        for misses in self.why_not.misses:
            yield from self._misses(misses)
        yield 0, []
        yield from self._changes(self.why_not.search)

    def _misses(self, misses: Misses) -> Lines:
        title = self.phrases.title(misses.result)
        wanted = self._wanted(misses.result, misses.wanted)
        yield 1, [(self._word("wanted").format(title=title, wanted=wanted), "bold")]
        for miss in misses.rules:
            yield 2, self._rule(miss.rule, "rule")
            for each in miss.failing:
                now = self.phrases.said(each.fact, each.value)
                wanted = self.phrases.wanted(each.fact, each.condition)
                yield 3, [(self._word("failing").format(now=now, wanted=wanted), "")]
            if miss.instead is not None:
                yield 3, [(self._instead(miss.instead), "")]
        if misses.others:
            yield 2, [(self._word("more").format(misses.others), "dim")]
        for rule in misses.against:
            yield 2, self._rule(rule, "against")
        if misses.rooms:
            yield from self._rooms(misses)
        elif not misses.rules:
            silent = misses.against and not isinstance(misses.wanted, Listed)
            if silent or not misses.against:
                yield 2, [(self._word("silent" if silent else "nobody"), "")]

    def _instead(self, rule: Rule) -> str:
        """The rule that decided before another could, and the conditions by which it did."""
        held = held_of(self.why_not.situation, rule)
        said = [self.phrases.held(each.fact, each.condition, each.value) for each in held]
        since = self.phrases.word("semicolon").join(said) or self._word("always")
        return self._word("instead").format(rule=rule.id, since=since)

    def _rooms(self, misses: Misses) -> Lines:
        direction, amount = _lacking(misses)
        if direction:
            key = "just" if not amount else "short" if direction > 0 else "over"
            yield 2, [(self._word(key).format(number_text(amount)), "")]
        uses = [(_use(each, direction), each) for each in misses.rooms]
        uses = sorted((each for each in uses if each[0] > 0), key=lambda each: -each[0])
        for _, room in uses[:MOST_ROOMS]:
            known = misses.decision.characteristics.get(room.name)
            title = self._word("rule").format(room.name)
            numbers = {
                "title": self.phrases.text(known.title) if known else title,
                "now": number_text(room.now),
                "least": number_text(room.least),
                "most": number_text(room.most),
            }
            yield 2, [(self._word("room").format(**numbers), "")]

    def _changes(self, search: Search) -> Lines:
        if search.alternatives:
            yield 0, [(self._word("changes"), "bold")]
        else:
            yield 0, [(self._word("none" if search.complete else "none yet"), "bold")]
        for number, each in enumerate(search.alternatives, start=1):
            for place, change in enumerate(each.changes):
                start = f"{number}. " if not place else "   "
                end = self._outcome(each) if place + 1 == len(each.changes) else ""
                yield 1, [(start + printable(self._move(change)), "green"), (end, "")]
        if search.others:
            yield 1, [(self._word("more changes").format(search.others), "dim")]
        if self.why_not.keep:
            titles = self.phrases.word("comma").join(map(self.phrases.title, self.why_not.keep))
            yield 0, [(self._word("kept").format(titles), "")]
        sizes = [size for size, number in search.all.items() if number]
        said = self.phrases.word("comma").join(self._tried(search, size) for size in sizes)
        if said:
            yield 0, [(self._word("tried").format(said), "dim")]

    def _move(self, change: Change) -> str:
        phrases = self.phrases
        after = phrases.value(change.fact, change.after)
        if change.others or isinstance(change.after, str):
            after = self._code(change.fact, change.after)
        said = self._word("move").format(
            title=phrases.title(change.fact),
            before=phrases.value(change.fact, change.before),
            after=after,
        )
        if change.interval is not None and _is_wide(change.interval):
            said += self._word("range").format(phrases.interval(change.fact, change.interval))
        elif change.others:
            names = [self._code(change.fact, each) for each in change.others[:MOST_OTHERS]]
            more = " …" if len(change.others) > MOST_OTHERS else ""
            said += self._word("also").format(phrases.word("comma").join(names) + more)
        return said

    def _code(self, fact: str, value: object) -> str:
        """A value's label; a stand-in for all that are not listed is said to be one."""
        declared = self.phrases.base.facts[fact].values
        if declared is not None and isinstance(value, str) and value not in declared:
            return self.phrases.word("another")
        return self.phrases.value(fact, value)

    def _outcome(self, one: Alternative) -> str:
        goal = self.why_not.goal
        alone = isinstance(goal.wanted, OneOf) and not goal.wanted.negated
        if alone or isinstance(goal.wanted, Listed):
            return ""
        return self._word("then").format(self.phrases.said(goal.result, one.result))

    def _tried(self, search: Search, size: int) -> str:
        tried, everything = search.tried[size], search.all[size]
        facts = self._word("one fact") if size == 1 else self._word("facts").format(size)
        key = "some" if tried < everything else "only" if everything == 1 else "all"
        return self._word(key).format(tried=f"{tried:,}", all=f"{everything:,}", facts=facts)

    def _wanted(self, fact: str, wanted: Condition | Listed) -> str:
        if not isinstance(wanted, Listed):
            return self.phrases.wanted(fact, wanted)
        parts = [
            self._word(word).format(self.phrases.listed(fact, values))
            for word, values in (("contains", wanted.contains), ("absent", wanted.absent))
            if values
        ]
        return self.phrases.word("comma").join(parts)

    def _rule(self, rule: Rule, word: str) -> Pieces:
        return [(self._word(word).format(rule.id), ""), (self._place(rule.place), "blue")]

    def _place(self, place: Place) -> str:
        return f"  {self.prefix}{place.file}:{place.line}"

    def _word(self, key: str) -> str:
        return WORDS.get(self.phrases.language, WORDS["en"])[key]


def _lacking(misses: Misses) -> tuple[int, Decimal]:
    """Whether a scorecard's result would have to rise (1) or fall (-1), and at least how far."""
    value = misses.value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return 0, Decimal(0)
    match misses.wanted:
        case Within(interval=Interval(low=low, high=high)):
            pass
        case OneOf(values=(Decimal() as only,), negated=False):
            low = high = only
        case _:
            return 0, Decimal(0)
    if low is not None and value <= low:
        return 1, low - value
    return (-1, value - high) if high is not None else (0, Decimal(0))


def _use(room: Room, direction: int) -> Decimal:
    """How far a characteristic can go in that direction; in either, if there is none."""
    up, down = room.most - room.now, room.now - room.least
    return max(up, down) if not direction else up if direction > 0 else down


def _is_wide(interval: Interval) -> bool:
    return interval.low is None or interval.low != interval.high
