"""Verdicts and counterexamples, as the commands print them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqarith.text import shortened

if TYPE_CHECKING:
    from seqarith.certification.verdicts import Refuted

SHOWN = 60
"""Digits of a counterexample that are shown."""


def counterexample_json(verdict: Refuted) -> dict[str, Any]:
    """Return a counterexample, ready for JSON; integers as text, since they may have any size."""
    from seqarith.digits import format_integer

    return {
        "operands": [format_integer(value) for value in verdict.operands],
        "bits": verdict.bits,
        "place": verdict.place,
        "predicted": verdict.task.result_text(verdict.predicted),
        "expected": verdict.task.result_text(verdict.expected),
        "word": list(verdict.word),
        "shortest": verdict.shortest,
    }


def counterexample_lines(verdict: Refuted) -> list[str]:
    """Return a counterexample as text: an equation, then digit by digit with the carry."""
    task = verdict.task
    text = shortened(task.equation(verdict.operands, verdict.predicted), 100)
    lines = [f"{text}, expected {shortened(task.result_text(verdict.expected), 100)}"]
    rows = _rows(verdict)
    cells = {name: cells[-SHOWN:] for name, cells in rows.items()}
    size = max(len(cell) for row in cells.values() for cell in row)
    width = max(map(len, cells))
    if len(verdict.word) > SHOWN:
        lines.append(f"the last {SHOWN} of {len(verdict.word):,} digits that were read:")
    for name, row in cells.items():
        shown = row[::-1] if task.order == "least" else row
        lines.append(
            f"{name:<{width}}  " + (" " if size > 1 else "").join(f"{c:>{size}}" for c in shown)
        )
    mark = len(lines[-1]) - 1 if task.order == "most" else width + 1 + size
    lines.append(" " * mark + "^ wrong")
    return lines


def _rows(verdict: Refuted) -> dict[str, list[str]]:
    """Return the rows of a table with a column per step, as read: state, digits, outputs."""
    from seqarith.machine import state_names

    machine, task, word = verdict.task.machine, verdict.task, list(verdict.word)
    assert machine is not None
    states = machine.trace(word)[:-1].tolist()
    expected = [_symbol(verdict, symbol) for symbol in machine.run(word).tolist()]
    label, names = state_names(machine.names)
    rows = {label: [names[state] for state in states]}
    digits = task.digits[:, word]
    for name, row in zip("abcdefghijklmnop", digits, strict=False):
        rows[name] = [f"{digit:x}" for digit in row.tolist()]
    rows["expected"] = expected
    rows["network"] = [*expected[:-1], _symbol(verdict, verdict.emitted)]
    return rows


def _symbol(verdict: Refuted, symbol: int) -> str:
    return verdict.task.symbols[symbol] if verdict.task.symbols else f"{symbol:x}"
