"""Everything a page says, in each of its languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harken_rules.handbook.content import Inline, Span
from harken_rules.language import Condition, Fact, FactType, OneOf, RuleBase, Text
from harken_rules.phrases import Phrases

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "contents": "Contents",
        "both": "both",
        "facts": "Facts",
        "given": "What is given",
        "decided": "What decisions conclude",
        "graph": "How decisions build on each other",
        "decisions": "Decisions",
        "catalogues": "Catalogues",
        "cases": "Cases",
        "fact": "Fact",
        "type": "Type",
        "values": "Values",
        "source": "Comes from",
        "rule": "Rule",
        "when": "When",
        "because": "Because",
        "characteristic": "Characteristic",
        "weight": "Weight",
        "baseline": "Baseline",
        "score": "Score",
        "adds": "Adds",
        "file": "File",
        "code": "Code",
        "title": "Title",
        "group": "Group",
        "departments": "Departments",
        "expectation": "The customer hopes for",
        "script": "Words for the agent",
        "always": "always",
        "or": "or",
        "none of": "none of: {}",
        "entries": "entries of",
        "open": "or any other",
        "request": "the request",
        "model": "the model",
        "attribute": "your own column",
        "enum": "one of a list",
        "number": "number",
        "integer": "whole number",
        "boolean": "yes or no",
        "asks": "Asks about",
        "yields": "Yields",
        "nothing": "no fact",
        "first": "The first rule that matches decides, from top to bottom.",
        "unique": "At most one rule matches.",
        "all": "Every rule that matches adds to a list; it may be empty.",
        "sum": "A scorecard: every rule that matches adds its weighted score.",
        "falls through": "If no rule matches, the result is missing.",
        "counts": "{facts} facts, {decisions} decisions, {rules} rules, {cases} cases",
        "digest": "Digest",
        "taxonomy": "Taxonomy",
        "no cases": "There are no cases.",
        "say": "{title}: {wanted}",
        "further": ", ",
    },
    "zh": {
        "contents": "目录",
        "both": "双语",
        "facts": "事实",
        "given": "给定的事实",
        "decided": "决策得出的事实",
        "graph": "决策之间的依赖关系",
        "decisions": "决策",
        "catalogues": "目录表",
        "cases": "用例",
        "fact": "事实",
        "type": "类型",
        "values": "取值",
        "source": "来源",
        "rule": "规则",
        "when": "条件",
        "because": "原因",
        "characteristic": "特征",
        "weight": "权重",
        "baseline": "基准分",
        "score": "得分",
        "adds": "累加",
        "file": "文件",
        "code": "代码",
        "title": "名称",
        "group": "分组",
        "departments": "部门",
        "expectation": "客户期望",
        "script": "话术",
        "always": "总是",
        "or": "或",
        "none of": "不属于：{}",
        "entries": "取自",
        "open": "或其他值",
        "request": "请求",
        "model": "模型",
        "attribute": "自有字段",
        "enum": "枚举",
        "number": "数值",
        "integer": "整数",
        "boolean": "是否",
        "asks": "依据",
        "yields": "得出",
        "nothing": "无",
        "first": "自上而下，首个匹配的规则生效。",
        "unique": "至多一条规则匹配。",
        "all": "所有匹配的规则都加入列表，列表可以为空。",
        "sum": "评分卡：所有匹配的规则按权重累加得分。",
        "falls through": "没有规则匹配时，结果缺失。",
        "counts": "{facts}个事实，{decisions}个决策，{rules}条规则，{cases}个用例",
        "digest": "摘要",
        "taxonomy": "分类体系",
        "no cases": "没有用例。",
        "say": "{title}：{wanted}",
        "further": "，",
    },
}

LANGUAGE_NAMES = {"en": "English", "zh": "中文"}


@dataclass(frozen=True, slots=True)
class Speech:
    """Says things about a rule base in several languages at once."""

    base: RuleBase
    languages: tuple[str, ...]

    def each(self, say: Callable[[Phrases], str], kind: str = "", link: str = "") -> Span:
        """What ``say`` says in each language."""
        texts = {one: say(Phrases(self.base, one)) for one in self.languages}
        return _span(texts, kind, link)

    def word(self, key: str, kind: str = "", **values: object) -> Span:
        """Fixed words."""
        texts = {one: _WORDS.get(one, _WORDS["en"])[key].format(**values) for one in self.languages}
        return _span(texts, kind)

    def text(self, texts: Text, kind: str = "", link: str = "") -> Span:
        """A label."""
        return self.each(lambda phrases: phrases.text(texts), kind, link)

    def title(self, fact: str, kind: str = "", link: str = "") -> Span:
        """A fact's title."""
        return self.each(lambda phrases: phrases.title(fact), kind, link)

    def labelled(self, title: Text, code: str, link: str = "") -> Inline:
        """A title and, after it, the code that files use."""
        return self.text(title, link=link), plain(" "), code_span(code)

    def wanted(self, fact: str, condition: Condition) -> Span:
        """What a condition asks of a fact, with every value it lists."""
        return self.each(lambda phrases: wanted(phrases, fact, condition))

    def values(self, fact: str, values: tuple[object, ...]) -> Span:
        """Values of a fact, one after the other."""
        return self.each(lambda phrases: phrases.listed(fact, values))

    def kind_of(self, fact: Fact) -> Span:
        """Type, unit and range of a fact."""

        def say(phrases: Phrases) -> str:
            words = _WORDS.get(phrases.language, _WORDS["en"])
            said = words[fact.type.value]
            if fact.type in (FactType.ENUM, FactType.BOOLEAN):
                return said
            bounded = fact.range.low is not None or fact.range.high is not None
            limits = phrases.interval(fact.name, fact.range) if bounded else fact.unit or ""
            return f"{said}{words['further']}{limits}" if limits else said

        return self.each(say)


def wanted(phrases: Phrases, fact: str, condition: Condition) -> str:
    """What a condition asks of a fact; a long list of values is said whole."""
    if isinstance(condition, OneOf) and len(condition.values) > 1:
        said = phrases.listed(fact, condition.values)
        words = _WORDS.get(phrases.language, _WORDS["en"])
        return words["none of"].format(said) if condition.negated else said
    return phrases.wanted(fact, condition)


def sentence(phrases: Phrases, fact: str, condition: Condition) -> str:
    """``Title: what is asked of it``."""
    words = _WORDS.get(phrases.language, _WORDS["en"])
    return words["say"].format(title=phrases.title(fact), wanted=wanted(phrases, fact, condition))


def plain(text: str, kind: str = "", link: str = "") -> Span:
    """Words that are the same in all languages."""
    return Span({"": text}, kind, link)


def code_span(code: str, link: str = "") -> Span:
    """A name or code as files write it."""
    return plain(code, "code", link)


def _span(texts: Mapping[str, str], kind: str, link: str = "") -> Span:
    """One text if all languages say the same."""
    return Span(
        texts if len(set(texts.values())) > 1 else {"": next(iter(texts.values()), "")}, kind, link
    )


def said(key: str, languages: tuple[str, ...]) -> str:
    """Fixed words in all the languages, one after the other."""
    words = (_WORDS.get(one, _WORDS["en"])[key] for one in languages)
    return " · ".join(dict.fromkeys(words))
