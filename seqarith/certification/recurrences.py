"""One step of each cell, enclosed as the program computes it: a part of the trusted checker.

*If the memory of the program is in a set, the memory that it computes under a letter is in the set
that ``step`` returns, and in its box* (L4, L10 of ``docs/certificates.md``).
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, final

import numpy as np

from seqarith.certification.affine import Form, blend, constant, memory, plus, squash, times
from seqarith.certification.outward import GAMMA, TINY, UP, F, Sets, gamma
from seqarith.certification.program import Program


class Enclosure(Protocol):
    """What the checker asks of a cell; made from a program, the error of tanh, the roundoff."""

    def spread(self, c: F, g: F, e: F) -> Any:
        """Map sets through the recurrent weights, once for all letters."""

    def step(self, spread: Any, letter: int) -> Sets:
        """Read a letter: enclose the memories (N, M) that the program computes."""


class Weighted(NamedTuple):
    """Sets behind the recurrent weights: centres, generators, their radius, sums of sizes."""

    c: F
    g: F
    radius: F
    size: F


@final
class Projections:
    """Pre-activations: what letters and memories contribute, and how the program rounds it.

    ``scale`` is 1/2 for the columns that a sigmoid reads: it is ``tanh(x / 2) / 2 + 1/2``.
    """

    def __init__(self, p: Program, scale: F, unit: float) -> None:
        x, w, b = (a.astype(np.float64) for a in (p.inputs, p.kernels["weight_ih"], bias(p)))
        self.weight: F = p.kernels["weight_hh"].T.astype(np.float64) * scale
        self.sizes = np.abs(self.weight)
        self.relative = gamma(x.shape[1] + len(self.weight) + 4, unit)
        self.drive = (x @ w.T + b) * scale
        terms = (np.abs(x) @ np.abs(w).T + np.abs(b)) * scale
        self.rounding = (self.relative + GAMMA) * terms * UP + TINY

    def weigh(self, c: F, g: F, e: F) -> Weighted:
        """Multiply the hidden vectors of sets by the recurrent weights."""
        width = len(self.weight)
        c, g, e = c[:, :width], g[..., :width], e[:, :width]
        rows = np.concatenate((g @ self.weight, e[:, :, None] * self.weight), 1)
        total = (np.abs(c) + np.abs(g).sum(1) + e) * UP
        return Weighted(c @ self.weight, rows, np.abs(rows).sum(1) * UP, total @ self.sizes * UP)

    def read(self, weighted: Weighted, letter: int, first: int, last: int) -> Form:
        """Add what a letter contributes, in the columns from ``first`` to before ``last``."""
        part = slice(first, last)
        return self.add(weighted, self.drive[letter, part], self.rounding[letter, part], part)

    def add(self, weighted: Weighted, offset: F, rounding: F, part: slice) -> Form:
        """Add an offset, known within ``rounding``, to some columns."""
        c, g, radius, size = weighted
        m = c[:, part] + offset
        inexact = ((self.relative + GAMMA) * size[:, part] + rounding + GAMMA * np.abs(m)) * UP
        reach = (radius[:, part] + inexact) * UP
        return Form(m, g[..., part], inexact, radius[:, part], m - reach, m + reach)


def bias(p: Program) -> F:
    """Return what is added to the input's contribution."""
    return np.asarray(p.kernels["bias"])


def activation_error(tanh_ulps: float, unit: float, scale: F) -> F:
    """Bound the program's error in tanh (scale 1) or in a sigmoid (scale 1/2)."""
    return np.asarray(scale * tanh_ulps * 2 * unit + (1 - scale) * 4 * unit)


@final
class Elman:
    """h' = f(from_input + from_memory)."""

    def __init__(self, p: Program, tanh_ulps: float, unit: float) -> None:
        width, sigmoid = len(p.start), p.options["activation"] == "sigmoid"
        self.scale = np.full(width, 0.5 if sigmoid else 1.0)
        self.shift = np.full(width, 0.5 if sigmoid else 0.0)
        self.width, self.error = width, activation_error(tanh_ulps, unit, self.scale)
        self.projections = Projections(p, self.scale, unit)

    def spread(self, c: F, g: F, e: F) -> Weighted:
        """Map sets through the recurrent weights, once for all letters."""
        return self.projections.weigh(c, g, e)

    def step(self, spread: Weighted, letter: int) -> Sets:
        """Read a letter and apply the activation."""
        x = self.projections.read(spread, letter, 0, self.width)
        return _sets(squash(x, self.scale, self.shift, self.error))


