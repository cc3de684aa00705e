"""Why not: the nearest misses and the smallest changes as text, in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from harken_rules.cases import value_text, wanted_text
from harken_rules.changes import Alternative, Change, Search
from harken_rules.explain import Situation, held_of
from harken_rules.explain_text import Lines, Pieces, plain
from harken_rules.goals import Goal
from harken_rules.hints import printable
from harken_rules.language import Condition, Interval, OneOf, Place, Rule, Within
from harken_rules.phrases import Phrases
from harken_rules.reading.expectations import Listed
from harken_rules.reading.numbers import number_text
from harken_rules.why_not import Misses, Room

MOST_OTHERS = 4
MOST_ROOMS = 5

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "ask": "Why not {}?",
        "now": "{now}; wanted: {wanted}.",
        "already": "{now}, as wanted: there is nothing to change.",
        "misses": "The nearest misses",
        "wanted": "{title}: {wanted}",
        "rule": "rule {}",
        "failing": "- {now}; wanted: {wanted}",
        "instead": "- all that it asks holds, but rule {rule} comes before it: {since}",
        "always": "it always holds",
        "more": "and {} more that would give it",
        "nobody": "no rule gives it",
        "silent": "it is so only where no rule matches",
        "against": "rule {} gives what is there now",
        "short": "{} more is needed",
        "over": "{} is too much",
        "just": "it lies on the bound",
        "room": "- {title} adds {now}; it can add from {least} to {most}",
        "changes": "The smallest changes that reach it",
        "move": "{title}: {before} → {after}",
        "range": " ({} does as well)",
        "also": " (so does: {})",
        "then": "  ⇒ {}",
        "none": "No change of up to three facts reaches it.",
        "none yet": "No change was found that reaches it.",
        "tried": "Tried: {}.",
        "one fact": "one fact",
        "facts": "{} facts",
        "only": "the only change of {facts}",
        "all": "all {all} changes of {facts}",
        "some": "{tried} of {all} changes of {facts}",
        "kept": "Kept as they are: {}.",
        "contains": "contains {}",
        "absent": "does not contain {}",
    },
    "zh": {
        "ask": "为什么不是 {}？",
        "now": "{now}；期望：{wanted}。",
        "already": "{now}，已符合期望，无需改变。",
        "misses": "最接近的规则",
        "wanted": "{title}：{wanted}",
        "rule": "规则 {}",
        "failing": "- {now}；期望：{wanted}",
        "instead": "- 条件全部成立，但规则 {rule} 排在它之前：{since}",
        "always": "该规则总成立",
        "more": "另有 {} 条规则也会得出该结果",
        "nobody": "没有规则会得出该结果",
        "silent": "只有在没有规则成立时才会如此",
        "against": "现有结果来自规则 {}",
        "short": "还差 {}",
        "over": "超出 {}",
        "just": "正好在界限上",
        "room": "- {title}：现计 {now}，可计 {least} 至 {most}",
        "changes": "达到期望的最小改变",
        "move": "{title}：{before} → {after}",
        "range": "（{}均可）",
        "also": "（亦可：{}）",
        "then": "  ⇒ {}",
        "none": "改变至多三个事实均不能达到。",
        "none yet": "没有找到能够达到的改变。",
        "tried": "已尝试：{}。",
        "one fact": "一个事实",
        "facts": "{}个事实",
        "only": "改变{facts}的唯一情况",
        "all": "改变{facts}的全部 {all} 种情况",
        "some": "改变{facts}的 {all} 种情况中的 {tried} 种",
        "kept": "保持不变：{}。",
        "contains": "包含{}",
        "absent": "不包含{}",
    },
}


@dataclass(frozen=True, slots=True)
class WhyNot:
    """A goal, what kept it from being reached, and what would; no ``search`` if it is reached."""

    goal: Goal
    situation: Situation
    misses: tuple[Misses, ...] = ()
    search: Search | None = None
    keep: tuple[str, ...] = ()


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
        if self.why_not.keep:
            titles = self.phrases.word("comma").join(map(self.phrases.title, self.why_not.keep))
            yield 0, [(self._word("kept").format(titles), "")]
        said = self.phrases.word("comma").join(self._tried(search, size) for size in search.all)
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
        return _WORDS.get(self.phrases.language, _WORDS["en"])[key]


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


def to_dict(why_not: WhyNot, phrases: Phrases) -> dict[str, object]:
    """The same for machines."""
    goal, search = why_not.goal, why_not.search
    found: dict[str, object] = {
        "goal": goal.text,
        "result": goal.result,
        "wanted": wanted_text(goal.wanted),
        "value": plain(why_not.situation.value(goal.result)),
        "reached": search is None,
        "misses": [_misses_dict(each) for each in why_not.misses],
        "keep": list(why_not.keep),
    }
    if search is not None:
        found["alternatives"] = [_alternative_dict(each, phrases) for each in search.alternatives]
        found["complete"] = search.complete
        found["tried"] = {str(size): number for size, number in search.tried.items()}
        found["all"] = {str(size): number for size, number in search.all.items()}
    return found


def _misses_dict(misses: Misses) -> dict[str, object]:
    return {
        "decision": misses.decision.name,
        "result": misses.result,
        "wanted": wanted_text(misses.wanted),
        "value": plain(misses.value),
        "rules": [
            {
                **_rule_dict(miss.rule),
                "failing": [
                    {
                        "fact": each.fact,
                        "value": plain(each.value),
                        "wanted": wanted_text(each.condition),
                    }
                    for each in miss.failing
                ],
                "instead": None if miss.instead is None else miss.instead.id,
            }
            for miss in misses.rules
        ],
        "others": misses.others,
        "against": [_rule_dict(rule) for rule in misses.against],
        "rooms": [
            {
                "name": room.name,
                "now": number_text(room.now),
                "least": number_text(room.least),
                "most": number_text(room.most),
            }
            for room in misses.rooms
        ],
    }


def _rule_dict(rule: Rule) -> dict[str, object]:
    return {"rule": rule.id, "file": rule.place.file, "line": rule.place.line}


def _alternative_dict(one: Alternative, phrases: Phrases) -> dict[str, object]:
    return {
        "changes": [
            {
                "fact": each.fact,
                "title": phrases.title(each.fact),
                "before": value_text(each.before),
                "after": value_text(each.after),
                "others": [value_text(other) for other in each.others],
                "range": None if each.interval is None else wanted_text(Within(each.interval)),
            }
            for each in one.changes
        ],
        "result": plain(one.result),
    }
