"""HTML tables and SVG drawings of results, for notebooks.

Colours are inherited from the page, so that they are readable in light and dark themes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from math import atan2, cos, hypot, pi, sin

from seqarith.text import shortened

LONG = 400
"""Maximum characters of a text."""

_LEFT = ' style="text-align:left;padding:0 .5em"'
_RIGHT = ' style="text-align:right;padding:0 .2em;white-space:nowrap"'
_WRONG = ' style="text-align:right;padding:0 .2em;color:#c22;font-weight:bold"'
_NODE = 26  # radius of a state, in pixels
_LINE = 14  # height of a line of text

Point = tuple[float, float]


def facts(title: str, rows: Iterable[tuple[str, object]], more: str = "") -> str:
    """Return a table of names and values, as HTML.

    Args:
        title: The title above the table.
        rows: Names and values; their text is escaped.
        more: HTML that follows the table.
    """
    lines = (
        f"<tr><th{_LEFT}>{_text(name)}</th><td{_LEFT}>{_text(v)}</td></tr>" for name, v in rows
    )
    return f"<div><b>{_text(title)}</b><table>{''.join(lines)}</table>{more}</div>"


def caption(text: str) -> str:
    """Return a line of small text, as HTML."""
    return f"<small>{_text(text)}</small>"


def grid(
    rows: Iterable[tuple[str, Sequence[str]]], ruled: str = "", wrong: Collection[int] = ()
) -> str:
    """Return rows of short texts as an HTML table, for example a sum in long hand.

    Args:
        rows: Names of the rows and the texts of their columns.
        ruled: Name of the row with a line above it.
        wrong: Columns marked as wrong in that row.
    """
    lines = []
    for name, cells in rows:
        marked = wrong if name == ruled else ()
        shown = (
            f"<td{_WRONG if i in marked else _RIGHT}>{_text(cell)}</td>"
            for i, cell in enumerate(cells)
        )
        line = ' style="border-top:1px solid"' if name == ruled else ""
        lines.append(f"<tr{line}><th{_LEFT}>{_text(name)}</th>{''.join(shown)}</tr>")
    return f'<table style="border-collapse:collapse">{"".join(lines)}</table>'


def diagram(names: Sequence[str], initial: int, arrows: Mapping[tuple[int, int], list[str]]) -> str:
    """Return a drawing of a machine as SVG: a circle per state, two for the initial state.

    Args:
        names: Names of the states.
        initial: The state before the first letter.
        arrows: Lines of text on the arrow between two states.
    """
    count = len(names)
    ring = 0 if count == 1 else 40 + 30 * count
    first = pi if count == 2 else -pi / 2
    places = [
        (ring * cos(first + 2 * pi * i / count), ring * sin(first + 2 * pi * i / count))
        for i in range(count)
    ]
    shapes = [_arrow(places[a], places[b], lines) for (a, b), lines in arrows.items()]
    for state, (x, y) in enumerate(places):
        circles = (_NODE, _NODE - 4) if state == initial else (_NODE,)
        shapes += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{r}" fill="none"/>' for r in circles]
        shapes.append(_lines((x, y), [shortened(names[state], 20)], most=2 * _NODE - 8))
    wide, high = ring + 190, (ring if count > 2 else 0) + 120
    return (
        f'<svg width="{2 * wide}" height="{2 * high}" '
        f'viewBox="{-wide} {-high} {2 * wide} {2 * high}" stroke="currentColor" '
        'font-family="sans-serif" font-size="12"><defs><marker id="seqarith-tip" '
        'viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>{"".join(shapes)}</svg>'
    )


def _arrow(start: Point, end: Point, lines: list[str]) -> str:
    """Return an arrow, bent left to leave room for the way back; or a loop, outwards."""
    if start == end:
        angle = atan2(start[1], start[0]) if hypot(*start) else -pi / 2
        first, last = (_at(start, angle + turn, _NODE) for turn in (-0.5, 0.5))
        bends = [_at(start, angle + turn, 3.5 * _NODE) for turn in (-0.5, 0.5)]
        aside, middle, far = angle, start, 2.9 * _NODE
    else:
        across, down = end[0] - start[0], end[1] - start[1]
        towards, far = atan2(down, across), 0.2 * hypot(across, down)
        first, last = _at(start, towards - 0.4, _NODE), _at(end, towards + pi + 0.4, _NODE)
        chord = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        bends = [_at(chord, towards - pi / 2, far)]
        # The label is nearer to the start, since arrows cross in the middle of the drawing.
        middle = _at(chord, towards + pi, 0.15 * hypot(across, down))
        aside, far = towards - pi / 2, 0.45 * far
    # Labels are beside steep arrows, and above or below flat ones.
    steep = abs(cos(aside)) > 0.5
    anchor = ("start" if cos(aside) > 0 else "end") if steep else "middle"
    place = _at(middle, aside, far + _LINE * (0.5 if steep else (len(lines) + 1) / 2))
    curve = " ".join(map(_pair, [*bends, last]))
    path = f"M{_pair(first)}{'C' if len(bends) == 2 else 'Q'}{curve}"
    drawn = f'<path d="{path}" fill="none" marker-end="url(#seqarith-tip)"/>'
    return drawn + _lines(place, lines, anchor)


def _at(place: Point, angle: float, far: float) -> Point:
    return place[0] + far * cos(angle), place[1] + far * sin(angle)


def _pair(place: Point) -> str:
    return f"{place[0]:.1f},{place[1]:.1f}"


def _lines(place: Point, lines: list[str], anchor: str = "middle", most: float = 0.0) -> str:
    """Return lines of text at a place; lines wider than ``most`` pixels are squeezed."""
    top = place[1] - _LINE * (len(lines) - 1) / 2 + 4
    texts = []
    for i, line in enumerate(lines):
        squeezed = f' textLength="{most:.0f}" lengthAdjust="spacingAndGlyphs"'
        fit = squeezed if most and 7 * len(line) > most else ""
        texts.append(
            f'<text x="{place[0]:.1f}" y="{top + _LINE * i:.1f}" text-anchor="{anchor}" '
            f'fill="currentColor" stroke="none"{fit}>{_text(line)}</text>'
        )
    return "".join(texts)


def _text(value: object) -> str:
    """Escape a value as text for HTML; values may come from files."""
    return escape(shortened(str(value), LONG))
