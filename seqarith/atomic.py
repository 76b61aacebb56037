"""Write files completely or not at all."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from seqarith.errors import OutputError

try:
    import fcntl
except ModuleNotFoundError:  # a host without POSIX
    _fcntl: Any = None
else:
    _fcntl = fcntl

_NAME = 60  # characters of the target's name in the name of a temporary file
_SUFFIX = ".tmp"


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file completely or not at all.

    The content is written to a temporary file in the same folder and flushed to the disk. Then the
    temporary file replaces the old file in one step. Temporary files of killed processes are
    removed.

    Raises:
        OutputError: It cannot be written; an existing file is unchanged.
    """
    place = Path(path).resolve()  # a link is kept; the file that it points to is replaced
    check_writable(place)
    try:
        remove_leftovers(place)
        _replace(place, content)
    except OSError as error:
        raise OutputError(f"cannot write {place}: {error.strerror or error}") from None


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a path that cannot be written, before any work is done.

    Raises:
        OutputError: The folder is missing or not writable, or the path is not a file.
    """
    place = Path(path)
    try:
        if place.exists() and not place.is_file():
            raise OutputError(f"cannot write {place}: it is a folder or a device, not a file")
        if not place.parent.is_dir():
            raise OutputError(f"cannot write {place}: there is no folder {place.parent}")
        if not os.access(place.parent, os.W_OK):
            raise OutputError(f"cannot write {place}: the folder {place.parent} is not writable")
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot write {place}: {error}") from None


def remove_leftovers(place: Path) -> None:
    """Remove the temporary files of a target that no running process writes.

    A process holds a lock on the file that it writes. The system releases the lock when the process
    ends, even if it is killed. On systems without locks such files remain.
    """
    if _fcntl is None:
        return
    for name in _leftovers(place):
        with suppress(OSError):
            # With O_NONBLOCK, opening a FIFO does not wait for a writer.
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
                name.unlink()
            finally:
                os.close(descriptor)


def _leftovers(place: Path) -> Iterator[Path]:
    pattern = re.compile(re.escape(_prefix(place)) + r"[a-z0-9_]{8}" + re.escape(_SUFFIX))
    with os.scandir(place.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name):
                yield Path(entry.path)


def _prefix(place: Path) -> str:
    return f".{place.name[:_NAME]}."


def _replace(place: Path, content: bytes) -> None:
    descriptor, temporary = _held(place)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o666 & ~_UMASK
            temporary.chmod(mode)
            if _fcntl is not None:  # elsewhere an open file cannot be moved
                temporary.replace(place)
        if _fcntl is None:
            temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _held(place: Path) -> tuple[int, Path]:
    """Create a temporary file and lock it; return its descriptor and its path."""
    while True:
        descriptor, name = tempfile.mkstemp(_SUFFIX, _prefix(place), place.parent)
        if _fcntl is None:
            return descriptor, Path(name)
        with suppress(OSError):  # a file system without locks
            _fcntl.flock(descriptor, _fcntl.LOCK_EX)
        # Before it was locked, another writer may have removed it as a leftover.
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)


def _read_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _read_umask()  # once, since reading it means setting it, which other threads would see
