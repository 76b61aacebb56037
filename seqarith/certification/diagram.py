"""The arrows of a machine's diagram and their labels."""

from __future__ import annotations

from seqarith.machine import MealyMachine
from seqarith.tasks.task import Task

LISTED = 4
"""Letters that a label lists, at most; further ones are counted."""

LINES = 3
"""Lines of an arrow's label, at most."""


def arrows(task: Task, machine: MealyMachine) -> dict[tuple[int, int], list[str]]:
    """Return the label of the arrow between two states: lines ``"01, 10 / 1"``."""
    listed = max(1, 16 // (task.operands + 2))
    found: dict[tuple[int, int], list[str]] = {}
    for state, leaving in machine.edges().items():
        for (symbol, target), letters in sorted(leaving.items()):
            text = f"{letters_label(task, letters, listed)} / {symbol_label(task, symbol)}"
            found.setdefault((state, target), []).append(text)
    return {arrow: _few(lines) for arrow, lines in found.items()}


def _few(lines: list[str]) -> list[str]:
    more = len(lines) - LINES
    return [*lines[:LINES], f"and {more} more"] if more > 1 else lines


def letters_label(task: Task, letters: list[int], listed: int = LISTED) -> str:
    """Return letters as text: ``"01, 10"``, and how many more there are."""
    # "and 1 more" would be as long as the letter itself.
    listed += len(letters) == listed + 1
    shown = ", ".join(letter_label(task, letter) for letter in letters[:listed])
    more = len(letters) - listed
    return f"{shown} and {more} more" if more > 0 else shown


def letter_label(task: Task, letter: int) -> str:
    """Return the digits of a letter, one for each operand: ``"01"``."""
    return "".join("0123456789abcdef"[digit] for digit in task.digits[:, letter].tolist())


def symbol_label(task: Task, symbol: int) -> str:
    """Return an output: a digit, a symbol's name, or ``"anything"`` (see `reference_machine`)."""
    if symbol >= max(task.outputs, 2):
        return "anything"
    return task.symbols[symbol] if task.symbols else "0123456789abcdef"[symbol]
