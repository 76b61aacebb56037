"""Learning curves of one run or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqarith.errors import InvalidValueError
from seqarith.plots.labels import label
from seqarith.plots.palette import BLUE, DASHES, FAINT, colour
from seqarith.text import shortened
from seqarith.training.log import RunLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUANTITIES = {
    "loss": (("loss", "error"), "loss"),
    "accuracy": (("accuracy",), "words correct (%)"),
    "margin": (("min_margin", "margin"), "smallest margin (logits)"),
}
"""Each quantity: its keys in a log, and its axis label."""

NAMED = 8
"""Maximum number of runs that the legend names."""


def learning_curve(axes: Axes, runs: Sequence[RunLog], quantity: str = "loss") -> None:
    """Draw a logged quantity against the training steps.

    Several runs are drawn as thin lines, with the median and range of the runs that have not ended
    at each step. A dot marks the end of a run. The legend names up to 8 runs.

    Args:
        axes: Axes to draw into.
        runs: Logs of the runs.
        quantity: ``"loss"``, ``"accuracy"`` (exact match, of the batch) or ``"margin"``.

    Raises:
        InvalidValueError: The quantity is unknown, no run has logged it, or the runs have
            different tasks.
    """
    if quantity not in QUANTITIES:
        raise InvalidValueError(f"quantity {quantity!r}: expected {', '.join(QUANTITIES)}")
    _check_one_task(runs)
    drawn = recorded(runs, quantity)
    if not drawn:
        keys = sorted({key for run in runs for key in run.values})
        raise InvalidValueError(f"no log contains the {quantity}; they contain {', '.join(keys)}")
    axis = QUANTITIES[quantity][1]
    curves = [_curve(run, quantity) for run in drawn]
    if len(curves) == 1:
        axes.plot(*curves[0], color=BLUE, label=label(drawn[0].name))
    else:
        _spread(axes, curves, [label(run.name) for run in drawn])
    axes.set_title(f"{axis.partition(' (')[0].capitalize()} while training", loc="left")
    axes.set(xlabel="steps", ylabel=axis)
    if quantity == "accuracy":
        axes.set_ylim(-3, 103)
    elif quantity == "loss" and all((values > 0).all() for _, values in curves):
        axes.set_yscale("log")
    elif quantity == "margin":
        axes.axhline(0, color=FAINT, linewidth=0.8)
    axes.legend(frameon=False, loc="lower right" if quantity == "accuracy" else "best")


def _check_one_task(runs: Sequence[RunLog]) -> None:
    """Refuse logs of different tasks; a log without a task is accepted."""
    of = {str(run.run["task"]): run.name for run in runs if "task" in run.run}
    if len(of) > 1:
        (task, name), (other, second) = list(of.items())[:2]
        raise InvalidValueError(
            f"logs of different tasks: {shortened(name, 60)} is of {shortened(task, 40)}, "
            f"{shortened(second, 60)} of {shortened(other, 40)}; draw each task separately"
        )


def recorded(runs: Sequence[RunLog], quantity: str) -> list[RunLog]:
    """Return the runs that logged a quantity."""
    return [run for run in runs if any(key in run.values for key in QUANTITIES[quantity][0])]


Curve = tuple[np.ndarray, np.ndarray]


def _curve(run: RunLog, quantity: str) -> Curve:
    key = next(key for key in QUANTITIES[quantity][0] if key in run.values)
    known = np.isfinite(run.values[key])
    return run.steps[known], run.values[key][known] * (100 if quantity == "accuracy" else 1)


def _spread(axes: Axes, curves: list[Curve], names: list[str]) -> None:
    grid = np.unique(np.concatenate([steps for steps, _ in curves]))
    table = np.full((len(curves), len(grid)), np.nan)
    for i, (row, (steps, values)) in enumerate(zip(table, curves, strict=True)):
        going = (grid >= steps.min()) & (grid <= steps.max())
        row[going] = np.interp(grid[going], steps, values)
        named = len(curves) <= NAMED
        shade, dash = (colour(i + 1), DASHES[i % len(DASHES)]) if named else (FAINT, "-")
        name = names[i] if named else None
        axes.plot(steps, values, dash, color=shade, linewidth=0.8, label=name)
        axes.plot(steps[-1], values[-1], ".", color=shade)
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    axes.fill_between(grid, low, high, color=BLUE, alpha=0.18, linewidth=0, label="range")
    median = np.nanmedian(table, axis=0)
    axes.plot(grid, median, color=BLUE, linewidth=1.8, label=f"median of {len(curves)} runs")
