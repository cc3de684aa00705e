"""Catalogues and the taxonomy: what decisions refer to by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harken_rules.diagnostics import Report
from harken_rules.hints import did_you_mean, shown
from harken_rules.language import Entry, Place, Text
from harken_rules.reading.shapes import (
    Reading,
    as_code,
    as_items,
    as_name,
    as_table,
    as_text,
    read_keys,
    read_labels,
)
from harken_rules.source import Items, Node, Scalar, Table

CATEGORIES, SERVICES, POINTS = "categories", "services", "points"

# What the entries of the catalogues that an answer is made of must and may hold.
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "strategies": (("title", "steps", "script"), ("expectation",)),
    "departments": (("title",), ("group",)),
    "escalations": (("title", "departments"), ()),
}


@dataclass(slots=True)
class Catalogues:
    """All catalogues read so far. ``broken``: those of which something could not be read."""

    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    incomplete: bool = False
    departments_named: list[Scalar] = field(default_factory=list)

    def knows_all_of(self, name: str) -> bool:
        """Whether an id that is not in catalogue ``name`` is certainly wrong."""
        return name in self.entries and name not in self.broken and not self.incomplete


def read_catalogues(files: Mapping[str, Node | None], reading: Reading) -> Catalogues:
    """Every catalogue of the folder, and the taxonomy's three levels as catalogues."""
    found = Catalogues()
    for node in files.values():
        if node is None:
            found.incomplete = True
        elif isinstance(node, Table) and node.get("taxonomy") is not None:
            _read_taxonomy(node, found, reading)
        else:
            _read_catalogue(node, found, reading)
    _resolve_departments(found, reading.report)
    return found


def _declare(name: str, place: Place, found: Catalogues, report: Report) -> dict[str, Entry] | None:
    if name in found.entries:
        first = [("first here", found.places[name])]
        message = f"catalogue '{name}' stands here a second time"
        report.error("duplicate-id", place, message, "one file a catalogue", first)
        return None
    found.places[name] = place
    return found.entries.setdefault(name, {})


def _add(entry: Entry, entries: dict[str, Entry], what: str, report: Report) -> None:
    if entry.id in entries:
        first = [("first here", entries[entry.id].place)]
        message = f"{what} '{shown(entry.id)}' stands here a second time"
        report.error("duplicate-id", entry.place, message, "give one of them another id", first)
    else:
        entries[entry.id] = entry


def _read_catalogue(node: Node, found: Catalogues, reading: Reading) -> None:
    report = reading.report
    keys = read_keys(node, "a catalogue file", report, required=("catalogue", "entries"))
    name_node = (keys or {}).get("catalogue")
    name = name_node and as_name(name_node, "a catalogue's name", report)
    if not keys or not name_node or not name:
        found.incomplete = True
        return
    entries = _declare(name, name_node.place, found, report)
    table = as_table(keys["entries"], "entries", report) if "entries" in keys else None
    if entries is None or table is None:
        found.broken.add(name)
        return
    for key, value in table.entries:
        code = as_code(key, "an entry's id", report)
        data = _read_entry(name, code, value, found, reading) if code else None
        if code is None or data is None:
            found.broken.add(name)
        else:
            title, rest = data
            _add(Entry(code, title, rest, key.place), entries, f"entry of '{name}'", report)


def _read_entry(
    catalogue: str, code: str, node: Node, found: Catalogues, reading: Reading
) -> tuple[Text, Mapping[str, object]] | None:
    what = f"entry '{shown(code)}'"
    keys: Mapping[str, Node] | None
    if catalogue in KINDS:
        required, optional = KINDS[catalogue]
        keys = read_keys(node, what, reading.report, required=required, optional=optional)
    else:
        table = as_table(node, what, reading.report)
        keys = None if table is None else {key.text: value for key, value in table.entries}
        if table is not None and "title" not in (keys or {}):
            reading.report.error("missing-key", table.place, f"{what} needs the key 'title'")
    if keys is None:
        return None
    title = read_labels(keys.get("title"), f"the title of {what}", reading)
    data = {
        key: _read_data(catalogue, key, value, f"'{shown(key)}' of {what}", found, reading)
        for key, value in keys.items()
        if key != "title"
    }
    return title, data


def _read_data(
    catalogue: str, key: str, node: Node, what: str, found: Catalogues, reading: Reading
) -> object:
    """What a kind adds: labels, a code, or a list of either."""
    if catalogue == "strategies":
        if key != "steps":
            return read_labels(node, what, reading)
        items = as_items(node, what, reading.report) or ()
        return tuple(read_labels(one, f"a step in {what}", reading) for one in items)
    if catalogue == "escalations":
        items = as_items(node, what, reading.report) or ()
        found.departments_named += [one for one in items if isinstance(one, Scalar)]
        codes = [as_code(one, f"a department in {what}", reading.report) for one in items]
        return tuple(code for code in codes if code is not None)
    return _read_free(node, what, reading)


def _read_free(node: Node, what: str, reading: Reading) -> object:
    """Data of a catalogue whose kind is not known here: a text, labels, or a list of them."""
    if isinstance(node, Items):
        return tuple(_read_free(one, f"an item of {what}", reading) for one in node.items)
    if isinstance(node, Table):
        return read_labels(node, what, reading)
    return as_text(node, what, reading.report) or ""


def _resolve_departments(found: Catalogues, report: Report) -> None:
    """Whether each department that an escalation names is in the catalogue of departments."""
    known = found.entries.get("departments", {})
    if found.incomplete or "departments" in found.broken:
        return
    for named in found.departments_named:
        if named.text not in known and named.text.strip():
            message = f"no department is called '{shown(named.text)}'"
            report.error("unknown-value", named.place, message, did_you_mean(named.text, known))


def _read_taxonomy(node: Table, found: Catalogues, reading: Reading) -> None:
    report = reading.report
    keys = read_keys(node, "a taxonomy file", report, required=("taxonomy",)) or {}
    levels = [
        _declare(name, keys["taxonomy"].place, found, report)
        for name in (CATEGORIES, SERVICES, POINTS)
    ]
    if None in levels:
        return
    _read_level(keys["taxonomy"], 0, {}, found, reading)


_LEVELS = ((CATEGORIES, "category"), (SERVICES, "service"), (POINTS, "point"))


def _read_level(
    node: Node, depth: int, parents: Mapping[str, str], found: Catalogues, reading: Reading
) -> None:
    """One level of the taxonomy; an entry's data names its category and service."""
    name, word = _LEVELS[depth]
    report = reading.report
    table = as_table(node, name, report)
    if table is None:
        found.broken.update((CATEGORIES, SERVICES, POINTS))
        return
    below = _LEVELS[depth + 1][0] if depth < 2 else None
    for key, value in table.entries:
        code = as_code(key, f"a {word}'s id", report)
        what = f"{word} '{shown(key.text)}'"
        optional = (below,) if below else ()
        keys = read_keys(value, what, report, required=("title",), optional=optional)
        if code is None or keys is None:
            found.broken.update((CATEGORIES, SERVICES, POINTS))
            continue
        title = read_labels(keys.get("title"), f"the title of {what}", reading)
        entry = Entry(code, title, dict(parents), key.place)
        _add(entry, found.entries[name], word, report)
        if below in keys and not _is_blank(keys[below]):
            _read_level(keys[below], depth + 1, {**parents, word: code}, found, reading)


def _is_blank(node: Node) -> bool:
    return isinstance(node, Scalar) and node.empty
