"""The learning curve of one run or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqarith.errors import InvalidValueError
from seqarith.plots.palette import BLUE, FAINT
from seqarith.training.log import RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUANTITIES = {
    "loss": (("loss", "error"), "loss"),
    "accuracy": (("accuracy",), "words right (%)"),
    "margin": (("min_margin", "margin"), "smallest margin (logits)"),
}
"""What can be drawn: the keys of a log that hold it, and the axis label."""


def learning_curve(axes: Axes, runs: Sequence[RunLog], quantity: str = "loss") -> None:
    """Draw a quantity of runs against the steps.

    Several runs are drawn one by one, thin, with their median and the range of those that were
    still going at a step; a dot is where a run ended.

    Args:
        axes: Where to draw.
        runs: The logs.
        quantity: ``"loss"``, ``"accuracy"`` (exact match, of the batch) or ``"margin"``.

    Raises:
        InvalidValueError: No such quantity, or no run has logged it.
    """
    if quantity not in QUANTITIES:
        raise InvalidValueError(f"quantity {quantity!r}: expected {', '.join(QUANTITIES)}")
    drawn = recorded(runs, quantity)
    if not drawn:
        keys = sorted({key for run in runs for key in run.values})
        raise InvalidValueError(f"no log holds the {quantity}; they hold {', '.join(keys)}")
    label = QUANTITIES[quantity][1]
    curves = [_curve(run, quantity) for run in drawn]
    if len(curves) == 1:
        axes.plot(*curves[0], color=BLUE, label=drawn[0].name)
    else:
        _spread(axes, curves)
    axes.set_title(f"{label.partition(' (')[0].capitalize()} while training", loc="left")
    axes.set(xlabel="steps", ylabel=label)
    if quantity == "accuracy":
        axes.set_ylim(-3, 103)
    elif quantity == "loss" and all((values > 0).all() for _, values in curves):
        axes.set_yscale("log")
    elif quantity == "margin":
        axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.legend(frameon=False, loc="lower right" if quantity == "accuracy" else "best")


def recorded(runs: Sequence[RunLog], quantity: str) -> list[RunLog]:
    """Return the runs that have logged a quantity."""
    return [run for run in runs if any(key in run.values for key in QUANTITIES[quantity][0])]


Curve = tuple[np.ndarray, np.ndarray]


def _curve(run: RunLog, quantity: str) -> Curve:
    key = next(key for key in QUANTITIES[quantity][0] if key in run.values)
    known = np.isfinite(run.values[key])
    return run.steps[known], run.values[key][known] * (100 if quantity == "accuracy" else 1)


def _spread(axes: Axes, curves: list[Curve]) -> None:
    grid = np.unique(np.concatenate([steps for steps, _ in curves]))
    table = np.full((len(curves), len(grid)), np.nan)
    for row, (steps, values) in zip(table, curves, strict=True):
        going = (grid >= steps.min()) & (grid <= steps.max())
        row[going] = np.interp(grid[going], steps, values)
        axes.plot(steps, values, color=FAINT, linewidth=0.6)
        axes.plot(steps[-1], values[-1], ".", color=FAINT)
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    axes.fill_between(grid, low, high, color=BLUE, alpha=0.18, linewidth=0, label="range")
    median = np.nanmedian(table, axis=0)
    axes.plot(grid, median, color=BLUE, linewidth=1.8, label=f"median of {len(curves)} runs")
