"""Projection of hidden vectors, and of a proof's regions, onto two principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.kernel.certificate import Certificate
from seqarith.model import Model
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Letters

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Projection:
    """The plane of the first two principal components of a set of vectors.

    Attributes:
        mean: Mean of the vectors, shape (H,).
        axes: The components, unit vectors in rows, shape (2, H).
        explained: Share of the variance of each component, shape (2,).

    Source: K. Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space (1901).
    """

    mean: Floats
    axes: Floats
    explained: Floats

    @staticmethod
    def fit(vectors: NDArray[Any]) -> Projection:
        """Return the plane of vectors of shape (N, H).

        The entry of each axis with the largest size is positive, which fixes the axis's sign.
        """
        points = np.asarray(vectors, np.float64)
        mean = points.mean(axis=0)
        _, sizes, rows = np.linalg.svd(points - mean, full_matrices=False)
        width = points.shape[1]
        axes, variance = np.zeros((2, width)), np.zeros(2)
        found = min(2, len(rows))
        axes[:found], variance[:found] = rows[:found], sizes[:found] ** 2
        largest = np.abs(axes).argmax(axis=1)
        axes *= np.where(axes[[0, 1], largest] < 0, -1, 1)[:, None]
        # The squares of the singular values are the variances, up to a common factor.
        total = float((sizes**2).sum())
        return Projection(mean, axes, variance / total if total else variance)

    def __call__(self, vectors: NDArray[Any]) -> Floats:
        """Project vectors of shape (..., H) onto the plane: shape (..., 2)."""
        placed: Floats = (np.asarray(vectors, np.float64) - self.mean) @ self.axes.T
        return placed

    def outline(self, certificate: Certificate, region: int) -> Floats:
        """Return the corners of a region's projection, in order, shape (N, 2).

        The projection of a parallelotope, or of a box, is a polygon whose sides are its projected
        generators, ordered by direction. If the memory is wider than the hidden vector, the region
        is first restricted to the coordinates of the hidden vector.
        """
        width = len(self.mean)
        shape = np.asarray(certificate.shapes[region], np.float64)
        generators = np.diag(shape) if shape.ndim == 1 else shape
        sides = generators[:, :width] @ self.axes.T
        # A zonotope's sides are its generators, in the order of their angles in the upper half
        # plane; the second half of the polygon mirrors the first.
        sides = np.where((sides[:, 1] < 0)[:, None], -sides, sides)
        sides = sides[np.argsort(np.arctan2(sides[:, 1], sides[:, 0]), kind="stable")]
        middle = self(certificate.centres[region, :width])
        half = middle - sides.sum(axis=0) + 2 * np.cumsum(sides, axis=0)
        return np.concatenate([half, 2 * middle - half])


@final
@dataclass(frozen=True, eq=False)
class Visits:
    """Hidden vectors of a network on random words.

    Attributes:
        letters: The words, shape (T, N).
        hidden: Hidden vectors before the first letter and after each, shape (T + 1, N, H).
        states: States of the machine at the same times, shape (T + 1, N); zeros without a machine.
    """

    letters: Letters
    hidden: NDArray[Any]
    states: NDArray[np.intp]


def visits(model: Model, bits: int, words: int, seed: int = 0) -> Visits:
    """Run random words, half of them with long runs, and return every hidden vector.

    Args:
        model: The model.
        bits: Digits of each operand.
        words: Number of words N.
        seed: Seed of the words.

    Raises:
        TaskError: ``bits`` is out of range.
    """
    task, program = model.task, model.program
    letters = Sampler(task, bits).draw(np.random.default_rng(seed), words)
    hidden = np.array(list(program.memories(letters)))[:, :, : model.network.hidden]
    start = np.zeros((len(letters) + 1, words), np.intp)
    return Visits(letters, hidden, task.machine.trace(letters) if task.machine else start)
