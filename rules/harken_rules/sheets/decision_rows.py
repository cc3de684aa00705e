"""A decision as the rows of a sheet: what it says of itself, then a table, one row a rule.

    decision          tolerance
    title (en)        Customer tolerance
    hit               first
    result            tolerance
    ...
    rule  any  when: behaviour_type  when: matter  then: tolerance  because (en)  remark

A rule with alternatives goes on in rows marked ``or``: the rule's first row holds what must hold in
any case, each ``or`` row one alternative; ``or 2`` is an alternative inside the one above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harken_rules.language import Fact, RuleBase
from harken_rules.reading.numbers import interval_text
from harken_rules.sheets.book import Sheet, widths_of
from harken_rules.sheets.celltext import condition_text, value_text
from harken_rules.sheets.plain import Plain, as_list, as_mapping, as_text

RULE, ANY, WHEN, THEN = "rule", "any", "when: ", "then: "
CHARACTERISTIC, REMARK, END_REMARK = "characteristic", "remark", "remark at the end"
LABELS = "(labels)"

_WORDS = {
    "zh": {RULE: "规则", ANY: "或", CHARACTERISTIC: "特征", REMARK: "备注", "because": "理由"},
    "en": {RULE: "Rule", ANY: "Alternative", CHARACTERISTIC: "Characteristic", REMARK: "Remark"}
    | {"because": "Because"},
}


@dataclass(frozen=True, slots=True)
class DecisionContent:
    """What a decision's file says: ``head`` without the rules, the rules, the remarks."""

    head: Mapping[str, Plain]
    rules: Sequence[Mapping[str, Plain]]
    remark: str = ""
    end_remark: str = ""
    remarks: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The decision's name."""
        return as_text(self.head.get("decision"))

    @property
    def results(self) -> list[str]:
        """The names of its results."""
        return [as_text(one) for one in as_list(self.head.get("result", self.head.get("results")))]


def text_heading(word: str, language: str) -> str:
    """The heading of a text in one language."""
    return f"{word} ({language})"


def decision_sheet(name: str, content: DecisionContent, base: RuleBase, language: str) -> Sheet:
    """The sheet of one decision; labels and notes are in ``language``."""
    sheet = Sheet(name)
    _add_head(sheet, content, base.languages)
    if "characteristics" in content.head:
        _add_characteristics(sheet, content, base.languages)
    sheet.add()
    _add_table(sheet, content, base, language)
    return sheet


def flat(when: Mapping[str, Plain], depth: int = 0) -> Iterator[tuple[int, Mapping[str, Plain]]]:
    """A ``when`` as (depth, conditions) rows: 0 for what must hold, deeper for alternatives."""
    yield depth, {fact: one for fact, one in when.items() if fact != "any"}
    for alternative in as_list(when.get("any")):
        yield from flat(as_mapping(alternative), depth + 1)


def depth_mark(depth: int) -> str:
    """What stands in column ``any``."""
    return "" if depth == 0 else "or" if depth == 1 else f"or {depth}"


def _add_head(sheet: Sheet, content: DecisionContent, languages: Sequence[str]) -> None:
    head = content.head
    title = as_mapping(head.get("title"))
    sheet.add("decision", content.name)
    for language in languages:
        sheet.add(text_heading("title", language), as_text(title.get(language)))
    sheet.add("hit", as_text(head.get("hit")))
    sheet.choices.append((len(sheet.rows), len(sheet.rows), 2, "=first,unique,all,sum"))
    key = "results" if "results" in head else "result"
    sheet.add(key, value_text(list(content.results)))
    if head.get("hit") in ("first", "unique"):
        sheet.add("otherwise", as_text(head.get("otherwise")))
        sheet.choices.append((len(sheet.rows), len(sheet.rows), 2, "=missing"))
    if head.get("hit") == "sum":
        sheet.add("reasons", as_text(head.get("reasons")))
    sheet.add(REMARK, content.remark)
    sheet.add(END_REMARK, content.end_remark)
    sheet.titles += [(row, 1) for row in range(1, len(sheet.rows) + 1)]


def _add_characteristics(sheet: Sheet, content: DecisionContent, languages: Sequence[str]) -> None:
    sheet.add()
    titles = [text_heading("title", language) for language in languages]
    sheet.headings.append(sheet.add(CHARACTERISTIC, "weight", "baseline", *titles))
    for name, value in as_mapping(content.head["characteristics"]).items():
        one = as_mapping(value)
        title = as_mapping(one.get("title"))
        texts = [as_text(title.get(language)) for language in languages]
        sheet.add(name, as_text(one.get("weight")), as_text(one.get("baseline")), *texts)


