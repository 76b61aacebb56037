"""The container: what is written whole or not at all, and what is refused."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqarith import archive
from seqarith.atomic import check_writable
from seqarith.errors import ModelFileError, OutputError

HEADER = {"format": "thing", "version": 1, "note": "é"}


def save(path: Path, fill: float = 1.0) -> None:
    archive.write(path, HEADER, {"w": np.full((2, 3), fill, np.float32)})


def test_round_trip(tmp_path: Path) -> None:
    save(tmp_path / "a")
    found = archive.read(tmp_path / "a", "thing", 1)
    assert found.header == HEADER
    array = found.arrays({"w": (2, 3)}, "float32")["w"]
    assert (array == 1).all()
    assert array.dtype == np.float32
    assert os.listdir(tmp_path) == ["a"]


def test_same_content_same_bytes(tmp_path: Path) -> None:
    save(tmp_path / "a")
    save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_usual_rights_of_a_new_file_and_those_of_an_old_one(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        save(tmp_path / "a")
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644
        (tmp_path / "a").chmod(0o640)
        save(tmp_path / "a")
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    finally:
        os.umask(umask)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    save(tmp_path / "a")
    before = (tmp_path / "a").read_bytes()

    def fail(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        save(tmp_path / "a", 2.0)
    assert (tmp_path / "a").read_bytes() == before
    assert os.listdir(tmp_path) == ["a"]


def test_an_interrupted_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    save(tmp_path / "file")
    for place in (tmp_path / "missing" / "a", tmp_path / "file" / "a", tmp_path):
        with pytest.raises(OutputError, match="cannot write"):
            save(place)
        with pytest.raises(OutputError, match="cannot write"):
            check_writable(place)
    check_writable(tmp_path / "new")
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("shapes", "dtype", "message"),
    [
        ({}, "float32", "has array 'w'"),
        ({"w": (2, 3), "v": (1,)}, "float32", "lacks array 'v'"),
        ({"w": (3, 2)}, "float32", r"shape \(2, 3\); expected float32 of shape \(3, 2\)"),
        ({"w": (6,)}, "float32", "expected float32 of shape"),
        ({"w": (2, 3)}, "float64", "expected float64"),
    ],
)
def test_arrays_must_be_those_asked_for(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], dtype: str, message: str
) -> None:
    save(tmp_path / "a")
    with pytest.raises(ModelFileError, match=message):
        archive.read(tmp_path / "a", "thing", 1).arrays(shapes, dtype)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_must_be_finite(tmp_path: Path, wrong: float) -> None:
    save(tmp_path / "a", wrong)
    with pytest.raises(ModelFileError, match="not finite"):
        archive.read(tmp_path / "a", "thing", 1).arrays({"w": (2, 3)}, "float32")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"format": "other", "version": 1}, "not a thing file"),
        ({"version": 1}, "not a thing file"),
        ({"format": "thing", "version": 2}, "format 2 is newer than this seqarith"),
        ({"format": "thing", "version": 10**30}, "newer"),
        ({"format": "thing", "version": 0}, "format version 0"),
        ({"format": "thing", "version": -1}, "format version -1"),
        ({"format": "thing", "version": True}, "format version True"),
        ({"format": "thing", "version": 1.0}, r"format version 1\.0"),
        ({"format": "thing", "version": "1"}, "format version '1'"),
        ({"format": "thing", "version": None}, "format version None"),
        ({"format": "thing"}, "format version None"),
        ({"format": ["thing"], "version": 1}, "not a thing file"),
    ],
)
def test_headers(tmp_path: Path, header: dict[str, Any], message: str) -> None:
    archive.write(tmp_path / "a", header, {})
    with pytest.raises(ModelFileError, match=message):
        archive.read(tmp_path / "a", "thing", 1)
