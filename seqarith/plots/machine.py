"""The finite-state machine that a network has learned, as a diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqarith.certification.diagram import arrows
from seqarith.certification.diagram_layout import Arrow, Diagram, Point, lay_out
from seqarith.certification.extraction import Extracted
from seqarith.plots.labels import label
from seqarith.plots.palette import BLUE, INK
from seqarith.tasks.task import Task
from seqarith.text import percent, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FONT = "small"
"""Size at which text is as wide as a `Diagram` assumes, with 100 units per inch."""


def machine_diagram(axes: Axes, found: Extracted, task: Task) -> None:
    """Draw a machine: a circle per state, and arrows with the digits read and the output.

    Args:
        axes: Axes to draw into.
        found: Result of `extract`.
        task: The task of the model.
    """
    machine = found.machine
    diagram = lay_out(list(map(printable, machine.names)), arrows(task, machine))
    for arrow in diagram.arrows:
        _arrow(axes, arrow)
    for state, place in enumerate(diagram.places):
        _node(axes, diagram, place, diagram.names[state], state == machine.initial)
    axes.set(xlim=(0, diagram.size[0]), ylim=(diagram.size[1], 0), aspect="equal")
    axes.set_axis_off()
    how = "proved" if found.proved else "proved under the assumptions of the proof"
    if not found.claim:
        agreeing = percent(found.agreement, 0)
        how = f"observed on {found.samples:,} hidden vectors; {agreeing} move as it does"
    same = "is equal to" if found.equal else "differs from"
    other = "the one in this file" if task.own else f"that of {task.formula}"
    title = (
        f"The machine of the network, {how};",
        f"it {same} {other}",
        "arrows: digits read / symbol emitted; double circle: start",
    )
    axes.set_title("\n".join(map(label, title)), fontsize="small", loc="left")


def _node(axes: Axes, diagram: Diagram, place: Point, lines: Sequence[str], initial: bool) -> None:
    from matplotlib.patches import Circle

    for shrunk in (0, 4) if initial else (0,):
        ring = Circle(
            place, diagram.radius - shrunk, facecolor="none" if shrunk else "white",
            edgecolor=INK, linewidth=1.2, zorder=3,
        )  # fmt: skip
        axes.add_patch(ring)
    _text(axes, place, lines, 5)


def _arrow(axes: Axes, arrow: Arrow) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    path = Path(arrow.curve, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    axes.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle="-|>", mutation_scale=12, color=BLUE, linewidth=1.2, zorder=1,
        )
    )  # fmt: skip
    if arrow.lines:
        _text(axes, arrow.label, arrow.lines, 2, facecolor="white", edgecolor="none", pad=1.0)


def _text(axes: Axes, place: Point, lines: Sequence[str], zorder: int, **box: Any) -> None:
    axes.text(
        *place, "\n".join(map(label, lines)), ha="center", va="center", fontsize=FONT,
        zorder=zorder, bbox=box or None,
    )  # fmt: skip
