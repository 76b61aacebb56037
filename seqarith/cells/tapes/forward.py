"""The operations of a recorded step on arrays (..., P, B), for one step or for all steps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from seqarith.cells.activations import Operation, activation
from seqarith.cells.cell import Array, Arrays
from seqarith.cells.steps import NAMED
from seqarith.cells.steps import Operation as Recorded
from seqarith.cells.tapes.operations import product

_BINARY: Mapping[str, Any] = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}


def forward(operation: Recorded, read: list[Array], out: Array, arrays: Arrays) -> list[Operation]:
    """Return array operations that compute an operation of a record.

    Args:
        operation: The operation.
        read: The values that it reads.
        out: The array for its value; a take or a join copies only what is not there yet.
        arrays: The arrays by their names in the record.
    """
    kind = operation[0]
    if kind in ("take", "join"):
        return _moved(operation, read, out)
    if kind in NAMED:
        return [_by_array(kind, arrays[operation[2]], read[0], out)]
    if kind in ("tanh", "sigmoid"):
        return activation(kind, out.dtype).value(read[0], out)
    if kind == "relu":
        return [partial(np.maximum, read[0], 0, out=out)]
    if kind == "blend":  # n + z (h - n)
        z, h, n = read
        return [
            partial(np.subtract, h, n, out),
            partial(np.multiply, z, out, out),
            partial(np.add, out, n, out),
        ]
    return [partial(_BINARY[kind], *read, out)]


def _moved(operation: Recorded, read: list[Array], out: Array) -> list[Operation]:
    """Return copies of the parts of a take or a join that are not in place yet."""
    if operation[0] == "take":
        pairs = [(out, read[0][..., operation[2] : operation[3], :])]
    else:
        pairs = list(zip(parts(out, [x.shape[-2] for x in read]), read, strict=True))
    return [partial(np.copyto, part, x) for part, x in pairs if not same(part, x)]


def _by_array(kind: str, array: Array, x: Array, out: Array) -> Operation:
    """Return a linear map, a shift or a scale, for one step or for all steps."""
    if kind == "linear":
        return product(array[..., None, :, :] if x.ndim > array.ndim else array, x, out)
    column = array[..., None] if out.ndim <= array.ndim + 1 else array[..., None, :, None]
    return partial(np.add if kind == "shift" else np.multiply, x, column, out)


def parts(whole: Array, widths: list[int]) -> list[Array]:
    """Return consecutive parts of an array (..., P, B), of the given numbers of units."""
    ends = np.cumsum(widths).tolist()
    return [whole[..., e - w : e, :] for w, e in zip(widths, ends, strict=True)]


def same(x: Array, y: Array) -> bool:
    """Return whether two arrays are the same memory."""
    return x.__array_interface__["data"] == y.__array_interface__["data"] and x.strides == y.strides
