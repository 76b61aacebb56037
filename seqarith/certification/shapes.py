"""Regions about sampled vectors, thin where later outputs are sensitive."""

import numpy as np

from seqarith.certification.enclosure import Dynamics
from seqarith.certification.program import FloatArray, IntArray

FLOOR = 0.03  # added to the spread in every direction: a region must have a body to land in
WIDER, PLUS = 1.2, 0.03  # a region's bounds against the range of its samples
FORGET = 0.65
SWEEPS = 40


def observability(jacobians: FloatArray, successors: IntArray) -> FloatArray:
    """Weigh directions (R, H, H) at each leaf by what they will do to the hidden vectors to come.

    ``O <- 1e-3 I + 0.65 * sum over letters of J.T O' J`` along the leaf graph; ``jacobians`` is
    (R, A, H, H).
    """
    regions, _, hidden, _ = jacobians.shape
    base = 1e-3 * np.eye(hidden)
    o = np.repeat(base[None], regions, 0)
    for _ in range(SWEEPS):
        new = base + FORGET * (jacobians.transpose(0, 1, 3, 2) @ o[successors] @ jacobians).sum(1)
        done = np.abs(new - o).max() <= 1e-3 * np.abs(new).max()
        o = new
        if done:
            break
    return o


def balance(reach: FloatArray, observe: FloatArray) -> FloatArray:
    """Give coordinates, an axis a row, in which both Gramians are one diagonal matrix.

    All are of shape (R, H, H).

    Source:
        Moore, Principal component analysis in linear systems, 1981 (balanced realisation).
    """
    root = np.linalg.cholesky(reach)
    values, vectors = np.linalg.eigh(root.transpose(0, 2, 1) @ observe @ root)
    values = np.maximum(values, 1e-12 * values[:, -1:])
    axes: FloatArray = (root @ vectors * values[:, None] ** -0.25).transpose(0, 2, 1)
    return axes


def parallelotopes(
    cell: Dynamics, vectors: list[FloatArray], successors: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return regions about vectors: centres (R, H), generators (R, H, H), one a row."""
    regions, letters = successors.shape
    middle = np.stack([(v.max(0) + v.min(0)) * 0.5 for v in vectors])
    hidden = middle.shape[1]
    read = np.tile(np.arange(letters), regions)
    jacobians = cell.jacobians(np.repeat(middle, letters, 0), read)
    jacobians = jacobians.reshape(regions, letters, hidden, hidden)
    reach = np.stack([(v - m).T @ (v - m) / len(v) for v, m in zip(vectors, middle, strict=True)])
    axes = balance(reach + FLOOR**2 * np.eye(hidden), observability(jacobians, successors))
    inverse = np.linalg.inv(axes)
    centres, shapes = np.empty((regions, hidden)), np.empty((regions, hidden, hidden))
    for i, v in enumerate(vectors):
        y = (v - middle[i]) @ inverse[i]
        low, high = y.min(0), y.max(0)
        centres[i] = middle[i] + (low + high) * 0.5 @ axes[i]
        shapes[i] = axes[i] * (WIDER * (high - low) * 0.5 + PLUS)[:, None]
    return centres, shapes
