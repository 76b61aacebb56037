"""Array operations that the tapes of all cells are made of."""

from __future__ import annotations

from functools import partial

import numpy as np

from seqarith.cells.activations import Array, Operation

LARGE = 2**18
"""Bytes of slopes that are computed at once: they stay in the cache until they are used."""

PARTIAL_SUMS = 2**17
"""Numbers that `gradient` keeps of steps that it has not added up yet."""


def product(left: Array, right: Array, out: Array) -> Operation:
    """Return the matrix product of fixed arrays as an operation.

    For two axes ``ndarray.dot`` has a third of the fixed cost of `numpy.matmul`; for stacks of
    matrices, or where ``out`` is not in one piece, only the latter works.
    """
    if left.ndim == right.ndim == 2 and out.flags.c_contiguous:
        return partial(left.dot, right, out)
    return partial(np.matmul, left, right, out)


def weighed(vectors: Array, kernel: Array) -> Array:
    """Return vectors (N, H) times a kernel (H, P), a new array of shape (N, P).

    It lies units first, as the transpose of a (P, N) one: what follows, elementwise or on some of
    the units, then runs through memory in one go.
    """
    transposed: Array = np.matmul(kernel.T, vectors.T)
    return transposed.T


def spread(weight: Array, by_logits: Array, out: Array) -> Operation:
    """Return what writes ``weight`` (..., H, K) by ``by_logits`` (..., T, K, B) into ``out``."""
    # For one logit: as a matrix product it would take ten times as long.
    operation = np.multiply if weight.shape[-1] == 1 else np.matmul
    return partial(operation, weight[..., None, :, :], by_logits, out)


def gradient(read: Array, deltas: Array, out: Array) -> list[Operation]:
    """Return what writes the gradient of a kernel: over steps and words, what it read by its delta.

    Steps are summed a few at a time, which keeps the partial sums in the cache.

    Args:
        read: What the kernel was multiplied with, shape (..., T, N, B), perhaps with rows of
            padding below, see `padded`.
        deltas: Derivative of the loss by the products, shape (..., T, P, B).
        out: Shape (..., N, P).
    """
    rows = out.shape[-2]
    if read.shape[-1] == 1:
        return [product(np.swapaxes(read[..., :rows, 0], -1, -2), deltas[..., 0], out)]
    steps, at_once = read.shape[-3], max(1, PARTIAL_SUMS // out.size)
    shape = (min(steps, at_once), read.shape[-2], out.shape[-1])
    partial_sums = np.empty((*out.shape[:-2], *shape), out.dtype)
    operations: list[Operation] = []
    for start in range(0, steps, at_once):
        some = slice(start, min(start + at_once, steps))
        whole = partial_sums[..., : some.stop - start, :, :]
        turned, sums = np.swapaxes(deltas[..., some, :, :], -1, -2), whole[..., :rows, :]
        operations.append(partial(np.matmul, read[..., some, :, :], turned, whole))
        if start:
            # The sum so far takes the place of a partial sum that was added to it.
            operations.append(partial(np.add, sums[..., 0, :, :], out, sums[..., 0, :, :]))
        operations.append(partial(np.add.reduce, sums, axis=-3, out=out))
    return operations


def padded(rows: int, batch: int) -> int:
    """Return a number of rows, at least so many, that products over words are fast with.

    With 36 rows such a product took a fifth less time than with 35. For one word there is none.
    """
    return rows if batch == 1 else -(-rows // 4) * 4


def at_once(steps: int, slopes: int) -> int:
    """Return of how many of T steps the slopes are computed at once, from their bytes a step."""
    return max(1, min(steps, LARGE // slopes))


def group(t: int, steps: int, size: int) -> slice:
    """Return the steps that are prepared when the backward pass comes to step t: a group, or none.

    Groups of ``size`` steps begin at multiples of it; the backward pass meets their last step
    first.
    """
    ends = t == steps - 1 or (t + 1) % size == 0
    return slice(t - t % size, t + 1) if ends else slice(0)


def joined(blocks: Array) -> Array:
    """Return blocks (..., N, H, B) as one matrix (..., N H, B), which is a view of them."""
    return blocks.reshape(*blocks.shape[:-3], -1, blocks.shape[-1])
