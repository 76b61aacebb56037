"""Maps of all pairs of operands: the wrong digits, and the smallest margins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.errors import TaskError
from seqarith.evaluation.fixed_width import fixed_width
from seqarith.execution import emit
from seqarith.model import Model
from seqarith.plots.labels import label
from seqarith.plots.palette import VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

SIDE = 256  # maximum operands per side by default
MAX_SIDE = 1024  # maximum operands per side
DRAWN = 256  # maximum points per side
RINGED = 64  # maximum number of wrong pairs that get a ring
SMALL = 64  # maximum side of a map whose single points are visible without rings
ROWS = 8  # second operands that run in one batch


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """Results of every pair of operands.

    Attributes:
        wrong: Number of wrong digits of the pair (a, b), shape (b, a).
        margins: Smallest margin of the digits of the pair (a, b), shape (b, a).
    """

    wrong: NDArray[np.intp]
    margins: NDArray[np.float64]


def run_pairs(model: Model, bits: int | None = None) -> Pairs:
    """Run a network on every pair of operands of a width.

    Args:
        model: A model of a task of two operands.
        bits: Digits of each operand; default: the most that give no more than 256 numbers, or the
            training width if the task has no machine.

    Raises:
        TaskError: The task takes another number of operands, or the map would be too large.
    """
    task = model.task
    if task.operands != 2:
        raise TaskError(
            f"a map needs two operands; {task.formula} takes {task.operands}. "
            "Draw accuracy by width instead"
        )
    fixed = fixed_width(model)
    digits = bits if bits is not None else fixed or _widest(task.base)
    task.check_bits(digits)
    if task.base**digits > MAX_SIDE:
        raise TaskError(
            f"a map with {task.base}**{digits} operands per side: expected at most {MAX_SIDE}"
        )
    side = task.base**digits
    rows = [_run_rows(model, digits, range(b, min(b + ROWS, side))) for b in range(0, side, ROWS)]
    wrong, least = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    return Pairs(wrong, least)


def _widest(base: int) -> int:
    return next(digits for digits in count(1) if base ** (digits + 1) > SIDE)


def _run_rows(
    model: Model, digits: int, seconds: range
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    task, side = model.task, model.task.base**digits
    steps = task.natural_layout(digits).steps
    firsts = list(range(side)) * len(seconds)
    letters = task.encode([firsts, [b for b in seconds for _ in range(side)]], steps)
    first = task.first_result_step(steps)
    found = emit(model.program, letters, first, task.expected(letters))
    return found.wrong.reshape(-1, side), found.margins.reshape(-1, side)


def error_map(axes: Axes, model: Model, bits: int | None = None) -> None:
    """Draw the number of wrong digits of every pair; white is correct.

    If there are more pairs than points, a point shows the worst of its pairs. If few pairs are
    wrong, each gets a ring.

    Args:
        axes: Axes to draw into.
        model: A model of a task of two operands.
        bits: Digits of each operand; default: 8 in base 2.

    Raises:
        TaskError: See `run_pairs`.
    """
    from matplotlib.colors import BoundaryNorm

    found = run_pairs(model, bits).wrong
    most = max(1, int(found.max()))
    limits = np.arange(most + 2) - 0.5
    norm = BoundaryNorm(limits, 256)
    image = _show(axes, _pooled(found, np.maximum, 0), cmap="gray_r", norm=norm)
    _finish(axes, model, found, "")
    bar = axes.figure.colorbar(image, ax=axes, ticks=range(most + 1), fraction=0.046, pad=0.04)
    bar.set_label("wrong digits")


def margin_map(axes: Axes, model: Model, bits: int | None = None) -> None:
    """Draw the smallest margin of every pair: the distance of its digits from a wrong decision.

    Wrong pairs, whose margin is negative, are black. Points and rings are as in `error_map`.

    Args:
        axes: Axes to draw into.
        model: A model of a task of two operands.
        bits: Digits of each operand; default: 8 in base 2.

    Raises:
        TaskError: See `run_pairs`.
    """
    from matplotlib import colormaps

    found = run_pairs(model, bits)
    shades = colormaps["viridis"].with_extremes(under="black")
    shown = _pooled(np.where(found.wrong > 0, -1, found.margins), np.minimum, np.inf)
    most = max(float(found.margins.max()), 1e-9)
    image = _show(axes, shown, cmap=shades, vmin=0, vmax=most)
    _finish(axes, model, found.wrong, f"; smallest margin {float(found.margins.min()):.3g}")
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.046, pad=0.04, extend="min")
    bar.set_label("smallest margin (logits); black: wrong")


@final
@dataclass(frozen=True, eq=False)
class _Points:
    """The points of a map: the worst value of each point's pairs, and its pairs per side."""

    values: NDArray[Any]
    pairs: int


def _pooled(table: NDArray[Any], worst: np.ufunc, padding: float) -> _Points:
    """Reduce a table to at most `DRAWN` points per side; means would hide rare errors."""
    side = len(table)
    size = -(-side // DRAWN)
    room = -side % size
    padded = np.pad(table, (0, room), constant_values=padding)
    starts = np.arange(0, side + room, size)
    return _Points(worst.reduceat(worst.reduceat(padded, starts, axis=0), starts, axis=1), size)


def _show(axes: Axes, points: _Points, **options: Any) -> AxesImage:
    edge = len(points.values) * points.pairs - 0.5
    return axes.imshow(
        points.values, origin="lower", interpolation="nearest", extent=(-0.5, edge, -0.5, edge),
        **options,
    )  # fmt: skip


def _finish(axes: Axes, model: Model, wrong: NDArray[np.intp], note: str) -> None:
    side, errors = len(wrong), int(np.count_nonzero(wrong))
    ringed = 0 < errors <= RINGED and side > SMALL
    if ringed:
        b, a = np.nonzero(wrong)
        axes.plot(a, b, "o", color=VERMILLION, markerfacecolor="none", markersize=9, zorder=3)
    counted = f"{errors:,} wrong of {wrong.size:,} pairs{' (ringed)' * ringed}{note}"
    axes.set_title(label(f"{model.task.formula}: {counted}", 120), loc="left")
    axes.set(xlabel="a", ylabel="b", xlim=(-0.5, side - 0.5), ylim=(-0.5, side - 0.5))
    axes.spines[:].set_visible(True)
    ticks = [i * side // 4 for i in range(4)] + [side - 1]
    axes.set(xticks=ticks, yticks=ticks)
