"""Rule bases kept on disk: immutable, named by their digest, with who changed what when and why.

    DIR/lock                            held by the one server that uses DIR
    DIR/revisions/<hex>/revision.json   name, author, message, time, source, sha256 of each file
    DIR/revisions/<hex>/files/**        the rule base as it was sent
    DIR/activations.jsonl               a line each time that another revision was served
    DIR/staging/**                      being written; emptied at the start

A revision appears whole or not at all: it is written aside and renamed. A line of the log that a
crash tore off at the end was never answered to anyone; it is dropped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from harken_server.errors import HarkenServerError, PublishingError, Reason, Violation, clip
from harken_server.rule_files import RuleFile, sync, write, write_files

MIN_DIGITS = 8
"""Hexadecimal digits that name a revision at least."""
PREFIX = "sha256:"
_LOG, _RECORD, _FILES = "activations.jsonl", "revision.json", "files"
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")

_log = structlog.get_logger("harken.revisions")


class Source(StrEnum):
    """Where a revision came from: the folder at the start, an author, the folder watched."""

    START = "start"
    PUBLISHED = "published"
    WATCHED = "watched"


class StoreError(HarkenServerError):
    """The folder of revisions cannot be used."""


@dataclass(frozen=True, slots=True)
class Revision:
    """An immutable rule base that is kept.

    ``activate_time`` is when it became active last; None if it never was.
    """

    digest: str
    name: str
    author: str
    message: str
    create_time: datetime
    source: Source
    active: bool = False
    activate_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """A change of what is served. ``former_digest`` is empty at the first start."""

    digest: str
    former_digest: str
    author: str
    message: str
    activate_time: datetime
    rollback: bool = False


class Store:
    """The revisions in a folder; safe to share between threads, not between processes.

    ``durable`` says whether the folder outlives the server; only then is everything brought to
    the disk at once. Raises ``StoreError`` if the folder cannot be used.
    """

    def __init__(self, root: Path, durable: bool = True) -> None:
        self.root, self.durable = root, durable
        self._guard = threading.RLock()
        try:
            self._revisions, self._staging = root / "revisions", root / "staging"
            root.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(root / "lock")
        except OSError as error:
            raise StoreError(f"revisions: {root} cannot be used: {error.strerror}") from None
        try:
            shutil.rmtree(self._staging, ignore_errors=True)
            for folder in (self._revisions, self._staging):
                folder.mkdir(exist_ok=True)
            self._known = {one.digest: one for one in map(_read, self._revisions.iterdir()) if one}
            self._activations = _read_log(root / _LOG)
        except OSError as error:
            self.close()
            raise StoreError(f"revisions: {root} cannot be used: {error.strerror}") from None

    def close(self) -> None:
        """Let another server have the folder."""
        number, self._lock = self._lock, -1
        if number >= 0:
            os.close(number)

    def stage(self, files: Sequence[RuleFile]) -> Path:
        """Write ``files`` aside, in a folder of their own; ``keep`` or ``discard`` it."""
        folder = self._staging / uuid.uuid4().hex
        try:
            folder.mkdir()
            write_files(folder / _FILES, files, self.durable)
        except OSError as error:
            self.discard(folder / _FILES)
            raise _not_kept(error) from None
        return folder / _FILES

    def discard(self, staged: Path) -> None:
        """Forget what was staged, if it is still there."""
        shutil.rmtree(staged.parent, ignore_errors=True)

    def keep(
        self, staged: Path, digest: str, name: str, author: str, message: str, source: Source
    ) -> tuple[Revision, bool]:
        """Make what was staged a revision; false if there is one of this digest already."""
        with self._guard:
            known = self._known.get(digest)
            if known is not None and self._intact(known):
                return self._told(known), False
            revision = Revision(digest, name, author, message, datetime.now(UTC), source)
            try:
                record = json.dumps(_record(revision, staged), ensure_ascii=False, indent=1)
                write(staged.parent / _RECORD, record.encode(), self.durable)
                place = self._place(digest)
                shutil.rmtree(place, ignore_errors=True)  # a damaged one
                if self.durable:
                    sync(staged.parent)
                staged.parent.rename(place)
                if self.durable:
                    sync(self._revisions)
            except OSError as error:
                raise _not_kept(error) from None
            self._known[digest] = revision
            return revision, True

    def page(self, size: int = 50, token: str = "") -> tuple[list[Revision], str]:
        """Revisions, newest first, and the token for the next page; empty at the end.

        Raises ``PublishingError`` for a token that no answer held.
        """
        with self._guard:
            keys = sorted((one.create_time, one.digest) for one in self._known.values())[::-1]
            if token:
                keys = [key for key in keys if key < _key(token)]
            shown = [self._told(self._known[digest]) for _, digest in keys[:size]]
        more = keys[size - 1] if len(keys) > size else None
        return shown, "" if more is None else f"{more[0].isoformat()}/{more[1]}"

    def find(self, digest: str, field: str = "digest") -> Revision:
        """The revision of a digest or of its beginning; ``field`` of the request is to blame.

        Raises ``PublishingError``.
        """
        if not digest:
            raise _blame(Reason.FIELD_REQUIRED, field, f"{field} is required")
        match = _DIGEST.fullmatch(digest.strip().lower())
        if match is None:
            words = f"{clip(digest)} is no digest; give {MIN_DIGITS} to 64 hexadecimal digits"
            raise _blame(Reason.FIELD_INVALID, field, words)
        with self._guard:
            found = [one for one in self._known if one.startswith(PREFIX + match[1])]
            if len(found) == 1:
                return self._told(self._known[found[0]])
        if not found:
            words = f"no revision has a digest that begins with {match[1]}"
            raise PublishingError(Reason.REVISION_UNKNOWN, words)
        words = f"{len(found)} revisions have a digest that begins with {match[1]}; give more of it"
        raise _blame(Reason.REVISION_AMBIGUOUS, field, words)

    def folder(self, revision: Revision) -> Path:
        """The revision's rule base; raises ``PublishingError`` unless it is as it was kept."""
        self.files(revision)
        return self._place(revision.digest) / _FILES

    def files(self, revision: Revision) -> list[RuleFile]:
        """Its files, sorted by path; raises ``PublishingError`` unless they are as kept."""
        place = self._place(revision.digest)
        try:
            sums: dict[str, str] = json.loads((place / _RECORD).read_bytes())["files"]
            there = {path.relative_to(place / _FILES).as_posix() for path in _all(place / _FILES)}
            files = [RuleFile(path, (place / _FILES / path).read_bytes()) for path in sorted(sums)]
        except (OSError, ValueError, KeyError, TypeError):
            raise _damaged(revision.digest, "its files cannot be read") from None
        changed = [file.path for file in files if _sha256(file.content) != sums[file.path]]
        changed += sorted(there - set(sums))
        if changed:
            words = f"{clip(changed[0])} is not what was kept"
            raise _damaged(revision.digest, words)
        return files

    def _intact(self, revision: Revision) -> bool:
        try:
            self.files(revision)
        except PublishingError as error:
            _log.warning("damaged revision written anew", why=error.message)
            return False
        return True

    def record(self, activation: Activation) -> None:
        """Add a line to the log; raises ``PublishingError`` if the disk does not take it."""
        said = {**_fields(activation), "activate_time": activation.activate_time.isoformat()}
        line = (json.dumps(said, ensure_ascii=False) + "\n").encode()
        with self._guard:
            try:
                _append(self.root / _LOG, line, self.durable)
            except OSError as error:
                raise _not_kept(error) from None
            self._activations.append(activation)

    @property
    def activation(self) -> Activation | None:
        """The last change; None before the first start."""
        with self._guard:
            return self._activations[-1] if self._activations else None

    @property
    def active(self) -> Revision | None:
        """The revision that was served last; None if there was none, or it is gone."""
        with self._guard:
            last = self.activation
            known = self._known.get(last.digest) if last is not None else None
            return None if known is None else self._told(known)

    @property
    def former(self) -> str:
        """The digest that was active before the present one; empty if there was none.

        A rollback takes back the change it undoes: after A, B, C and a rollback to B, A was
        active before B, so that a second rollback goes further back and not to C.
        """
        stack: list[str] = []
        with self._guard:
            for each in self._activations:
                if each.rollback and stack:
                    stack.pop()
                if not stack or stack[-1] != each.digest:
                    stack.append(each.digest)
        return stack[-2] if len(stack) > 1 else ""

    def _told(self, revision: Revision) -> Revision:
        """With whether and since when it is active."""
        times = [a.activate_time for a in self._activations if a.digest == revision.digest]
        last = self.activation
        active = last is not None and last.digest == revision.digest
        return replace(revision, active=active, activate_time=times[-1] if times else None)

    def _place(self, digest: str) -> Path:
        return self._revisions / digest.removeprefix(PREFIX)


