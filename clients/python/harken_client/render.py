"""A score for a person to read, or as plain values for a machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from harken_client.errors import HarkenError, InvalidRequest, ServerFault, Unavailable
from harken_client.types import Department, Explanation, Score, ScoreError, Strategy

LEVEL_STYLES = {1: "green", 2: "green", 3: "yellow", 4: "dark_orange", 5: "red"}
LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "level": "Level",
        "probability": "probability of a complaint",
        "severity": "severity",
        "customer": "Customer",
        "segment": "segment",
        "behaviour_type": "behaviour type",
        "tolerance": "tolerance",
        "reasons": "Why",
        "treatment": "Treatment",
        "contact_policy": "Contact",
        "strategies": "What to do",
        "script": "Say",
        "expectation": "The customer expects",
        "owner": "Owner",
        "supporting_departments": "Supported by",
        "escalation_chain": "Then goes to",
        "reply": "Reply before",
        "resolve": "Solve before",
        "warnings": "Warnings",
        "facts": "Facts",
        "rules": "Rules that fired",
        "contributions": "What moved the probability (log-odds)",
        "base_value": "all features left out",
        "unknown": "not known",
    },
    "zh": {
        "level": "抱怨级别",
        "probability": "投诉概率",
        "severity": "严重度",
        "customer": "客户",
        "segment": "客户细分",
        "behaviour_type": "投诉行为类型",
        "tolerance": "客户容忍度",
        "reasons": "原因",
        "treatment": "处理方式",
        "contact_policy": "接触策略",
        "strategies": "建议策略",
        "script": "解释口径",
        "expectation": "客户期望",
        "owner": "责任部门",
        "supporting_departments": "支撑部门",
        "escalation_chain": "升级路径",
        "reply": "回复时限",
        "resolve": "解决时限",
        "warnings": "预警",
        "facts": "事实",
        "rules": "触发的规则",
        "contributions": "影响概率的特征（对数几率）",
        "base_value": "不含任何特征",
        "unknown": "未知",
    },
}


def as_json(outcome: Score | ScoreError | HarkenError) -> dict[str, Any]:
    """Plain values under the names of the API; an error as ``{"error": {...}}``."""
    if isinstance(outcome, Score):
        plain: dict[str, Any] = _plain(dataclasses.asdict(outcome))
        return plain
    error = outcome.error if isinstance(outcome, ScoreError) else outcome
    said: dict[str, Any] = {
        "code": error.code,
        "reason": error.reason,
        "message": error.message,
        "field_violations": [],
    }
    if isinstance(error, InvalidRequest):
        said["field_violations"] = [dataclasses.asdict(item) for item in error.field_violations]
    if isinstance(error, ServerFault):
        said["incident_id"] = error.incident_id
    return {"error": said}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def error_text(error: HarkenError, target: str) -> str:
    """One paragraph: what is wrong, where, how to mend it."""
    if isinstance(error, Unavailable):
        return (
            f"no service answers at {target}: {error.message}\n"
            "Start one with `harken serve`, or name another with --target host:port."
        )
    said = error.message
    if isinstance(error, InvalidRequest):
        said += "".join(
            f"\n  {item.field}: {item.description}"
            for item in error.field_violations
            if item.description not in error.message
        )
    return f"{said} ({error.reason or error.code})" if error.reason or error.code else said


def print_score(console: Console, score: Score, language: str) -> None:
    """The whole of a score, in the labels of its language."""
    words = LABELS["zh" if language.lower().startswith("zh") else "en"]
    parts = [*_grade(score, words), *_handling(score, words)]
    console.print(Panel(Group(*parts), border_style=LEVEL_STYLES.get(score.level, "white")))
    for name in ("decision_id", "rule_base_digest", "model_digest"):
        console.print(
            f"{name} {getattr(score, name)}", style="dim", highlight=False, soft_wrap=True
        )
    if score.explanation:
        for part in _explanation(score.explanation, words):
            console.print(part)


def _grade(score: Score, words: Mapping[str, str]) -> Iterator[RenderableType]:
    style = LEVEL_STYLES.get(score.level, "white")
    level = score.level
    boxes = "■" * level + "□" * (5 - level)
    yield Text.assemble(
        (f"{words['level']} {level} / 5  {boxes}", f"bold {style}"),
        f"   {words['probability']} {score.probability:.1%}",
        f"   {words['severity']} {score.severity:g}",
    )
    known = [
        f"{words[name]} {getattr(score, f'{name}_text') or words['unknown']}"
        for name in ("segment", "behaviour_type", "tolerance")
    ]
    yield _line(words["customer"], ", ".join(known))
    if score.reasons:
        yield _heading(words["reasons"])
        for reason in score.reasons:
            yield _indented(
                Text.assemble(f"• {reason.text or reason.code}  ", (reason.code, "dim"))
            )
    if score.warnings:
        yield _heading(words["warnings"], "bold red")
        for warning in score.warnings:
            yield _indented(Text.assemble(f"! {warning.text}  ", (warning.code, "dim")))


def _handling(score: Score, words: Mapping[str, str]) -> Iterator[RenderableType]:
    yield Text()
    yield _line(words["treatment"], score.treatment_text or score.treatment)
    yield _line(words["contact_policy"], score.contact_policy_text or score.contact_policy)
    yield _line(words["owner"], _names([score.owner] if score.owner else [], ""))
    if score.supporting_departments:
        yield _line(words["supporting_departments"], _names(score.supporting_departments, ", "))
    if score.escalation_chain:
        yield _line(words["escalation_chain"], _names(score.escalation_chain, " → "))
    yield _line(words["reply"], _local(score.reply_deadline_time))
    yield _line(words["resolve"], _local(score.resolve_deadline_time))
    if score.strategies:
        yield _heading(words["strategies"])
        for number, strategy in enumerate(score.strategies, 1):
            yield from _strategy(number, strategy, words)


def _strategy(
    number: int, strategy: Strategy, words: Mapping[str, str]
) -> Iterator[RenderableType]:
    title = strategy.title or strategy.code
    yield _indented(Text.assemble((f"{number}. {title}  ", "bold"), (strategy.code, "dim")))
    for step in strategy.steps:
        yield _indented(f"- {step}", 5)
    for name in ("script", "expectation"):
        said = getattr(strategy, name)
        if said:
            yield _indented(Text.assemble((f"{words[name]}: ", "cyan"), said), 5)


def _explanation(explanation: Explanation, words: Mapping[str, str]) -> Iterator[RenderableType]:
    yield _heading(words["facts"])
    facts = Table("", "", "", box=None, show_header=False)
    for fact in explanation.facts:
        value = words["unknown"] if fact.missing else fact.label or fact.value
        facts.add_row(fact.name, value, Text(fact.source, style="dim"))
    yield facts
    yield _heading(words["rules"])
    for rule in explanation.rules:
        partial = "" if rule.partial_score is None else f"  {rule.partial_score:+g}"
        place = (f"  {rule.file}:{rule.line}", "dim")
        yield _indented(Text.assemble(f"{rule.decision}.{rule.rule_id}", partial, place), 1)
        if rule.because:
            yield _indented(rule.because, 5)
    yield _heading(words["contributions"])
    moved = Table("", "", "", box=None, show_header=False)
    for item in explanation.contributions:
        moved.add_row(item.feature, item.value or words["unknown"], f"{item.contribution:+.4f}")
    moved.add_row(words["base_value"], "", f"{explanation.base_value:+.4f}", style="dim")
    yield moved


def _heading(text: str, style: str = "bold") -> Text:
    return Text(f"\n{text}", style=style)


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{name}: ", "bold"), value or "-")


def _indented(content: RenderableType, by: int = 2) -> Padding:
    return Padding(content, (0, 0, 0, by))


def _names(departments: list[Department] | tuple[Department, ...], joint: str) -> str:
    return joint.join(item.name or item.code for item in departments)


def _local(time: datetime | None) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M %z") if time else ""
