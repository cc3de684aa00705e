"""A rule base to start from: the small commented one, or a copy of the shipped one."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harken_rules.diagnostics import Report
from harken_rules.formatting.comments import place_comments
from harken_rules.formatting.layouts import layout_of
from harken_rules.formatting.tree import Group, Tree, Word, tree_of
from harken_rules.formatting.words import written
from harken_rules.formatting.writer import write
from harken_rules.language import Place
from harken_rules.loader import PACKAGE, default_base_path
from harken_rules.reading.folder import HEADER, list_files
from harken_rules.reading.shapes import as_code
from harken_rules.source import Scalar

LANGUAGES = ("en", "zh")
"""The languages that both bases are written in."""

TEMPLATE = PACKAGE / "template"

_CHINESE = re.compile("[\u3400-\u9fff]")


class NotEmptyError(Exception):
    """The folder holds something already."""


def start(folder: Path, *, full: bool = False, languages: Sequence[str] = LANGUAGES) -> list[str]:
    """Write a sound rule base into ``folder``, which is made if it is not there.

    ``full``: the shipped rule base as it is; otherwise a small one, named after the folder.
    ``languages``: those of its labels, and of the small one's comments. Answers the names of the
    files, sorted. Raises NotEmptyError (hidden files do not count), OSError; then nothing is
    written.
    """
    if folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir()):
        raise NotEmptyError(str(folder))
    source = default_base_path() if full else TEMPLATE
    names = list_files(source, Report())
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Within a folder that is there: the one above it may belong to others, or to another disk.
    beside = folder if folder.is_dir() else folder.parent
    made = Path(tempfile.mkdtemp(dir=beside, prefix=".harken-"))
    try:
        for name in names:
            text = (source / name).read_text(encoding="utf-8")
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = _adapted(text, name, folder, full=full, languages=tuple(languages))
            path.write_text(text, encoding="utf-8", newline="\n")
        folder.mkdir(exist_ok=True)
        _move_all(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return names


def _move_all(made: Path, folder: Path) -> None:
    """Move all that is in ``made`` into ``folder``, or nothing."""
    moved: list[Path] = []
    try:
        for one in sorted(made.iterdir()):
            moved.append(one.rename(folder / one.name))
    except OSError:
        for one in moved:
            one.rename(made / one.name)
        raise


def _adapted(text: str, name: str, folder: Path, *, full: bool, languages: tuple[str, ...]) -> str:
    if not full and len(languages) == 1:
        text = _comments_in(text, languages[0])
    if not full and name == HEADER:
        text = text.replace("name: starter\n", f"name: {_name_of(folder)}\n", 1)
    return text if set(languages) == set(LANGUAGES) else _labels_in(text, name, languages)


def _name_of(folder: Path) -> str:
    """The folder's name as the rule base's, if it may be one."""
    name = folder.resolve().name
    if as_code(Scalar(Place(HEADER, 1, 1), name, False), "the name", Report()) is None:
        return "starter"
    return written(Word(name, False, (0, 0), (0, 0)))


def _comments_in(text: str, language: str) -> str:
    """Without the comment lines in the other language."""

    def is_other(line: str) -> bool:
        return line.lstrip().startswith("#") and bool(_CHINESE.search(line)) != (language == "zh")

    return "".join(line for line in text.splitlines(keepends=True) if not is_other(line))


def _labels_in(text: str, name: str, languages: tuple[str, ...]) -> str:
    """With labels in these languages only."""
    root, words = tree_of(text)
    layout = layout_of(name, root)
    if not isinstance(root, Group) or layout is None:
        return text
    place_comments(text, root, words)
    _prune(root, languages)
    return write(root, layout)


def _prune(tree: Tree, languages: tuple[str, ...]) -> None:
    if not isinstance(tree, Group):
        return
    keys = {one.key.text for one in tree.entries if one.key}
    if tree.mapping and keys and keys <= set(LANGUAGES):
        tree.entries = [one for one in tree.entries if one.key and one.key.text in languages]
    for entry in tree.entries:
        if entry.key is not None and entry.key.text == "languages":
            _keep(entry.value, languages)
        _prune(entry.value, languages)


def _keep(tree: Tree, languages: tuple[str, ...]) -> None:
    if isinstance(tree, Group):
        tree.entries = [
            one
            for one in tree.entries
            if isinstance(one.value, Word) and one.value.text in languages
        ]
