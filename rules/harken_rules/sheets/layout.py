"""New YAML in the layout of the shipped rule base: short things in braces, long ones below."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import yaml

from harken_rules.diagnostics import Report
from harken_rules.formatting import format_text
from harken_rules.sheets.document import LINE_BREAK
from harken_rules.sheets.plain import Plain, as_list

WIDTH = 100

_ANY_DECISION = "decisions/any.yaml"
_SURELY_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./%+-]*")


def scalar(text: str) -> str:
    """``text`` so that YAML reads it back: without quotes where it can, inside braces too."""
    if _SURELY_PLAIN.fullmatch(text) or (text != "<<" and _reads_back(text)):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(ch if ch.isprintable() else _escaped(ch) for ch in quoted)


def flow(value: Plain) -> str:
    """``value`` on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    return scalar(value)


def entry(key: str, value: Plain, indent: int) -> str:
    """``key: value`` below ``indent`` spaces, which stand before each line but the first."""
    line = f"{scalar(key)}: {flow(value)}"
    if isinstance(value, str) or (indent + len(line) <= WIDTH and not _wants_block(value)):
        return line
    wrapped = _wrapped(scalar(key) + ": ", value, indent)
    if wrapped is not None:
        return wrapped
    pad = "\n" + " " * (indent + 2)
    if isinstance(value, list):
        return f"{scalar(key)}:" + "".join(f"{pad}- {item(one, indent + 4)}" for one in value)
    below = (entry(k, v, indent + 2) for k, v in value.items())
    return f"{scalar(key)}:" + "".join(f"{pad}{one}" for one in below)


def item(value: Plain, indent: int) -> str:
    """An item of a block list behind its dash; ``indent``: the column behind the dash."""
    line = flow(value)
    if not isinstance(value, dict) or not value:
        return line
    short = indent + len(line) <= WIDTH and not _wants_block(value)
    if short and (len(value) > 1 or isinstance(next(iter(value.values())), list)):
        return line if len(value) > 1 else line[1:-1]
    return block(value, indent)


def block(value: Mapping[str, Plain], indent: int) -> str:
    """A mapping, one key a line; the first line without the ``indent``."""
    return ("\n" + " " * indent).join(entry(k, v, indent) for k, v in value.items())


def rule(value: Mapping[str, Plain], indent: int) -> str:
    """A rule with its dash, which ``indent`` spaces stand before; ends in a line break."""
    draft = f"{' ' * indent}- {block(value, indent + 2)}\n"
    if indent != 2:
        return draft
    head = "rules:\n"
    return formatted(head + draft, _ANY_DECISION).removeprefix(head)


def formatted(text: str, file: str) -> str:
    """``text`` as ``harken rules fmt`` has it; as it is if that cannot be."""
    done = format_text(text.encode(), file, Report())
    return text if done is None else done.decode()


def remark(text: str, indent: int) -> str:
    """Comment lines, a blank line where ``text`` has one; ends in a line break unless empty."""
    pad = " " * indent
    lines = ["".join(ch for ch in one if ch.isprintable()) for one in LINE_BREAK.split(text)]
    return "".join(f"{pad}# {line}".rstrip() + "\n" if line else "\n" for line in lines if text)


def _wants_block(value: Plain) -> bool:
    """Whether ``value`` holds lists of mappings, which are hard to read on one line."""
    if isinstance(value, dict):
        return any(_wants_block(one) for one in value.values())
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _wrapped(start: str, value: Plain, indent: int) -> str | None:
    """A long list of single values over several lines in brackets; None for anything else."""
    end = ""
    while isinstance(value, dict) and len(value) == 1 and "not" in value:
        (key, value), start, end = next(iter(value.items())), start + "{", end + "}"
        start += f"{key}: "
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    lines, pad = [start + "["], " " * (len(start) + 1)
    for one in [flow(one) for one in as_list(value)]:
        if len(lines[-1].strip()) > len(pad) and indent + len(lines[-1]) + len(one) + 2 > WIDTH:
            lines.append(pad)
        lines[-1] += f"{one}, "
    text = ("\n" + " " * indent).join(line.rstrip() for line in lines)
    return text.removesuffix(",") + "]" + end


def _reads_back(text: str) -> bool:
    if not text or not text.isprintable() or text != text.strip():
        return False
    try:
        found = yaml.compose(f"{{{text}: [{text}, {text}]}}", Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    pairs = found.value if isinstance(found, yaml.MappingNode) else []
    if len(pairs) != 1 or not isinstance(pairs[0][1], yaml.SequenceNode):
        return False
    read = [pairs[0][0], *pairs[0][1].value]
    return len(read) == 3 and all(
        isinstance(one, yaml.ScalarNode) and one.value == text and not one.style for one in read
    )


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