class Remembered(NamedTuple):
    """Sets with their memories' forms, which share the symbols of the weighted sums."""

    memory: Form
    weighted: Weighted


@final
class GRU:
    """r, z = sigmoid(...); v = W_hn h + b_hn; n = tanh(from_input + r v); h' = n + z (h - n)."""

    def __init__(self, p: Program, tanh_ulps: float, unit: float) -> None:
        width = len(p.start)
        scale = np.repeat([0.5, 0.5, 1.0], width)
        self.width, self.unit, self.projections = width, unit, Projections(p, scale, unit)
        self.half, self.one, self.none = scale[: 2 * width], scale[2 * width :], np.zeros(width)
        self.gate_error = activation_error(tanh_ulps, unit, self.half)
        self.error = activation_error(tanh_ulps, unit, self.one)
        self.offset, self.last = p.kernels["bias_hh"].astype(np.float64), slice(2 * width, None)

    def spread(self, c: F, g: F, e: F) -> Remembered:
        """Map sets through the recurrent weights, once for all letters."""
        return Remembered(memory(c, g, e), self.projections.weigh(c, g, e))

    def step(self, spread: Remembered, letter: int) -> Sets:
        """Read a letter and do what `seqarith.cells.gru.GRU.combine` does."""
        width, unit, projections = self.width, self.unit, self.projections
        gates = projections.read(spread.weighted, letter, 0, 2 * width)
        gates = squash(gates, self.half, self.half, self.gate_error)
        r, z = gates.take(0, width), gates.take(width, 2 * width)
        read = constant(
            projections.drive[letter, self.last], projections.rounding[letter, self.last]
        )
        n = plus(times(r, self.candidate(spread.weighted), unit), read, unit)
        n = squash(n, self.one, self.none, self.error)
        return _sets(blend(z, spread.memory, n, unit))

    def candidate(self, weighted: Weighted) -> Form:
        """Return v, what the memory contributes to n."""
        lost = (self.projections.relative + GAMMA) * np.abs(self.offset) + TINY
        return self.projections.add(weighted, self.offset, lost, self.last)


@final
class LSTM:
    """i, f, o = sigmoid(...), g = tanh(...); c' = f c + i g; h' = o tanh(c'). Memory: [h, c]."""

    def __init__(self, p: Program, tanh_ulps: float, unit: float) -> None:
        width = len(p.start) // 2
        self.scale = np.repeat([0.5, 0.5, 1.0, 0.5], width)
        self.shift = np.repeat([0.5, 0.5, 0.0, 0.5], width)
        self.width, self.unit = width, unit
        self.projections = Projections(p, self.scale, unit)
        self.error = activation_error(tanh_ulps, unit, self.scale)
        self.one, self.none = np.ones(width), np.zeros(width)

    def spread(self, c: F, g: F, e: F) -> Remembered:
        """Map sets through the recurrent weights, once for all letters."""
        whole, weighted = memory(c, g, e), self.projections.weigh(c, g, e)
        # The boxes of the cells are symbols too, which no weight reads.
        rows = np.zeros((len(c), self.width, weighted.g.shape[2]))
        weighted = weighted._replace(g=np.concatenate((weighted.g, rows), 1))
        return Remembered(whole.take(self.width, 2 * self.width), weighted)

    def step(self, spread: Remembered, letter: int) -> Sets:
        """Read a letter and do what `seqarith.cells.lstm.LSTM.combine` does."""
        width, unit = self.width, self.unit
        gates = self.projections.read(spread.weighted, letter, 0, 4 * width)
        gates = squash(gates, self.scale, self.shift, self.error)
        i, f, g, o = (gates.take(k * width, (k + 1) * width) for k in range(4))
        cell = plus(times(f, spread.memory, unit), times(i, g, unit), unit)
        error = self.error[2 * width : 3 * width]
        hidden = times(o, squash(cell, self.one, self.none, error), unit)
        both = (np.concatenate(pair, -1) for pair in zip(hidden, cell, strict=True))
        return _sets(Form(*both))


def _sets(x: Form) -> Sets:
    return Sets(x.c, x.g, x.e, x.low, x.high)


ENCLOSURES: dict[str, Callable[[Program, float, float], Enclosure]] = {
    "elman": Elman,
    "gru": GRU,
    "lstm": LSTM,
}
"""By `Program.cell`."""
