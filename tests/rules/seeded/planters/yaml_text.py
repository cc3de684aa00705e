"""Text that is no YAML, or YAML that rule files do not use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harken_rules.language import Place

from ..base import Base, Written
from ..planting import Plant, at, pick, plants
from ..spots import rules, texts_of, tree_of
from ..yaml_tree import Entry, Node, Table, Text, node_of, walk


def _plain(base: Base) -> list[Text]:
    """Values that can be written without quotes."""
    return [
        node
        for file in sorted(base.files)
        for node in texts_of(base.files[file])
        if node.text.replace("_", "a").isalnum() and node.text.isascii()
    ]


@plants("yaml-feature")
def anchor_alias_or_tag(base: Base) -> Plant:
    """An anchor, an alias or a tag at a value."""
    node = pick(base.rng, _plain(base))
    forms = [f"&here {node.text}", "*here", f"!!str {node.text}", f"!own {node.text}"]
    node.raw = base.rng.choice(forms)
    return at(node)


@plants("yaml-feature")
def merge_key(base: Base) -> Plant:
    """A mapping poured into another."""
    table = pick(base.rng, rules(base)).tree
    key = Text("<<", raw="<<")
    table.entries.insert(base.rng.randint(0, len(table.entries)), Entry(key, node_of({"a": "b"})))
    return at(key)


@plants("yaml-feature")
def list_as_key(base: Base) -> Plant:
    """A list where a key is a word."""
    table = tree_of(base, pick(base.rng, base.decisions))
    key = Text("", raw="[a, b]")
    table.entries.append(Entry(key, Text("x")))
    return at(key)


@plants("yaml-feature")
def second_document(base: Base) -> Plant:
    """Another document in the same file."""
    name = base.rng.choice(sorted(base.files))
    lines: list[int] = []

    def spoil(written: dict[str, bytes], _: object) -> None:
        lines.append(written[name].count(b"\n") + 1)
        written[name] += b"---\nmore: text\n"

    base.spoil.append(spoil)
    return at(lambda _: Place(name, lines[0], 1))


@plants("yaml-syntax")
def empty_file(base: Base) -> Plant:
    """A file with nothing in it."""
    name = base.rng.choice(sorted(base.files))
    left = base.rng.choice([b"", b"\n\n", b"# nothing yet\n", b"\xef\xbb\xbf"])
    base.spoil.append(lambda written, _: written.update({name: left}))
    return at(Place(name, 1, 1))


@plants("yaml-syntax")
def reserved_character(base: Base) -> Plant:
    """A value that begins with a character YAML keeps for itself."""
    node = pick(base.rng, _plain(base))
    node.raw = base.rng.choice(["@", "`"]) + node.text
    return at(node)


@plants("yaml-syntax")
def second_colon(base: Base) -> Plant:
    """A colon in a text without quotes."""
    node = tree_of(base, pick(base.rng, base.decisions)).get("hit")
    assert isinstance(node, Text)
    node.raw = f"{node.text}: of all"
    return at(lambda written: _after(written.place(node), len(node.text)))


def _after(place: Place, columns: int) -> Place:
    return Place(place.file, place.line, place.column + columns)


@plants("yaml-syntax")
def unclosed_quote(base: Base) -> Plant:
    """A quote that is not closed before the file ends."""
    name = base.rng.choice(sorted(base.files))
    last = list(_texts_in_order(base.files[name]))[-1]
    last.raw = base.rng.choice(["'", '"']) + "it goes on"

    def end(written: Written) -> Place:
        text = written.files[name].decode()
        return Place(name, text.count("\n") + 1, 1)

    return at(end)


def _texts_in_order(node: Node) -> Iterator[Text]:
    yield from (each for each in walk(node) if isinstance(each, Text))


@plants("yaml-syntax")
def broken_character(base: Base) -> Plant:
    """Bytes that are no UTF-8, or a character that no text has."""
    node = pick(base.rng, _plain(base))
    bad = base.rng.choice([b"\xff", b"\xc3\x28", "电".encode("gbk"), b"\x07", b"\x00", b"\x1b"])

    def spoil(written: dict[str, bytes], place: Callable[[Node], Place]) -> None:
        where = place(node)
        lines = written[where.file].decode().split("\n")
        before = "\n".join([*lines[: where.line - 1], lines[where.line - 1][: where.column - 1]])
        start = len(before.encode())
        data = written[where.file]
        written[where.file] = data[:start] + bad + data[start:]

    base.spoil.append(spoil)
    return at(node)


@plants("yaml-syntax")
def tab(base: Base) -> Plant:
    """A line that is indented with a tab."""
    name = base.rng.choice(sorted(base.files))
    root = base.files[name]
    assert isinstance(root, Table)
    key = Text("", raw="\tnew")
    root.entries.append(Entry(key, Text("x")))
    return at(key)
