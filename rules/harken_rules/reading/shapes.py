"""The shapes nodes must have: a mapping with certain keys, a list, a name, labels."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from harken_rules.diagnostics import Report
from harken_rules.full_width import hint_of, swallowed
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Place, Text
from harken_rules.source import Items, Node, Scalar, Table, describe

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RULE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_MAX_CODE = 128
MAX_ALTERNATIVES = 200_000


@dataclass(slots=True)
class Reading:
    """What every reader needs: where problems go, and the languages labels are written in.

    ``languages`` is None while the rule base does not (readably) say which they are;
    ``alternatives_left`` bounds what nested ``any`` may multiply to in the whole rule base.
    """

    report: Report
    languages: tuple[str, ...] | None
    alternatives_left: int = MAX_ALTERNATIVES


def as_table(node: Node, what: str, report: Report) -> Table | None:
    """``node`` if it is a mapping; otherwise reported."""
    if isinstance(node, Table):
        return node
    message = f"{what} is a mapping (`key: value`), not {describe(node)}"
    report.error("wrong-shape", node.place, message)
    return None


def as_items(node: Node, what: str, report: Report) -> tuple[Node, ...] | None:
    """The items of ``node`` if it is a list; otherwise reported."""
    if isinstance(node, Items):
        return node.items
    report.error("wrong-shape", node.place, f"{what} is a list, not {describe(node)}")
    return None


def as_text(node: Node, what: str, report: Report) -> str | None:
    """The text of ``node`` if it is a single, non-empty value; otherwise reported."""
    if isinstance(node, Scalar) and node.text.strip():
        return node.text
    report.error("wrong-shape", node.place, f"{what} is a single value, not {describe(node)}")
    return None


def as_choice(node: Node, what: str, known: Collection[str], report: Report) -> str | None:
    """The text of ``node`` if it is one of ``known``; otherwise reported."""
    text = as_text(node, what, report)
    if text is None or text in known:
        return text
    message = f"{what} cannot be '{shown(text)}'"
    report.error("unknown-value", node.place, message, did_you_mean(text, known))
    return None


def as_flag(node: Node, what: str, report: Report) -> bool | None:
    """True or False if ``node`` says so in those words; otherwise reported."""
    text = as_text(node, what, report)
    if text in ("true", "false"):
        return text == "true"
    if text is not None:
        message = f"{what} is true or false, not '{shown(text)}'"
        report.error("type-mismatch", node.place, message, "write true or false")
    return None


def as_name(node: Node, what: str, report: Report) -> str | None:
    """A fact's, decision's, catalogue's or characteristic's name; otherwise reported."""
    text = as_text(node, what, report)
    if text is None or _NAME.fullmatch(text):
        return text
    hint = "a name starts with a small letter and has only small letters, digits and _"
    report.error("bad-name", node.place, f"{what} cannot be '{shown(text)}'", hint)
    return None


def as_rule_id(node: Node, report: Report) -> str | None:
    """A rule's id; otherwise reported."""
    text = as_text(node, "a rule's id", report)
    if text is None or _RULE_ID.fullmatch(text):
        return text
    hint = "an id has only small letters, digits, - and _"
    report.error("bad-name", node.place, f"a rule's id cannot be '{shown(text)}'", hint)
    return None


def as_code(node: Node, what: str, report: Report) -> str | None:
    """An enum's code or a catalogue entry's id: any short text on one line; otherwise reported."""
    text = as_text(node, what, report)
    if text is None:
        return None
    if len(text) <= _MAX_CODE and text.isprintable() and text == text.strip():
        return text
    hint = f"a code is one line of at most {_MAX_CODE} characters, no spaces around it"
    report.error("bad-name", node.place, f"{what} cannot be '{shown(text)}'", hint)
    return None


def read_keys(
    node: Node,
    what: str,
    report: Report,
    *,
    required: Collection[str] = (),
    optional: Collection[str] = (),
) -> dict[str, Node] | None:
    """The values under the known keys of a mapping; unknown and missing keys are reported."""
    table = as_table(node, what, report)
    if table is None:
        return None
    known = [*required, *optional]
    found: dict[str, Node] = {}
    for key, value in table.entries:
        if key.text in known:
            found[key.text] = value
        else:
            message = f"{what} has no key '{shown(key.text)}'"
            report.error("unknown-key", key.place, message, did_you_mean(key.text, known))
    for name in required:
        if name not in found:
            report.error("missing-key", table.place, f"{what} needs the key '{name}'")
    return found


def read_labels(node: Node | None, what: str, reading: Reading) -> Text:
    """Language to text; an absent, empty or undeclared language is reported.

    What cannot be read is left out, so that the caller can go on.
    """
    if node is None:
        return {}
    report, languages = reading.report, reading.languages
    if isinstance(node, Scalar) and node.text.strip():
        each = ", ".join(f"{one}: ..." for one in languages or ("en", "zh"))
        message = f"{what} is one text a language, not a single text"
        report.error("wrong-shape", node.place, message, f"write {{{each}}}")
        return {}
    table = as_table(node, what, report)
    if table is None:
        return {}
    labels = {}
    for key, value in table.entries:
        if languages is not None and key.text not in languages:
            message = f"{what} is in '{shown(key.text)}', not a language of this rule base"
            report.error("unknown-key", key.place, message, did_you_mean(key.text, languages))
            continue
        if isinstance(value, Scalar) and not value.text.strip():
            _missing_label(what, key.text, value.place, report)
            continue
        text = as_text(value, what, report)
        if text is not None:
            labels[key.text] = text
    written = {key.text for key, _ in table.entries}
    for language in languages or ():
        if language not in written:
            _missing_label(what, language, table.place, report, table)
    return labels


def _missing_label(
    what: str, language: str, place: Place, report: Report, table: Table | None = None
) -> None:
    message, hint = f"{what} has no text in '{language}'", f"add `{language}: ...`"
    for _, value in table.entries if table else ():
        slip = isinstance(value, Scalar) and value.plain and swallowed(value.text, language)
        if slip:
            place, hint = value.place, hint_of(slip).replace(" here;", f" before '{language}';")
    report.error("missing-label", place, message, hint)
