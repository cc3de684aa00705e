"""Following a folder while its author edits it.

What the system tells of changes only wakes the watcher; whether anything changed is seen from the
files themselves. So nothing is missed that happens before the watching begins, when a folder is
moved in whole, or where a folder is replaced by another.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from watchfiles import watch

QUIET_MS = 150
"""An editor writes a file in several steps: they are one change once so long nothing happens."""
TOGETHER_MS = 2_000
"""However busy the folder is, what happened is told after so long."""
LOOK_MS = 1_000
"""How often the folder is looked at although nothing is heard of it."""

State = Mapping[str, tuple[int, int, int]]
"""Each YAML file, relative to the folder, and what changes with it: inode, time, size."""


def changes(folder: Path) -> Iterator[tuple[str, ...]]:
    """The YAML files that came, went or changed, sorted; first, at once, those that are there.

    Blocks between changes; never ends of itself. A folder that is gone has no files, and the one
    that comes in its place is followed.
    """
    known: State = {}
    told = False
    while True:
        seen = state_of(folder)
        if seen != known or not told:
            changed = tuple(sorted(name for name, _ in known.items() ^ seen.items()))
            known, told = seen, True
            yield tuple(dict.fromkeys(changed))
        wait_for_change(folder)


def wait_for_change(folder: Path) -> None:
    """Returns when something below ``folder`` has changed and is quiet again, or after a while."""
    try:
        waiting = watch(
            folder,
            watch_filter=None,
            debounce=TOGETHER_MS,
            step=QUIET_MS,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
        )
        next(waiting)
        waiting.close()
    except FileNotFoundError:
        time.sleep(LOOK_MS / 1000)


def state_of(folder: Path) -> State:
    """What the folder holds now; nothing if there is none. Links are not followed."""
    found: dict[str, tuple[int, int, int]] = {}
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:  # gone, no folder, or not readable: reading the rule base says so
            continue
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.name.lower().endswith((".yaml", ".yml")):
                    now = entry.stat(follow_symlinks=False)
                    name = Path(entry.path).relative_to(folder).as_posix()
                    found[name] = (now.st_ino, now.st_mtime_ns, now.st_size)
            except FileNotFoundError:
                continue
    return found
