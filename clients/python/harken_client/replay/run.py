"""One replay from beginning to end."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harken_client.client import Client
from harken_client.errors import HarkenError
from harken_client.render import error_text
from harken_client.replay.convert import Converter, spec_for
from harken_client.replay.errors import Interrupted, ReplayError
from harken_client.replay.journal import Identity, Journal, digest
from harken_client.replay.outcome import COLUMNS, TIMES
from harken_client.replay.pipeline import Chunk, Pipeline
from harken_client.replay.sources import open_source, parquet_library
from harken_client.replay.spec import read_spec
from harken_client.replay.summary import Summary, summarise

Progress = Callable[[int, int, int], None]
"""Called with rows done, and how far of how much in the source's own units."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What to replay. Files are those of the command line; ``limit`` takes the first rows only.

    ``patience`` is how many seconds the server may be away before the replay stops.
    """

    source: Path
    out: Path
    spec: Path | None = None
    language: str = "en"
    limit: int | None = None
    restart: bool = False
    in_flight: int = 8
    patience: float = 60.0
    checkpoint_seconds: float = 1.0

    def run(self, client: Client, progress: Progress = lambda *_: None) -> Summary:
        """Replay, or go on with a replay that was interrupted.

        Raises :class:`ReplayError`; as :class:`Interrupted` where the same call resumes it.
        """
        make = self._writer()
        source = open_source(self.source)
        spec = spec_for(read_spec(self.spec) if self.spec else None, source.columns)
        converter = Converter(spec, source.columns, self.language)
        identity = Identity(digest(self.source), digest(self.spec), self.language, self.limit)
        with Journal(self.out, self.checkpoint_seconds) as journal:
            journal.open(identity, restart=self.restart)

            def keep(chunk: Chunk) -> None:
                for digests in chunk.served_by:
                    journal.served_by(*digests)
                journal.append(chunk.count, chunk.rows, chunk.rejects, chunk.rejected)
                progress(journal.state.rows, source.done, source.total)

            begun = journal.state.rows
            rows = itertools.islice(
                source.rows(converter.columns, begun),
                None if self.limit is None else max(0, self.limit - begun),
            )
            pipeline = Pipeline(client, converter, in_flight=self.in_flight, patience=self.patience)
            try:
                pipeline.run(rows, begun + 1, keep)
                journal.checkpoint()
                summary = summarise(journal.rows_path, journal.state)
                journal.finish(make)
            except ReplayError:
                raise
            except OSError as error:
                raise _resumable(journal, f"cannot write {self.out}: {error.strerror}") from None
            except KeyboardInterrupt:
                journal.checkpoint()
                raise _resumable(journal, "interrupted", by_hand=True) from None
            except HarkenError as error:
                journal.checkpoint()
                raise _resumable(journal, error_text(error, client.target)) from None
        return summary

    def _writer(self) -> Callable[[Path, Path], Any]:
        """What makes OUT of the finished rows; fails early if that will not be possible."""
        if self.out.resolve() == self.source.resolve():
            raise ReplayError("IN and OUT are the same file")
        if not self.out.parent.is_dir():
            raise ReplayError(f"there is no folder {self.out.parent} to write to")
        if self.out.suffix.lower() == ".csv":
            return shutil.copyfile
        if self.out.suffix.lower() == ".parquet":
            parquet_library()
            return write_parquet
        raise ReplayError(f"{self.out}: the name must end in .csv or .parquet")


def _resumable(journal: Journal, why: str, *, by_hand: bool = False) -> Interrupted:
    if not journal.state.rows:
        journal.discard()
        return Interrupted(f"{why}\nNothing was scored.", by_hand=by_hand)
    return Interrupted(
        f"{why}\n{journal.state.rows:,} rows are done and kept in {journal.folder}; "
        "the same command goes on from there.",
        by_hand=by_hand,
    )


def write_parquet(rows_csv: Path, target: Path) -> None:
    """Turn the finished rows into Parquet, a block at a time; an empty cell becomes null."""
    import pyarrow
    from pyarrow import csv, parquet

    types: dict[str, Any] = dict.fromkeys(COLUMNS, pyarrow.string())
    types |= dict.fromkeys(TIMES, pyarrow.timestamp("us", "UTC"))
    types |= {"row": pyarrow.int64(), "level": pyarrow.int8(), "label": pyarrow.int8()}
    types |= {"probability": pyarrow.float64(), "severity": pyarrow.float64()}
    schema = pyarrow.schema(list(types.items()))
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
