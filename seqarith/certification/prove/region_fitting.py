"""Regions around sampled memories, thin in the directions that later outputs are sensitive to."""

import time
from dataclasses import dataclass
from typing import final

import numpy as np

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.dynamics import Dynamics

NOISE = 1e-3  # error of each unit in each step for which regions make room
MAX_GROWTH = 10.0  # factor that a region may grow by to make room
FORGET = 0.65  # discount of later letters in the observability Gramian
LEAST_WEIGHT = 1e-3  # of every direction, so that the Gramian is positive definite
SWEEPS = 40  # of the fixed-point iteration for the Gramian, at most


@final
@dataclass(frozen=True)
class FittingOptions:
    """How regions are fitted to samples.

    Attributes:
        floor: Standard deviation added in every direction, so that no region is flat.
        wider, plus: Factor and summand from the extents of the samples to those of the region.
        sweeps: How often regions are widened to hold the images of others. With more sweeps regions
            become too wide for the step to be nearly affine on them.
        effort: Zonotope steps that one region may cost.
    """

    floor: float
    wider: float
    plus: float
    sweeps: int
    effort: int


# Some networks are proved with one of these and not with the other, so both are tried.
PLAIN = FittingOptions(floor=0.03, wider=1.2, plus=0.03, sweeps=0, effort=4_000)
ROOMY = FittingOptions(floor=0.01, wider=1.05, plus=0.0, sweeps=2, effort=1_000)


def observability_gramians(
    jacobians: FloatArray, successors: IntArray, deadline: float = float("inf")
) -> FloatArray | None:
    """Return the observability Gramians (R, M, M): how much a direction matters to later memories.

    ``O <- 1e-3 I + 0.65 * sum over letters of J.T O' J``, where O' is that of the successor;
    ``jacobians`` is (R, A, M, M). None if the deadline, of `time.monotonic`, comes first: regions
    fitted with unfinished weights are bad for good.
    """
    regions, _, hidden, _ = jacobians.shape
    base = LEAST_WEIGHT * np.eye(hidden)
    o = np.repeat(base[None], regions, 0)
    for _ in range(SWEEPS):
        if time.monotonic() > deadline:
            return None
        new = base + FORGET * (jacobians.transpose(0, 1, 3, 2) @ o[successors] @ jacobians).sum(1)
        done = np.abs(new - o).max() <= 1e-3 * np.abs(new).max()
        o = new
        if done:
            break
    return o


def balanced_axes(reach: FloatArray, observe: FloatArray) -> FloatArray:
    """Return axes, one a row, in which both Gramians are the same diagonal matrix.

    All arrays have shape (R, M, M).

    Source:
        Moore, Principal component analysis in linear systems, 1981 (balanced realisation).
    """
    root = np.linalg.cholesky(reach)
    values, vectors = np.linalg.eigh(root.transpose(0, 2, 1) @ observe @ root)
    # Eigenvalues that rounding made 0 or negative would give infinite axes.
    values = np.maximum(values, 1e-12 * values[:, -1:])
    axes: FloatArray = (root @ vectors * values[:, None] ** -0.25).transpose(0, 2, 1)
    return axes


def fit_parallelotopes(
    cell: Dynamics,
    vectors: list[FloatArray],
    successors: IntArray,
    fitting: FittingOptions = PLAIN,
    deadline: float = float("inf"),
) -> tuple[FloatArray, FloatArray] | None:
    """Return regions around samples: centres (R, M), generators (R, M, M), one a row.

    None if the deadline, of `time.monotonic`, comes first.
    """
    middle = np.stack([(v.max(0) + v.min(0)) * 0.5 for v in vectors])
    hidden = middle.shape[1]
    reach = np.stack([(v - m).T @ (v - m) / len(v) for v, m in zip(vectors, middle, strict=True)])
    observe = observability_gramians(_jacobians(cell, middle, successors), successors, deadline)
    if observe is None:
        return None
    axes = balanced_axes(reach + fitting.floor**2 * np.eye(hidden), observe)
    inverse = np.linalg.inv(axes)
    inside = [(v - middle[i]) @ inverse[i] for i, v in enumerate(vectors)]
    low, high = (np.stack([end(y, 0) for y in inside]) for end in (np.min, np.max))
    centres = middle + (((low + high) * 0.5)[:, None] @ axes)[:, 0]
    extents = fitting.wider * (high - low) * 0.5 + fitting.plus
    if fitting.sweeps:
        extents = _with_room(cell, centres, axes, inverse, extents, successors, fitting.sweeps)
    return centres, axes * extents[:, :, None]


def _jacobians(cell: Dynamics, centres: FloatArray, successors: IntArray) -> FloatArray:
    """Return the Jacobians at every centre under every letter, shape (R, A, M, M)."""
    (regions, letters), hidden = successors.shape, centres.shape[1]
    read = np.tile(np.arange(letters), regions)
    found = cell.jacobians(np.repeat(centres, letters, 0), read)
    return found.reshape(regions, letters, hidden, hidden)


def _with_room(
    cell: Dynamics,
    centres: FloatArray,
    axes: FloatArray,
    inverse: FloatArray,
    extents: FloatArray,
    successors: IntArray,
    sweeps: int,
) -> FloatArray:
    """Widen extents (R, M), in each region's own axes, so that images return after fewer letters.

    To first order the image of a region has the extents ``offset + extents @ |axes J.T inverse'|``
    in the axes of its successor. Each sweep widens every region to hold the images that reach it.
    """
    (regions, letters), hidden = successors.shape, centres.shape[1]
    to, read = successors.ravel(), np.tile(np.arange(letters), regions)
    images = cell.points(np.repeat(centres, letters, 0), read) - centres[to]
    jacobians = _jacobians(cell, centres, successors).transpose(0, 1, 3, 2)
    steps = (axes[:, None] @ jacobians).reshape(-1, hidden, hidden) @ inverse[to]
    noise = NOISE * np.abs(inverse).sum(1)
    least = extents + noise
    gain, offset = np.abs(steps), np.abs(images[:, None] @ inverse[to])[:, 0] + noise[to]
    wide: FloatArray = least
    for _ in range(sweeps):
        come = offset + (np.repeat(wide, letters, 0)[:, None] @ gain)[:, 0]
        wide = least.copy()
        np.maximum.at(wide, to, np.minimum(come, MAX_GROWTH * least[to]))
    return wide
