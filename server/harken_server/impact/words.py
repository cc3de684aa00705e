"""The words of an impact report, in English and Chinese."""

from __future__ import annotations

LANGUAGES = ("en", "zh")

_WORDS: dict[str, tuple[str, str]] = {
    "colon": (": ", "："),
    "comma": (", ", "，"),
    "stop": (". ", "。"),
    "title": ("What the change of the rule base would have done", "规则库变更的影响"),
    "old": ("old", "旧"),
    "new": ("new", "新"),
    "same": ("old = new", "新旧相同"),
    "history": ("History", "历史数据"),
    "rule_base": ("Rule base", "规则库"),
    "rows": ("grumbles", "抱怨数"),
    "compared": ("{:,} of {:,} grumbles compared", "共 {1:,} 条抱怨，比较了 {0:,} 条"),
    "simulated": ("The history is simulated.", "历史数据为仿真数据。"),
    "refused_history": (
        "{:,} rows of the history cannot be used",
        "历史数据中有 {:,} 行无法使用",
    ),
    "refused_old": (
        "{:,} rows are refused by the old rule base",
        "旧规则库拒绝 {:,} 行",
    ),
    "refused_new": (
        "{:,} rows are refused by the new rule base",
        "新规则库拒绝 {:,} 行",
    ),
    "row": ("row {}, {}: {}", "第 {} 行，{}：{}"),
    "changed": (
        "{:,} grumbles ({:.2%}) change their level: {:,} up, {:,} down",
        "{:,} 条抱怨（{:.2%}）级别改变：升 {:,} 条，降 {:,} 条",
    ),
    "advice_only": (
        "{:,} keep their level and get other advice",
        "{:,} 条级别不变而处理建议改变",
    ),
    "unchanged": (
        "No level changes and no advice changes on this history.",
        "在此历史数据上，级别和处理建议均无变化。",
    ),
    "identical": (
        "Both rule bases have the same digest, so nothing changes: {}",
        "两个规则库摘要相同，没有任何变化：{}",
    ),
    "transitions": (
        "Levels: old down, new across",
        "级别变化：行为旧级别，列为新级别",
    ),
    "shares": ("Shares of the levels", "各级别占比"),
    "level": ("level", "级别"),
    "none": ("none", "无"),
    "by_level": ("Changed by old level", "按旧级别统计的变化"),
    "segment": ("Changed by segment", "按客户细分统计的变化"),
    "category": ("Changed by category", "按投诉类别统计的变化"),
    "share": ("share", "占比"),
    "up": ("up", "升级"),
    "down": ("down", "降级"),
    "moved": ("changed", "改变"),
    "gained": ("gained", "增加"),
    "lost": ("lost", "减少"),
    "strategies": ("Strategies", "安抚策略"),
    "owner": ("Owners", "责任部门"),
    "treatment": ("Treatments", "处理方式"),
    "contact_policy": ("Contact policies", "接触策略"),
    "priority": ("Priorities", "优先级"),
    "escalation": ("Escalation chains", "升级链"),
    "supporting_departments": ("Supporting departments", "协同部门"),
    "warnings": ("Warnings", "预警"),
    "workload": ("Workload of quality specialists, a day", "品质专员每日工作量"),
    "calls": ("{}", "{}"),
    "above": ("Above the warning line", "超过预警线"),
    "per_day": ("a day", "日均"),
    "busiest": ("busiest day", "最忙一日"),
    "total": ("total", "合计"),
    "by_day": ("{} a day", "每日{}"),
    "warning_line": (
        "At the warning line: {:,} grumbles of known outcome, {:,} became complaints",
        "预警线效果：结果已知的抱怨 {:,} 条，其中 {:,} 条成为投诉",
    ),
    "precision": ("precision", "查准率"),
    "recall": ("recall", "查全率"),
    "interval": ("95 % interval", "95% 置信区间"),
    "recall_difference": (
        "recall changes by {:+.2f} percentage points (95 % interval {:+.2f} to {:+.2f})",
        "查全率变化 {:+.2f} 个百分点（95% 置信区间 {:+.2f} 至 {:+.2f}）",
    ),
    "complaints": ("Complaint rate by level", "各级别投诉率"),
    "unknown": (
        "No outcome is known, so nothing is said of precision and recall.",
        "没有已知结果，无法计算查准率和查全率。",
    ),
    "causes": (
        "Why levels change: the first decision that differs",
        "级别变化的原因：首个出现差异的决策",
    ),
    "decision": ("decision", "决策"),
    "fired_old": ("rules, old", "旧规则"),
    "fired_new": ("rules, new", "新规则"),
    "sample": ("Some of the changed grumbles", "部分变化的抱怨"),
    "nothing": ("no rule", "无规则"),
    "more": ("{} more", "另有 {} 项"),
}


def say(language: str, key: str, *values: object) -> str:
    """The words under ``key``, filled in; English where the language is not known."""
    return _WORDS[key][language == "zh"].format(*values)
