"""The container of model files and checkpoints: an ``.npz`` with a JSON header.

An archive is a zip of stored (never compressed) ``.npy`` entries, as `numpy.savez` writes it. The
entry ``header`` is a vector of bytes: JSON in UTF-8. Reading trusts nothing: nothing is ever
unpickled or executed, and sizes are checked before anything is allocated.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import struct
import tokenize
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from seqarith.atomic import write_bytes
from seqarith.errors import InvalidValueError, ModelFileError, OutputError
from seqarith.schema import Integer, Schema
from seqarith.strict_json import parse_json
from seqarith.text import shortened

MAX_BYTES = 2**30  # of a file
MAX_HEADER_BYTES = 2**20
MAX_ENTRIES = 128  # of a file; a model has one for each array
HEADER = "header"
START = b"PK\3\4"
"""Signature of a zip file, as NumPy checks it as well."""

_ENTRY = re.compile(r"[A-Za-z0-9_.-]{1,100}\.npy")
_VERSION = Integer(1)

# What zipfile, json and NumPy's header parser raise for malformed bytes.
_MALFORMED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
)


@final
@dataclass(frozen=True)
class Archive:
    """The content of an archive: its header, and its entries, which `arrays` turns into arrays."""

    header: dict[str, Any]
    entries: Mapping[str, bytes]
    path: Path

    def parted(self, prefix: str) -> tuple[Archive, Archive]:
        """Return the entries without a prefix, and those with it; it is removed from the names."""
        parts: tuple[dict[str, bytes], dict[str, bytes]] = {}, {}
        for name, data in self.entries.items():
            parts[name.startswith(prefix)][name.removeprefix(prefix)] = data
        return replace(self, entries=parts[0]), replace(self, entries=parts[1])

    def arrays(
        self, shapes: Mapping[str, tuple[int, ...]], dtype: str | Mapping[str, str]
    ) -> dict[str, NDArray[Any]]:
        """Return the arrays of these names.

        Args:
            shapes: The shape of each.
            dtype: The dtype of all, or of each.

        Raises:
            ModelFileError: One is missing, there is an unknown one, or one has a wrong shape or
                dtype or a number that is not finite.
        """
        missing = sorted(set(shapes) - set(self.entries))
        surplus = sorted(set(self.entries) - set(shapes))
        if missing or surplus:
            wrong = f"lacks array {missing[0]!r}" if missing else f"has array {surplus[0]!r}"
            names = shortened(", ".join(sorted(shapes)))
            raise ModelFileError(f"{self.path}: {wrong}; expected {names}")
        each = dict.fromkeys(shapes, dtype) if isinstance(dtype, str) else dtype
        return {name: self._array(name, shape, each[name]) for name, shape in shapes.items()}

    def _array(self, name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        try:
            found_shape, found_dtype, start = _npy_header(self.entries[name])
        except _MALFORMED as error:
            raise ModelFileError(
                f"{self.path}: array {name!r} is damaged ({_short(error)})"
            ) from None
        if (found_shape, found_dtype) != (shape, np.dtype(dtype)):
            raise ModelFileError(
                f"{self.path}: array {name!r} is {found_dtype} of shape {found_shape}; "
                f"expected {dtype} of shape {shape}"
            )
        data = self.entries[name][start:]
        if len(data) != prod(shape) * np.dtype(dtype).itemsize:
            raise ModelFileError(f"{self.path}: array {name!r} has {len(data)} bytes of data")
        array = np.frombuffer(data, dtype).reshape(shape)
        if not np.isfinite(array).all():
            raise ModelFileError(f"{self.path}: array {name!r} holds numbers that are not finite")
        return array


def read(
    path: str | os.PathLike[str], kind: str, version: int, schema: Schema | None = None
) -> Archive:
    """Read an archive.

    Args:
        path: The file.
        kind: The format that its header must name.
        version: The newest version of the format that the caller understands.
        schema: The schema of the header.

    Raises:
        ModelFileError: The file is missing, damaged, or not an archive of this kind.
    """
    place = Path(path)
    entries = _entries(place, _content(place))
    header = _header(place, entries, kind)
    found = header.get("version")
    if type(found) is int and found > version:
        raise ModelFileError(
            f"{place}: format {found} is newer than this seqarith, which reads up to {version}; "
            "upgrade seqarith"
        )
    try:
        _VERSION.check(found, "format version")
        if schema is not None:
            schema.check(header, "")
    except InvalidValueError as error:
        raise ModelFileError(f"{place}: {error}") from None
    return Archive(header, entries, place)


def write(
    path: str | os.PathLike[str],
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    schema: Schema | None = None,
) -> None:
    """Write an archive completely or not at all; the same content gives the same bytes.

    Args:
        path: The file.
        header: JSON.
        arrays: By their names.
        schema: The schema of the header; a header that could not be read again is refused.

    Raises:
        InvalidValueError: The header is not JSON, or the schema refuses it.
        OutputError: It cannot be written; an existing file is left as it was.
    """
    try:
        text = json.dumps(header, indent=1, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"the header of {path} is not JSON: {_short(error)}") from None
    if schema is not None:
        schema.check(parse_json(text), "")
    content = io.BytesIO()
    named: dict[str, Any] = {HEADER: np.frombuffer(text.encode(), np.uint8), **arrays}
    np.savez(content, allow_pickle=False, **named)
    write_bytes(path, content.getvalue())


def check_no_archive(path: str | os.PathLike[str]) -> None:
    """Refuse to overwrite a model or a checkpoint with another kind of file.

    Raises:
        OutputError: The path is a model or a checkpoint.
    """
    place = Path(path)
    if place.is_file() and zipfile.is_zipfile(place):
        raise OutputError(
            f"{place} is a model or a checkpoint, which would be lost: choose another file"
        )


def _content(place: Path) -> bytes:
    try:
        status = place.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError(f"{place}: not a file")
        if status.st_size > MAX_BYTES:
            raise ModelFileError(f"{place}: {status.st_size} bytes; at most {MAX_BYTES} are read")
        return place.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(f"{place}: no such file") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{place}: cannot be read ({error})") from None


def _entries(place: Path, content: bytes) -> dict[str, bytes]:
    if not content:
        raise ModelFileError(f"{place}: the file is empty")
    if not content.startswith(START):
        raise ModelFileError(f"{place}: damaged, or not a file of seqarith (it is not a zip file)")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _check_directory(place, infos, len(content))
            return {info.filename.removesuffix(".npy"): archive.read(info) for info in infos}
    except ModelFileError:
        raise
    except _MALFORMED as error:
        raise ModelFileError(
            f"{place}: damaged, or not a file of seqarith ({_short(error) or type(error).__name__})"
        ) from None


def _check_directory(place: Path, infos: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse entries that would need more memory than the file has bytes, before reading any."""
    if len(infos) > MAX_ENTRIES:
        raise ModelFileError(f"{place}: {len(infos)} entries; at most {MAX_ENTRIES} are read")
    seen: set[str] = set()
    for info in infos:
        # Other readers may confuse "w", "w.npy" and "W.npy", or cut a name at a zero byte.
        name = info.orig_filename
        if not _ENTRY.fullmatch(name) or name.removesuffix(".npy").endswith(".npy"):
            raise ModelFileError(
                f"{place}: an entry is called {shortened(repr(name), 60)}; expected a plain name "
                "that ends in .npy"
            )
        if name.casefold() in seen:
            raise ModelFileError(f"{place}: two entries are called {shortened(repr(name), 60)}")
        seen.add(name.casefold())
    if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in infos):
        raise ModelFileError(f"{place}: compressed or encrypted entries: not a file of seqarith")
    if sum(info.file_size for info in infos) > size:
        raise ModelFileError(f"{place}: its entries claim more bytes than the file has")


def _npy_header(data: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read_header(stream)
    if fortran and len(shape) > 1:
        raise ValueError("its rows are not contiguous")
    return shape, dtype, stream.tell()


def _header(place: Path, entries: dict[str, bytes], kind: str) -> dict[str, Any]:
    """Remove the header from the entries and return it; refuse a header of another kind."""
    try:
        text = _header_text(entries.pop(HEADER))
    except _MALFORMED:
        raise _not_one(place, kind) from None
    try:
        header = parse_json(text)
    except InvalidValueError as error:
        raise ModelFileError(f"{place}: not a {kind} file: its header: {error}") from None
    if not isinstance(header, dict) or header.get("format") != kind:
        raise _not_one(place, kind)
    return header


def _header_text(entry: bytes) -> str:
    if len(entry) > MAX_HEADER_BYTES:
        raise ValueError("the header is too long")
    shape, dtype, start = _npy_header(entry)
    if dtype != np.uint8 or shape != (len(entry) - start,):
        raise ValueError("the header is not a vector of bytes")
    return entry[start:].decode("utf-8")


def _short(error: Exception) -> str:
    return shortened(str(error), 80)


def _not_one(place: Path, kind: str) -> ModelFileError:
    return ModelFileError(f"{place}: not a {kind} file")
