"""What a search has judged so far, on disk: a run that was interrupted goes on where it stopped.

The first line is a key of all that the results depend on; each further line is one judgement.
Predictions are kept to the bit, so a resumed run ends in the very bundle that an undisturbed one
gives. A file with another key, or none that can be read, is begun anew.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """What a setting predicts for held-out rows (log-odds), and the rounds that gave it."""

    rounds: int
    z: np.ndarray


def progress_path(out: Path) -> Path:
    """Where the search for the bundle at ``out`` keeps its judgements."""
    return out.with_name(f".{out.name}-search.jsonl")


def key_of(arrays: Iterable[np.ndarray], *words: object) -> str:
    """A digest of arrays (values, shapes, types) and of whatever else results depend on."""
    digest = hashlib.sha256(repr(words).encode())
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class ProgressFile:
    """Judgements by name. ``path`` None: nothing is kept."""

    def __init__(self, path: Path | None, key: str) -> None:
        self._path = path
        self._judged: dict[str, Judged] = {}
        if path is None:
            return
        lines = _sound_lines(path, key)
        for line in lines[1:]:
            entry = json.loads(line)
            z = np.frombuffer(base64.b64decode(entry["z"]), dtype="<f8").astype(np.float64)
            self._judged[entry["name"]] = Judged(int(entry["rounds"]), z)
        # Written anew, so that a line which was cut off by the end of the last run is gone.
        first = json.dumps({"format": FORMAT, "key": key})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines or [first]), encoding="utf-8")

    @property
    def names(self) -> tuple[str, ...]:
        """What has been judged, in order."""
        return tuple(self._judged)

    def get(self, name: str) -> Judged | None:
        """The judgement of this name, if there is one."""
        return self._judged.get(name)

    def put(self, name: str, judged: Judged) -> None:
        """Keep a judgement; on disk before this returns."""
        self._judged[name] = judged
        if self._path is None:
            return
        z = base64.b64encode(judged.z.astype("<f8").tobytes()).decode("ascii")
        line = json.dumps({"name": name, "rounds": judged.rounds, "z": z})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())


def _sound_lines(path: Path, key: str) -> list[str]:
    """The file's lines up to the first that cannot be read; none if its key is another."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        head = json.loads(lines[0])
    except (OSError, ValueError, IndexError):
        return []
    if not isinstance(head, dict) or (head.get("format"), head.get("key")) != (FORMAT, key):
        return []
    for number, line in enumerate(lines[1:], 1):
        try:
            entry = json.loads(line)
            sound = isinstance(entry["name"], str) and int(entry["rounds"]) >= 0
            sound = sound and len(base64.b64decode(entry["z"], validate=True)) % 8 == 0
        except (ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            return lines[:number]
    return lines
