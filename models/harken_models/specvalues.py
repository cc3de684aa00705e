"""Single values of a specification; problems are collected, none stops the reading."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from harken_models.errors import Problem
from harken_models.yamltext import YamlPath, YamlText


class ValueReader:
    """Small readers of one value each. What is wrong goes to ``problems``, with its place."""

    def __init__(self, source: YamlText) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def fault(self, path: YamlPath, message: str, mend: str = "") -> None:
        self.problems.append(self.source.problem(path, message, mend))

    def mapping(self, value: Any, path: YamlPath, known: Iterable[str] = ()) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(path, "is not a mapping of names to values", "write name: value, indented")
            return {}
        allowed = tuple(known)
        for name in value:
            if allowed and name not in allowed:
                self.fault((*path, name), "is not known here", suggest(name, allowed))
        return value

    def text(self, value: Any, path: YamlPath) -> str:
        if isinstance(value, str):
            return value
        if value is not None:
            self.fault(path, "is not a single text")
        return ""

    def required_text(self, entry: Mapping[str, Any], name: str, path: YamlPath) -> str:
        if entry.get(name) is None:
            self.fault(path, f"has no {name!r}", f"add {name}: …")
            return ""
        return self.text(entry[name], (*path, name))

    def optional_text(self, value: Any, path: YamlPath) -> str | None:
        return None if value is None else self.text(value, path)

    def texts(self, value: Any, path: YamlPath) -> tuple[str, ...]:
        """A list of texts; one text alone is a list of one, nothing at all an empty list."""
        items = value if isinstance(value, list) else [] if value is None else [value]
        return tuple(self.text(item, (*path, index)) for index, item in enumerate(items))

    def required_texts(
        self, entry: Mapping[str, Any], name: str, path: YamlPath
    ) -> tuple[str, ...]:
        found = self.texts(entry.get(name), (*path, name))
        if not found:
            self.fault(path, f"has no {name!r}", f"add {name}: […]")
        return found

    def texts_by_key(self, value: Any, path: YamlPath) -> dict[str, str]:
        entries = self.mapping(value, path)
        return {key: self.text(item, (*path, key)) for key, item in entries.items()}

    def choice(self, value: Any, path: YamlPath, choices: tuple[str, ...]) -> Any:
        if value not in choices:
            self.fault(path, f"is {value!r}", suggest(str(value), choices))
            return choices[0]
        return value

    def boolean(self, value: Any, path: YamlPath) -> bool:
        return bool(self.choice(value, path, ("true", "false")) == "true")

    def number(self, value: Any, path: YamlPath, low: float, high: float) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            self.fault(path, f"is {value!r}, not a number")
            return low
        if not low <= number <= high:
            self.fault(path, f"is {number:g}, not from {low:g} to {high:g}")
            return low
        return number


def suggest(name: str, known: tuple[str, ...]) -> str:
    """A mend for a name that is not known: the nearest one, else what there is."""
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"did you mean {close[0]!r}?"
    shown = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    return f"known: {shown}"
