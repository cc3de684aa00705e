"""The report as text for a person, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from harken_models.check.finding import Finding, Report, Summary, Week
from harken_models.check.words import Language, mend, message

_LINES = 20
"""At most so many lines of rates: longer spans join neighbouring weeks."""
_WIDTH = {"en": 96, "zh": 48}
"""Characters a line; a Chinese one is as wide as two."""

_TEXTS = {
    "en": {
        "rows": "{rows:,} rows{of} from {main:,} in the file; {bad:,} could not be read, "
        "{excluded:,} excluded",
        "of": " of {grumbles:,} grumbles",
        "span": "from {0} to {1}",
        "timeless": "no times",
        "label": "outcome known for {known:,} (unknown: {unknown:,}), positive {positives:,} = "
        "{rate:.1%}",
        "unlabelled": "no outcome is declared",
        "weeks": "week of      rows  positive",
        "unused": "not used: {0}",
        "mend": "mend: ",
        "error": "error", "warning": "warning", "note": "note", "allowed": "allowed",
        "passed": "nothing found",
        "failed": "{0:,} findings",
        "one": "1 finding",
    },
    "zh": {
        "rows": "{rows:,} 行{of}，文件共 {main:,} 行；{bad:,} 行无法读取，{excluded:,} 行被排除",
        "of": "（{grumbles:,} 个抱怨）",
        "span": "{0} 至 {1}",
        "timeless": "无时间",
        "label": "结果已知 {known:,}（未知 {unknown:,}），正例 {positives:,} = {rate:.1%}",
        "unlabelled": "未声明结果",
        "weeks": "周（周一起）    行数  正例率",
        "unused": "未使用：{0}",
        "mend": "处理：",
        "error": "错误", "warning": "警告", "note": "提示", "allowed": "已允许",
        "passed": "未发现问题",
        "failed": "发现 {0:,} 个问题",
        "one": "发现 1 个问题",
    },
}  # fmt: skip


def to_text(report: Report, language: Language) -> str:
    """The summary, the rate by week, findings before notes, and the verdict."""
    words = _TEXTS[language]
    lines = [*_head(report.summary, words), ""]
    for one in sorted(report.findings, key=lambda one: not one.counts):
        lines += [*_finding(one, language), ""]
    count = sum(one.counts for one in report.findings)
    verdict = "failed" if count > 1 else "one" if count else "passed"
    return "\n".join([*lines, words[verdict].format(count)])


def _head(summary: Summary, words: dict[str, str]) -> Iterator[str]:
    of = ""
    if summary.grumbles != summary.rows:
        of = words["of"].format(grumbles=summary.grumbles)
    yield words["rows"].format(
        rows=summary.rows, of=of, main=summary.main, bad=summary.bad_rows,
        excluded=summary.excluded,
    )  # fmt: skip
    yield words["span"].format(*summary.span) if summary.span else words["timeless"]
    if summary.labelled:
        yield words["label"].format(
            known=summary.known, unknown=summary.unknown, positives=summary.positives,
            rate=summary.positives / max(summary.known, 1),
        )  # fmt: skip
    else:
        yield words["unlabelled"]
    if summary.unused:
        yield words["unused"].format(", ".join(summary.unused))
    if summary.weeks and summary.labelled:
        yield ""
        yield words["weeks"]
        yield from _bars(summary.weeks)


def _bars(weeks: tuple[Week, ...]) -> Iterator[str]:
    step = -(-len(weeks) // _LINES)
    joined = []
    for start in range(0, len(weeks), step):
        some = weeks[start : start + step]
        n, hits = sum(week.rows for week in some), sum(week.positives for week in some)
        joined.append((some[0].monday, n, hits / max(n, 1)))
    most = max(rate for _, _, rate in joined) or 1.0
    for monday, n, rate in joined:
        yield f"{monday} {n:>7,}  {rate:>7.1%}  {'█' * round(30 * rate / most)}".rstrip()


def _finding(finding: Finding, language: Language) -> Iterator[str]:
    words = _TEXTS[language]
    severity = words["allowed" if finding.allowed else finding.severity]
    yield from _wrapped(message(finding, language), f"{severity}[{finding.id}]: ", "  ", language)
    yield from _wrapped(mend(finding, language), "  " + words["mend"], "    ", language)


def _wrapped(text: str, first: str, later: str, language: Language) -> Iterable[str]:
    return textwrap.wrap(
        first + text,
        _WIDTH[language],
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=language == "zh",
    )


def to_plain(report: Report, language: Language) -> dict[str, Any]:
    """The report as JSON has it: stable keys, additions only."""
    summary = report.summary
    label = None
    if summary.labelled:
        rate = summary.positives / summary.known if summary.known else None
        label = {
            "known": summary.known,
            "unknown": summary.unknown,
            "positives": summary.positives,
            "rate": rate,
        }
    span = dict(zip(("from", "to"), summary.span, strict=True)) if summary.span else None
    return {
        "rows": summary.rows,
        "grumbles": summary.grumbles,
        "main": summary.main,
        "bad_rows": summary.bad_rows,
        "excluded": summary.excluded,
        "span": span,
        "label": label,
        "weeks": [
            {
                "week": week.monday,
                "rows": week.rows,
                "positives": week.positives,
                "rate": week.positives / week.rows,
            }
            for week in summary.weeks
        ],
        "unused": list(summary.unused),
        "findings": [_plain(one, language) for one in report.findings if one.counts],
        "notes": [_plain(one, language) for one in report.findings if not one.counts],
        "passed": report.passed,
    }


def _plain(finding: Finding, language: Language) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity,
        "column": finding.column,
        "message": message(finding, language),
        "mend": mend(finding, language),
        "rows": finding.rows,
        "figures": dict(finding.figures),
        "allowed": finding.allowed,
    }
