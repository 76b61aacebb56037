"""What killed writers leave behind, and who removes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seqarith import atomic

WRITER = """
import os, sys
from seqarith import atomic
def wait(descriptor):
    print("holds", flush=True)
    sys.stdin.read()
os.fsync = wait
atomic.write_bytes(sys.argv[1], b"other")
"""


def begun(place: Path) -> subprocess.Popen[str]:
    """Return a process that has written all of its temporary file, and goes no further."""
    pipe = subprocess.PIPE
    found = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place)], stdin=pipe, stdout=pipe, text=True
    )
    assert found.stdout is not None
    assert found.stdout.readline() == "holds\n"
    return found


def ended(process: subprocess.Popen[str], number: int = 0) -> None:
    if number:
        process.send_signal(number)
    process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of POSIX")
def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    place = tmp_path / "k.ckpt"
    for _ in range(3):
        ended(begun(place), signal.SIGKILL)
        # The next writer removes it, and leaves one itself.
        assert len(os.listdir(tmp_path)) == 1
    atomic.write_bytes(place, b"mine")
    assert os.listdir(tmp_path) == ["k.ckpt"]
    assert place.read_bytes() == b"mine"


@pytest.mark.skipif(sys.platform == "win32", reason="no locks of POSIX")
def test_what_a_living_writer_holds_stays(tmp_path: Path) -> None:
    place = tmp_path / "k.ckpt"
    other = begun(place)
    atomic.write_bytes(place, b"mine")
    assert len(os.listdir(tmp_path)) == 2
    assert place.read_bytes() == b"mine"
    ended(other)
    assert other.returncode == 0
    assert os.listdir(tmp_path) == ["k.ckpt"]
    assert place.read_bytes() == b"other"


def test_only_leftovers_of_the_target_are_removed(tmp_path: Path) -> None:
    names = [".k.abcdefgh", ".k.backup.tmp", "k.abcdefgh.tmp", ".kk.abcdefgh.tmp", ".k.tmp"]
    for name in names:
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / ".k.fifofifo.tmp")
    (tmp_path / ".k.linklink.tmp").symlink_to(tmp_path / ".k.tmp")
    (tmp_path / ".k.abcdefgh.tmp").touch()
    atomic.write_bytes(tmp_path / "k", b"")
    left = set(os.listdir(tmp_path))
    assert {*names, "k", ".k.linklink.tmp"} <= left
    assert ".k.abcdefgh.tmp" not in left


def test_hosts_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_fcntl", None)
    (tmp_path / ".k.abcdefgh.tmp").touch()
    atomic.write_bytes(tmp_path / "k", b"mine")
    assert sorted(os.listdir(tmp_path)) == [".k.abcdefgh.tmp", "k"]


def test_a_temporary_file_that_was_taken_for_a_leftover_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer may look between the making of a temporary file and its lock."""
    make, made = atomic.tempfile.mkstemp, []

    def and_lose(*arguments: object) -> tuple[int, str]:
        descriptor, name = make(*arguments)  # type: ignore[call-overload]
        made.append(name)
        if len(made) == 1:
            os.unlink(name)
        return descriptor, name

    monkeypatch.setattr(atomic.tempfile, "mkstemp", and_lose)
    atomic.write_bytes(tmp_path / "k", b"mine")
    assert len(made) == 2
    assert os.listdir(tmp_path) == ["k"]


def test_long_names(tmp_path: Path) -> None:
    place = tmp_path / ("é" * 120)
    atomic.write_bytes(place, b"mine")
    assert place.read_bytes() == b"mine"
