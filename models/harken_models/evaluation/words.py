"""The words of an evaluation, in English and Chinese."""

from __future__ import annotations

from functools import partial

LANGUAGES = ("en", "zh")
Say = partial[str]

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("What the model can do", "模型评估报告"),
    "colon": (": ", "："),
    "comma": (", ", "，"),
    "bundle": ("bundle", "模型"),
    "on": (
        "{}: {:,} rows of {:,} grumbles, {:,} complaints ({:.1%})",
        "{}：{:,} 行，{:,} 条抱怨，{:,} 条成为投诉（{:.1%}）",
    ),
    "window": ("observed from {} to {}", "观测时间 {} 至 {}"),
    "resampled_group": (
        "95 % intervals in brackets: {:,} resamples of {:,} customers or groups",
        "括号内为 95% 置信区间：对 {1:,} 个客户或分组重抽样 {0:,} 次",
    ),
    "resampled_week": (
        "95 % intervals in brackets: {:,} resamples of {:,} weeks",
        "括号内为 95% 置信区间：对 {1:,} 个星期重抽样 {0:,} 次",
    ),
    "simulated": ("The data is simulated.", "数据为仿真数据。"),
    "flatters": (
        "{:,} of {:,} rows lie in the time the model was trained on: if it learnt from them, "
        "these figures flatter it.",
        "{1:,} 行中有 {0:,} 行位于模型的训练时间内：如果模型学过这些行，以下指标偏高。",
    ),
    "untimed": (
        "The bundle has no test in time: rows that it learnt from make these figures flatter it. "
        "Give it the test rows that training kept (harken train --test-out).",
        "该模型没有按时间划分测试集：如果包含训练用过的行，以下指标偏高。"
        "请使用训练时保留的测试行（harken train --test-out）。",
    ),
    "missing_fields": (
        "The data lacks fields that the model reads: {}",
        "数据缺少模型使用的字段：{}",
    ),
    "bad_rows": (
        "{:,} faults in the data; those rows are left out",
        "数据中有 {:,} 处错误，已略去相应行",
    ),
    "shifted": (
        "The probabilities are corrected to the field's base rate: on a sample with another rate "
        "Brier, log-loss, ECE and the calibration are off by that.",
        "概率已校正到实际基准率：在投诉率不同的样本上，Brier、对数损失、ECE 和校准会有相应偏差。",
    ),
    "figure": ("figure", "指标"),
    "value": ("value", "数值"),
    "interval": ("95 % interval", "95% 置信区间"),
    "other": ("other", "对比模型"),
    "difference": ("difference", "差值"),
    "p": ("p", "p 值"),
    "auc": ("AUC", "AUC"),
    "ap": ("average precision", "平均精度 AP"),
    "brier": ("Brier score", "Brier 分数"),
    "log_loss": ("log-loss", "对数损失"),
    "ece": ("calibration error", "校准误差 ECE"),
    "lift_10": ("lift, top 10 %", "前 10% 提升度"),
    "recall_10": ("recall, top 10 %", "前 10% 查全率"),
    "recall_15": ("recall, top 15 %", "前 15% 查全率"),
    "workload_reduction_87": ("less work at 87 % recall", "查全率 87% 时减少工作量"),
    "recall": ("recall", "查全率"),
    "precision": ("precision", "查准率"),
    "workload_reduction": ("less work", "减少工作量"),
    "line": ("At the warning line {:.4f}", "预警线 {:.4f}"),
    "line_usual": (
        "At the warning line {:.4f}, the highest that finds 87 % of the complaints",
        "预警线 {:.4f}（查全率达到 87% 的最高预警线）",
    ),
    "line_says": (
        "recall {} ({} – {}) at {} ({} – {}) less work; precision {} ({} – {})",
        "查全率 {}（{} – {}），工作量减少 {}（{} – {}），查准率 {}（{} – {}）",
    ),
    "targets": ("What a wanted recall costs", "目标查全率与工作量"),
    "wanted": ("recall", "目标查全率"),
    "at_line": ("line", "预警线"),
    "capacity": (
        "What so many calls a day find ({:,} grumbles over {:,} days)",
        "每日回访数与效果（{:,} 条抱怨，{:,} 天）",
    ),
    "per_day": ("calls a day", "每日回访数"),
    "called": ("called in all", "合计回访"),
    "short_complaints": ("compl.", "投诉"),
    "short_predicted": ("pred.", "预测"),
    "short_interval": ("95 %", "95% 区间"),
    "short_ece": ("ECE", "ECE"),
    "calibration": ("Calibration: predicted and observed, in tenths", "校准：按十等分的预测与实际"),
    "predicted": ("predicted", "预测"),
    "observed": ("observed", "实际"),
    "rows": ("rows", "行数"),
    "complaints": ("complaints", "投诉"),
    "rate": ("rate", "投诉率"),
    "gain": ("Complaints found among the top", "靠前部分中的投诉占比"),
    "top": ("top", "靠前"),
    "lift": ("lift", "提升度"),
    "trade": ("Recall and workload", "查全率与工作量"),
    "by": ("By {}", "按{}"),
    "segment": ("segment", "客户细分"),
    "category": ("category", "投诉类别"),
    "channel": ("channel", "渠道"),
    "month": ("month", "月份"),
    "age": ("age", "已持续时间"),
    "none": ("unknown", "未知"),
    "few": ("too few", "过少"),
    "open_then": ("By age: all grumbles open then", "按持续时间：届时未关闭的全部抱怨"),
    "same_grumbles": (
        "By age: the same {:,} grumbles at every age",
        "按持续时间：同一批 {:,} 条抱怨",
    ),
    "hours": ("hours open", "已持续小时"),
    "drift": ("Drift since training (PSI)", "相对训练期的漂移（PSI）"),
    "no_drift": (
        "The bundle keeps nothing of its training rows, so drift cannot be measured.",
        "该模型未保存训练数据分布，无法计算漂移。",
    ),
    "all_stable": ("no field has moved (PSI below {:g})", "所有字段稳定（PSI 低于 {:g}）"),
    "probability": ("probability", "概率"),
    "field": ("field", "字段"),
    "psi": ("PSI", "PSI"),
    "verdict": ("verdict", "判断"),
    "stable": ("stable", "稳定"),
    "look": ("worth a look", "值得关注"),
    "moved": ("another population", "已非同一总体"),
    "against": ("Beside {}", "对比 {}"),
    "test_says": (
        "log-loss {:+.4f} ({:+.4f} to {:+.4f}), p {:.3f}: {}",
        "对数损失差 {:+.4f}（{:+.4f} 至 {:+.4f}），p 值 {:.3f}：{}",
    ),
    "better": ("this bundle is better", "本模型更好"),
    "worse": ("the other bundle is better", "对比模型更好"),
    "alike": ("no difference is shown", "未显示出差异"),
    "ours": ("this bundle", "本模型"),
    "more": ("{:,} more", "另有 {:,} 项"),
}


def say(language: str, key: str, *values: object) -> str:
    """The words under ``key``, filled in; English where the language is not known."""
    return _WORDS[key][language == "zh"].format(*values)


def named(w: Say, name: str) -> str:
    """What a slice is called: a core field in words, an operator's attribute as it is."""
    return w(name) if name in ("segment", "category", "channel", "month", "age") else name
