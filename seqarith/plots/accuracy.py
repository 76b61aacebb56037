"""Accuracy against the width of the operands, and against the length of carry chains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqarith.errors import InvalidValueError, TaskError
from seqarith.evaluation.result import Evaluation
from seqarith.plots.labels import label
from seqarith.plots.palette import BLUE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEARLY = 0.98
"""Accuracy above which a point looks like 100 %, so the number of errors is written beside it."""


def accuracy_by_width(axes: Axes, evaluations: Sequence[Evaluation]) -> None:
    """Draw exact-match accuracy against the digits of an operand.

    Marks are filled if all operand tuples were tested, hollow for a sample. The additional words
    with long runs of a sample have a separate line.

    Args:
        axes: Axes to draw into.
        evaluations: One or more evaluations of one model.

    Raises:
        InvalidValueError: ``evaluations`` is empty.
    """
    if not evaluations:
        raise InvalidValueError("no evaluation to draw: expected one or more")
    found = sorted(evaluations, key=lambda evaluation: evaluation.bits)
    widths = [evaluation.bits for evaluation in found]
    values = [100 * evaluation.accuracy for evaluation in found]
    axes.plot(widths, values, "-", color=BLUE)
    for mode, face in (("exhaustive", BLUE), ("sampled", "white")):
        chosen = [i for i, evaluation in enumerate(found) if evaluation.mode == mode]
        name = "all operands" if mode == "exhaustive" else "random operands"
        x, y = [widths[i] for i in chosen], [values[i] for i in chosen]
        if chosen:
            axes.plot(x, y, "o", color=BLUE, markerfacecolor=face, label=name)
    directed = [evaluation for evaluation in found if evaluation.directed]
    if directed:
        shares = [100 * each.directed_correct / each.directed for each in directed]
        axes.plot(
            [each.bits for each in directed], shares, "^--", color=VERMILLION,
            markerfacecolor="white", label="words with long runs",
        )  # fmt: skip
    _count_errors(axes, found)
    axes.set_title(label(f"{found[0].task}: accuracy by width"), loc="left")
    axes.set(xlabel="digits of an operand", ylabel="operands correct (%)")
    if widths[-1] > 8 * widths[0]:
        axes.set_xscale("log", base=2)
    # Tick labels 2**3 would be less readable than the widths.
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.minorticks_off()
    axes.set_ylim(-3, 103)
    axes.legend(frameon=False)


def _count_errors(axes: Axes, found: Sequence[Evaluation]) -> None:
    """Annotate the number of wrong words if the accuracy looks like 100 %."""
    for each in found:
        every = each.correct, each.checked, BLUE
        long = each.directed_correct, each.directed, VERMILLION
        for right, whole, shade in (every, long):
            if NEARLY * whole < right < whole:
                axes.annotate(
                    f"{whole - right:,} wrong", (each.bits, 100 * right / whole), (0, -9),
                    textcoords="offset points", ha="center", va="top", color=shade,
                    fontsize="small",
                )  # fmt: skip


def accuracy_by_chain(axes: Axes, evaluation: Evaluation) -> None:
    """Draw exact-match accuracy against the length of the longest carry chain of a word.

    For a task without a carry it is the longest run of steps in which the task's machine is not in
    its initial state. Bars show the number of words with each length.

    Args:
        axes: Axes to draw into.
        evaluation: The evaluation of a model.

    Raises:
        TaskError: The task's machine remembers nothing, or there is no machine.
    """
    if set(evaluation.by_chain) <= {0}:
        raise TaskError(
            f"{evaluation.task}: nothing is carried from digit to digit, so there are no chains to "
            "draw; draw accuracy by width instead"
        )
    from matplotlib.ticker import MaxNLocator

    lengths = list(evaluation.by_chain)
    words = [count for count, _ in evaluation.by_chain.values()]
    right = [100 * (1 - wrong / count) for count, wrong in evaluation.by_chain.values()]
    counts = axes.twinx()
    counts.bar(lengths, words, width=0.8, color="#dddddd", zorder=1)
    counts.set_yscale("log")
    counts.set_ylabel("words of that length (bars)")
    axes.set_zorder(counts.get_zorder() + 1)
    axes.patch.set_visible(False)
    axes.plot(lengths, right, "o-", color=BLUE, markersize=4)
    how = "all operands" if evaluation.mode == "exhaustive" else "random operands"
    errors = sum(wrong for _, wrong in evaluation.by_chain.values())
    axes.set_title(
        label(f"{evaluation.task}: {how} of {evaluation.bits} digits, {errors:,} wrong"), loc="left"
    )
    axes.set(xlabel=label(f"longest {evaluation.chain}, in digits"), ylabel="words correct (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(-3, 103)
