"""Make a task from a machine: its function on integers is computed by running the machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import final

import numpy as np

from seqarith.digits import Order, count_digits
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.schema import Integer
from seqarith.tasks.custom.reserved import check_name, owner_of
from seqarith.tasks.parameters import BASE, MAX_OPERANDS, ORDER, check
from seqarith.tasks.task import Range, Task

MAX_CELLS = 2**14
"""Entries of a custom machine's table, states times letters, at most: a file's header holds it."""
MAX_DELAY = 64
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_TEXT = 80  # characters of a notation, a symbol, or the name of a state


def task_from_machine(
    machine: MealyMachine,
    name: str = "machine",
    *,
    operands: int = 1,
    base: int = 2,
    order: Order = "least",
    delay: int = 0,
    symbols: tuple[str, ...] = (),
    notation: str = "",
) -> Task:
    """Make a task from a machine; model files of it hold the machine, so they load anywhere.

    The machine is minimised. It must compute a function on integers: leading zeros must change
    nothing, and the result must have finitely many digits.

    Args:
        machine: Its letters are numbered as those of a `Task`.
        name: Letters, digits, ``_`` and ``-``; not a name of the registry.
        operands: Number of operands.
        base: 2 to 16.
        order: Which digit is read first.
        delay: Steps before the first digit of the result; 0 if ``order`` is ``"most"``, or the
            result is a symbol.
        symbols: If given, the last output is the result, and these are the names of the outputs;
            otherwise the outputs are the digits of the result.
        notation: One pair of braces per operand, not a notation of the registry; default:
            ``"name({}, {})"``.

    Raises:
        TaskError: The machine does not compute a function on integers, or a value is out of range.

    Example:
        >>> double = MealyMachine([[0, 1], [0, 1]], [[0, 0], [1, 1]])
        >>> task = task_from_machine(double, "double")
        >>> task.equation([-37], task.reference(-37))
        'double(-37) = -74'
    """
    _check(name, operands, base, order, delay)
    usual = f"{name}({', '.join(['{}'] * operands)})"
    notation = notation or usual
    _check_texts(notation, *symbols, *machine.names)
    if notation != usual and (owner := owner_of(notation, operands)):
        raise TaskError(
            f"notation {notation!r} is that of {owner}, and the machine may compute anything: "
            f"choose another notation, for instance {usual!r}"
        )
    if symbols and (len(set(symbols)) < max(2, len(symbols)) or delay):
        raise TaskError(f"{len(symbols)} symbols: expected two or more, no two alike, and no delay")
    whole = _fitting(machine, base**operands, len(symbols) or base)
    least = whole.minimised()
    if least.difference(whole) is not None:  # minimising need not be trusted
        raise TaskError("the minimised machine is not the machine that was given")
    ends = _Ends.of(least, operands, base, order, delay, symbols)

    def reference(*values: int) -> int:
        layout = task.layout([(value, value) for value in values])
        letters = task.encode([[value] for value in values], layout.steps)
        return task.decode(least.run(letters), layout.signed)[0]

    task = Task(
        name=name,
        notation=notation,
        operands=operands,
        reference=reference,
        bounds=lambda *ranges: ends.bounds(base, ranges),
        machine=least,
        base=base,
        order=order,
        delay=delay,
        result="symbol" if symbols else "number",
        symbols=symbols,
        negative=ends.negative is not None,
        equals=" :" if symbols else " =",
        own=True,
    )
    return task


@final
@dataclass(frozen=True)
class _Ends:
    """How the result continues after the operands' digits: additional digits, and the sign.

    Attributes:
        natural: For naturals: additional digits before only those of a sign follow, and whether
            the result may be negative.
        negative: For operands of any sign; None if results of negative ones do not end.
    """

    natural: tuple[int, bool]
    negative: tuple[int, bool] | None

    @staticmethod
    def of(
        machine: MealyMachine,
        operands: int,
        base: int,
        order: Order,
        delay: int,
        symbols: tuple[str, ...],
    ) -> _Ends:
        if order == "most":
            _check_leading_zeros(machine, bool(symbols))
            return _Ends((0, False), None)
        if symbols:
            _check_trailing_zeros(machine)
            return _Ends((0, False), None)
        natural = _settling(machine, 0, base, delay)
        if natural is None:
            raise TaskError(
                "the machine's digits never end after its operands have ended: it does not compute "
                "an integer"
            )
        signs = product((0, base - 1), repeat=operands)
        paddings = [sum(d * base**k for k, d in enumerate(digits)) for digits in signs]
        each = [_settling(machine, letter, base, delay) for letter in paddings]
        known = [end for end in each if end is not None]
        if len(known) < len(each):
            return _Ends(natural, None)
        # Whatever the operands' signs are, the digits of the result must have settled: this takes
        # the longest time of all, and one more digit if any result may be negative.
        return _Ends(natural, (max(e[0] for e in known), any(e[1] for e in known)))

    def bounds(self, base: int, ranges: tuple[Range, ...]) -> Range:
        """Return the integers that the digits of the result can hold."""
        signed = any(low < 0 for low, _ in ranges)
        width = max(count_digits(v, base, signed=signed) for pair in ranges for v in pair)
        settling, negative = self.negative if signed and self.negative else self.natural
        count = base ** (width + settling + negative)
        return (-(count // 2), (count - 1) // 2) if negative else (0, count - 1)


def _settling(machine: MealyMachine, letter: int, base: int, delay: int) -> tuple[int, bool] | None:
    """Return when the outputs under a repeated letter become those of a sign, from any state.

    Returns:
        Digits in addition to those of the operands, without the sign, and whether some result is
        negative; None if the outputs never settle.
    """
    states = np.arange(machine.states)
    rows = []
    for _ in range(2 * machine.states):
        rows.append(machine.output[states, letter])
        states = machine.next_state[states, letter]
    outputs = np.array(rows)
    # After as many steps as there are states every state is on a cycle; the rest is a whole round.
    cycles = outputs[machine.states :]
    if (cycles != cycles[0]).any() or not np.isin(cycles[0], (0, base - 1)).all():
        return None
    unsettled = (outputs != cycles[0]).any(axis=1)
    steps = int(np.flatnonzero(unsettled)[-1]) + 1 if unsettled.any() else 0
    negative = bool((cycles[0] == base - 1).any())
    return max(0, steps - delay), negative


def _check_leading_zeros(machine: MealyMachine, symbols: bool) -> None:
    if machine.next_state[0, 0] != 0 or (machine.output[0, 0] != 0 and not symbols):
        raise TaskError(
            "zeros before the first digit change the machine's result: it does not compute a "
            "function on integers. Its initial state must stay under zeros, and emit zeros"
        )


def _check_trailing_zeros(machine: MealyMachine) -> None:
    if (machine.output[machine.next_state, 0] != machine.output).any():
        raise TaskError(
            "zeros after the highest digit change the machine's result: it does not compute a "
            "function on integers. A zero must repeat the symbol before it"
        )


def _check(name: str, operands: int, base: int, order: Order, delay: int) -> None:
    check("base", base, BASE)
    check("order", order, ORDER)
    check("operands", operands, Integer(1, MAX_OPERANDS))
    check("delay", delay, Integer(0, MAX_DELAY))
    if not _NAME.match(name):
        raise TaskError(f"name {name[:80]!r}: expected 1 to 64 letters, digits, '_' and '-'")
    check_name(name)
    if delay and order == "most":
        raise TaskError(f"delay {delay}: only digits least significant first can be delayed")


def _check_texts(*texts: str) -> None:
    """Refuse texts that are empty, too long or not printable."""
    for text in texts:
        if not 0 < len(text) <= _TEXT or not text.isprintable():
            raise TaskError(f"{text[:90]!r}: expected 1 to {_TEXT} printable characters")


def _fitting(machine: MealyMachine, letters: int, outputs: int) -> MealyMachine:
    """Return the machine with all symbols that the result may have as its outputs."""
    if machine.letters != letters:
        raise TaskError(f"the machine reads {machine.letters} letters; the operands have {letters}")
    if machine.states * letters > MAX_CELLS:
        raise TaskError(
            f"{machine.states} states of {letters} letters: at most {MAX_CELLS} entries"
        )
    if outputs < machine.outputs:
        raise TaskError(f"the machine emits {machine.outputs} symbols; the result has {outputs}")
    tables = machine.next_state, machine.output
    return MealyMachine(*tables, outputs, machine.initial, machine.names)
