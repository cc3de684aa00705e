"""A grumble's facts from a file that a person wrote: JSON, or YAML as in a case's ``given``.

The declared type of a fact decides how a YAML value is read, as in rule files. Everything that is
wrong is told, not only the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from harken_rules.cells import Cells
from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Fact, FactType, RuleBase
from harken_rules.source import Node, Scalar, Table, describe, read_source
from harken_rules.verdict import FactError

MISSING_WORDS = ("", "null", "~")
MOST_DIGITS = 330
"""A floating-point number has no more digits before or after its point."""


@dataclass(frozen=True, slots=True)
class GivenProblem:
    """What is wrong with one fact, or with the whole (``fact`` is empty)."""

    fact: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.fact}: " if self.fact else ""
        return where + self.message + (f"; {self.hint}" if self.hint else "")


class GivenError(Exception):
    """A grumble cannot be explained; ``problems`` says all that is wrong with its facts."""

    def __init__(self, problems: Iterable[GivenProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def read_given(
    data: bytes, name: str, base: RuleBase, cells: Mapping[str, Cells]
) -> dict[str, object]:
    """The known facts in ``data``, each acceptable to ``base``; raises GivenError.

    ``data`` is a mapping of fact names to values, or one with the key ``given`` that holds it;
    ``name`` is what messages call it. Integers are ``int``, other numbers ``Decimal``.
    """
    written = _from_json(data, name) if _is_json(data, name) else _from_yaml(data, name, base)
    if "given" in written and "given" not in base.facts:
        inner = written["given"]
        if not isinstance(inner, Mapping):
            raise _unreadable(f"{name}: `given` is a mapping of fact names to values")
        written = inner
    problems: list[GivenProblem] = []
    known: dict[str, object] = {}
    for fact, value in written.items():
        try:
            accepted = _accept(fact, value, base, cells)
        except GivenError as error:
            problems += error.problems
        else:
            if accepted is not None:
                known[fact] = accepted
    if problems:
        raise GivenError(problems)
    return {fact: known[fact] for fact in base.facts if fact in known}


def _accept(name: str, value: object, base: RuleBase, cells: Mapping[str, Cells]) -> object:
    """The value of a fact as the engine takes it; raises GivenError."""
    fact = base.facts.get(name)
    if fact is None:
        titles = {text: one.name for one in base.facts.values() for text in one.title.values()}
        hint = did_you_mean(name, base.facts, titles)
        raise GivenError([GivenProblem(shown(name), "there is no such fact", hint)])
    by = next((each for each in base.decisions if name in each.results), None)
    if by is not None:
        message, hint = f"decision '{by.name}' decides it", "give the facts it is decided from"
        raise GivenError([GivenProblem(name, message, hint)])
    if isinstance(value, Scalar):
        value = _typed(value, fact)
    if isinstance(value, Mapping | list | Node):
        raise GivenError([GivenProblem(name, "expected a single value, got several")])
    if value is None:
        return None
    if is_too_long(value):
        message = f"a number of more than {MOST_DIGITS} digits is none that rules compare"
        raise GivenError([GivenProblem(name, message)])
    try:
        cells[name].code(value)
    except FactError as error:
        hint = error.suggestion
        labels = {text: code for code, texts in (fact.values or {}).items()
                  for text in texts.values()}  # fmt: skip
        if isinstance(value, str) and value in labels:
            hint = f"write {labels[value]!r}"
        raise GivenError([GivenProblem(name, error.message, hint)]) from None
    return int(value) if isinstance(value, Decimal) and fact.type is FactType.INTEGER else value


def is_too_long(value: object) -> bool:
    """Whether writing a number out would take more digits than anybody reads (``1e99999999``)."""
    if isinstance(value, int):
        return value.bit_length() > 4 * MOST_DIGITS
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    return abs(value.adjusted()) > MOST_DIGITS or len(value.as_tuple().digits) > MOST_DIGITS


def _typed(node: Scalar, fact: Fact) -> object:
    """What was written in YAML, by the type of its fact; a word that is none stays a word."""
    if node.plain and node.text in MISSING_WORDS:
        return None
    if fact.type is FactType.ENUM:
        return node.text
    if fact.type is FactType.BOOLEAN:
        return {"true": True, "false": False}.get(node.text, node.text)
    text = node.text.strip().removesuffix(fact.unit or "").strip()
    try:
        return Decimal(text)
    except InvalidOperation:
        return node.text


def _is_json(data: bytes, name: str) -> bool:
    """Whether ``data`` is meant as JSON: by its name, or because it can be read so."""
    if name.endswith(".json"):
        return True
    if not data.lstrip().startswith(b"{"):
        return False
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _from_json(data: bytes, name: str) -> Mapping[str, object]:
    if not data.strip():
        raise _unreadable(f"{name}: the file is empty", "fill it")
    try:
        read = json.loads(
            data.decode("utf-8-sig"), parse_float=Decimal, parse_int=_whole, parse_constant=float,
            object_pairs_hook=_once_each,
        )  # fmt: skip
    except json.JSONDecodeError as error:
        where = f"{name}:{error.lineno}:{error.colno}"
        raise _unreadable(f"{where}: this is not JSON: {error.msg.lower()}") from None
    except UnicodeDecodeError:
        raise _unreadable(f"{name}: this is not UTF-8 text", "save it as UTF-8") from None
    except RecursionError:
        raise _unreadable(f"{name}: nested too deep") from None
    except ValueError as error:  # a key twice
        raise _unreadable(f"{name}: {error}") from None
    if not isinstance(read, dict):
        raise _unreadable(f"{name}: expected a mapping of fact names to values")
    return read


def _whole(text: str) -> int | Decimal:
    # Python refuses to make an integer of many thousand digits.
    return int(text) if len(text) <= MOST_DIGITS else Decimal(text)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"'{shown(key)}' stands in it twice")
        found[key] = value
    return found


def _from_yaml(data: bytes, name: str, base: RuleBase) -> Mapping[str, object]:
    report = Report()
    node = read_source(data, name, report)
    if node is None or report.sorted():
        raise GivenError(
            [
                GivenProblem("", f"{one.place}: {one.message}", one.hint or "")
                for one in report.sorted()
            ]
        )
    if not isinstance(node, Table):
        raise _unreadable(f"{name}: expected a mapping of fact names to values")
    inner = node.get("given")
    if inner is not None and "given" not in base.facts:
        if not isinstance(inner, Table):
            raise _unreadable(f"{inner.place}: `given` is a mapping, not {describe(inner)}")
        node = inner
    return {key.text: value for key, value in node.entries}


def _unreadable(message: str, hint: str = "") -> GivenError:
    return GivenError([GivenProblem("", message, hint)])
