"""Where the states, arrows and labels of a machine's diagram go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from textwrap import wrap
from typing import final

Point = tuple[float, float]
Curve = tuple[Point, Point, Point]
Pair = tuple[int, int]
Box = tuple[float, float, float, float]

LETTER, LINE = 6.6, 15.0
"""Width of a letter and height of a line, in units of the diagram: pixels, of 12 pixel letters."""
LABELLED = 8
"""States up to which arrows carry what is read and emitted."""
LONGEST = 12
"""Letters of a word in a circle; a longer one is cut."""
PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73)
"""Shares of an arrow's way at which its label is tried, the best first."""
SAMPLED = 12
"""Points of an arrow that a label ought not to hide."""


@final
@dataclass(frozen=True)
class Arrow:
    """An arrow from a state to another, or to itself.

    Attributes:
        source, target: The states.
        curve: Start, control point and end of a quadratic curve.
        label: Middle of its label.
        lines: Of the label.
    """

    source: int
    target: int
    curve: Curve
    label: Point
    lines: tuple[str, ...]


@final
@dataclass(frozen=True)
class Diagram:
    """A machine's diagram, from (0, 0) at the upper left; a unit is a pixel.

    Attributes:
        size: Width and height.
        radius: Of the circles of the states.
        places: Middles of the circles.
        names: Lines of text in each.
        arrows: In the order of their states.
    """

    size: Point
    radius: float
    places: tuple[Point, ...]
    names: tuple[tuple[str, ...], ...]
    arrows: tuple[Arrow, ...]


def lay_out(states: Sequence[str], arrows: Mapping[Pair, Sequence[str]]) -> Diagram:
    """Place states side by side or on a ring, bend arrows, and put labels where there is room.

    Circles are as large as their names need, and names break at blanks. A label is put where it
    hides no circle, no label and as little of other arrows as can be.

    Args:
        states: Their names.
        arrows: Lines of the label of every pair of states that has an arrow.

    Example:
        >>> diagram = lay_out(["remainder 0", "remainder 1"], {(0, 1): ["1 / 1"]})
        >>> diagram.names[0], diagram.arrows[0].lines
        (('remainder', '0'), ('1 / 1',))
    """
    names = tuple(_wrapped(name) for name in states)
    radius = max(30.0, *(hypot(*_half(lines)) + 4 for lines in names))
    shown = {
        pair: tuple(lines) if len(states) <= LABELLED else () for pair, lines in arrows.items()
    }
    places = _places(len(states), radius, shown)
    curves = {(q, r): _curve(places, q, r, radius) for q, r in shown}
    taken = [_box(place, (radius, radius)) for place in places]
    labels: dict[Pair, Point] = {}
    ways = {pair: [_at(c, i / SAMPLED) for i in range(SAMPLED)] for pair, c in curves.items()}
    for pair, lines in shown.items():
        if not lines:
            continue
        others = [point for other, way in ways.items() if other != pair for point in way]
        labels[pair] = _label(curves[pair], pair, _half(lines), taken, others)
        taken.append(_box(labels[pair], _half(lines)))
    taken += [_box(point, (4, 4)) for way in ways.values() for point in way]
    left, top = min(box[0] for box in taken) - 4, min(box[1] for box in taken) - 4
    size = max(box[2] for box in taken) + 4 - left, max(box[3] for box in taken) + 4 - top

    def moved(point: Point) -> Point:
        return point[0] - left, point[1] - top

    return Diagram(
        size,
        radius,
        tuple(map(moved, places)),
        names,
        tuple(
            Arrow(*pair, (moved(a), moved(b), moved(c)), moved(labels.get(pair, b)), shown[pair])
            for pair, (a, b, c) in curves.items()
        ),
    )


def _wrapped(name: str) -> tuple[str, ...]:
    words = [w if len(w) <= LONGEST else w[: LONGEST - 1] + "…" for w in name.split()]
    wide = max(8, *map(len, words)) if words else 8
    return tuple(wrap(" ".join(words), wide, max_lines=3, placeholder="…"))


def _half(lines: Sequence[str]) -> Point:
    """Return half of the width and of the height of some lines of text."""
    if not lines:
        return 0.0, 0.0
    return LETTER * max(map(len, lines)) / 2 + 3, LINE * len(lines) / 2 + 1


def _places(count: int, radius: float, shown: Mapping[Pair, Sequence[str]]) -> list[Point]:
    widest = max([2 * _half(lines)[0] for (q, r), lines in shown.items() if q != r], default=0.0)
    if count <= 2:
        apart = 2 * radius + max(80.0, widest + 50)
        return [(state * apart, 0.0) for state in range(count)]
    gap = 60.0 + widest if count <= LABELLED else 24.0
    ring = max(150.0, (radius + gap / 2) / sin(pi / count))
    angles = [2 * pi * state / count - pi / 2 for state in range(count)]
    return [(ring * cos(angle), ring * sin(angle)) for angle in angles]


def _curve(places: Sequence[Point], source: int, target: int, radius: float) -> Curve:
    start, end = places[source], places[target]
    if source == target:
        out = _outwards(places, start)
        away = (radius + 74) * cos(out), (radius + 74) * sin(out)
        bend = start[0] + away[0], start[1] + away[1]
        return _rim(start, out - 0.5, radius), bend, _rim(start, out + 0.5, radius)
    towards = atan2(end[1] - start[1], end[0] - start[0])
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    bend = middle[0] + 62 * sin(towards), middle[1] - 62 * cos(towards)
    return _rim(start, towards - 0.4, radius), bend, _rim(end, towards + pi + 0.4, radius)


def _outwards(places: Sequence[Point], place: Point) -> float:
    """Return the direction of a loop: away from the ring's middle; upwards beside a neighbour."""
    return -pi / 2 if len(places) <= 2 else atan2(place[1], place[0])


def _rim(place: Point, angle: float, radius: float) -> Point:
    return place[0] + radius * cos(angle), place[1] + radius * sin(angle)


def _at(curve: Curve, share: float) -> Point:
    """Return a point of a quadratic curve."""
    weights = (1 - share) ** 2, 2 * share * (1 - share), share**2
    x, y = (sum(w * point[i] for w, point in zip(weights, curve, strict=True)) for i in (0, 1))
    return x, y


def _label(
    curve: Curve,
    pair: Pair,
    half: Point,
    taken: Sequence[Box],
    others: Sequence[Point],
) -> Point:
    middle = _at(curve, 0.5)
    if pair[0] == pair[1]:
        # Beyond the loop, as far as half of the text reaches in that direction.
        base = (curve[0][0] + curve[2][0]) / 2, (curve[0][1] + curve[2][1]) / 2
        far = hypot(middle[0] - base[0], middle[1] - base[1])
        away = (middle[0] - base[0]) / far, (middle[1] - base[1]) / far
        reach = 4 + abs(away[0]) * half[0] + abs(away[1]) * half[1]
        return middle[0] + reach * away[0], middle[1] + reach * away[1]
    tries = [_at(curve, share) for share in PLACES]
    return min(tries, key=lambda place: _crowding(_box(place, half), taken, others))


def _crowding(box: Box, taken: Sequence[Box], others: Sequence[Point]) -> float:
    """Return what a label hides: the area of other boxes, and points of arrows, 20 for each."""
    hidden = sum(_overlap(box, other) for other in taken)
    return hidden + sum(20 for x, y in others if box[0] < x < box[2] and box[1] < y < box[3])


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def _box(middle: Point, half: Point) -> Box:
    return middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]
