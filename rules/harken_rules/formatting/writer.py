"""A tree with its comments as text, in the one layout."""

from __future__ import annotations

from dataclasses import dataclass

from harken_rules.formatting.layouts import Layout
from harken_rules.formatting.tree import Entry, Group, Tree, Word
from harken_rules.formatting.words import written
from harken_rules.hints import columns

WIDTH = 100
"""Characters on a line, where a line can be broken at all; comments may go beyond."""

_STEP = 2
_MOST_FILLED = 2


@dataclass(slots=True)
class _Line:
    code: str
    comment: str = ""


def write(root: Group, layout: Layout) -> str:
    """The text of the file whose tree is ``root``."""
    writer = _Writer()
    head = _head_of(root, layout)
    for comment in head:
        writer.remark(comment, 0)
    writer.group(root, layout, 0)
    return writer.text()


def _head_of(root: Group, layout: Layout) -> list[str]:
    """The comment at the file's top, which stays there whichever key comes first.

    It is taken off the first key; after a blank line a second comment is about that key itself.
    """
    if not root.entries:
        return []
    first = root.entries[0]
    above = first.above
    end = len(above) - 1 - above[::-1].index("") if "" in above[1:] else len(above)
    if layout.ordered(root)[0] is first:
        return []
    first.above = above[end:]
    return above[:end]


class _Writer:
    def __init__(self) -> None:
        self._lines: list[_Line] = []

    def text(self) -> str:
        lines = self._lines
        while lines and not (lines[0].code or lines[0].comment):
            lines.pop(0)
        start = 0
        while start < len(lines):
            end = start
            while end < len(lines) and lines[end].code and lines[end].comment:
                end += 1
            widest = max((columns(one.code) for one in lines[start:end]), default=0)
            for one in lines[start:end]:
                one.code += " " * (widest - columns(one.code) + 2)
            start = end + 1
        return "".join(f"{one.code}{one.comment}\n" for one in lines)

    def remark(self, comment: str, indent: int) -> None:
        """A comment on a line of its own, or a blank line."""
        if comment:
            self._lines.append(_Line("", " " * indent + comment))
        elif self._lines and (self._lines[-1].code or self._lines[-1].comment):
            self._lines.append(_Line(""))

    def group(self, group: Group, layout: Layout, indent: int) -> None:
        """Every entry of a block, and the comments that end it."""
        for place, entry in enumerate(layout.ordered(group)):
            self._entry(entry, layout, indent, first=place == 0)
        for comment in group.below:
            if comment or layout.loose:
                self.remark(comment, indent)

    def _entry(self, entry: Entry, layout: Layout, indent: int, *, first: bool) -> None:
        inner, value = layout.of(entry), entry.value
        _raise_remarks(entry, inner)
        lead = " " * indent + ("-" if entry.key is None else f"{written(entry.key)}:")
        lines = None if isinstance(value, Word) else _compact(f"{lead} ", value, inner)
        as_block = isinstance(value, Group) and lines is None
        above, beside = _remarks(entry, layout, first=first, dashed=as_block and entry.key is None)
        for comment in above:
            self.remark(comment, indent)
        if isinstance(value, Word):
            self._word(lead, value, beside, indent, braces=not layout.block)
        elif lines is not None:
            self._lines += [_Line(line) for line in lines]
            self._lines[-1].comment = beside
        elif entry.key is not None:
            self._lines.append(_Line(lead, beside))
            self.group(value, inner, indent + _STEP)
        else:
            self._item(value, inner, indent)

    def _word(self, lead: str, word: Word, beside: str, indent: int, *, braces: bool) -> None:
        if word.raw is None:
            self._lines.append(_Line(f"{lead} {written(word, braces=braces)}".rstrip(), beside))
            return
        header, *rest = word.raw
        self._lines.append(_Line(f"{lead} {header}", beside))
        before = " " * (indent + _STEP)
        self._lines += [_Line(before + line if line else "") for line in rest]

    def _item(self, group: Group, layout: Layout, indent: int) -> None:
        """A mapping in a list: its first key stands beside the dash."""
        start = len(self._lines)
        self.group(group, layout, indent + _STEP)
        line = self._lines[start]
        line.code = f"{line.code[:indent]}- {line.code[indent + _STEP :]}"


