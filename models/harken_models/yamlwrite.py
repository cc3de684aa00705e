"""Texts as YAML scalars."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z_\u4e00-\u9fff][\w./()-]*(?: [\w./()-]+)*")
_WORDS_OF_YAML = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def quoted(text: str) -> str:
    """A text as a YAML scalar that every reader takes for that text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    escaped = escaped.replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def listed(texts: Iterable[str]) -> str:
    """A YAML list of texts in one line."""
    return f"[{', '.join(map(quoted, texts))}]"
