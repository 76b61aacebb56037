"""The finite-state machine that a network has become, as a diagram."""

from __future__ import annotations

from math import atan2, cos, pi, sin
from textwrap import wrap
from typing import TYPE_CHECKING

from seqarith.certification.diagram import arrows
from seqarith.certification.extraction import Extracted
from seqarith.plots.labels import label
from seqarith.plots.palette import BLUE, INK
from seqarith.tasks.task import Task
from seqarith.text import percent, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RADIUS = 0.32
LABELLED = 8  # states up to which arrows carry what is read and emitted
Point = tuple[float, float]


def machine_diagram(axes: Axes, found: Extracted, task: Task) -> None:
    """Draw a machine: a circle a state, an arrow for what is read, with what is emitted.

    Args:
        axes: Where to draw.
        found: What `extract` returned.
        task: The task of the model.
    """
    machine = found.machine
    places = _places(machine.states)
    spread = 1.9 if machine.states <= 2 else 1 + 0.55 * machine.states / pi
    for (state, target), lines in arrows(task, machine).items():
        text = "\n".join(map(label, lines)) if machine.states <= LABELLED else ""
        if state == target:
            _loop(axes, _scaled(places[state], spread), text, machine.states)
        else:
            _arrow(axes, _scaled(places[state], spread), _scaled(places[target], spread), text)
    for state, name in enumerate(machine.names):
        _node(axes, _scaled(places[state], spread), name, state == machine.initial)
    edge = spread + 1.35
    low, high = (-0.8, 1.5) if machine.states <= 2 else (-edge, edge)
    axes.set(xlim=(-edge, edge), ylim=(low, high), aspect="equal")
    axes.set_axis_off()
    how = "proved" if found.proved else "proved, if what the proof rests on is right"
    if not found.claim:
        agreeing = percent(found.agreement, 0)
        how = f"observed on {found.samples:,} hidden vectors; {agreeing} move as it does"
    same = "is equal to" if found.equal else "differs from"
    other = "the one in this file" if task.own else f"that of {task.formula}"
    said = (
        f"The machine of the network, {how};",
        f"it {same} {other}",
        "arrows: digits read / symbol emitted; double circle: start",
    )
    axes.set_title("\n".join(map(label, said)), fontsize="small", loc="left")


def _places(states: int) -> list[Point]:
    if states == 1:
        return [(0.0, 0.0)]
    first = pi if states == 2 else pi / 2
    turn = [first - 2 * pi * state / states for state in range(states)]
    return [(cos(angle), sin(angle)) for angle in turn]


def _scaled(place: Point, factor: float) -> Point:
    return place[0] * factor, place[1] * factor


def _node(axes: Axes, place: Point, name: str, initial: bool) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle(place, RADIUS, facecolor="white", edgecolor=INK, linewidth=1.4, zorder=3))
    if initial:
        axes.add_patch(
            Circle(place, RADIUS * 0.88, facecolor="none", edgecolor=INK, linewidth=0.9, zorder=4)
        )
    lines = wrap(printable(name), 8, max_lines=3, placeholder="…")
    text = "\n".join(map(label, lines))
    axes.text(*place, text, ha="center", va="center", fontsize="x-small", zorder=5)


def _arrow(axes: Axes, start: Point, end: Point, text: str) -> None:
    across, up = end[0] - start[0], end[1] - start[1]
    towards = atan2(up, across)
    _bent(axes, _rim(start, towards + 0.4), _rim(end, towards + pi - 0.4), -0.18)
    # Beside the chord, where the arc is: towards its left, as it is bent.
    size = (across**2 + up**2) ** 0.5
    far = 0.09 * size + 0.4 * RADIUS
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    _label(axes, (middle[0] - far * up / size, middle[1] + far * across / size), text)


def _rim(place: Point, angle: float) -> Point:
    return place[0] + RADIUS * cos(angle), place[1] + RADIUS * sin(angle)


def _bent(axes: Axes, start: Point, end: Point, bend: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    axes.add_patch(
        FancyArrowPatch(
            start, end, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>",
            mutation_scale=12, shrinkA=0, shrinkB=0, color=BLUE, linewidth=1.2, zorder=1,
        )
    )  # fmt: skip


def _loop(axes: Axes, place: Point, text: str, states: int) -> None:
    # Outwards from the middle of the picture; upwards where there are one or two states.
    angle = pi / 2 if states <= 2 else atan2(place[1], place[0])
    _bent(axes, _rim(place, angle + 0.55), _rim(place, angle - 0.55), -1.9)
    # Text is wider than it is high.
    far = RADIUS + 0.6 + 0.3 * abs(cos(angle))
    _label(axes, _scaled((cos(angle), sin(angle)), far), text, place)


def _label(axes: Axes, place: Point, text: str, origin: Point = (0.0, 0.0)) -> None:
    axes.text(
        place[0] + origin[0], place[1] + origin[1], text, ha="center", va="center",
        fontsize="small", zorder=2, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
