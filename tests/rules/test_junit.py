"""JUnit XML: what is counted and what is escaped."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from harken_rules.junit import Item, Problem, Suite, render, write


def test_counts_and_places() -> None:
    items = (
        Item("good", "cases/a.yaml", "base/cases/a.yaml", 3),
        Item("bad", problems=(Problem("failure", "level: expected 5, got 4", "the whole"),)),
        Item("odd", problems=(Problem("error", "x"), Problem("error", "y"))),
    )
    root = ET.fromstring(render([Suite("rules", items), Suite("none", ())]))
    assert root.attrib == {"tests": "3", "failures": "1", "errors": "1"}
    assert [one.attrib["name"] for one in root] == ["rules", "none"]
    good, bad, odd = root[0]
    assert good.attrib == {
        "classname": "cases/a.yaml",
        "name": "good",
        "file": "base/cases/a.yaml",
        "line": "3",
    }
    assert len(good) == 0
    assert (bad[0].tag, bad[0].attrib["message"], bad[0].text) == (
        "failure",
        "level: expected 5, got 4",
        "the whole",
    )
    assert [one.tag for one in odd] == ["error", "error"]


def test_what_xml_cannot_carry_is_replaced() -> None:
    text = "a\x00<b>\ud800\ufffe\U0001f600 抱怨\n\t&"
    root = ET.fromstring(
        render([Suite("s", (Item(text, problems=(Problem("error", "m", text),)),))])
    )
    assert root[0][0][0].text == "a\ufffd<b>\ufffd\ufffd\U0001f600 抱怨\n\t&"
    assert root[0][0].attrib["name"].startswith("a\ufffd<b>")


def test_the_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    write(path, [Suite("s", ())])
    assert ET.parse(path).getroot().attrib["tests"] == "0"
