"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` into the file ``path``, whole or not at all; raises OSError.

    A link stays one: what it leads to is written. So is what is no regular file (``/dev/stdout``,
    a pipe), which cannot be replaced by one.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = Path(os.path.realpath(path))  # unlike resolve, no error for a link in a circle
    temporary = None
    try:
        temporary = beside(target, data)
        temporary.replace(target)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno:  # its reader knows this name only
            error.filename, error.filename2 = str(path), None
        raise


def beside(target: Path, data: bytes) -> Path:
    """A hidden file beside ``target`` that holds ``data``, is on the disk and has the rights of
    ``target``: to replace it with. Raises OSError, and then there is none."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".harken-")
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes a file that only its owner may read.
        made.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
