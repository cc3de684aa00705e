"""One replay from beginning to end, whichever way it goes.

By rows, through ``BatchScore``: every client can. By columns, many times faster, wherever
pyarrow is installed: through ``ReplayScores``, or with the scoring core on this machine.
"""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harken_client.client import Client
from harken_client.errors import HarkenError, TransientError
from harken_client.render import error_text
from harken_client.replay import pipeline
from harken_client.replay.convert import Converter, spec_for
from harken_client.replay.errors import Interrupted, ReplayError
from harken_client.replay.journal import (
    COMPILED,
    PARTS,
    ROWS,
    Identity,
    RowSpool,
    Spool,
    begun_way,
    digest,
)
from harken_client.replay.offline import Offline, OfflineRunner, Stock, Task, backend_point
from harken_client.replay.outcome import COLUMNS, out_schema
from harken_client.replay.pipeline import Chunk, Pipeline
from harken_client.replay.sources import ParquetSource, Source, open_source, parquet_library
from harken_client.replay.spec import Spec, read_spec
from harken_client.replay.summary import Summary, summarise, tally_rows

if TYPE_CHECKING:
    from harken_client.replay.parts import Part, PartSpool
    from harken_client.replay.slices import Slice, Slices

Progress = Callable[[int, int, int], None]
"""Called with rows done, and how far of how much in the source's own units."""
Publish = Callable[[], None]
Work = Callable[[], tuple[Summary, Publish]]
"""Scores what is left to be scored; gives what it found, and what makes OUT."""
_CHANGED = (
    "{} was changed while it was read, so there is no OUT. "
    "When nothing writes to it any more, run the same command again."
)
STREAMS = 4
"""Streams at once, at most: a server's processes hold few each."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What to replay. Files are those of the command line; ``limit`` takes the first rows only.

    ``via`` is ``stream``, ``batch``, or ``auto``: stream where this client and the service can.
    ``offline`` scores without a service. ``patience`` is how many seconds the server may be away
    before the replay stops; ``in_flight`` how many batches, or streams, are under way at once.
    ``say`` is told in a sentence what else a person may want to know.
    """

    source: Path
    out: Path
    spec: Path | None = None
    language: str = "en"
    limit: int | None = None
    restart: bool = False
    in_flight: int | None = None
    patience: float = 60.0
    checkpoint_seconds: float = 1.0
    via: str = "auto"
    offline: Offline | None = None
    say: Callable[[str], None] = lambda _: None

    def run(self, client: Client | None, progress: Progress = lambda *_: None) -> Summary:
        """Replay, or go on with a replay that was interrupted; offline ``client`` is None.

        Raises :class:`ReplayError`; as :class:`Interrupted` where the same call resumes it.
        """
        self._check_out()
        stamp = _stamp(self.source)
        source = open_source(self.source)
        spec = spec_for(read_spec(self.spec) if self.spec else None, source.columns)
        converter = Converter(spec, source.columns, self.language)
        way = self._way(client)
        identity = Identity(digest(self.source), digest(self.spec), self.language, self.limit, way)
        spool: Spool
        if way == ROWS:
            assert client is not None
            spool = RowSpool(self.out, self.checkpoint_seconds)
            work = self._by_rows(client, source, converter, spool, progress)
        else:
            spool = self._part_spool()
            work = self._by_columns(client, source, spec, converter, spool, progress)
        with spool:
            spool.open(identity, restart=self.restart)
            try:
                summary, publish = work()
                if _stamp(self.source) != stamp:
                    raise ReplayError(_CHANGED.format(self.source))
                publish()
                return summary
            except ReplayError:
                if not spool.state.rows:
                    spool.discard()
                raise
            except OSError as error:
                words = f"{error.filename or self.out}: {error.strerror or error}"
                raise _resumable(spool, f"cannot read or write {words}") from None
            except KeyboardInterrupt:
                _save(spool)
                raise _resumable(spool, "interrupted", by_hand=True) from None
            except HarkenError as error:
                _save(spool)
                words = error_text(error, client.target) if client else error.message
                raise _resumable(spool, words) from None

    def _way(self, client: Client | None) -> str:
        """By rows or by columns; asks the service where that decides."""
        if self.offline is not None:
            backend_point()
            _need_pyarrow("--offline")
            return COMPILED if self.offline.compiled else PARTS
        if client is None:
            raise ReplayError("a replay needs a service, or --offline")
        if self.via == "batch":
            return ROWS
        if self.via == "stream":
            _need_pyarrow("--via stream")
        elif find_spec("pyarrow") is None or (not self.restart and begun_way(self.out) == ROWS):
            return ROWS
        if self._streams(client):
            return PARTS
        if self.via == "stream":
            raise ReplayError("the service has no ReplayScores yet; leave --via stream out")
        self.say("the service has no ReplayScores yet: sending batches, which takes longer")
        return ROWS

    def _streams(self, client: Client) -> bool:
        from harken_client.replay.streams import serves_streams

        until = time.monotonic() + min(self.patience, pipeline.FIRST_PATIENCE)
        while True:
            try:
                return serves_streams(client)
            except TransientError as error:
                if time.monotonic() > until:
                    said = f"{error_text(error, client.target)}\nNothing was scored."
                    raise Interrupted(said) from None
                time.sleep(0.2)
            except HarkenError as error:
                raise ReplayError(error_text(error, client.target)) from None

    def _by_rows(
        self,
        client: Client,
        source: Source,
        converter: Converter,
        spool: RowSpool,
        progress: Progress,
    ) -> Work:
        def keep(chunk: Chunk) -> None:
            for digests in chunk.served_by:
                spool.served_by(*digests)
            spool.append(chunk.count, chunk.rows, chunk.rejects, chunk.rejected)
            progress(spool.state.rows, source.done, source.total)

        def work() -> tuple[Summary, Publish]:
            begun = spool.state.rows
            rows = itertools.islice(
                source.rows(converter.columns, begun),
                None if self.limit is None else max(0, self.limit - begun),
            )
            batches = Pipeline(
                client, converter, in_flight=self.in_flight or 8, patience=self.patience
            )
            batches.run(rows, begun + 1, keep)
            spool.checkpoint()
            summary = summarise(tally_rows(spool.rows_path), spool.state, "batch")
            make = write_parquet if self._is_parquet() else shutil.copyfile
            return summary, lambda: spool.finish(make)

        return work

    def _by_columns(
        self,
        client: Client | None,
        source: Source,
        spec: Spec,
        converter: Converter,
        spool: PartSpool,
        progress: Progress,
    ) -> Work:
        from harken_client.replay.columns import ColumnConverter
        from harken_client.replay.part_tally import add_up
        from harken_client.replay.slices import open_slices

        slices = open_slices(self.source, source, converter, self.limit)
        as_csv = not self._is_parquet()

        def work() -> tuple[Summary, Publish]:
            keeper = _Keeper(spool, slices, progress)
            todo = keeper.todo()
            if client is None:
                assert self.offline is not None
                task = Task(
                    self.source, spec, self.language, self.limit, spool.folder, as_csv, self.offline
                )
                stock = Stock(todo, by_home=isinstance(source, ParquetSource))
                OfflineRunner(task).run(stock, keeper.keep)
            else:
                from harken_client.replay.streams import StreamRunner

                StreamRunner(client, self.in_flight or STREAMS, self.patience).run(
                    todo,
                    slices.read,
                    ColumnConverter(converter),
                    spool.folder,
                    as_csv,
                    keeper.keep,
                    spool.served_by,
                )
            spool.checkpoint()
            via = "offline" if client is None else "stream"
            summary = summarise(add_up(spool.tallies()), spool.state, via)
            return summary, spool.finish

        return work

    def _part_spool(self) -> PartSpool:
        from harken_client.replay.parts import PartSpool, join_lines, join_parquet

        make = join_parquet if self._is_parquet() else join_lines(COLUMNS)
        return PartSpool(self.out, make, self.checkpoint_seconds)

    def _is_parquet(self) -> bool:
        return self.out.suffix.lower() == ".parquet"

    def _check_out(self) -> None:
        """Fail early if OUT will not be possible."""
        if self.out.resolve() == self.source.resolve():
            raise ReplayError("IN and OUT are the same file")
        if not self.out.parent.is_dir():
            raise ReplayError(f"there is no folder {self.out.parent} to write to")
        if self._is_parquet():
            parquet_library()
        elif self.out.suffix.lower() != ".csv":
            raise ReplayError(f"{self.out}: the name must end in .csv or .parquet")


