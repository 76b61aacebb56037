"""Array operations that the tapes of all cells use."""

from __future__ import annotations

from functools import partial

import numpy as np

from seqarith.cells.activations import Array, Operation

LARGE = 2**18
"""Bytes of slopes that are computed at once, so that they are still in the cache when used."""

PARTIAL_SUMS = 2**17
"""Numbers that `gradient` computes before it sums over steps, so that they stay in the cache."""


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

    In memory it is units first, the transpose of a (P, N) array. So later operations, elementwise
    or on some of the units, run through contiguous memory.
    """
    transposed: Array = np.matmul(kernel.T, vectors.T)
    return transposed.T


def spread(weight: Array, by_logits: Array, out: Array) -> Operation:
    """Return the product of ``weight`` (..., H, K) by ``by_logits`` (..., T, K, B)."""
    # With one logit, elementwise: a matrix product takes ten times as long.
    operation = np.multiply if weight.shape[-1] == 1 else np.matmul
    return partial(operation, weight[..., None, :, :], by_logits, out)


def gradient(read: Array, deltas: Array, out: Array) -> list[Operation]:
    """Return operations that write the gradient of a kernel, summed over steps and words.

    out = sum over t of read[t] deltas[t]^T. Steps are summed a few at a time, which keeps the
    partial sums in the cache.

    Args:
        read: The vectors that the kernel was multiplied with, shape (..., T, N, B), possibly with
            more rows of padding, see `padded`.
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
            # Add the sum so far to the first partial sum, so that one reduction covers both.
            operations.append(partial(np.add, sums[..., 0, :, :], out, sums[..., 0, :, :]))
        operations.append(partial(np.add.reduce, sums, axis=-3, out=out))
    return operations


def padded(rows: int, batch: int) -> int:
    """Return the number of rows, rounded up to a multiple of 4, which makes products faster.

    A product over words with 36 rows took a fifth less time than with 35. One word needs none.
    """
    return rows if batch == 1 else -(-rows // 4) * 4


def at_once(steps: int, slopes: int) -> int:
    """Return for how many of T steps the slopes are computed at once, given the bytes per step."""
    return max(1, min(steps, LARGE // slopes))


def group(t: int, steps: int, size: int) -> slice:
    """Return the group of steps to prepare when the backward pass reaches step t, or no steps.

    Groups of ``size`` steps begin at multiples of it; the backward pass reaches their last step
    first.
    """
    ends = t == steps - 1 or (t + 1) % size == 0
    return slice(t - t % size, t + 1) if ends else slice(0)


def joined(blocks: Array) -> Array:
    """Return blocks (..., N, H, B) as one matrix (..., N H, B), which is a view of them."""
    return blocks.reshape(*blocks.shape[:-3], -1, blocks.shape[-1])
