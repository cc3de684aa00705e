"""Following the folder of the rule base, or of the bundle, while the server runs.

What is seen of the folder is what decides; what the system tells of changes only wakes the
watcher early. So a folder that is gone, comes back, or is another one now because a link was
turned (as Kubernetes turns ``..data``) is noticed all the same.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from harken_rules.reading.folder import MAX_FOLDERS_DEEP
from harken_rules.watch import wait_for_change

from harken_server.errors import PublishingError, Reason
from harken_server.rule_files import SUFFIXES, RuleFile, read_files

SETTLE_SECONDS = 0.3
"""How long a folder must stay as it is before it is read: editors save in several steps."""
PATIENCE_SECONDS = 10.0
"""A folder that never comes to rest is read after so long."""
RETRY_SECONDS = 10.0
"""After so long a sound rule base that could not be served is tried again."""
MAX_ENTRIES = 10_000
"""Entries that are looked at; a rule base has far fewer."""

State = dict[str, tuple[object, ...]]
"""Of each file that counts and each folder, by name, what changes with it."""
EVERY_FILE = ("",)
"""The suffixes of a folder of which every file counts."""

_log = structlog.get_logger("harken.watch")


class Watcher:
    """Calls ``take`` whenever the folder has changed since ``known`` and come to rest.

    ``take`` returns whether it is worth trying again with the folder as it is. It is called
    from a thread of the watcher's, which runs from ``start`` until ``stop``.
    """

    def __init__(
        self,
        folder: Path,
        known: State,
        take: Callable[[], bool],
        suffixes: tuple[str, ...] = SUFFIXES,
    ) -> None:
        self._folder = folder
        self._known = known
        self._take = take
        self._suffixes = suffixes
        self._again_at: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="watch")

    def start(self) -> None:
        """Follow the folder from now on."""
        _log.info("watching", folder=str(self._folder))
        self._thread.start()

    def stop(self, seconds: float = 0.0) -> None:
        """Follow it no longer; waits at most ``seconds`` for what is under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def look(self) -> None:
        """Take the folder if it has changed, or if it is time to try again."""
        due = self._again_at is not None and time.monotonic() >= self._again_at
        if self._state() == self._known and not due:
            return
        # What changes from here on is another change, found at the next look.
        self._known = self._settled()
        if not self._stopping.is_set():
            self._again_at = time.monotonic() + RETRY_SECONDS if self._take() else None

    def _run(self) -> None:
        told = False
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:  # the next look may fare better
                _log.error("watch failed", kind=type(error).__name__, why=str(error))
                self._stopping.wait(RETRY_SECONDS)
            try:
                wait_for_change(self._folder)
            except Exception as error:  # no watches to be had: look every second instead
                if not told:
                    _log.warning("changes are not told; looking instead", why=str(error))
                told = True
                self._stopping.wait(1.0)

    def _settled(self) -> State:
        deadline = time.monotonic() + PATIENCE_SECONDS
        state = self._state()
        while time.monotonic() < deadline and not self._stopping.wait(SETTLE_SECONDS):
            former, state = state, self._state()
            if former == state:
                break
        return state

    def _state(self) -> State:
        return state_of(self._folder, self._suffixes)


def read_at_rest(folder: Path) -> Sequence[RuleFile]:
    """The files of ``folder``, all of the same moment.

    Raises ``PublishingError`` where it cannot be read or does not come to rest.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        before = state_of(folder)
        try:
            files = read_files(folder)
        except PublishingError:
            if state_of(folder) == before:
                raise
        else:
            if state_of(folder) == before:
                return files
        if time.monotonic() > deadline:
            words = f"{folder} changes while it is read"
            raise PublishingError(Reason.RULE_BASE_UNSOUND, words, problems=[words])
        time.sleep(SETTLE_SECONDS)


def state_of(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> State:
    """What the folder holds now of files so named; nothing if there is none.

    Links out of it are not followed.
    """
    found: State = {}
    try:
        home = folder.resolve(strict=True)
        own = home.stat()
    except (OSError, RuntimeError):  # gone, or a circle of links
        return found
    found["."] = (str(home), own.st_dev, own.st_ino)
    pending = [(home, "")]
    while pending and len(found) < MAX_ENTRIES:
        path, prefix = pending.pop()
        try:
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            found[prefix or "."] = ("unreadable", error.errno)
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = prefix + entry.name
            seen = _seen(entry, home)
            if entry.name.lower().endswith(suffixes) or seen[0] != "file":
                found[name] = seen
            if seen[0] == "folder" and prefix.count("/") <= MAX_FOLDERS_DEEP:
                pending.append((Path(entry.path), name + "/"))
    return found


def _seen(entry: os.DirEntry[str], home: Path) -> tuple[object, ...]:
    try:
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(home):
            return "outside", str(Path(entry.path).readlink())
        now = entry.stat()
        if entry.is_dir():
            return "folder", now.st_dev, now.st_ino
        return "file", now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size
    except (OSError, RuntimeError) as error:
        return "unreadable", getattr(error, "errno", 0)
