"""The files of a rule base as bytes: named safely, bounded, read from a folder, written to one.

What is kept here is decided by names and sizes alone; what the files say is for the child that
vets them.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harken_rules.reading.folder import MAX_FILES, MAX_FOLDERS_DEEP, MAX_TOTAL_BYTES
from harken_rules.source import MAX_FILE_BYTES

from harken_server.errors import PublishingError, Reason, Violation, clip

MAX_PATH = 512
"""Characters of a path."""
MAX_PART_BYTES = 255
"""Bytes of a file's or folder's name: what the usual file systems take."""
SUFFIXES = (".yaml", ".yml")
MAX_TOLD = 20
"""Violations told of one request."""


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A file: ``path`` relative to the rule base's folder, ``/`` between its parts."""

    path: str
    content: bytes


def refuse_unsafe(files: Sequence[RuleFile]) -> None:
    """Raises ``PublishingError`` naming every file that cannot be kept, and why."""
    found = list(_violations(files))
    if found:
        raise PublishingError(found[0].reason, found[0].message, violations=found[:MAX_TOLD])


def _violations(files: Sequence[RuleFile]) -> Iterator[Violation]:
    def violation(field: str, message: str) -> Violation:
        return Violation(Reason.FIELD_INVALID, field, message)

    if not files:
        yield Violation(Reason.FIELD_REQUIRED, "files", "a rule base has at least one file")
    if len(files) > MAX_FILES:
        words = f"{len(files):,} files were sent; a rule base has at most {MAX_FILES:,}"
        yield violation("files", words)
        return
    total = sum(len(file.content) for file in files)
    if total > MAX_TOTAL_BYTES:
        words = f"the files have {total:,} bytes; a rule base has at most {MAX_TOTAL_BYTES:,}"
        yield violation("files", words)
    seen: dict[str, str] = {}
    for number, file in enumerate(files):
        wrong = wrong_with(file.path)
        if wrong:
            yield violation(f"files[{number}].path", f"{clip(ascii(file.path)[1:-1])} {wrong}")
            continue
        if len(file.content) > MAX_FILE_BYTES:
            words = f"{clip(file.path)} has {len(file.content):,} bytes"
            words += f"; {MAX_FILE_BYTES:,} is the most"
            yield violation(f"files[{number}].content", words)
        same = seen.get(_folded(file.path))
        if same is not None:
            words = f"{clip(file.path)} is sent twice"
            if same != file.path:
                words = f"{clip(file.path)} and {clip(same)} are one file on some systems"
            yield violation(f"files[{number}].path", words)
        seen[_folded(file.path)] = file.path
    for number, file in enumerate(files):
        for parent in _parents(_folded(file.path)):
            if parent in seen:
                words = f"{clip(seen[parent])} is a file, and a folder of {clip(file.path)}"
                yield violation(f"files[{number}].path", words)


def wrong_with(path: str) -> str:
    """Why ``path`` names no file of a rule base, to be read after the path; empty if it does."""
    parts = path.split("/")
    if not path:
        return "is empty; a file needs a name"
    if len(path) > MAX_PATH:
        return f"has {len(path):,} characters; at most {MAX_PATH} are allowed"
    if not path.isprintable():
        return "has a control or other invisible character"
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "is absolute; paths are relative to the rule base's folder"
    if "\\" in path or ":" in path:
        return "has a backslash or a colon; the parts of a path are separated by /"
    if ".." in parts:
        return "leaves the rule base's folder"
    if any(part in ("", ".") for part in parts):
        return "has an empty part"
    if any(part.startswith(".") for part in parts):
        return "is hidden; names that begin with a dot are no part of a rule base"
    if len(parts) - 1 > MAX_FOLDERS_DEEP:
        return f"lies {len(parts) - 1} folders deep; {MAX_FOLDERS_DEEP} is the most"
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        return f"has a name of more than {MAX_PART_BYTES} bytes"
    if not path.lower().endswith(SUFFIXES):
        return "is no YAML file; a rule base has .yaml and .yml files only"
    return ""


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def read_files(root: Path) -> list[RuleFile]:
    """The YAML files under ``root``, sorted by path; hidden ones are left out.

    Raises ``PublishingError`` for a folder that cannot be read, that changes its shape meanwhile,
    or that has links leading out of it.
    """
    try:
        home = root.resolve(strict=True)
        if not home.is_dir():
            raise _unusable(f"{root} is not a folder")
        files = [RuleFile(name, (home / name).read_bytes()) for name in _names(home)]
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _unusable(f"{root} cannot be read: {why}") from None
    refuse_unsafe(files)
    return files


def _names(home: Path) -> list[str]:
    """As the reader lists them; a link to a folder that is listed already adds nothing."""
    found: list[str] = []
    total, pending, seen = 0, [""], {home}
    while pending:
        prefix = pending.pop()
        for entry in sorted((home / prefix).iterdir()):
            name, folder = prefix + entry.name, entry.is_dir()
            if entry.name.startswith(".") or not (folder or entry.suffix.lower() in SUFFIXES):
                continue
            real = entry.resolve()
            if not real.is_relative_to(home):
                words = f"{name} is a link that leads out of the rule base's folder"
                raise _unusable(f"{words}; copy here what it leads to")
            if folder:
                if real not in seen and prefix.count("/") < MAX_FOLDERS_DEEP:
                    pending.append(name + "/")
                seen.add(real)
                continue
            if not entry.is_file():
                raise _unusable(f"{name} is not a regular file")
            found.append(name)
            total += entry.stat().st_size
            if len(found) > MAX_FILES or total > MAX_TOTAL_BYTES:
                words = f"more than {MAX_FILES:,} files or {MAX_TOTAL_BYTES:,} bytes of YAML"
                raise _unusable(f"the folder has {words}")
    return sorted(found)


def _unusable(problem: str) -> PublishingError:
    problem = problem.encode(errors="backslashreplace").decode()  # names that are no UTF-8
    return PublishingError(Reason.RULE_BASE_UNSOUND, problem, problems=[problem])


def write_files(folder: Path, files: Sequence[RuleFile], durably: bool) -> None:
    """Write ``files``, for reading only, into the new ``folder``.

    ``durably``: to be there after a power cut.
    """
    folder.mkdir()
    folders = {folder}
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        folders |= {each for each in path.parents if each.is_relative_to(folder)}
        write(path, file.content, durably)
        path.chmod(0o444)
    if durably:
        for each in folders:
            sync(each)


def write(path: Path, content: bytes, durably: bool) -> None:
    """Write a new file."""
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        if durably:
            os.fsync(stream.fileno())


def sync(folder: Path) -> None:
    """See that the names in ``folder`` are on the disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
