"""Several files replaced together: all of them, or none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harken_rules.diagnostics import Report
from harken_rules.files import beside
from harken_rules.reading.folder import read_folder
from harken_rules.sheets.book import SheetsError


@contextmanager
def would_be(root: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """A copy of the rule base in ``root`` with ``files`` in it, gone afterwards."""
    folder = read_folder(root, Report())
    names = {*folder.decisions, *folder.catalogue, *folder.cases, "rulebase.yaml", "facts.yaml"}
    with tempfile.TemporaryDirectory(prefix="harken-sheets-") as made:
        copy = Path(made)
        for name in names | set(files):
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if name in files:
                target.write_bytes(files[name])
            elif (root / name).is_file():
                shutil.copyfile(root / name, target)
        yield copy


def write_all(root: Path, files: Mapping[str, bytes], before: Mapping[str, bytes]) -> None:
    """Replace ``files`` in ``root``; raises SheetsError, after which none of them has changed.

    ``before``: what the files held when they were read; one that holds something else by now is
    not written over.
    """
    prepared: dict[Path, Path] = {}
    done: list[tuple[Path, bytes | None]] = []
    try:
        for name, data in files.items():
            target = (root / name).resolve()
            held = target.read_bytes() if target.exists() else None
            if held != before.get(name):
                raise SheetsError(f"{name} was changed while the workbook was read; import again")
            target.parent.mkdir(parents=True, exist_ok=True)
            prepared[target] = beside(target, data)
        for target, partial in prepared.items():
            held = target.read_bytes() if target.exists() else None
            partial.replace(target)
            done.append((target, held))
    except OSError as error:
        for target, held in done:
            if held is None:
                target.unlink(missing_ok=True)
            else:
                target.write_bytes(held)
        reason = error.strerror or error
        raise SheetsError(f"{root}: cannot be written, nothing was changed: {reason}") from None
    finally:
        for partial in prepared.values():
            partial.unlink(missing_ok=True)
