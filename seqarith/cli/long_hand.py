"""Draws a trace in long hand: one column per digit, the least significant on the right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, final

import click

from seqarith.machine import state_names
from seqarith.text import printable, shortened

if TYPE_CHECKING:
    from seqarith.tracing import Trace

SHADES, PLAIN = " ░▒▓█", " .:*#"
NAME = 7  # characters of the name of a state or symbol that fit a column
LONG = 400  # characters of the heading


@final
@dataclass(frozen=True)
class Style:
    """How to draw: terminal columns, number of hidden units, colour, block characters."""

    columns: int
    units: int
    colour: bool
    blocks: bool


@final
@dataclass(frozen=True)
class _Row:
    """A row: its label, one cell per step in reading order, whether cells are shades."""

    label: str
    cells: list[str]
    fill: bool = False


def drawn(trace: Trace, style: Style) -> Iterator[str]:
    """Yield the lines of a trace, in blocks as wide as the terminal, first steps first."""
    yield from _heading(trace)
    rows = [*_sum(trace, style), *_units(trace, style)]
    label = max(len(row.label) for row in rows)
    size = max(len(cell) for row in rows for cell in row.cells) + 1
    blocks = -(-trace.steps // max(1, (style.columns - label - 1) // size))
    wide = -(-trace.steps // blocks)
    for start in range(0, trace.steps, wide):
        yield ""
        yield from _block(trace, rows, range(start, min(start + wide, trace.steps)), size, style)
    yield ""
    yield from _legend(trace, style)


def _heading(trace: Trace) -> Iterator[str]:
    task = trace.task
    text = f"{task.expression(trace.operands)} = {task.result_text(trace.predicted)}"
    note = ""
    if not trace.correct:
        note = f"  (wrong: {shortened(task.result_text(trace.expected), LONG)} expected)"
    yield shortened(text, LONG) + note


def _sum(trace: Trace, style: Style) -> list[_Row]:
    """Return the rows in long hand: step, state, operands, digits, logit, margin."""
    task, machine, steps = trace.task, trace.task.machine, range(trace.steps)
    rows = [_Row("step", [str(t) for t in steps])]
    if machine is not None and trace.states is not None:
        label, names = state_names(machine.names)
        rows.append(
            _Row(printable(label), [printable(names[q])[:NAME] for q in trace.states[:-1].tolist()])
        )
    letters = "abcdefghijklmnop"
    rows += [_Row(letters[i], [f"{d:x}" for d in digits]) for i, digits in enumerate(trace.digits)]
    gone = "·" if style.blocks else "."
    for name, symbols in (("expected", trace.expected_symbols), ("network", trace.emitted)):
        shown = [_symbol(task.symbols, s) for s in symbols.tolist()]
        rows.append(_Row(name, [gone if t < trace.first else shown[t] for t in steps]))
    best = trace.logits.max(axis=1).tolist()
    rows.append(_Row("logit", [_number(value) for value in best]))
    margins = [_number(value) for value in trace.margins.tolist()]
    rows.append(_Row("margin", [gone if t < trace.first else margins[t] for t in steps]))
    return rows


def _units(trace: Trace, style: Style) -> list[_Row]:
    shades = SHADES if style.blocks else PLAIN
    low, high = _scale(trace)
    hidden = trace.hidden[1:]
    # Rounding gives each end of the scale half a shade, so nearly saturated units look saturated.
    levels = ((hidden - low) / (high - low) * (len(shades) - 1) + 0.5).astype(int)
    levels = levels.clip(0, len(shades) - 1)
    return [
        _Row(f"unit {unit}", [shades[level] for level in levels[:, unit].tolist()], True)
        for unit in range(min(style.units, hidden.shape[1]))
    ]


def _block(trace: Trace, rows: list[_Row], steps: range, size: int, style: Style) -> Iterator[str]:
    """Yield the lines of some steps, the most significant digit on the left."""
    order = list(reversed(steps)) if trace.task.order == "least" else list(steps)
    label = max(len(row.label) for row in rows)
    wrong = trace.wrong
    rule = "─" if style.blocks else "-"
    for row in rows:
        cells = [
            _cell(row, t, size, style, bool(wrong[t]) and row.label in ("network", "margin"))
            for t in order
        ]
        yield f"{row.label:<{label}} {''.join(cells)}".rstrip()
        if row.label == "abcdefghijklmnop"[trace.task.operands - 1]:
            yield f"{'':<{label}} {rule * (size * len(order))}"
        if row.label == "network" and wrong[list(order)].any():
            marks = "".join(f"{'^' if wrong[t] else '':>{size}}" for t in order)
            yield f"{'wrong':<{label}} {_red(marks.rstrip(), style)}"


def _cell(row: _Row, t: int, size: int, style: Style, wrong: bool) -> str:
    text = row.cells[t]
    if row.fill:
        text = text * (size - 1)
    padded = f"{text:>{size}}"
    return _red(padded, style) if wrong else padded


def _red(text: str, style: Style) -> str:
    return click.style(text, fg="red", bold=True) if style.colour else text


def _legend(trace: Trace, style: Style) -> Iterator[str]:
    task, shades = trace.task, SHADES if style.blocks else PLAIN
    width, (low, high) = trace.hidden.shape[1], _scale(trace)
    shown = min(style.units, width)
    if shown:
        scale = "  ".join(
            f"[{shade * 2}] {low + (high - low) * i / (len(shades) - 1):g}"
            for i, shade in enumerate(shades)
        )
        more = f"; {width - shown} more units: --units {width}" if shown < width else ""
        yield f"hidden units after the step: {scale}{more}"
    if trace.memory.shape[1] > width:
        yield f"the memory has {trace.memory.shape[1]} numbers; the hidden units come first"
    reading = "right to left" if task.order == "least" else "left to right"
    yield f"read {reading}, {task.order} significant digit first; margin below 0: wrong"
    if trace.first and task.result == "number":
        yield f"the result starts at step {trace.first}: its digits are delayed by {task.delay}"
    if task.result == "symbol":
        yield "the result is the output of the last step"


def _scale(trace: Trace) -> tuple[float, float]:
    """Return the limits of the scale of shades: [-1 or 0, 1], or more for unbounded units."""
    low = 0.0 if float(trace.hidden.min()) >= 0 else -1.0
    return low, max(1.0, float(ceil(trace.hidden.max())))


def _number(value: float) -> str:
    """Format a number in at most six characters."""
    size = abs(value)
    if size and (size < 0.005 or size >= 9999.5):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.2f}" if size < 100 else f"{value:.0f}"


def _symbol(symbols: tuple[str, ...], symbol: int) -> str:
    return printable(symbols[symbol])[:NAME] if symbols else f"{symbol:x}"
