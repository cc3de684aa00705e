"""The words of a model card, in English and Chinese."""

from __future__ import annotations

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("# Model card: {}", "# 模型卡：{}"),
    "what": ("## What it is", "## 模型说明"),
    "is_horizon": (
        "The probability that a grumble is followed by a complaint within {:g} days.",
        "一条抱怨在 {:g} 天内转为投诉的概率。",
    ),
    "is_outcome": (
        "The probability of the outcome that the data set's label describes.",
        "数据集标签所定义结果的概率。",
    ),
    "simulated": (
        "**Trained on simulated data: not fit for real customers.**",
        "**使用仿真数据训练，不适用于真实客户。**",
    ),
    "chosen": ("Chosen: {}. Because: {}.", "选用：{}。理由：{}。"),
    "learner": (
        "LightGBM: {}; seeds averaged: {}. Logistic regression: inverse penalty {:g}. "
        "Share of LightGBM in the blend: {}.",
        "LightGBM：{}；平均的随机种子数：{}。逻辑回归：惩罚倒数 {:g}。"
        "混合模型中 LightGBM 的份额：{}。",
    ),
    "rounds": ("{} with {} rounds", "{}，{} 轮"),
    "calibrated": ("Calibration: {}.", "校准方法：{}。"),
    "seed": ("Seed {}. Specification {}.", "随机种子 {}。数据规范摘要 {}。"),
    "seed_only": ("Seed {}.", "随机种子 {}。"),
    "cut_short": (
        "A time budget ended the search early: another run may choose otherwise.",
        "时间预算使搜索提前结束：再次训练可能选择不同的模型。",
    ),
    "learnt": ("## What it learnt from", "## 训练数据"),
    "piece": ("piece", "部分"),
    "from": ("from", "起"),
    "to": ("to", "止"),
    "rows": ("rows", "行数"),
    "complaints": ("complaints", "投诉"),
    "rate": ("rate", "投诉率"),
    "training": ("training", "训练"),
    "held_out": ("held out {}", "验证 {}"),
    "test": ("test", "测试"),
    "base_rate": (
        "Rate of the rows it was calibrated on: {:.2%}. No other rate of the field is declared.",
        "校准所用数据的投诉率：{:.2%}。未声明其他实际投诉率。",
    ),
    "base_rate_field": (
        "Rate of the rows it was calibrated on: {:.2%}; declared rate of the field: {:.2%}. The "
        "probabilities are moved by {:+.4f} in log-odds to the field's rate.",
        "校准所用数据的投诉率：{:.2%}；声明的实际投诉率：{:.2%}。"
        "概率在对数几率上平移 {:+.4f} 至实际投诉率。",
    ),
    "validated": ("## How it was validated", "## 验证方法"),
    "by_time": (
        "In time: each candidate learnt from the past of a piece of time and was judged on it; "
        "pieces before the test: {}. The test is the last piece of time and had no part in any "
        "choice.",
        "按时间验证：每个候选模型用过去的数据训练，在随后的 {} 个时间段上评判。"
        "测试集为最后一段时间，不参与任何选择。",
    ),
    "by_groups": (
        "By groups: {} folds of whole groups, complaints spread evenly; rows alike in all fields "
        "stay together. The test is a share of the groups and had no part in any choice.",
        "按分组验证：{} 折，同组数据不拆分，投诉均匀分布；所有字段相同的行归入同一组。"
        "测试集为部分分组，不参与任何选择。",
    ),
    "purged": (
        "Between learning and judging lie the rows whose outcome was not known yet; they were left "
        "out (up to {:g} hours before each piece).",
        "训练与评判之间结果尚未可知的行已剔除（每段之前最多 {:g} 小时）。",
    ),
    "one_se": (
        "Differences smaller than one standard error, counted by groups, decide nothing: the "
        "steadier candidate is then taken.",
        "小于一个标准误（按分组计算）的差异不作为依据：此时选用更稳健的候选模型。",
    ),
    "figures": ("## How good it is", "## 测试指标"),
    "figures_on": (
        "On the test, which it had not seen. In brackets: 95 % intervals, by resampling customers "
        "(or grumbles, where no customer is known).",
        "测试集指标，模型未曾见过这些数据。"
        "括号内为 95% 置信区间，按客户（客户未知时按抱怨）重抽样。",
    ),
    "candidate": ("candidate", "候选模型"),
    "loss": ("held-out log-loss", "验证对数损失"),
    "figure": ("figure", "指标"),
    "value": ("value", "数值"),
    "interval": ("95 % interval", "95% 置信区间"),
    "weak": ("## Where it is weak", "## 薄弱之处"),
    "weak_rank": (
        "Ranks worst (AUC, of parts with at least ten complaints; the whole: {:.3f}):",
        "排序能力最差的部分（AUC，投诉不少于十条；总体 {:.3f}）：",
    ),
    "weak_rate": (
        "Says most wrongly how many will complain (further off than chance explains):",
        "投诉率预测偏差最大的部分（超出随机波动）：",
    ),
    "no_weak_rate": (
        "No part whose number of complaints is further off than chance explains.",
        "没有投诉数偏差超出随机波动的部分。",
    ),
    "weak_part": (
        "- {} = {}: AUC {:.3f} ({:.3f} – {:.3f}), {:,} rows",
        "- {} = {}：AUC {:.3f}（{:.3f} – {:.3f}），{:,} 行",
    ),
    "off_part": (
        "- {} = {}: predicted {:.1%}, observed {:.1%}, {:,} rows",
        "- {} = {}：预测 {:.1%}，实际 {:.1%}，{:,} 行",
    ),
    "unknown": ("unknown", "未知"),
    "older": (
        "The same grumbles at {:g} hours: AUC {:.3f}, at {:g} hours {:.3f}.",
        "同一批抱怨：{:g} 小时时 AUC {:.3f}，{:g} 小时时 {:.3f}。",
    ),
    "needs": ("## Fields it must have", "## 必需字段"),
    "needs_said": (
        "The most important first. Fields computed from them by the server (segment where absent, "
        "hours open, calendar) need not be sent.",
        "按重要性排列。由服务器据此计算的字段（缺失时的客户细分、已持续小时、日历）无需发送。",
    ),
    "name": ("field", "字段"),
    "as": ("sent as", "发送方式"),
    "type": ("type", "类型"),
    "missing": ("missing in training", "训练中缺失"),
    "core": ("core field", "核心字段"),
    "attribute": ("attribute", "自定义属性"),
    "odd": ("## Missing and unseen values", "## 缺失值与未见值"),
    "odd_said": (
        "A missing value is a value of its own: a tree sends it the way that suited the missing "
        "ones of training, and the logistic regression has a coefficient of its own for it. A "
        "category never seen, or too rare in training, counts as *other*. A number beyond what "
        "training saw is taken as it is by trees, and held at training's ends by the logistic "
        "regression. A field that was always sent in training and is never sent in service makes "
        "the figures above untrue.",
        "缺失值是单独的取值：决策树按训练中缺失行的走向处理；逻辑回归为缺失单设系数。"
        "未见过或训练中过于稀少的类别归入“其他”。超出训练范围的数值，决策树按原值处理，"
        "逻辑回归截断至训练范围。训练时总有而服务时从不发送的字段会使上述指标失效。",
    ),
    "limits": ("## Known limits", "## 已知局限"),
    "limit_cause": (
        "- It says who is likely to complain, not what would prevent it.",
        "- 它预测谁可能投诉，不说明采取何种措施可以避免。",
    ),
    "limit_drift": (
        "- It holds as long as what it is asked about resembles what it learnt from; "
        "`harken evaluate` measures the drift on newer data.",
        "- 只有当数据与训练数据相似时指标才成立；可用 `harken evaluate` 在新数据上测量漂移。",
    ),
    "limit_length": (
        "- Outcomes of grumbles that stay open long are known late, so they are rarer among the "
        "latest rows that it learnt from.",
        "- 长时间未关闭的抱怨结果得知较晚，因此在最近的训练数据中偏少。",
    ),
    "limit_snapshots": (
        "- A grumble is learnt from several times while it is open; the j-th time counts 1/j, so "
        "long ones do not dominate. Figures count rows by that weight.",
        "- 一条抱怨在未关闭期间被多次学习；第 j 次的权重为 1/j，避免长时间抱怨占主导。"
        "指标按该权重计算。",
    ),
    "limit_timeless": (
        "- The data has no time: how it fares as things change was not tested.",
        "- 数据没有时间：未检验模型随时间变化的表现。",
    ),
    "limit_missing": (
        "- Mostly missing in training, so little is learnt of: {}.",
        "- 训练中大多缺失、学到甚少的字段：{}。",
    ),
    "limit_field": (
        "- The figures are of the sample, at its rate of complaints, before the move to the "
        "field's rate.",
        "- 指标基于样本及其投诉率，未包含向实际投诉率的平移。",
    ),
}
_FIGURES = {
    "auc": ("AUC", "AUC"),
    "ap": ("average precision", "平均精度 AP"),
    "brier": ("Brier score", "Brier 分数"),
    "log_loss": ("log-loss", "对数损失"),
    "ece": ("calibration error", "校准误差 ECE"),
    "lift_10": ("lift, top 10 %", "前 10% 提升度"),
    "recall_10": ("recall, top 10 %", "前 10% 查全率"),
    "recall_15": ("recall, top 15 %", "前 15% 查全率"),
}


def say(language: str, key: str, *values: object) -> str:
    """The words under ``key``, filled in; English where the language is not known."""
    return {**_WORDS, **_FIGURES}[key][language == "zh"].format(*values)
