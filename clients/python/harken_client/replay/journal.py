"""What a replay has done so far, kept so that nothing is lost or done twice.

``OUT.partial/`` is the work folder. ``journal.jsonl`` in it says first what is replayed
(digests of IN and the specification ...), then what is done: whatever a line there names is
durable. Replays that go row by row keep their rows as :class:`RowSpool`, those that go by
columns as :class:`~harken_client.replay.parts.PartSpool`. When all rows are done the rejects
and then OUT appear under their own names, each at once.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import os
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from harken_client.replay.errors import ReplayError
from harken_client.replay.outcome import COLUMNS, REJECT_COLUMNS

FORMAT = 2
ROWS, PARTS, COMPILED = "rows", "columns", "columns, compiled"
"""Ways whose work cannot be mixed. With a server and without one, columns are the same."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two replays the same: digests of IN and specification, options and way."""

    input_digest: str
    spec_digest: str
    language: str
    limit: int | None
    way: str = ROWS
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """So many ``rows`` of IN are done; sizes in bytes; ``seconds`` of work in all."""

    rows: int = 0
    rejects: int = 0
    rows_size: int = 0
    rejects_size: int = 0
    seconds: float = 0.0
    rule_base_digest: str = ""
    model_digest: str = ""


def digest(path: Path | None) -> str:
    """``sha256:`` digest of a file's bytes; empty for no file."""
    if path is None:
        return ""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def csv_lines(rows: Iterable[Sequence[object]]) -> bytes:
    """Encoded lines of CSV. What is no UTF-8 (in the id of a reject) is shown as escapes."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode("utf-8", "backslashreplace")


def rejects_path(out: Path) -> Path:
    """Where the rejects of a replay to ``out`` go."""
    return out.with_name(f"{out.stem}.rejects.csv")


def work_folder(out: Path) -> Path:
    """Where an unfinished replay to ``out`` keeps what is done."""
    return out.with_name(f"{out.name}.partial")


def begun_way(out: Path) -> str | None:
    """The way an unfinished replay to ``out`` goes; None where there is none, or it is damaged."""
    try:
        with (work_folder(out) / "journal.jsonl").open("rb") as file:
            way = json.loads(file.readline()).get("way")
    except (OSError, ValueError, AttributeError):
        return None
    return way if isinstance(way, str) else None


class Spool(ABC):
    """The work folder of one replay; a context manager. ``state`` is what is written."""

    def __init__(self, out: Path, checkpoint_seconds: float = 1.0) -> None:
        self.out = out
        self.rejects_path = rejects_path(out)
        self.folder = work_folder(out)
        self.state = Checkpoint()
        self._journal_path = self.folder / "journal.jsonl"
        self._interval = checkpoint_seconds
        self._log_file: IO[bytes] | None = None

    @abstractmethod
    def _load(self, entries: Sequence[dict[str, Any]]) -> None:
        """Go on from the journal's entries; ValueError if the folder does not fit them."""

    @abstractmethod
    def checkpoint(self) -> None:
        """Make everything appended so far durable."""

    def open(self, identity: Identity, *, restart: bool = False) -> None:
        """Begin, or go on from the last checkpoint.

        Raises :class:`ReplayError` if the folder holds another replay.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            log = self._log_file = self._journal_path.open("a+b")
            _lock(log, self._journal_path)
            log.seek(0)
            # What a crash left of its last line is no line.
            *lines, _ = (b"" if restart else log.read()).split(b"\n")
            log.truncate(sum(len(line) + 1 for line in lines))
            if lines:
                _compare(json.loads(lines[0]), identity, self.folder)
            else:
                self._log(dataclasses.asdict(identity))
            self._load([json.loads(line) for line in lines[1:]])
        except OSError as error:
            raise ReplayError(f"cannot write {self.folder}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError):
            raise ReplayError(f"{self._journal_path} is damaged; add --restart") from None
        self._begun = time.monotonic() - self.state.seconds
        self._saved = time.monotonic()

    def _add(self, **counts: int) -> None:
        """Count what was appended; a checkpoint now and then."""
        changes: dict[str, Any] = {n: getattr(self.state, n) + c for n, c in counts.items()}
        seconds = time.monotonic() - self._begun
        self.state = dataclasses.replace(self.state, seconds=seconds, **changes)
        if time.monotonic() - self._saved >= self._interval:
            self.checkpoint()
            self._saved = time.monotonic()

    def served_by(self, rule_base_digest: str, model_digest: str) -> None:
        """Note what scored the rows; :class:`ReplayError` if it is not what scored the others."""
        known = (self.state.rule_base_digest, self.state.model_digest)
        if known == (rule_base_digest, model_digest):
            return
        if any(known):
            raise ReplayError(
                "the target now serves another rule base or model than the one that scored the "
                f"first {self.state.rows:,} rows:\n"
                f"  rule base {known[0]} → {rule_base_digest}\n"
                f"  model     {known[1]} → {model_digest}\n"
                "Serve the former again, or add --restart to begin anew."
            )
        self.state = dataclasses.replace(
            self.state, rule_base_digest=rule_base_digest, model_digest=model_digest
        )

    def _publish(self, target: Path, make: Callable[[Path], object]) -> None:
        """``make`` a file, and give it the name ``target`` when it is whole and durable."""
        temporary = self._temporary(target)
        make(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_names(target.absolute().parent)

    def _temporary(self, target: Path) -> Path:
        return self.folder / f"final-{target.name}"

    def discard(self) -> None:
        """Remove the folder, the journal first: without it nothing is there to resume.

        Whoever waits for the journal's lock finds it gone, and leaves.
        """
        with suppress(OSError):  # while it is locked; some systems keep what is open
            self._journal_path.unlink(missing_ok=True)
        self._close()
        self._journal_path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._log_file is not None:
            _let_go(self._log_file)
            self._log_file = None

    def _log(self, *entries: dict[str, object]) -> None:
        if self._log_file is not None:
            self._log_file.write(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
            self._log_file.flush()
            os.fsync(self._log_file.fileno())


class RowSpool(Spool):
    """Rows in the order of IN, in one file of them (``rows.csv``) and one of the rejects.

    A checkpoint notes how many rows are done and how long both files were at that moment. A
    resumed replay cuts both back to the last one.
    """

    def __init__(self, out: Path, checkpoint_seconds: float = 1.0) -> None:
        super().__init__(out, checkpoint_seconds)
        self.rows_path = self.folder / "rows.csv"
        self._spool_rejects_path = self.folder / "rejects.csv"
        self._files: list[IO[bytes]] = []

    def _load(self, entries: Sequence[dict[str, Any]]) -> None:
        self.state = state = Checkpoint(**entries[-1]) if entries else Checkpoint()
        rows = _continued(self.rows_path, state.rows_size, COLUMNS)
        rejects = _continued(self._spool_rejects_path, state.rejects_size, REJECT_COLUMNS)
        self._files = [rows, rejects]
        if not state.rows_size:
            self.state = dataclasses.replace(
                state, rows_size=rows.tell(), rejects_size=rejects.tell()
            )

    def append(self, count: int, rows: bytes, rejects: bytes, rejected: int) -> None:
        """Add the outcome of the next ``count`` rows of IN: encoded lines of both files."""
        for file, lines in zip(self._files, (rows, rejects), strict=True):
            file.write(lines)
        self._add(rows=count, rejects=rejected, rows_size=len(rows), rejects_size=len(rejects))

    def checkpoint(self) -> None:
        if not self._files:
            return  # all is published
        for file in self._files:
            file.flush()
            os.fsync(file.fileno())
        self._log(dataclasses.asdict(self.state))

    def finish(self, make: Callable[[Path, Path], object]) -> None:
        """Publish rejects and OUT. ``make(rows_csv, target)`` writes OUT's own format.

        Until OUT is there everything stays in the folder, so a crash in here costs nothing.
        """
        spooled = self._spool_rejects_path
        self._publish(self.rejects_path, lambda target: shutil.copyfile(spooled, target))
        self._publish(self.out, lambda target: make(self.rows_path, target))
        self.discard()

    def _close(self) -> None:
        while self._files:
            _let_go(self._files.pop())
        super()._close()


def _let_go(file: IO[bytes]) -> None:
    """Close a file; what a full disk keeps it from writing is in no checkpoint."""
    with suppress(OSError):
        file.close()


def sync_names(folder: Path) -> None:
    """Make the names in a folder durable, where the system has a way."""
    if hasattr(os, "O_DIRECTORY"):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _continued(path: Path, size: int, header: Sequence[str]) -> IO[bytes]:
    if size and path.stat().st_size < size:
        raise ValueError
    file = path.open("r+b" if size else "wb")
    file.truncate(size)
    file.seek(size)
    if not size:
        file.write(csv_lines([header]))
    return file


def _compare(begun: dict[str, object], identity: Identity, folder: Path) -> None:
    names = {
        "input_digest": "IN has changed",
        "spec_digest": "the specification has changed",
        "language": "another --language was asked for",
        "limit": "another --limit was asked for",
        "way": f"it was begun as {begun.get('way')}, not {identity.way} (--via, --compiled)",
        "format": "another version of this command began it",
    }
    changes = [words for name, words in names.items() if begun.get(name) != getattr(identity, name)]
    if changes:
        raise ReplayError(
            f"{folder} holds an unfinished replay that cannot go on: {' and '.join(changes)}.\n"
            "Add --restart to begin anew."
        )


def _lock(file: IO[bytes], path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on this platform
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ReplayError(f"another replay is writing to {path.parent}") from None
    try:
        is_there = os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        is_there = False
    if not is_there:
        raise ReplayError(f"another replay has just ended that wrote to {path.parent}")
