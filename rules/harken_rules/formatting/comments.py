"""Comments found between the words of a text, and put with the entry they belong to.

A comment beside something stays beside it. One on a line of its own belongs to what follows,
unless it is indented deeper than that: then it ends the block that stands before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from harken_rules.formatting.tree import LINE_BREAK, Entry, Group, Spot, Tree, Word


def place_comments(text: str, root: Group, words: Sequence[Word]) -> None:
    """Hang every comment and blank line of ``text`` on the tree ``root``."""
    lines = LINE_BREAK.split(text)
    for line, column, comment in _comments(lines, words):
        if lines[line][:column].strip():
            _put_beside(root, (line, column), comment)
        else:
            above = ["", comment] if _blank(lines, line - 1) else [comment]
            _put_above(root, (line, column), above)
    _mark_blanks(root, lines, -1)


def _comments(lines: Sequence[str], words: Sequence[Word]) -> Iterator[tuple[int, int, str]]:
    covered: dict[int, list[tuple[int, int]]] = {}
    for word in words:
        if word.raw is not None or _is_block(lines, word):
            header = word.start[1]
            while lines[word.start[0]][header : header + 1] not in ("", " ", "\t", "#"):
                header += 1
            covered.setdefault(word.start[0], []).append((word.start[1], header))
            rest = range(word.start[0] + 1, word.end[0] + (1 if word.end[1] else 0))
            spans = [(line, 0, len(lines[line])) for line in rest if line < len(lines)]
        else:
            spans = list(_spans(lines, word))
        for line, start, end in spans:
            covered.setdefault(line, []).append((start, end))
    for line, content in enumerate(lines):
        column = content.find("#")
        while column >= 0:
            inside = [end for start, end in covered.get(line, ()) if start <= column < end]
            if not inside:
                yield line, column, content[column:].rstrip()
                break
            column = content.find("#", max(inside))


def _is_block(lines: Sequence[str], word: Word) -> bool:
    return not word.plain and lines[word.start[0]][word.start[1] : word.start[1] + 1] in ("|", ">")


def _spans(lines: Sequence[str], word: Word) -> Iterator[tuple[int, int, int]]:
    for line in range(word.start[0], word.end[0] + 1):
        start = word.start[1] if line == word.start[0] else 0
        end = word.end[1] if line == word.end[0] else len(lines[line])
        yield line, start, end


def _put_beside(root: Group, spot: Spot, comment: str) -> None:
    group, holder = root, None
    while True:
        entry = _last_before(group, spot)
        if entry is None:
            first = holder or (group.entries[0] if group.entries else None)
            if holder is not None:
                holder.beside.append(comment)
            elif first is not None:
                first.above.append(comment)
            else:
                group.below.append(comment)
            return
        value = entry.value
        if not isinstance(value, Group) or not _within(value, spot):
            entry.beside.append(comment)
            return
        group, holder = value, entry


def _put_above(root: Group, spot: Spot, above: list[str]) -> None:
    """``above``: the comment, after an empty text if there is a blank line over it."""
    chain, group = [root], root
    while (entry := _last_before(group, spot)) is not None:
        value = entry.value
        if value.start > spot:  # between a key and its value
            if isinstance(value, Group) and not value.flow:
                value.entries[0].above += above
            else:  # what stands beside the key was said before this
                entry.above += [*entry.beside, *above]
                entry.beside.clear()
            return
        if not isinstance(value, Group) or not _within(value, spot):
            break
        group = value
        chain = [group] if group.flow else [*chain, group]
    following = ((one, _first_after(one, spot)) for one in reversed(chain))
    next_one = next(((one, entry) for one, entry in following if entry is not None), None)
    if next_one is not None:
        still_open, entry = next_one
        if still_open.flow or spot[1] <= still_open.column:
            entry.above += above
            return
        closed = chain[next(i for i, one in enumerate(chain) if one is still_open) + 1 :]
    else:
        closed = chain
    ended = [one for one in closed if one.flow or one.column <= spot[1]]
    if ended:
        ended[-1].below += above
    elif next_one is not None:
        next_one[1].above += above
    else:
        root.below += above


def _last_before(group: Group, spot: Spot) -> Entry | None:
    place = bisect_left(group.entries, spot, key=_start)
    return group.entries[place - 1] if place else None


def _first_after(group: Group, spot: Spot) -> Entry | None:
    place = bisect_right(group.entries, spot, key=_start)
    return group.entries[place] if place < len(group.entries) else None


def _start(entry: Entry) -> Spot:
    return entry.start


def _within(group: Group, spot: Spot) -> bool:
    """Whether ``spot`` is after a group's start, and in a flow group before its end."""
    return group.start < spot and (not group.flow or spot < group.end)


def _mark_blanks(tree: Tree, lines: Sequence[str], dash: int) -> None:
    """Remember the blank line over each entry of a block; ``dash``: the line of its own dash."""
    if not isinstance(tree, Group):
        return
    for entry in tree.entries:
        if not tree.flow and entry.start[0] != dash and _blank(lines, entry.start[0] - 1):
            entry.above.append("")
        _mark_blanks(entry.value, lines, -1 if tree.mapping else entry.start[0])


def _blank(lines: Sequence[str], line: int) -> bool:
    return 0 <= line < len(lines) and not lines[line].strip()
