"""Writing a file, the whole of it or nothing."""

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

_NAME = 60  # characters of the target's name that a temporary file's begins with
_SUFFIX = ".tmp"


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file, the whole of it or nothing.

    It goes to a temporary file in the same folder, to the disk, and then takes the place of
    the old file in one step. Temporary files that a process left behind when it was killed are
    removed.

    Raises:
        OutputError: It cannot be written; an existing file is left as it was.
    """
    place = Path(path).resolve()  # a link stays, and the file that it names is replaced
    check_writable(place)
    try:
        remove_leftovers(place)
        _replace(place, content)
    except OSError as error:
        raise OutputError(f"cannot write {place}: {error.strerror or error}") from None


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a place where no file can be written, before any work is done for it.

    Raises:
        OutputError: The folder is missing or not writable, or the place is a folder.
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
    """Remove the temporary files of a target that no living process holds.

    Whoever writes one holds a lock on it, which the system drops when the process ends, however
    it ends. Hosts and file systems without locks keep such files.
    """
    if _fcntl is None:
        return
    for name in _leftovers(place):
        with suppress(OSError):
            # Nothing but a regular file is opened for long: O_NONBLOCK passes over a FIFO.
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
    """Make a temporary file and lock it; return its descriptor and its name."""
    while True:
        descriptor, name = tempfile.mkstemp(_SUFFIX, _prefix(place), place.parent)
        if _fcntl is None:
            return descriptor, Path(name)
        with suppress(OSError):  # a file system without locks
            _fcntl.flock(descriptor, _fcntl.LOCK_EX)
        # Between its making and its lock another writer may have taken it for a leftover.
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)


def _read_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UMASK = _read_umask()  # once: to read it is to set it, which other threads would see