def _add_table(sheet: Sheet, content: DecisionContent, base: RuleBase, language: str) -> None:
    asked = dict.fromkeys(
        fact
        for rule in content.rules
        for _, conditions in flat(as_mapping(rule.get("when")))
        for fact in conditions
    )
    facts, results = list(asked), content.results
    summed = content.head.get("hit") == "sum"
    columns = [RULE, *([CHARACTERISTIC] if summed else []), ANY]
    columns += [WHEN + fact for fact in facts] + [THEN + result for result in results]
    columns += [text_heading("because", one) for one in base.languages] + [REMARK]
    heading = sheet.add(*columns)
    sheet.headings.append(heading)
    words = _WORDS.get(language, _WORDS["en"])
    sheet.labels.append(sheet.add(*_labels(columns, base, language, words)))
    first = len(sheet.rows) + 1
    for rule in content.rules:
        remark = (content.remarks or {}).get(as_text(rule.get("id")), "")
        _add_rule(sheet, rule, remark, columns, results)
    last = len(sheet.rows) + 50
    _decorate(sheet, columns, base, language, (heading, first, last))
    sheet.frozen = (heading + 2, 2)
    sheet.widths = {**widths_of([row[:1] for row in sheet.rows]), **_table_widths(sheet, heading)}


def _add_rule(
    sheet: Sheet,
    rule: Mapping[str, Plain],
    remark: str,
    columns: Sequence[str],
    results: Sequence[str],
) -> None:
    rule_id = as_text(rule.get("id"))
    for index, (depth, conditions) in enumerate(flat(as_mapping(rule.get("when")))):
        row = {RULE: rule_id, ANY: depth_mark(depth)}
        row |= {WHEN + fact: condition_text(one) for fact, one in conditions.items()}
        if index == 0:
            then = rule.get("then")
            for result in results:
                value = as_mapping(then).get(result) if len(results) > 1 else then
                row[THEN + result] = value_text(value or "")
            for key, text in as_mapping(rule.get("because")).items():
                row[text_heading("because", key)] = as_text(text)
            row |= {CHARACTERISTIC: as_text(rule.get(CHARACTERISTIC)), REMARK: remark}
        sheet.add(*(row.get(column, "") for column in columns))


def _labels(
    columns: Sequence[str], base: RuleBase, language: str, words: Mapping[str, str]
) -> list[str]:
    labels = [LABELS]
    for column in columns[1:]:
        fact = base.facts.get(column.removeprefix(WHEN).removeprefix(THEN))
        if fact is not None and column.startswith((WHEN, THEN)):
            unit = f" ({fact.unit})" if fact.unit else ""
            labels.append((fact.title.get(language) or fact.name) + unit)
        elif column.startswith("because"):
            labels.append(words["because"] + column.removeprefix("because"))
        else:
            labels.append(words[column])
    return labels


def _decorate(
    sheet: Sheet,
    columns: Sequence[str],
    base: RuleBase,
    language: str,
    rows: tuple[int, int, int],
) -> None:
    """Notes on the headings, and drop-downs below them."""
    heading, first, last = rows
    for number, column in enumerate(columns, start=1):
        fact = base.facts.get(column.removeprefix(WHEN).removeprefix(THEN))
        if fact is None or not column.startswith((WHEN, THEN)):
            continue
        sheet.notes[heading, number] = fact_note(fact, language)
        if fact.values:
            sheet.choices.append((first, last, number, fact.name))
        elif fact.type == "boolean":
            sheet.choices.append((first, last, number, "=true,false"))
    sheet.choices.append((first, last, columns.index(ANY) + 1, "=or"))


def fact_note(fact: Fact, language: str, most: int = 40) -> str:
    """What a heading's note says of a fact: type, unit, range, and codes with labels."""
    lines = [f"{fact.name}: {fact.title.get(language) or fact.name}", f"{fact.type.value}"]
    if fact.unit:
        lines[-1] += f", {fact.unit}"
    if fact.range.low is not None or fact.range.high is not None:
        lines[-1] += f", {interval_text(fact.range)}"
    values = list((fact.values or {}).items())
    lines += [f"{code} = {labels.get(language) or code}" for code, labels in values[:most]]
    if len(values) > most:
        lines.append(f"... ({len(values)} in all: see the sheet 'codes')")
    return "\n".join(lines)


def _table_widths(sheet: Sheet, heading: int) -> dict[int, int]:
    return widths_of(sheet.rows[heading - 1 :])