class _Keeper:
    """Which slices are still to be done, and what becomes of those that are."""

    def __init__(self, spool: PartSpool, slices: Slices, progress: Progress) -> None:
        self._spool, self._slices, self._progress = spool, slices, progress
        self._under_way: dict[int, Slice] = {}
        self._before = self._done = 0

    def todo(self) -> Iterator[Slice]:
        """The slices without a part."""
        for part in self._slices.plan():
            if part.number in self._spool.parts:
                self._before += self._slices.done(part)
            else:
                self._under_way[part.number] = part
                yield part

    def keep(self, part: Part, written: Path) -> None:
        """Take over a part."""
        self._spool.append(part, written)
        self._done += self._slices.done(self._under_way.pop(part.number))
        self._progress(self._spool.state.rows, self._before + self._done, self._slices.total)


def _need_pyarrow(option: str) -> None:
    if find_spec("pyarrow") is None:
        raise ReplayError(f"{option} needs pyarrow: pip install 'harken-client[parquet]'")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What shows that a file is written to, or replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _save(spool: Spool) -> None:
    """Keep what can be kept, at an end that has its own reason."""
    with suppress(OSError):
        spool.checkpoint()


def _resumable(spool: Spool, why: str, *, by_hand: bool = False) -> Interrupted:
    if not spool.state.rows:
        spool.discard()
        return Interrupted(f"{why}\nNothing was scored.", by_hand=by_hand)
    return Interrupted(
        f"{why}\n{spool.state.rows:,} rows are done and kept in {spool.folder}; "
        "the same command goes on from there.",
        by_hand=by_hand,
    )


def write_parquet(rows_csv: Path, target: Path) -> None:
    """Turn the finished rows into Parquet, a block at a time; an empty cell becomes null."""
    from pyarrow import csv, parquet

    schema = out_schema()
    reader = csv.open_csv(
        rows_csv,
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=schema, null_values=[""], strings_can_be_null=True
        ),
    )
    with reader, parquet.ParquetWriter(target, schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
