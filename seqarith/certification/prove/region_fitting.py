"""Regions about sampled vectors, thin where later outputs are sensitive."""

import time
from dataclasses import dataclass
from typing import final

import numpy as np

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.dynamics import Dynamics

NOISE = 1e-3  # error a unit and step for which regions make room
MOST = 10.0  # times that a region may grow to make room
FORGET = 0.65
SWEEPS = 40


@final
@dataclass(frozen=True)
class Style:
    """How regions are cut from samples; some networks are proved by one, some by the other.

    Attributes:
        floor: Added to the spread in every direction: a region must have a body to land in.
        wider, plus: A region's extents against those of its samples.
        sweeps: Steps for which an image keeps its room; more make regions too wide to be affine.
        effort: Zonotope steps that one region may cost.
    """

    floor: float
    wider: float
    plus: float
    sweeps: int
    effort: int


PLAIN = Style(floor=0.03, wider=1.2, plus=0.03, sweeps=0, effort=4_000)
ROOMY = Style(floor=0.01, wider=1.05, plus=0.0, sweeps=2, effort=1_000)


def observability(
    jacobians: FloatArray, successors: IntArray, deadline: float = float("inf")
) -> FloatArray | None:
    """Weigh directions (R, H, H) at each leaf by what they will do to the hidden vectors to come.

    ``O <- 1e-3 I + 0.65 * sum over letters of J.T O' J`` along the leaf graph; ``jacobians`` is
    (R, A, H, H). None where the deadline, of `time.monotonic`, comes first: weights that are half
    done would cut regions badly for good.
    """
    regions, _, hidden, _ = jacobians.shape
    base = 1e-3 * np.eye(hidden)
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
    cell: Dynamics,
    vectors: list[FloatArray],
    successors: IntArray,
    style: Style = PLAIN,
    deadline: float = float("inf"),
) -> tuple[FloatArray, FloatArray] | None:
    """Return regions about vectors: centres (R, H), generators (R, H, H), one a row.

    None where the deadline, of `time.monotonic`, comes first.
    """
    middle = np.stack([(v.max(0) + v.min(0)) * 0.5 for v in vectors])
    hidden = middle.shape[1]
    reach = np.stack([(v - m).T @ (v - m) / len(v) for v, m in zip(vectors, middle, strict=True)])
    observe = observability(_jacobians(cell, middle, successors), successors, deadline)
    if observe is None:
        return None
    axes = balance(reach + style.floor**2 * np.eye(hidden), observe)
    inverse = np.linalg.inv(axes)
    inside = [(v - middle[i]) @ inverse[i] for i, v in enumerate(vectors)]
    low, high = (np.stack([end(y, 0) for y in inside]) for end in (np.min, np.max))
    centres = middle + (((low + high) * 0.5)[:, None] @ axes)[:, 0]
    extents = style.wider * (high - low) * 0.5 + style.plus
    if style.sweeps:
        extents = _with_room(cell, centres, axes, inverse, extents, successors, style.sweeps)
    return centres, axes * extents[:, :, None]


def _jacobians(cell: Dynamics, centres: FloatArray, successors: IntArray) -> FloatArray:
    """Differentiate at every centre under every letter: (R, A, H, H)."""
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
    """Widen extents (R, H), in each region's own coordinates, so that images land sooner.

    To first order the image of a region has the extents ``offset + extents @ |axes J.T inverse'|``
    in its successor's coordinates; a few sweeps give every region room for those that come in.
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
        np.maximum.at(wide, to, np.minimum(come, MOST * least[to]))
    return wide
