"""Reading YAML: places, bytes of every kind, and the parts of YAML that are not used."""

from __future__ import annotations

import pytest
from harken_rules.diagnostics import Diagnostic, Report
from harken_rules.language import Place
from harken_rules.source import MAX_FILE_BYTES, Items, Node, Scalar, Table, read_source


def read(data: bytes) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    report = Report()
    return read_source(data, "f.yaml", report), report.sorted()


def plain(node: Node | None) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Items):
        return [plain(one) for one in node.items]
    if isinstance(node, Table):
        return {key.text: plain(value) for key, value in node.entries}
    return None


GOOD = "a: [no, 3.90, '', 007, ~]\n标题: {yes: 1e3}\n"


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.encode("utf-16"),
        b"---\n" + GOOD.encode() + b"...\n",
        b"# a comment\n\n" + GOOD.encode(),
    ],
)
def test_scalars_stay_the_text_that_was_written(data: bytes) -> None:
    node, found = read(data)
    assert found == ()
    assert plain(node) == {"a": ["no", "3.90", "", "007", "~"], "标题": {"yes": "1e3"}}


def test_nodes_know_their_place_counted_in_characters() -> None:
    node, _ = read("标题: 一\r\n二:\r\n  - x\r\n".encode())
    assert isinstance(node, Table)
    (first, one), (second, items) = node.entries
    assert [first.place, one.place] == [Place("f.yaml", 1, 1), Place("f.yaml", 1, 5)]
    assert second.place == Place("f.yaml", 2, 1)
    assert isinstance(items, Items)
    assert items.items[0].place == Place("f.yaml", 3, 5)


def test_quotes_tell_an_empty_text_from_nothing() -> None:
    node, _ = read(b"a:\nb: ''\n")
    assert isinstance(node, Table)
    nothing, empty = node.get("a"), node.get("b")
    assert isinstance(nothing, Scalar)
    assert isinstance(empty, Scalar)
    assert nothing.empty
    assert not empty.empty


def test_a_second_key_is_refused_with_both_places_and_reading_goes_on() -> None:
    node, found = read(b"a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n")
    assert plain(node) == {"a": "1", "b": "2", "c": {"d": "1"}}
    assert [(one.id, one.place.line, one.related[0][1].line) for one in found] == [
        ("duplicate-key", 3, 1),
        ("duplicate-key", 4, 4),
    ]


@pytest.mark.parametrize(
    ("data", "finding", "line", "column"),
    [
        (b"", "yaml-syntax", 1, 1),
        (b"# nothing\n", "yaml-syntax", 1, 1),
        (b"a: b: c", "yaml-syntax", 1, 5),
        (b"a:\n\tb: 1", "yaml-syntax", 2, 1),
        (b"a: [1, 2", "yaml-syntax", 1, 9),
        (b'a: "x', "yaml-syntax", 1, 6),
        (b"a: 1\nb: \x00", "yaml-syntax", 2, 4),
        (b"a: 1\nb: x\x07", "yaml-syntax", 2, 5),
        (b"a: 1\nbb: \xff", "yaml-syntax", 2, 5),
        ("a: é".encode("latin-1"), "yaml-syntax", 1, 4),
        (b"\xff\xfea", "yaml-syntax", 1, 3),
        (b'"\\ud800": 1', "yaml-syntax", 1, 4),
        (b"%YAML 9.9\n---\na: 1", "yaml-syntax", 1, 1),
        (b"a: &x 1", "yaml-feature", 1, 4),
        (b"a: &x [1]", "yaml-feature", 1, 4),
        (b"*x", "yaml-feature", 1, 1),
        (b"a: !!python/object:os.system 1", "yaml-feature", 1, 4),
        (b"a: !x {}", "yaml-feature", 1, 4),
        (b"a: {<<: {b: 1}}", "yaml-feature", 1, 5),
        (b"? [a]\n: 1", "yaml-feature", 1, 3),
        (b"a: 1\n---\nb: 1", "yaml-feature", 2, 1),
        (b"[" * 1_000_000, "too-large", 1, 41),
        (b"{a: " * 300_000, "too-large", 1, 161),
        (b"- " * 300_000, "too-large", 1, 81),
        (b"? " * 300_000, "too-large", 1, 81),
        (b"a: " + b"x" * 10_001, "too-large", 1, 4),
        (b"#" * (MAX_FILE_BYTES + 1), "too-large", 1, 1),
    ],
)
def test_what_cannot_be_read_is_reported_where_it_stands(
    data: bytes, finding: str, line: int, column: int
) -> None:
    node, found = read(data)
    assert node is None
    assert [(one.id, one.place.line, one.place.column) for one in found] == [
        (finding, line, column)
    ]


def test_forty_levels_are_still_read() -> None:
    node, found = read(b"[" * 40 + b"]" * 40)
    assert found == ()
    assert isinstance(node, Items)


def test_a_file_read_again_says_the_same() -> None:
    """Also one with something to report: only what is blameless is kept."""
    for text in (b"a: [1, 2]\n", b"a: 1\na: 2\n", b"a: &x 1\n", b"", b"a: [\n"):
        first, again = Report(), Report()
        assert read_source(text, "x.yaml", first) == read_source(text, "x.yaml", again)
        assert first.sorted() == again.sorted()
        other = Report()
        read_source(text, "y.yaml", other)
        assert {one.place.file for one in other.sorted()} <= {"y.yaml"}
        assert len(other.sorted()) == len(first.sorted())
