"""Hidden vectors seen in the plane: two principal components, and the regions of a proof there."""

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
    """The plane through a cloud of vectors in which they spread most.

    Attributes:
        mean: Of the vectors, shape (H,).
        axes: Its two directions, unit vectors a row, shape (2, H).
        explained: Share of the variance along each, shape (2,).

    Source: K. Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space (1901).
    """

    mean: Floats
    axes: Floats
    explained: Floats

    @staticmethod
    def fit(vectors: NDArray[Any]) -> Projection:
        """Return the plane of vectors, shape (N, H).

        The largest number of each axis is positive, so that the picture does not flip.
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
        total = float((sizes**2).sum())
        return Projection(mean, axes, variance / total if total else variance)

    def __call__(self, vectors: NDArray[Any]) -> Floats:
        """Return where vectors (..., H) lie in the plane, shape (..., 2)."""
        placed: Floats = (np.asarray(vectors, np.float64) - self.mean) @ self.axes.T
        return placed

    def outline(self, certificate: Certificate, region: int) -> Floats:
        """Return the corners of a region's shadow in the plane, in order, shape (N, 2).

        The shadow of a parallelotope, or of a box, is a polygon whose sides are its generators,
        ordered by their direction. Where the memory is wider than the hidden vector, it is the
        shadow of what the region says of the hidden vector.
        """
        width = len(self.mean)
        shape = np.asarray(certificate.shapes[region], np.float64)
        generators = np.diag(shape) if shape.ndim == 1 else shape
        sides = generators[:, :width] @ self.axes.T
        sides = np.where((sides[:, 1] < 0)[:, None], -sides, sides)
        sides = sides[np.argsort(np.arctan2(sides[:, 1], sides[:, 0]), kind="stable")]
        middle = self(certificate.centres[region, :width])
        half = middle - sides.sum(axis=0) + 2 * np.cumsum(sides, axis=0)
        return np.concatenate([half, 2 * middle - half])


@final
@dataclass(frozen=True, eq=False)
class Visits:
    """Where random words take a network.

    Attributes:
        letters: What was read, shape (T, N).
        hidden: Hidden vectors before the first letter and after each, shape (T + 1, N, H).
        states: The machine's states likewise, shape (T + 1, N); zeros without a machine.
    """

    letters: Letters
    hidden: NDArray[Any]
    states: NDArray[np.intp]


def visits(model: Model, bits: int, words: int, seed: int = 0) -> Visits:
    """Run random words, half of them with long runs, and keep every hidden vector.

    Args:
        model: The model.
        bits: Digits of each operand.
        words: How many words N.
        seed: Of the words.

    Raises:
        TaskError: ``bits`` is out of range.
    """
    task, program = model.task, model.program
    letters = Sampler(task, bits).draw(np.random.default_rng(seed), words)
    memory = list(program.memories(letters))
    machine = task.machine
    states = np.zeros((len(letters) + 1, words), np.intp)
    if machine is not None:
        states = machine.trace(letters)
    return Visits(letters, np.array(memory)[:, :, : model.network.hidden], states)
