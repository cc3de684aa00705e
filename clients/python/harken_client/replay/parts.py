"""The spool of a replay by columns: a file for each slice of IN, finished in any order.

A part file holds three sections, one after the other: what OUT says of the slice's rows (lines
of CSV, or an Arrow stream where OUT is Parquet), what the summary counts of them (an Arrow
stream), and lines of rejects. The journal has a line for each part that is durable, with the
sizes of its sections; a part without a line is made anew.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harken_client.replay.journal import Checkpoint, Spool, csv_lines, sync_names
from harken_client.replay.outcome import COLUMNS, REJECT_COLUMNS, TIMES, out_schema

GROUP_ROWS = 1 << 17
"""Rows of a row group of OUT, about."""


@dataclass(frozen=True, slots=True)
class Part:
    """A slice that is done: its number, rows of IN, rejects among them, sizes in bytes."""

    number: int
    rows: int
    rejects: int
    out_size: int
    tally_size: int
    rejects_size: int
    rule_base_digest: str
    model_digest: str


@dataclass(frozen=True, slots=True)
class Content:
    """The sections of a part, before it is written; empty digests where nothing was scored."""

    number: int
    rows: int
    rejects: int
    sections: tuple[Any, Any, Any]
    rule_base_digest: str
    model_digest: str

    def write(self, folder: Path) -> tuple[Part, Path]:
        """Write the part under a name that no other process uses; the file is not yet durable."""
        path = folder / f"part-{self.number:06d}.{os.getpid()}"
        with path.open("wb") as file:
            out, tally, rejects = (file.write(section) for section in self.sections)
        part = Part(
            number=self.number,
            rows=self.rows,
            rejects=self.rejects,
            out_size=out,
            tally_size=tally,
            rejects_size=rejects,
            rule_base_digest=self.rule_base_digest,
            model_digest=self.model_digest,
        )
        return part, path


Make = Callable[[Iterator[bytes], Path], object]
"""Writes OUT's own format: the sections of all parts in order, and where to."""


class PartSpool(Spool):
    """Parts by number.

    OUT is written while parts still come, as far as they are there without a gap; so when the
    last is there, so is nearly all of it. What a crash leaves of it is not used.
    """

    def __init__(self, out: Path, make: Make, checkpoint_seconds: float = 1.0) -> None:
        super().__init__(out, checkpoint_seconds)
        self.parts: dict[int, Part] = {}
        self._fresh: list[Part] = []
        self._make = make
        self._joining: _Joining | None = None

    def _load(self, entries: Sequence[dict[str, Any]]) -> None:
        self.state = Checkpoint()
        for entry in entries:
            seconds = entry.pop("seconds")
            part = Part(**entry)
            if part.number in self.parts:  # told twice: interrupted after it was told
                continue
            path, size = self._path(part.number), part.out_size + part.tally_size
            if not path.exists() or path.stat().st_size != size + part.rejects_size:
                raise ValueError
            self.parts[part.number] = part
            self._count(part, seconds)
        known = {self._path(number) for number in self.parts}
        for path in set(self.folder.glob("part-*")) - known:
            path.unlink()
        self._joining = _Joining(self._out_of, self._make, self._temporary(self.out))
        for part in self.parts.values():
            self._joining.add(part)

    def _count(self, part: Part, seconds: float) -> None:
        state = self.state
        self.state = dataclasses.replace(
            state,
            rows=state.rows + part.rows,
            rejects=state.rejects + part.rejects,
            seconds=seconds,
            rule_base_digest=part.rule_base_digest or state.rule_base_digest,
            model_digest=part.model_digest or state.model_digest,
        )

    def append(self, part: Part, written: Path) -> None:
        """Take over a part written by :meth:`Content.write`; raises as ``served_by`` does."""
        if part.model_digest:
            self.served_by(part.rule_base_digest, part.model_digest)
        written.rename(self._path(part.number))
        self.parts[part.number] = part
        self._fresh.append(part)
        if self._joining is not None:
            self._joining.add(part)
        self._add(rows=part.rows, rejects=part.rejects)

    def checkpoint(self) -> None:
        for part in self._fresh:
            with self._path(part.number).open("rb") as file:
                os.fsync(file.fileno())
        seconds = {"seconds": self.state.seconds}
        if self._fresh:
            sync_names(self.folder)
            self._log(*(dataclasses.asdict(part) | seconds for part in self._fresh))
        self._fresh = []

    def tallies(self) -> Iterator[bytes]:
        """What the summary counts, part after part."""
        for part in self._ordered():
            if part.tally_size:
                yield self._section(part, part.out_size, part.tally_size)

    def finish(self) -> None:
        """Publish rejects and OUT.

        Until OUT is there everything stays in the folder, so a crash in here costs nothing.
        """
        joining = self._joining
        assert joining is not None
        self._publish(self.rejects_path, self._make_rejects)
        self._publish(self.out, lambda _: joining.finish())
        self.discard()

    def _close(self) -> None:
        if self._joining is not None:
            self._joining.abandon()
        super()._close()

    def _out_of(self, part: Part) -> bytes:
        return self._section(part, 0, part.out_size)

    def _make_rejects(self, target: Path) -> None:
        with target.open("wb") as file:
            file.write(csv_lines([REJECT_COLUMNS]))
            for part in self._ordered():
                if part.rejects_size:
                    start = part.out_size + part.tally_size
                    file.write(self._section(part, start, part.rejects_size))

    def _ordered(self) -> list[Part]:
        return [self.parts[number] for number in sorted(self.parts)]

    def _section(self, part: Part, start: int, size: int) -> bytes:
        with self._path(part.number).open("rb") as file:
            file.seek(start)
            return file.read(size)

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}"


