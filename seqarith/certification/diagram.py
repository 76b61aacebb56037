"""What the arrows of a machine's diagram are, and what is written on them."""

from __future__ import annotations

from seqarith.machine import MealyMachine
from seqarith.tasks.task import Task

LISTED = 4
"""Letters that a label lists one by one, at most; of more it says how many."""

Edges = dict[int, dict[tuple[int, int], list[int]]]


def edges(machine: MealyMachine) -> Edges:
    """Return the letters of every state by what they emit and where they lead."""
    found: Edges = {}
    for state in range(machine.states):
        for letter in range(machine.letters):
            kind = (int(machine.output[state, letter]), int(machine.next_state[state, letter]))
            found.setdefault(state, {}).setdefault(kind, []).append(letter)
    return found


def letters_label(task: Task, letters: list[int]) -> str:
    """Return several letters as text: ``"01, 10"``, or how many more there are."""
    shown = ", ".join(letter_label(task, letter) for letter in letters[:LISTED])
    more = len(letters) - LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def letter_label(task: Task, letter: int) -> str:
    """Return the digits of a letter, one of every operand: ``"01"``."""
    return "".join("0123456789abcdef"[digit] for digit in task.digits[:, letter].tolist())


def symbol_label(task: Task, symbol: int) -> str:
    """Return an output: a digit, or the symbol's name."""
    return task.symbols[symbol] if task.symbols else "0123456789abcdef"[symbol]