def _locked(path: Path) -> int:
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(number, 0)
        os.write(number, f"{os.getpid()}\n".encode())
    except BlockingIOError:
        holder = os.read(number, 20).decode(errors="replace").strip()
        os.close(number)
        words = f"is used by another server (process {holder or 'unknown'})"
        raise StoreError(f"revisions: {path.parent} {words}") from None
    except OSError:  # no locks to be had here, or the disk is full
        os.close(number)
        raise
    return number


def _read(place: Path) -> Revision | None:
    """The revision in ``place``; one that cannot be read is reported and left out."""
    try:
        said = json.loads((place / _RECORD).read_bytes())
        if said["digest"] != PREFIX + place.name or not isinstance(said["files"], dict):
            raise ValueError("it is another one's")
        return Revision(
            digest=str(said["digest"]),
            name=str(said["name"]),
            author=str(said["author"]),
            message=str(said["message"]),
            create_time=_time(said["create_time"]),
            source=Source(said["source"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("revision left out", folder=str(place), why=type(error).__name__)
        return None


def _record(revision: Revision, files: Path) -> dict[str, object]:
    sums = {path.relative_to(files).as_posix(): _sha256(path.read_bytes()) for path in _all(files)}
    own = {name: getattr(revision, name) for name in ("digest", "name", "author", "message")}
    time = revision.create_time.isoformat()
    return {**own, "create_time": time, "source": revision.source.value, "files": sums}


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_log(path: Path) -> list[Activation]:
    """All whole lines; what a crash left of another one is reported and cut off."""
    data = path.read_bytes() if path.exists() else b""
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        _log.warning("torn line dropped", file=str(path), bytes=len(data) - len(whole))
        os.truncate(path, len(whole))
    found = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            said: dict[str, Any] = json.loads(line)
            found.append(Activation(**{**said, "activate_time": _time(said["activate_time"])}))
        except (ValueError, KeyError, TypeError) as error:
            why = type(error).__name__
            _log.warning("line left out", file=str(path), line=number, why=why)
    return found


def _append(path: Path, line: bytes, durably: bool) -> None:
    """Add a line, whole or not at all."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(number).st_size
        try:
            written = os.write(number, line)
            if written < len(line):
                raise OSError(28, "No space left on device")
            if durably:
                os.fsync(number)
        except OSError:
            os.ftruncate(number, size)
            raise
    finally:
        os.close(number)
    if durably and not size:
        sync(path.parent)


def _fields(activation: Activation) -> dict[str, object]:
    return {name: getattr(activation, name) for name in Activation.__slots__}


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time before or after all years") from None


def _key(token: str) -> tuple[datetime, str]:
    time, _, digest = token.partition("/")
    try:
        return _time(time), digest
    except ValueError:
        words = "page_token is not one that an answer held"
        raise _blame(Reason.FIELD_INVALID, "page_token", words) from None


def _blame(reason: Reason, field: str, words: str) -> PublishingError:
    return PublishingError(reason, words, violations=[Violation(reason, field, words)])


def _damaged(digest: str, why: str) -> PublishingError:
    words = f"the revision {digest} is damaged: {why}"
    return PublishingError(Reason.REVISION_DAMAGED, words)


def _not_kept(error: OSError) -> PublishingError:
    words = f"the server cannot write to its folder of revisions: {error.strerror}"
    return PublishingError(Reason.STORE_FAILED, words)
