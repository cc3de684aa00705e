"""JUnit XML, the form in which code hosts show test results beside a change.

    <testsuites tests= failures= errors=>
      <testsuite name= tests= failures= errors=>
        <testcase classname= name= file= line=> <failure message=>text</failure>

A failure is something expected that did not come true; an error, something that could not be tried.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harken_rules.files import write_whole

Kind = Literal["failure", "error"]

_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot carry: control characters, lone surrogates, two code points."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an item did not pass: one line, and the whole text."""

    kind: Kind
    message: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One ``testcase``; ``group`` is its ``classname``, ``file`` as a terminal would open it."""

    name: str
    group: str = ""
    file: str = ""
    line: int | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """A named run of items."""

    name: str
    items: tuple[Item, ...]

    def count(self, kind: Kind) -> int:
        """How many items have a problem of this kind."""
        return sum(any(each.kind == kind for each in item.problems) for item in self.items)


def write(path: Path, suites: Iterable[Suite]) -> None:
    """Write ``suites`` to ``path``, whole or not at all; raises OSError."""
    write_whole(path, render(tuple(suites)))


def render(suites: Sequence[Suite]) -> bytes:
    """The XML document, UTF-8, ending in a newline."""
    root = ET.Element("testsuites", _counts(suites))
    for suite in suites:
        element = ET.SubElement(root, "testsuite", {"name": _clean(suite.name), **_counts([suite])})
        for item in suite.items:
            _add(element, item)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _counts(suites: Sequence[Suite]) -> dict[str, str]:
    return {
        "tests": str(sum(len(suite.items) for suite in suites)),
        "failures": str(sum(suite.count("failure") for suite in suites)),
        "errors": str(sum(suite.count("error") for suite in suites)),
    }


def _add(suite: ET.Element, item: Item) -> None:
    attributes = {"classname": _clean(item.group), "name": _clean(item.name)}
    if item.file:
        attributes["file"] = _clean(item.file)
    if item.line is not None:
        attributes["line"] = str(item.line)
    element = ET.SubElement(suite, "testcase", attributes)
    for problem in item.problems:
        found = ET.SubElement(element, problem.kind, {"message": _clean(problem.message)})
        found.text = _clean(problem.text)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
