"""YAML read as text: every scalar stays what the author typed, and remembers its place.

YAML 1.1 turns ``Yes``, ``No`` and ``on`` into booleans and ``0123`` into a number; in a
dataset specification they are words of somebody's data. So no scalar is interpreted here;
whoever knows what a value should be converts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harken_models.errors import Problem, SpecError

YamlPath = tuple[str | int, ...]
_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True, slots=True)
class YamlText:
    """A parsed file: ``value`` of dicts, lists, str and None; ``marks`` gives line, column."""

    file: str
    value: Any
    marks: Mapping[YamlPath, tuple[int, int]]

    def problem(self, path: YamlPath, message: str, mend: str = "") -> Problem:
        """A problem at ``path``, or at its nearest ancestor that has a place."""
        field = ".".join(map(str, path)) or "(file)"
        while path not in self.marks and path:
            path = path[:-1]
        line, column = self.marks.get(path, (1, 1))
        return Problem(self.file, line, column, field, message, mend)


def read_yaml_text(path: Path) -> YamlText:
    """Parse a YAML file.

    Raises SpecError for an unreadable file, bad syntax or a key given twice.
    """
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise SpecError(
            (Problem(file, 1, 1, "(file)", f"cannot be read: {error.strerror}"),)
        ) from None
    except UnicodeDecodeError:
        raise SpecError((Problem(file, 1, 1, "(file)", "is not UTF-8 text"),)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = f"is not YAML: {error.problem}"
        raise SpecError((Problem(file, line, column, "(file)", what),)) from None
    except yaml.YAMLError as error:
        raise SpecError((Problem(file, 1, 1, "(file)", f"is not YAML: {error}"),)) from None
    marks: dict[YamlPath, tuple[int, int]] = {}
    repeated: list[Problem] = []
    value = _convert(node, (), file, marks, repeated)
    if repeated:
        raise SpecError(tuple(repeated))
    return YamlText(file, value, marks)


def _convert(
    node: yaml.Node | None,
    path: YamlPath,
    file: str,
    marks: dict[YamlPath, tuple[int, int]],
    repeated: list[Problem],
) -> Any:
    if node is None:
        return None
    marks[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            at = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if key in result:
                field = ".".join(map(str, (*path, key)))
                repeated.append(Problem(file, *at, field, "is given twice", "keep one of them"))
                continue
            result[key] = _convert(value_node, (*path, key), file, marks, repeated)
            marks[(*path, key)] = at
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _convert(item, (*path, index), file, marks, repeated)
            for index, item in enumerate(node.value)
        ]
    return None if node.tag == _NULL else str(node.value)