def _raise_remarks(entry: Entry, layout: Layout) -> None:
    """Put what stands over the first key of a list's item over the item, whose line it begins."""
    value = entry.value
    if entry.key is not None or not isinstance(value, Group) or not value.entries:
        return
    first = layout.ordered(value)[0]
    _raise_remarks(first, layout.of(first))
    above = [one for one in [*first.above, *first.beside[:-1]] if one]
    if isinstance(first.value, Group) and not first.value.entries:
        above += [one for one in first.value.below if one]
        first.value.below = []
    first.above, first.beside = [], first.beside[-1:]
    if above:
        kept = 1 if value.flow else 0  # what stands beside a block's dash comes before
        raised = len(entry.beside) - kept
        entry.above += [*entry.beside[:raised], *above]
        entry.beside = entry.beside[raised:]


def _remarks(entry: Entry, layout: Layout, *, first: bool, dashed: bool) -> tuple[list[str], str]:
    """What stands above the entry, and the one comment beside it.

    ``dashed``: a block begins right beside the entry's dash, so there is no room for a comment.
    """
    value = entry.value
    above, beside = list(entry.above), list(entry.beside)
    kept = beside[-1] if beside and not dashed else ""
    above += beside if dashed else beside[:-1]
    if isinstance(value, Group) and not value.entries:
        above += [one for one in value.below if one]
        value.below = []
    if not layout.loose:
        above = [one for one in above if one]
    elif first and not any(above):
        above = []
    return above, kept


def _on_a_line(group: Group, layout: Layout) -> bool:
    """Whether a group may stand on one line as far as its content goes."""
    if not group.entries:
        return True
    if layout.block or group.below or (layout.bare and len(group.entries) == 1):
        return False
    for entry in group.entries:
        if any(entry.above) or entry.beside:
            return False
        value = entry.value
        if isinstance(value, Group):
            if not _on_a_line(value, layout.of(entry)):
                return False
        elif value.raw is not None or (value.plain and not value.text):
            return False
    return True


def _compact(lead: str, group: Group, layout: Layout) -> list[str] | None:
    """The group in braces or brackets on one line, or on some if it is a list; None: as a block."""
    if not _on_a_line(group, layout):
        return None
    line = lead + _flow(group, layout)
    if len(line) <= WIDTH:
        return [line]
    if not layout.fill and not _is_list(group):
        return None
    filler = _Filler(lead)
    filler.put(group, layout, "")
    fits = len(filler.lines) <= _MOST_FILLED or _is_list(group)
    return filler.lines if fits else None


def _is_list(group: Group) -> bool:
    """A list of single values, or a mapping of one key to such a list (``not``, ``contains``)."""
    if group.mapping and len(group.entries) == 1:
        value = group.entries[0].value
        return isinstance(value, Group) and not value.mapping and _is_list(value)
    return not group.mapping and all(isinstance(one.value, Word) for one in group.entries)


def _flow(tree: Tree, layout: Layout) -> str:
    if isinstance(tree, Word):
        return written(tree)
    opening, closing = ("{", "}") if tree.mapping else ("[", "]")
    parts = (_key(entry) + _flow(entry.value, layout.of(entry)) for entry in layout.ordered(tree))
    return opening + ", ".join(parts) + closing


def _key(entry: Entry) -> str:
    return "" if entry.key is None else f"{written(entry.key)}: "


class _Filler:
    """Fills lines, each going on under the bracket that is still open."""

    def __init__(self, lead: str) -> None:
        self.lines = [lead]

    def put(self, tree: Tree, layout: Layout, tail: str) -> None:
        """Write ``tree`` and what must stand right after it."""
        text = _flow(tree, layout) + tail
        if isinstance(tree, Word) or len(self.lines[-1]) + len(text) <= WIDTH:
            self.lines[-1] += text
            return
        opening, closing = ("{", "}") if tree.mapping else ("[", "]")
        self.lines[-1] += opening
        column = len(self.lines[-1])
        entries = layout.ordered(tree)
        for place, entry in enumerate(entries):
            end = closing + tail if place == len(entries) - 1 else ","
            inner = layout.of(entry)
            whole = _key(entry) + _flow(entry.value, inner) + end
            if place and len(self.lines[-1]) + 1 + len(whole) > WIDTH:
                self.lines.append(" " * column)
            elif place:
                self.lines[-1] += " "
            self.lines[-1] += _key(entry)
            self.put(entry.value, inner, end)
