"""The map of all pairs of operands: where a network errs, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from seqarith.errors import TaskError
from seqarith.execution import emit
from seqarith.model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDE = 256
LARGEST = 1024
ROWS = 8  # second operands that are run together


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """What came out for every pair of operands.

    Attributes:
        wrong: Wrong digits of the pair (a, b), shape (b, a).
        margins: The smallest margin of its digits, likewise.
    """

    wrong: NDArray[np.intp]
    margins: NDArray[np.float64]


def run_pairs(model: Model, bits: int | None = None) -> Pairs:
    """Run a network on every pair of operands of a width.

    Args:
        model: A model of a task of two operands.
        bits: Digits of each; default: the most that give no more than 256 numbers.

    Raises:
        TaskError: The task takes another number of operands, or the map would be too large.
    """
    task = model.task
    if task.operands != 2:
        raise TaskError(
            f"the map is of two operands; {task.formula} takes {task.operands}. "
            "Draw accuracy by width instead"
        )
    digits = _widest(task.base) if bits is None else bits
    task.check_bits(digits)
    if task.base**digits > LARGEST:
        raise TaskError(
            f"a map of {task.base}**{digits} operands a side: expected at most {LARGEST}"
        )
    side = task.base**digits
    rows = [_run_rows(model, digits, range(b, min(b + ROWS, side))) for b in range(0, side, ROWS)]
    wrong, least = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    return Pairs(wrong, least)


def _widest(base: int) -> int:
    digits = 1
    while base ** (digits + 1) <= SIDE:
        digits += 1
    return digits


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
    """Draw how many digits of every pair come out wrong; white is right.

    Args:
        axes: Where to draw.
        model: A model of a task of two operands.
        bits: Digits of each operand; default: 8 in base 2.

    Raises:
        TaskError: See `run_pairs`.
    """
    from matplotlib.colors import BoundaryNorm

    found = run_pairs(model, bits).wrong
    most = max(1, int(found.max()))
    limits = np.arange(most + 2) - 0.5
    image = axes.imshow(
        found, origin="lower", cmap="gray_r", norm=BoundaryNorm(limits, 256),
        interpolation="nearest",
    )  # fmt: skip
    _finish(axes, model, len(found), f"{np.count_nonzero(found):,} of {found.size:,} pairs wrong")
    bar = axes.figure.colorbar(image, ax=axes, ticks=range(most + 1), fraction=0.046, pad=0.04)
    bar.set_label("wrong digits")


def margin_map(axes: Axes, model: Model, bits: int | None = None) -> None:
    """Draw the smallest margin of every pair: how far its nearest logit is from deciding otherwise.

    Wrong pairs, whose margin is negative, are black.

    Args:
        axes: Where to draw.
        model: A model of a task of two operands.
        bits: Digits of each operand; default: 8 in base 2.

    Raises:
        TaskError: See `run_pairs`.
    """
    from matplotlib import colormaps

    found = run_pairs(model, bits)
    shades = colormaps["viridis"].with_extremes(under="black")
    image = axes.imshow(
        np.where(found.wrong > 0, -1, found.margins), origin="lower", cmap=shades, vmin=0,
        vmax=max(float(found.margins.max()), 1e-9), interpolation="nearest",
    )  # fmt: skip
    least = float(found.margins.min())
    _finish(
        axes,
        model,
        len(found.wrong),
        f"smallest margin of all {found.wrong.size:,} pairs: {least:.3g}",
    )
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.046, pad=0.04, extend="min")
    bar.set_label("smallest margin (logits); black: wrong")


def _finish(axes: Axes, model: Model, side: int, said: str) -> None:
    axes.set_title(f"{model.task.formula}: {said}", loc="left")
    axes.set(xlabel="a", ylabel="b")
    axes.spines[:].set_visible(True)
    ticks = [i * side // 4 for i in range(4)] + [side - 1]
    axes.set(xticks=ticks, yticks=ticks)
