"""How a single value is written: plain where YAML lets it be, otherwise in double quotes.

What would need quotes inside braces has them wherever braces may stand, so that a label is written
the same way on one line and on two. Quotes that keep another program from taking a text for a
number or for true and false stay; a number stays as it was written.
"""

from __future__ import annotations

import re

from harken_rules.formatting.tree import Word

_FIRST = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=<~]|-(?=[^\s\-,\[\]{}])")
_NEVER = re.compile(r"[:\t]|\s#|\s$|^---|^\.\.\.")
_NEVER_IN_BRACES = re.compile(r"[,\[\]{}]")
_OTHER_TYPE = re.compile(
    r"(?i:true|false|yes|no|on|off|y|n|null|~|)|[-+]?[.]?[0-9][0-9.,_:eE+-]*|[-+]?\.(?i:inf|nan)|0[xo]\S*"
)
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def written(word: Word, *, braces: bool = True) -> str:
    """``word`` on one line; ``braces``: whether it may stand inside braces or brackets."""
    if word.plain and not word.text:
        return ""
    if _may_be_plain(word, braces):
        return word.text
    return '"' + "".join(_escaped(character) for character in word.text) + '"'


def _may_be_plain(word: Word, braces: bool) -> bool:
    text = word.text
    if not word.plain and _OTHER_TYPE.fullmatch(text):
        return False
    if not (text.isprintable() and _FIRST.match(text)) or _NEVER.search(text):
        return False
    return not (braces and _NEVER_IN_BRACES.search(text))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable() or character == "\u3000":
        return character
    code = ord(character)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
