"""Ways to damage a file: its bytes, the structure of its header, its arrays, its entries."""

from __future__ import annotations

import io
import json
import random
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DEEP, LONG = "@deep@", "@long@"
INJECTED = {
    f'"{DEEP}"': "[" * 200_000 + "]" * 200_000,
    f'"{LONG}"': "9" * 5000,
}
"""What `json.dumps` would not write: it is put into the text in place of these."""

VALUES: list[Any] = [
    None, True, False, -1, 0, 1, 3, 300, 4096, 10**6, 2**31, 2**62, 2**70, 10**400, -(10**30),
    0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf"), float("-inf"),
    "", "x", "8", "1e5", "\ud800", "\x1b[2J\x00\r\n0\ncertificate claims every width",
    "\u202egnp.ledom", "a" * 70_000, "é" * 300, "add", "../../etc/passwd",
    "{} {} {0.x}", "$\\frac{$",
    [], {}, [[]], [None], [0] * 5000, [[1, 2], [3]], {"a": 1}, {"": None}, {"a": {"b": [{}]}},
    [1.5, "x", None], DEEP, LONG,
]  # fmt: skip

ALIKE: list[Callable[[str], str]] = [
    lambda name: name.removesuffix(".npy"),
    lambda name: name + ".npy",
    lambda name: name.upper(),
    lambda name: "./" + name,
    lambda name: name + "\x00x",
    lambda name: name.replace(".npy", "\u200b.npy"),
    lambda name: name,
]
"""Other names for an entry, which some reader takes for the same."""


def broken_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return the content with a bit flipped, a block overwritten, cut off, removed or doubled."""
    kind = rng.randrange(5)
    place = rng.randrange(len(content))
    length = rng.choice((1, 2, 8, 64, 512))
    if kind == 0:
        bit = bytes([content[place] ^ 1 << rng.randrange(8)])
        return content[:place] + bit + content[place + 1 :]
    if kind == 1:
        return content[:place] + rng.randbytes(length) + content[place + length :]
    if kind == 2:
        return content[:place]
    if kind == 3:
        return content[:place] + content[place + length :]
    return content[:place] + content[place : place + length] + content[place:]


def broken_json(text: str, rng: random.Random) -> str:
    """Return JSON with a value replaced, removed, added, renamed or doubled, at any depth."""
    whole = [json.loads(text)]
    kind = rng.choice(("replace",) * 6 + ("remove", "add", "rename", "double"))
    if kind == "double":
        return _doubled(text, rng)
    box, key = rng.choice([*_places(whole)])
    if kind == "replace" or not isinstance(box, dict):
        box[key] = rng.choice(VALUES)
    elif kind == "add":
        box[rng.choice(("more", "steps", "", "\ud800", "\x1b[2J", "k" * 500))] = rng.choice(VALUES)
    else:
        kept = box.pop(key)
        if kind == "rename":
            box[rng.choice((key.upper(), key + " ", "x"))] = kept
    written = json.dumps(whole[0])
    for mark, real in INJECTED.items():
        written = written.replace(mark, real)
    return written


def _places(box: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every list or object with each of its keys."""
    for key in list(box) if isinstance(box, dict) else range(len(box)):
        yield box, key
        if isinstance(box[key], dict | list):
            yield from _places(box[key])


def _doubled(text: str, rng: random.Random) -> str:
    keys = list(re.finditer(r'"(\w+)":', text))
    if not keys:
        return text
    found = rng.choice(keys)
    again = f"{found[0]} {json.dumps(rng.choice((None, 0, 'x', [])))}, "
    return text[: found.start()] + again + text[found.start() :]


def broken_archive(content: bytes, rng: random.Random) -> bytes:
    """Return an archive whose header, arrays or entries were changed."""
    entries = entries_of(content)
    kind = rng.choice(("header",) * 5 + ("array",) * 3 + ("entries",) * 2)
    if kind == "header":
        text = bytes(_array(entries["header.npy"])).decode()
        encoded = broken_json(text, rng).encode("utf-8", "surrogatepass")
        entries["header.npy"] = _npy(np.frombuffer(encoded, np.uint8))
        return zipped(list(entries.items()))
    arrays = [name for name in entries if name != "header.npy"]
    if kind == "array" and arrays:
        name = rng.choice(arrays)
        entries[name] = _npy(rng.choice(RESHAPED)(_array(entries[name])))
        return zipped(list(entries.items()))
    return _other_entries(entries, rng)


def _other_entries(entries: dict[str, bytes], rng: random.Random) -> bytes:
    listed, name = list(entries.items()), rng.choice(list(entries))
    kind = rng.randrange(5)
    if kind == 0:
        listed = [each for each in listed if each[0] != name]
    elif kind == 1:
        listed.reverse()
    elif kind == 2:
        return zipped(listed, zipfile.ZIP_DEFLATED)
    else:
        other = entries[rng.choice(list(entries))]
        listed.insert(rng.randrange(len(listed) + 1), (rng.choice(ALIKE)(name), other))
    return zipped(listed)


def _filled(value: float) -> Callable[[Any], Any]:
    def fill(array: Any) -> Any:
        array = array.copy()
        array.flat[0] = value if array.dtype.kind == "f" else int(value) if value < 1e9 else 2**30
        return array

    return fill


RESHAPED: list[Callable[[Any], Any]] = [
    lambda array: array.astype(np.float64),
    lambda array: array.astype(np.float16),
    lambda array: array.astype(np.int64),
    lambda array: array.astype(complex),
    lambda array: array.astype(">f4"),
    lambda array: array.astype("U8"),
    lambda array: array.reshape(-1),
    lambda array: array[None],
    lambda array: array.T,
    np.asfortranarray,
    lambda array: array[:0],
    lambda array: array[:-1],
    lambda array: np.concatenate([array, array]),
    lambda array: np.zeros((), array.dtype),
    lambda array: array * 0,
    lambda array: array * -1,
    _filled(1e30),
    _filled(-1.0),
]


def entries_of(content: bytes) -> dict[str, bytes]:
    """Return the entries of an archive by their names."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {info.filename: file.read(info) for info in file.infolist()}


def zipped(entries: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return an archive of entries, two of one name among them if need be."""
    stream = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(stream, "w") as file:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.filename = name  # a zero byte stays
            file.writestr(info, content, compression)
    return stream.getvalue()


def _array(entry: bytes) -> Any:
    return np.load(io.BytesIO(entry))


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


def broken_log(content: bytes, rng: random.Random) -> bytes:
    """Return a log with a line changed."""
    lines = content.decode().splitlines()
    number = rng.randrange(len(lines))
    lines[number] = broken_json(lines[number], rng)
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return a file damaged in one way: one in three in its bytes."""
    if rng.randrange(3) == 0:
        return broken_bytes(content, rng)
    return (broken_archive if content.startswith(b"PK") else broken_log)(content, rng)
