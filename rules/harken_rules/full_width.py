"""Full-width characters where YAML or a code needs the plain ones: the commonest slip in Chinese.

An input method leaves them behind: ``when：{…}`` is no key, ``｛`` opens nothing and ``４８`` is no
number. In texts they are meant, so only what stands where a key, a code or a number goes counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLAIN = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {
    "\u3000": " ",
    "、": ",",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
}
_OPENING = "｛［“"
_SLIP = re.compile("[０-９Ａ-Ｚａ-ｚ．－＿]+|[\u3000：，、｛｝［］“”‘’＂＇]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff]")
_WORD = r"[A-Za-z_][\w-]*"
_AS_SYNTAX = re.compile(
    rf"(?:^|[\s{{\[,，｛［])(?P<quoted>“|‘)?{_WORD}\s*(?P<colon>：)"
    r"|(?:^\s*|[:：,，\[{［｛]\s*|-\s+)(?P<opening>[｛［“‘])"
    rf"|(?P<comma>[，、])(?=\s*{_WORD}\s*[:：]|\s*[{{\[｛［])"
    r"|(?<=[!-~])(?P<between>[，、])(?=\s*[!-~])"
    r"|(?P<closing>[｝］])(?=\s*(?:$|[,，}\]｝］]))"
    "|(?:^[ -]*|[:：,]\\s*)(?P<space>\u3000)",
    re.ASCII,
)
_IN_LIST = re.compile(r"\[[^\[\]{}]*\Z")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|(?:^|(?<=\s))#.*')


def hint_of(found: str) -> str:
    """What to write instead of the full-width ``found``."""
    plain = "".join(_PLAIN[one] for one in found)
    wanted = "a space" if plain == " " else f"'{plain}'"
    if found == "\u3000":
        return f"there is a full-width space here; write {wanted}"
    return f"there is a full-width '{found}' here; write {wanted}"


def in_word(line: str, column: int) -> tuple[int, str] | None:
    """The first full-width slip in the key, code or number at ``column`` (from 1) of ``line``.

    Its column and itself, or None. After an ideograph it may be part of a name, so none is told.
    """
    text = _masked_remarks(line)[column - 1 :]
    end = re.search(r"[,{}\[\]\"'](?!$)|:(?:\s|$)", text[1:])
    word = text[: end.start() + 1] if end else text
    slip = _SLIP.search(word)
    if slip is None or _IDEOGRAPH.search(word, 0, slip.start()):
        return None
    return column + slip.start(), slip.group()


def opens(line: str, column: int) -> tuple[int, str] | None:
    """The slip by which a single text stands at ``column`` where a mapping or list was wanted."""
    text = line[column - 1 :]
    if text[:1] and text[0] in _OPENING:
        return column, text[0]
    key = re.match(rf"{_WORD}\s*(：)", text, re.ASCII)
    return (column + key.start(1), "：") if key else None


def before(lines: Sequence[str], first: int, last: int, column: int) -> tuple[int, int, str] | None:
    """The last slip that YAML trips over, from line ``first`` to ``column`` of line ``last``.

    All count from 1. Line, column and the character; None where quoted texts and remarks alone
    have any.
    """
    for number in range(last, first - 1, -1):
        line = _QUOTED.sub(lambda found: " " * len(found.group()), lines[number - 1])
        for found in reversed(list(_AS_SYNTAX.finditer(line))):
            name = found.lastgroup or ""
            at = found.start(name) + 1
            if name == "between" and not _IN_LIST.search(line, 0, found.start()):
                continue
            if number < last or at <= column:
                return number, at, found[name]
    return None


def swallowed(text: str, key: str) -> str | None:
    """The full-width character that made ``key`` and what follows it a part of ``text``."""
    found = re.search(rf"([，、])\s*{re.escape(key)}\s*：", text)
    return found[1] if found else None


def _masked_remarks(line: str) -> str:
    return _QUOTED.sub(
        lambda found: " " * len(found.group()) if found.group()[0] == "#" else found.group(), line
    )
