"""What a finding says, and the mend, in English and Chinese.

Sentences are filled with a finding's figures; ``{name}`` is the column, with its field where that
has another name. A key is an id, or ``id/variant``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from harken_models.check.finding import Finding

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


class Words(NamedTuple):
    """A message and its mend, each by language."""

    en: str
    en_mend: str
    zh: str
    zh_mend: str


WORDS: Mapping[str, Words] = {
    "two-date-formats": Words(
        "{name} writes its dates in several ways: {ways} different texts",
        "export it again in one way; or, if each is unmistakable, declare all under `format:`",
        "{name} 的日期有多种写法：{ways} 种不同文本",
        "请统一写法后重新导出；若各写法互不混淆，也可在 `format:` 中全部声明",
    ),
    "two-date-formats/ambiguous": Words(
        "{name} has dates such as 03/11/2014, and none shows which part is the day",
        "make sure that the declared format has day and month in the right order",
        "{name} 中的日期形如 03/11/2014，无法看出哪一部分是日",
        "请确认声明的格式中日与月的顺序正确",
    ),
    "mixed-types/number": Words(
        "{name} is declared a number, but {share:.1%} of its values are words: {texts}",
        "add words that mean nothing under `missing:`, clean the others, or declare a category",
        "{name} 声明为数值，但有 {share:.1%} 的值是文字：{texts}",
        "表示缺失的文字请加入 `missing:`，其余请清洗，或改声明为类别",
    ),
    "mixed-types/category": Words(
        "{name} holds words, and among them numbers ({share:.1%}): {texts}",
        "two columns may have been mixed when exporting: export it again, or correct these rows",
        "{name} 是文字列，却混有数字（{share:.1%}）：{texts}",
        "可能是导出时两列串位：请重新导出，或改正这些行",
    ),
    "bad-values": Words(
        "{name} has {rows:,} values that cannot be used ({share:.2%} of rows), which "
        "{reason}: {texts} (rows {first_rows}, …); these rows are left out",
        "correct them, or map them under `map:`, or add what means nothing to `missing:`",
        "{name} 有 {rows:,} 个值不可用（占 {share:.2%}），{reason}：{texts}"
        "（第 {first_rows} 行等）；这些行被略去",
        "请改正，或在 `map:` 中映射，表示缺失的写法请加入 `missing:`",
    ),
    "bad-values/missing": Words(
        "{name} {reason} in {rows:,} rows ({share:.2%}; rows {first_rows}, …); they are left out",
        "complete them; every grumble needs it",
        "{name} 有 {rows:,} 行{reason}（{share:.2%}；第 {first_rows} 行等）；这些行被略去",
        "请补全：每个抱怨都需要它",
    ),
    "impossible-order": Words(
        "{name} {reason} in {rows:,} rows (rows {first_rows}, …); they are left out",
        "see whether the columns are swapped, or their formats or time zones differ",
        "{name} 有 {rows:,} 行{reason}（第 {first_rows} 行等）；这些行被略去",
        "请检查两列是否颠倒，或格式、时区是否不一致",
    ),
    "constant-column": Words(
        "{name} is {value!r} in every row with an outcome",
        "leave it out: nothing can be learnt from it; or find why it never varies",
        "{name} 在所有有结果的行中恒为 {value!r}",
        "请去掉：从中学不到任何东西；或查明为何从不变化",
    ),
    "empty-column": Words(
        "{name} is empty in every row with an outcome",
        "leave it out, or see whether the right column is mapped",
        "{name} 在所有有结果的行中均为空",
        "请去掉，或检查映射的列是否正确",
    ),
    "mostly-missing": Words(
        "{name} is missing in {share:.1%} of rows",
        "see whether it is known when a grumble is scored; a model may learn little from it",
        "{name} 有 {share:.1%} 的行缺失",
        "请确认评分时该字段是否已知；模型从中可学的很少",
    ),
    "duplicate-id": Words(
        "{name} stands on several rows: {rows:,} rows repeat an id ({examples}, …)",
        "remove the copies; if a row is a status change of its grumble, declare `events:`",
        "{name} 重复：{rows:,} 行重复了已有编号（{examples} 等）",
        "请删除重复行；若每行是一次状态变化，请声明 `events:`",
    ),
    "duplicate-rows": Words(
        "{rows:,} rows ({share:.1%}) are duplicates, alike in all but their id; by chance it "
        "would be about {by_chance:g}",
        "remove the copies: on both sides of a split they flatter the model",
        "{rows:,} 行（{share:.1%}）除编号外完全相同，属重复行；偶然相同约 {by_chance:g} 行",
        "请删除重复行：若分居训练与测试两侧，会虚高模型表现",
    ),
    "duplicate-rows/across": Words(
        "{share:.1%} of the newest rows are duplicates of earlier ones but for id and time; "
        "{usual:.1%} would be usual",
        "remove the copies: on both sides of the split they flatter the model",
        "最新的行中有 {share:.1%} 除编号和时间外与更早的行重复；通常约为 {usual:.1%}",
        "请删除重复行：它们分居划分两侧，会虚高模型表现",
    ),
    "time-travel": Words(
        "{name} is stamped after the moment of scoring in {share:.1%} of rows where it is "
        "known, by {hours_late:,.1f} hours (median)",
        "leave it out: it is not known when a grumble is scored; or score later, by mapping "
        "`observe_time` to a later column",
        "{name} 在 {share:.1%} 的已知行中晚于评分时刻，中位数 {hours_late:,.1f} 小时",
        "请去掉：评分时它尚不可知；或将 `observe_time` 映射到更晚的列，推迟评分",
    ),
    "leak-later": Words(
        "{name} is the same in every event of a grumble, and lies after the first in {share:.1%} "
        "of rows, by {hours_late:,.1f} hours (median): it was stamped at the end",
        "leave it out: the export wrote into all events what only the last one knew",
        "{name} 在同一抱怨的各事件中都相同，且有 {share:.1%} 的行晚于该事件，"
        "中位数 {hours_late:,.1f} 小时：它是结束时才写入的",
        "请去掉：导出时把最后事件才知道的值写进了所有事件",
    ),
    "leak-later/closed": Words(
        "{name} is filled from the first event on, but only for grumbles that were closed "
        "({rows:,} of them): it was written at the end",
        "leave it out: the export wrote into all events what only the last one knew",
        "{name} 从首个事件起就有值，但仅限已关闭的抱怨（{rows:,} 个）：它是结束时才写入的",
        "请去掉：导出时把最后事件才知道的值写进了所有事件",
    ),
    "gap-in-time": Words(
        "{weeks:,} weeks have no row; the longest gap is {longest:,} weeks, from {from} on",
        "see whether a part of the export is missing",
        "有 {weeks:,} 周没有任何数据；最长间隔 {longest:,} 周，自 {from} 起",
        "请检查是否漏导出了一部分",
    ),
    "no-label": Words(
        "the specification names no outcome",
        "add `label:` to train on the data; it can be replayed without",
        "规范未声明结果标签",
        "训练需要添加 `label:`；仅回放则不需要",
    ),
    "label-one-class": Words(
        "all {rows:,} known outcomes are the same ({positives:,} positive)",
        "see whether `positive:` is written as in the file, and what `blank_is` should be",
        "已知的 {rows:,} 个结果全部相同（正例 {positives:,}）",
        "请检查 `positive:` 是否与文件中写法一致，以及 `blank_is` 是否恰当",
    ),
    "few-rows": Words(
        "only {rows:,} rows have a known outcome, {positives:,} of them positive",
        "bring a longer history: a model wants some hundreds of rows and positives by the dozen",
        "只有 {rows:,} 行结果已知，其中正例 {positives:,}",
        "请提供更长的历史：建模需要数百行以上、数十个正例",
    ),
    "unknown-outcome": Words(
        "rows with {name} = {level!r} have hardly any positive, where {expected:,.0f} were to be "
        "expected, and are still open by name or commonest at the end: their outcome is not known "
        "yet",
        "leave them out with `exclude:`; as negatives they make a model look far better than it is",
        "{name} = {level!r} 的行几乎没有正例（本应约 {expected:,.0f} 个），且名称表明尚未了结，"
        "或越近期越多：其结果尚未可知",
        "请用 `exclude:` 排除；当作负例会使模型看起来远好于实际",
    ),
    "unknown-outcome/end": Words(
        "the newest {rows:,} rows have a rate of {rate:.1%}, those before {before:.1%}: their "
        "outcomes are probably not known yet",
        "write `blank_is: unknown`, or cut the export to rows whose outcome has had its time",
        "最新的 {rows:,} 行正例率为 {rate:.1%}，此前为 {before:.1%}：其结果很可能尚未可知",
        "请写 `blank_is: unknown`，或只导出结果已定的行",
    ),
    "unknown-outcome/complaints": Words(
        "the newest {rows:,} rows have a rate of {rate:.1%}, those before {before:.1%}: the table "
        "of complaints probably ends earlier than the grumbles",
        "export complaints up to the horizon after the last grumble, or cut the grumbles",
        "最新的 {rows:,} 行正例率为 {rate:.1%}，此前为 {before:.1%}：投诉表很可能比抱怨表更早截止",
        "请将投诉导出到最后一个抱怨之后满一个观察期，或截短抱怨表",
    ),
    "leak-filled": Words(
        "whether {name} is filled says the outcome by itself: {rate_filled:.1%} positive where "
        "filled, {rate_missing:.1%} where not (AUC {auc:.3f}); probably it is filled only when the "
        "outcome is known",
        "leave it out, unless you are sure that it is filled before scoring",
        "{name} 是否填写本身就泄露了结果：有值时正例率 {rate_filled:.1%}，无值时 "
        "{rate_missing:.1%}（AUC {auc:.3f}）；很可能在结果已知后才填写",
        "请去掉，除非确知它在评分之前就已填写",
    ),
    "leak-strong": Words(
        "{name} alone predicts too well: AUC {auc:.3f}, the next best field {second:.3f}; probably "
        "a leak, something known only with the outcome",
        "ask when it is written; leave it out if that is after the moment of scoring",
        "{name} 单独预测过好：AUC {auc:.3f}，次好字段 {second:.3f}；很可能泄漏了结果",
        "请查明它何时写入；若在评分之后，请去掉",
    ),
    "leak-strong/level": Words(
        "{name} = {level!r} all but says the outcome: {share:.1%} of its {rows:,} rows have the "
        "same, which is otherwise rare; probably a leak",
        "ask when it is written; leave it out if that is after the moment of scoring",
        "{name} = {level!r} 几乎等于结果：其 {rows:,} 行中 {share:.1%} 结果相同，而该结果本属少见；"
        "很可能泄漏了结果",
        "请查明它何时写入；若在评分之后，请去掉",
    ),
    "drift-label": Words(
        "drift: the rate of positives is far from the usual {overall:.1%} in {odd_weeks} weeks, "
        "{weeks}: {rates}",
        "find what changed then: process, definition or export; train on what still holds",
        "漂移：有 {odd_weeks} 周的正例率远离通常的 {overall:.1%}：{weeks}：{rates}",
        "请查明当时的变化：流程、定义或导出；只用仍然适用的数据训练",
    ),
    "drift-label/step": Words(
        "drift: the rate of positives is {after:.1%} in the newest part, {before:.1%} before",
        "find what changed: process, definition or export; train on what still holds",
        "漂移：最新部分的正例率为 {after:.1%}，此前为 {before:.1%}",
        "请查明变化的原因：流程、定义或导出；只用仍然适用的数据训练",
    ),
    "new-levels": Words(
        "drift: {share:.1%} of the newest rows have values of {name} that never occurred before: "
        "{examples}",
        "see whether its codes were renamed; map old and new to one code under `map:`",
        "漂移：最新的行中有 {share:.1%} 的 {name} 取了从未出现过的值：{examples}",
        "请检查编码是否改名；可在 `map:` 中把新旧编码映射为同一个",
    ),
    "drift-field": Words(
        "drift: {name} is distributed otherwise in the newest part than before (PSI {psi:.2f})",
        "see whether its meaning, unit or source changed; if so, convert it or leave it out",
        "漂移：{name} 在最新部分的分布与此前不同（PSI {psi:.2f}）",
        "请检查其含义、单位或来源是否改变；若是，请换算或去掉",
    ),
    "not-checked": Words(
        "not checked, because the times cannot be relied on: {waiting}",
        "mend the dates first, then check again",
        "时间不可靠，以下未检查：{waiting}",
        "请先改正日期，再重新检查",
    ),
}

_REASONS = (
    ("is not a finite number", "不是有限的数"),
    ("is not a whole number", "不是整数"),
    ("is missing", "缺失"),
    ("is not a time", "不是时间"),
    ("is not among its values", "不在取值范围内"),
    ("is neither a word for true", "不是表示真或假的词"),
    ("is before voice_time", "早于 voice_time"),
    ("is after its first event", "晚于其首个事件"),
    ("has no event", "没有任何事件"),
    ("is before", "时间先后颠倒"),
    ("is not", "超出允许范围"),
)


def message(finding: Finding, language: Language) -> str:
    """What was found, in a sentence."""
    words = WORDS[finding.wording or finding.id]
    return (words.en if language == "en" else words.zh).format_map(_fillings(finding, language))


def mend(finding: Finding, language: Language) -> str:
    """What to do about it."""
    words = WORDS[finding.wording or finding.id]
    return words.en_mend if language == "en" else words.zh_mend


def _fillings(finding: Finding, language: Language) -> dict[str, object]:
    shown: dict[str, object] = {"rows": finding.rows}
    for key, value in finding.figures.items():
        if isinstance(value, Mapping):
            value = _joined([f"{name} ({count:,})" for name, count in value.items()], language)
        elif isinstance(value, list):
            value = _joined([_one(one) for one in value], language)
        shown[key] = value
    field = finding.figures.get("field")
    column = finding.column or ""
    shown["name"] = column if field in (None, column) else f"{column} ({field})"
    if language == "zh" and "reason" in shown:
        reason = str(shown["reason"])
        shown["reason"] = next((zh for en, zh in _REASONS if reason.startswith(en)), reason)
    return shown


def _one(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1%}"
    return str(value)


def _joined(parts: list[str], language: Language) -> str:
    kept = parts[:8] + (["…"] if len(parts) > 8 else [])
    return ("、" if language == "zh" else ", ").join(kept)
