"""Following the model bundle's folder: what becomes of it is served, if it is sound.

A bundle goes the way of a rule base. What the folder holds is copied while it is at rest; a child
process reads the copy and sees whether the rule base that is served fits it; every worker loads it
beside the one it serves, and only then do all change over. Until that, and whatever goes wrong,
the last good bundle stays.
"""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from harken_server.compiling import compiled_ahead
from harken_server.errors import PublishingError
from harken_server.publishing import Publisher
from harken_server.supervision import Crew
from harken_server.vetting import Vetter, fit
from harken_server.watching import EVERY_FILE, PATIENCE_SECONDS, SETTLE_SECONDS, State, state_of

Counted = Callable[[str, str], None]
"""Told how each change ended, ``activated``, ``failed`` or ``unchanged`` (the folder holds what is
served already), and why it failed."""

_log = structlog.get_logger("harken.bundles")


class BundleKeeper:
    """Takes over what ``source`` holds, as copies in ``home``.

    Which bundle is served stands in ``vetter.bundle``, that rule bases are vetted and simulated
    with. ``compiled``: the workers are to run trees as machine code. ``timeout``, in seconds, is
    what the child gets to read a bundle.
    """

    def __init__(
        self,
        source: Path,
        home: Path,
        crew: Crew,
        publisher: Publisher,
        vetter: Vetter,
        counted: Counted,
        timeout: float,
        compiled: bool = False,
    ) -> None:
        self._source, self._home = source, home
        self._crew, self._publisher, self._vetter = crew, publisher, vetter
        self._counted = counted
        self._timeout = timeout
        self._compiled = compiled
        self._numbers = itertools.count(1)
        self._former: Path | None = None
        self._misfit: tuple[State, str] | None = None

    def take(self) -> bool:
        """Serve what the folder holds now, unless it cannot be; answers whether the same is worth
        trying again: where a sound bundle was not taken over, or does not fit the rule base."""
        if self._misfit is not None and self._misfit == self._pair():
            return True  # neither has changed: nothing to say that was not said
        self._misfit = None
        copy = self._home / str(next(self._numbers))
        try:
            copied_at_rest(self._source, copy)
            return self._try(copy)
        except OSError as error:
            why = f"{error.filename or self._source}: {error.strerror or error}"
            return self._fail(f"the bundle cannot be copied: {why}")
        except PublishingError as error:
            self._fail(*(error.problems or (error.message,)))
            return True
        finally:
            if self._vetter.bundle != copy:
                shutil.rmtree(copy, ignore_errors=True)

    def _try(self, copy: Path) -> bool:
        store, pair = self._publisher.store, self._pair()
        active = store.active
        if active is None:  # a server that serves has one
            return True
        fitted = fit(store.folder(active), copy, self._timeout)
        if fitted.problems:
            self._misfit = pair if fitted.model_digest else None
            self._fail(*(each.replace(str(copy), str(self._source)) for each in fitted.problems))
            return bool(fitted.model_digest)
        former = self._crew.word.model_digest
        if fitted.model_digest == former:
            self._counted("unchanged", "")
            return False
        compiled = self._compiled and compiled_ahead(copy)
        with self._publisher.bundle_change():
            # The rule base may have changed meanwhile: each worker sees for itself whether it fits.
            problems = self._crew.reload_bundle(copy, fitted.model_digest, compiled)
            if problems:
                self._fail(*problems)
                return True
            self._took(copy)
        self._counted("activated", "")
        _log.info("bundle activated", digest=fitted.model_digest, former=former)
        return False

    def _took(self, copy: Path) -> None:
        """The former copy is kept one change longer: a child may be reading it."""
        oldest, self._former = self._former, self._vetter.bundle
        self._vetter.bundle = copy
        self._publisher.bundle_changed()
        if oldest is not None:
            shutil.rmtree(oldest, ignore_errors=True)

    def _pair(self) -> tuple[State, str]:
        active = self._publisher.store.active
        return state_of(self._source, EVERY_FILE), active.digest if active is not None else ""

    def _fail(self, *problems: str) -> bool:
        self._counted("failed", "\n".join(problems))
        _log.error("bundle not served", folder=str(self._source), problems=problems)
        return False


def copied_at_rest(source: Path, copy: Path) -> None:
    """Copy the files of a bundle's folder, all of the same moment; hidden ones are left out.

    A bundle has no folders: of one that is there only the name is copied, which the reading then
    refuses. Raises ``OSError`` where it cannot be read or does not come to rest.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        before = state_of(source, EVERY_FILE)
        try:
            _copy(source, copy)
        except OSError:
            if state_of(source, EVERY_FILE) == before:
                raise
        else:
            if state_of(source, EVERY_FILE) == before:
                return
        shutil.rmtree(copy, ignore_errors=True)
        if time.monotonic() > deadline:
            raise OSError(f"{source} changes while it is read")
        time.sleep(SETTLE_SECONDS)


def _copy(source: Path, copy: Path) -> None:
    copy.mkdir(parents=True)
    for entry in sorted(source.iterdir()):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            (copy / entry.name).mkdir()
        else:
            shutil.copyfile(entry, copy / entry.name)
