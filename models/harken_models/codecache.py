"""A folder of machine code that was made once: whole files, checked before they are run.

A file is the sha256 of what follows, and the code. Whoever can write here can have code run, so
a folder that others can write to is not used.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harken_models.errors import ModelsError

try:
    import fcntl
except ImportError:  # Windows: two that compile at once do it twice
    fcntl = None  # type: ignore[assignment]

KEPT = 32
"""Files beyond these, the least recently used, are removed."""
_DIGEST_BYTES = 32
_NAMES = "[0-9a-f]" * 32 + ".code"


def cache_folder() -> Path:
    """``HARKEN_CACHE_DIR``, else ``harken`` in ``XDG_CACHE_HOME`` or ``~/.cache``.

    Raises ModelsError where there is none of them.
    """
    named = os.environ.get("HARKEN_CACHE_DIR")
    if named:
        return Path(named)
    beside = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification has a relative path ignored.
    if Path(beside).is_absolute():
        return Path(beside) / "harken"
    try:
        return Path("~/.cache/harken").expanduser()
    except RuntimeError:  # nobody's home is known
        raise ModelsError("there is no cache folder; name one with HARKEN_CACHE_DIR") from None


def kept_or_made(key: str, make: Callable[[], bytes]) -> tuple[bytes, bool]:
    """The code kept under ``key``, and whether it had to be made now.

    Processes that come at once make it once: the others wait for the first. A file that is
    damaged is made anew. Raises ModelsError where no folder can be used, and what ``make``
    raises.
    """
    folder = _folder()
    file = folder / _name(key)
    code = _read(file)
    if code is not None:
        return code, False
    with _alone(folder):
        code = _read(file)
        if code is not None:
            return code, False
        code = make()
        with _faults_of(folder):
            _write(file, code)
        _tidy(folder)
    return code, True


def forget(key: str) -> None:
    """Remove what is kept under ``key``, if anything."""
    with suppress(OSError, ModelsError):
        (cache_folder() / _name(key)).unlink()


def _name(key: str) -> str:
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.code"


def _folder() -> Path:
    folder = cache_folder()
    with _faults_of(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
    # Windows has neither; what it says of the mode means nothing.
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
        raise ModelsError(
            f"{folder}: belongs to another user or can be written by others; code that is kept "
            "there could be anybody's (name another folder with HARKEN_CACHE_DIR)"
        )
    return folder


@contextmanager
def _faults_of(folder: Path) -> Iterator[None]:
    """An OSError inside is a ModelsError that names the folder."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise ModelsError(
            f"{folder}: cannot be used as a cache: {why} "
            "(name another folder with HARKEN_CACHE_DIR)"
        ) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; it is let go of when a process ends, however it ends."""
    with _faults_of(folder):
        file = (folder / "lock").open("wb")
    with file:
        if fcntl is not None:
            with _faults_of(folder):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(file: Path) -> bytes | None:
    """The code, None where there is none or it is not what was written."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, code = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(code).digest() != digest:
        return None
    with suppress(OSError):
        os.utime(file)
    return code


def _write(file: Path, code: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".code-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(hashlib.sha256(code).digest() + code)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _tidy(folder: Path) -> None:
    """Remove what has not been used for longest, and what was left half-written.

    The folder may hold files of others. That something cannot be removed, or was removed
    meanwhile, is no reason to do without the code.
    """
    used: list[tuple[float, Path]] = []
    for file in folder.glob(_NAMES):
        with suppress(OSError):
            used.append((file.stat().st_mtime, file))
    oldest = [file for _, file in sorted(used, reverse=True)[KEPT:]]
    for file in [*oldest, *folder.glob(".code-*.part")]:
        with suppress(OSError):
            file.unlink()
