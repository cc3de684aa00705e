"""What a replay has done so far, kept so that nothing is lost or done twice.

``OUT.partial/`` holds the rows (``rows.csv``) and rejects written so far and
``journal.jsonl``: first what is replayed (digests of IN and the specification ...), then
a line for each checkpoint: how many rows of IN are done and how long both files were at
that moment. A resumed replay cuts both files back to the last whole checkpoint. When all
rows are done the rejects and then OUT appear under their own names, each at once.
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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harken_client.replay.errors import ReplayError
from harken_client.replay.outcome import COLUMNS, REJECT_COLUMNS

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two replays the same: digests of IN and specification, and the options."""

    input_digest: str
    spec_digest: str
    language: str
    limit: int | None
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first ``rows`` rows of IN are done; sizes in bytes; ``seconds`` of work in all."""

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


class Journal:
    """The work folder of one replay; a context manager. ``state`` is what is written."""

    def __init__(self, out: Path, checkpoint_seconds: float = 1.0) -> None:
        self.out = out
        self.rejects_path = rejects_path(out)
        self.folder = out.with_name(f"{out.name}.partial")
        self.rows_path = self.folder / "rows.csv"
        self.state = Checkpoint()
        self._journal_path = self.folder / "journal.jsonl"
        self._spool_rejects_path = self.folder / "rejects.csv"
        self._interval = checkpoint_seconds
        self._files: list[IO[bytes]] = []

    def open(self, identity: Identity, *, restart: bool = False) -> None:
        """Begin, or go on from the last checkpoint.

        Raises :class:`ReplayError` if the folder holds another replay.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            log = self._journal_path.open("a+b")
            self._files = [log]
            _lock(log, self.folder)
            log.seek(0)
            # What a crash left of its last line is no line.
            *lines, _ = (b"" if restart else log.read()).split(b"\n")
            log.truncate(sum(len(line) + 1 for line in lines))
            if lines:
                _compare(json.loads(lines[0]), identity, self.folder)
                self.state = Checkpoint(**json.loads(lines[-1])) if lines[1:] else Checkpoint()
            else:
                self._log(dataclasses.asdict(identity))
            rows = self._spool(self.rows_path, self.state.rows_size, COLUMNS)
            rejects = self._spool(self._spool_rejects_path, self.state.rejects_size, REJECT_COLUMNS)
        except OSError as error:
            raise ReplayError(f"cannot write {self.folder}: {error.strerror}") from None
        except (ValueError, TypeError):
            raise ReplayError(f"{self._journal_path} is damaged; add --restart") from None
        self._files += [rows, rejects]
        self._begun = time.monotonic() - self.state.seconds
        self._saved = time.monotonic()
        if not self.state.rows_size:
            self.state = dataclasses.replace(
                self.state, rows_size=rows.tell(), rejects_size=rejects.tell()
            )

    def append(self, count: int, rows: bytes, rejects: bytes, rejected: int) -> None:
        """Add the outcome of the next ``count`` rows of IN: encoded lines of both files."""
        _, rows_file, rejects_file = self._files
        rows_file.write(rows)
        rejects_file.write(rejects)
        self.state = dataclasses.replace(
            self.state,
            rows=self.state.rows + count,
            rejects=self.state.rejects + rejected,
            rows_size=self.state.rows_size + len(rows),
            rejects_size=self.state.rejects_size + len(rejects),
            seconds=time.monotonic() - self._begun,
        )
        if time.monotonic() - self._saved >= self._interval:
            self.checkpoint()

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

    def checkpoint(self) -> None:
        """Make everything appended so far durable."""
        if not self._files:
            return  # all is published
        for file in self._files[1:]:
            file.flush()
            os.fsync(file.fileno())
        self._log(dataclasses.asdict(self.state))
        self._saved = time.monotonic()

    def finish(self, make: Callable[[Path, Path], None]) -> None:
        """Publish rejects and OUT. ``make(rows_csv, target)`` writes OUT's own format.

        Until OUT is there everything stays in the folder, so a crash in here costs nothing.
        """
        _publish(self._spool_rejects_path, self.rejects_path, shutil.copyfile)
        _publish(self.rows_path, self.out, make)
        self.discard()

    def discard(self) -> None:
        """Remove the folder, the journal first: without it nothing is there to resume."""
        self._close()
        self._journal_path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        while self._files:
            self._files.pop().close()

    def _log(self, entry: dict[str, object]) -> None:
        log = self._files[0]
        log.write(json.dumps(entry).encode() + b"\n")
        log.flush()
        os.fsync(log.fileno())

    @staticmethod
    def _spool(path: Path, size: int, header: Sequence[str]) -> IO[bytes]:
        if size and path.stat().st_size < size:
            raise ValueError
        file = path.open("r+b" if size else "wb")
        file.truncate(size)
        file.seek(size)
        if not size:
            file.write(csv_lines([header]))
        return file


def _publish(source: Path, target: Path, make: Callable[[Path, Path], object]) -> None:
    temporary = source.with_name(f"final{target.suffix}")
    make(source, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)


def _compare(begun: dict[str, object], identity: Identity, folder: Path) -> None:
    names = {
        "input_digest": "IN has changed",
        "spec_digest": "the specification has changed",
        "language": "another --language was asked for",
        "limit": "another --limit was asked for",
        "format": "another version of this command began it",
    }
    changes = [words for name, words in names.items() if begun.get(name) != getattr(identity, name)]
    if changes:
        raise ReplayError(
            f"{folder} holds an unfinished replay that cannot go on: {' and '.join(changes)}.\n"
            "Add --restart to begin anew."
        )


def _lock(file: IO[bytes], folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on this platform
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ReplayError(f"another replay is writing to {folder}") from None