class _Joining(threading.Thread):
    """Makes OUT of parts in order, each as soon as it and all before it are there."""

    def __init__(self, section: Callable[[Part], bytes], make: Make, target: Path) -> None:
        super().__init__(daemon=True)
        self._section, self._make, self._target = section, make, target
        self._change = threading.Condition()
        self._parts: dict[int, Part] = {}
        self._is_whole = self._is_abandoned = False
        self._error: BaseException | None = None
        self.start()

    def add(self, part: Part) -> None:
        """Take a part into account."""
        with self._change:
            self._parts[part.number] = part
            self._change.notify()

    def finish(self) -> None:
        """Wait until the parts are all in OUT; raises what went wrong with it."""
        with self._change:
            self._is_whole = True
            self._change.notify()
        self.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """End without more ado."""
        with self._change:
            self._is_abandoned = True
            self._change.notify()
        self.join()

    def run(self) -> None:
        try:
            self._make(self._sections(), self._target)
        except BaseException as error:
            self._error = error

    def _sections(self) -> Iterator[bytes]:
        number = 0
        while True:
            with self._change:
                while not (number in self._parts or self._is_whole or self._is_abandoned):
                    self._change.wait()
                if self._is_abandoned:
                    raise InterruptedError
                part = self._parts.pop(number, None)
            if part is None:
                return
            if part.out_size:
                yield self._section(part)
            number += 1


def join_lines(header: Sequence[str]) -> Callable[[Iterator[bytes], Path], None]:
    """What makes a CSV file of sections of lines."""

    def make(outs: Iterator[bytes], target: Path) -> None:
        with target.open("wb") as file:
            file.write(csv_lines([header]))
            for lines in outs:
                file.write(lines)

    return make


def join_parquet(outs: Iterator[bytes], target: Path) -> None:
    """Make a Parquet file of sections that are Arrow streams.

    Columns of codes are written by dictionary as they are, but the file does not say so: whoever
    reads it finds plain text. For the others, few of whose values come twice, a dictionary would
    be in vain; and the least and greatest text of a column would cost as much as all the rest.
    """
    from pyarrow import parquet

    writer: Any = None
    try:
        for table in _tables(outs):
            if writer is None:
                writer = parquet.ParquetWriter(
                    target,
                    table.schema,
                    use_dictionary=_CODED,
                    column_encoding=_ENCODING,
                    write_statistics=_COUNTED,
                    store_schema=False,
                )
            writer.write_table(table)
        if writer is None:
            writer = parquet.ParquetWriter(target, out_schema(), store_schema=False)
    finally:
        if writer is not None:
            writer.close()


_ENCODING = {"row": "DELTA_BINARY_PACKED", "decision_id": "DELTA_BYTE_ARRAY"}
_COUNTED = ["row", "level", "probability", "severity", *TIMES, "label"]
_PLAIN = ("grumble_id", "probability", *TIMES, *_ENCODING)
_CODED = [name for name in COLUMNS if name not in _PLAIN]


def _tables(outs: Iterator[bytes]) -> Iterator[Any]:
    """Sections gathered to row groups; codes stay dictionaries, other types are OUT's."""
    import pyarrow

    schema, gathered = out_schema(), list[Any]()
    for section in outs:
        batch = pyarrow.ipc.open_stream(section).read_next_batch()
        columns = {
            field.name: column if _is_coded(column) else column.cast(field.type)
            for field, column in zip(schema, batch.columns, strict=True)
        }
        gathered.append(pyarrow.RecordBatch.from_pydict(columns))
        if sum(each.num_rows for each in gathered) >= GROUP_ROWS:
            yield pyarrow.Table.from_batches(gathered).unify_dictionaries()
            gathered = []
    if gathered:
        yield pyarrow.Table.from_batches(gathered).unify_dictionaries()


def _is_coded(column: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_dictionary(column.type))
