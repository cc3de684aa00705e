"""``facts.yaml``: every fact once, with its type, where it comes from and its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Fact, FactType, Interval, Text
from harken_rules.reading.catalogues import Catalogues
from harken_rules.reading.numbers import read_interval, wants_whole
from harken_rules.reading.shapes import (
    Reading,
    as_choice,
    as_code,
    as_flag,
    as_name,
    as_table,
    as_text,
    read_keys,
    read_labels,
)
from harken_rules.source import Node, Scalar

GIVEN_SOURCES = ("request", "model", "attribute")
RESERVED = ("any",)

_OPTIONAL = ("unit", "range", "values", "values_from", "open")


@dataclass(slots=True)
class Facts:
    """The declared facts.

    ``broken``: facts of which something could not be read, so that no more is said about them;
    ``incomplete``: the file itself could not be read, so that an unknown name may be right.
    ``partial_values``: enum facts of which not every value is known; ``asked``: facts that any
    rule asks about; ``catalogues``: the catalogue that an enum fact takes its values from.
    """

    known: dict[str, Fact] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    partial_values: set[str] = field(default_factory=set)
    incomplete: bool = False
    asked: set[str] = field(default_factory=set)
    catalogues: dict[str, str] = field(default_factory=dict)


def read_facts(node: Node | None, catalogues: Catalogues, reading: Reading) -> Facts:
    """All facts of ``facts.yaml``, in the order declared."""
    facts = Facts()
    keys = node and read_keys(node, "facts.yaml", reading.report, required=("facts",))
    table = as_table(keys["facts"], "facts", reading.report) if keys and "facts" in keys else None
    if table is None:
        facts.incomplete = True
        return facts
    for key, value in table.entries:
        name = as_name(key, "a fact's name", reading.report)
        if name in RESERVED:
            message = f"a fact cannot be called '{name}': the word has a meaning in `when`"
            reading.report.error("bad-name", key.place, message)
        fact = name and _read_fact(key, value, facts, catalogues, reading)
        if fact:
            facts.known[fact.name] = fact
        else:
            facts.broken.update((key.text, key.text.strip().lower().replace("-", "_")))
    return facts


def _read_fact(
    key: Scalar, node: Node, facts: Facts, catalogues: Catalogues, reading: Reading
) -> Fact | None:
    report, name = reading.report, key.text
    what = f"fact '{name}'"
    required = ("type", "source", "title")
    keys = read_keys(node, what, report, required=required, optional=_OPTIONAL)
    if keys is None or not {"type", "source"} <= set(keys):
        return None
    type_name = as_choice(keys["type"], f"the type of {what}", list(FactType), report)
    source = as_text(keys["source"], f"the source of {what}", report)
    if type_name not in list(FactType) or source is None:
        return None
    kind = FactType(type_name)
    _refuse_foreign_keys(keys, kind, what, reading)
    unit = keys.get("unit")
    unit_text = as_text(unit, f"the unit of {what}", report) if unit else None
    values = _read_values(name, keys, facts, catalogues, reading) if kind is FactType.ENUM else None
    if kind is FactType.ENUM and values is None:
        return None
    limits = Interval()
    if "range" in keys and kind in (FactType.NUMBER, FactType.INTEGER):
        whole = wants_whole(kind)
        read = read_interval(
            keys["range"], f"the range of {what}", report, unit=unit_text, whole=whole
        )
        limits = read or limits
    return Fact(
        name=name,
        type=kind,
        source=source,
        title=read_labels(keys.get("title"), f"the title of {what}", reading),
        place=key.place,
        unit=unit_text,
        range=limits,
        values=values,
        # Unreadable, it may be open: then no code is certainly wrong.
        open="open" in keys and as_flag(keys["open"], f"'open' of {what}", report) is not False,
    )


def _refuse_foreign_keys(
    keys: Mapping[str, Node], kind: FactType, what: str, reading: Reading
) -> None:
    """Keys that belong to another type of fact."""
    numeric = kind in (FactType.NUMBER, FactType.INTEGER)
    allowed = {"unit", "range"} if numeric else set()
    allowed |= {"values", "values_from", "open"} if kind is FactType.ENUM else set()
    for key in _OPTIONAL:
        if key in keys and key not in allowed:
            message = f"{what} is of type {kind}, which has no '{key}'"
            hint = "remove the key, or change the type"
            reading.report.error("unknown-key", keys[key].place, message, hint)


def _read_values(
    name: str, keys: Mapping[str, Node], facts: Facts, catalogues: Catalogues, reading: Reading
) -> Mapping[str, Text] | None:
    """Code to labels, written here or taken from the titles of a catalogue's entries."""
    report, what = reading.report, f"fact '{name}'"
    if "values" in keys and "values_from" in keys:
        message = f"{what} has both values and values_from"
        report.error("wrong-shape", keys["values_from"].place, message, "keep one of the two")
        return None
    if "values_from" in keys:
        return _values_from(name, keys["values_from"], facts, catalogues, reading)
    if "values" not in keys:
        place = next(iter(keys.values())).place
        message = f"{what} is an enum and needs values or values_from"
        report.error("missing-key", place, message)
        return None
    table = as_table(keys["values"], f"values of {what}", report)
    if table is None or not table.entries:
        if table is not None:
            report.error("wrong-shape", table.place, f"{what} has no values")
        return None
    values: dict[str, Text] = {}
    for key, labels in table.entries:
        code = as_code(key, f"a value of {what}", report)
        if code is None:
            facts.partial_values.add(name)
        else:
            values[code] = read_labels(labels, f"value '{shown(code)}' of {what}", reading)
    return values


def _values_from(
    name: str, node: Node, facts: Facts, catalogues: Catalogues, reading: Reading
) -> Mapping[str, Text] | None:
    catalogue = as_text(node, f"values_from of fact '{name}'", reading.report)
    if catalogue is None:
        return None
    facts.catalogues[name] = catalogue
    if not catalogues.knows_all_of(catalogue):
        facts.partial_values.add(name)
    if catalogue not in catalogues.entries:
        if not catalogues.incomplete:
            message = f"no catalogue is called '{shown(catalogue)}'"
            hint = did_you_mean(catalogue, catalogues.entries)
            reading.report.error("unknown-value", node.place, message, hint)
        return {}
    return {code: entry.title for code, entry in catalogues.entries[catalogue].items()}
