"""The contract of a task: a function on integers, and how its numbers become words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, Literal, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from seqarith.digits import (
    BASES,
    Digits,
    Order,
    count_digits,
    format_integer,
    from_digits,
    to_digits,
)
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.tasks.custom.origin import Asked
from seqarith.tasks.layout import Layout

Range = tuple[int, int]
Letters = NDArray[np.intp]
N = TypeVar("N", bound=np.number[Any])

MAX_LETTERS = 2**16
MAX_BITS = 2**20


@final
class _Constructor:
    """A function that makes a task, as an attribute of `Task`: imported when it is first used."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = f"seqarith.tasks.custom.{module}", name

    def __get__(self, task: object, owner: type) -> Callable[..., Task]:
        make: Callable[..., Task] = getattr(import_module(self._module), self._name)
        return make


@final
@dataclass(frozen=True)
class Task:
    """An arithmetic function with its encoding.

    A word holds one letter a step; a letter is one digit of every operand, numbered
    ``digit_0 + base * digit_1 + base**2 * digit_2 + ...``. Operands are padded, naturals with
    zeros and negative ones by sign extension, until the word has room for the result.

    Args:
        name: Its name in the registry.
        notation: The function as a format string, ``"{} + {}"``; one pair of braces per operand.
        operands: Number of operands.
        reference: The function on Python integers. For a ``symbol`` result: the symbol's number.
        bounds: The least and greatest result for operands in given ranges; sizes the result.
        machine: Its transducer, or None for a function that is not finite-state.
        base: 2 to 16.
        order: Which digit is read first.
        delay: Steps before the first digit of the result.
        result: ``"number"``: the outputs are the digits of the result; ``"symbol"``: the last
            output is the result.
        symbols: For a ``symbol`` result: the names of its numbers.
        parameters: The values of the task's parameters, for instance a factor.
        negative: Whether negative operands, sign-extended, are allowed; else they are refused.
        equals: The text between the expression and its result in an equation.
        own: Whether it is a custom task: it is not in the registry, so files hold its machine.
        asked: The function that the machine was learned from, and how often it was called; None if
            the machine was given.
        function: That function, encoded like ``reference``; None if it is not available, as after
            loading a file. If it is, it decides which results are correct, not the machine.

    Raises:
        TaskError: The parts contradict each other.
    """

    name: str
    notation: str
    operands: int
    reference: Callable[..., int]
    bounds: Callable[..., Range]
    machine: MealyMachine | None
    base: int = 2
    order: Order = "least"
    delay: int = 0
    result: Literal["number", "symbol"] = "number"
    symbols: tuple[str, ...] = ()
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    negative: bool = True
    equals: str = " ="
    own: bool = False
    asked: Asked | None = None
    function: Callable[..., int] | None = field(default=None, repr=False)

    from_function = _Constructor("from_function", "task_from_function")
    from_machine = _Constructor("from_machine", "task_from_machine")

    def __post_init__(self) -> None:
        if self.base not in BASES:
            raise TaskError(f"base {self.base} is not supported; choose one from 2 to 16")
        if self.operands < 1 or self.letters > MAX_LETTERS:
            raise TaskError(
                f"{self.operands} operands in base {self.base} are {self.letters} letters; "
                f"an alphabet has 2 to {MAX_LETTERS}. Take fewer operands or a smaller base"
            )
        if re.findall(r"[{}]+", self.notation) != ["{}"] * self.operands:
            raise TaskError(f"notation {self.notation!r} does not show {self.operands} operands")
        if self.machine is not None and self.machine.letters != self.letters:
            reads = f"the machine reads {self.machine.letters} letters"
            raise TaskError(f"{reads}; the operands' digits are {self.letters}")
        if self.machine is not None and self.machine.outputs != self.outputs:
            emits = f"the machine emits {self.machine.outputs} symbols"
            raise TaskError(f"{emits}; the result has {self.outputs}")

    def __repr__(self) -> str:
        machine = f"{self.machine.states} states" if self.machine else "no machine"
        return f"Task({self.name}: {self.formula}, base {self.base}, {machine})"

    @property
    def letters(self) -> int:
        """Size A of the alphabet."""
        return int(self.base**self.operands)

    @property
    def outputs(self) -> int:
        """Number of symbols that may be emitted at one step."""
        return len(self.symbols) if self.result == "symbol" else self.base

    @property
    def inputs(self) -> int:
        """Width D of an input vector: a digit of base 2 is one number, of others one-hot."""
        return self.operands * (1 if self.base == 2 else self.base)

    @cached_property
    def digits(self) -> Digits:
        """The digits of every letter, shape (operands, A)."""
        return _read_only(to_digits(np.arange(self.letters), self.operands, base=self.base))

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """The input vector of every letter, shape (A, D)."""
        if self.base == 2:
            return _read_only(self.digits.T.astype(np.float32))
        hot = self.digits.T[:, :, None] == np.arange(self.base)
        return _read_only(hot.reshape(self.letters, -1).astype(np.float32))

    def check_bits(self, bits: int) -> None:
        """Refuse a width out of range.

        Raises:
            TaskError: ``bits`` is not in 1 .. 2**20.
        """
        if not 1 <= bits <= MAX_BITS:
            raise TaskError(f"operands of {bits} digits: expected 1 to {MAX_BITS}")

    def check_operands(self, operands: Sequence[int]) -> None:
        """Refuse operands that the function does not take.

        Raises:
            TaskError: The number of operands is wrong, or one is negative and the task takes only
                naturals.
        """
        if len(operands) != self.operands:
            raise TaskError(f"{self.formula} takes {self.operands} operands, not {len(operands)}")
        if not self.negative and min(operands) < 0:
            worst = format_integer(min(operands))
            raise TaskError(
                f"{self.formula} takes naturals only, not {worst}; see 'seqarith tasks'"
            )

    def layout(self, ranges: Sequence[Range]) -> Layout:
        """Return the layout of words for operands in these ranges.

        Raises:
            TaskError: They have more than 2**20 digits.
        """
        signed = any(low < 0 for low, _ in ranges)
        width = max(count_digits(v, self.base, signed=signed) for pair in ranges for v in pair)
        self.check_bits(width)
        if self.result == "symbol":
            return Layout(width, width + self.delay, False)
        ends = self.bounds(*ranges)
        signed = ends[0] < 0
        digits = max(count_digits(value, self.base, signed=signed) for value in ends)
        return Layout(width, max(width, digits) + self.delay, signed)

    def natural_layout(self, bits: int) -> Layout:
        """Return the layout of words for operands 0 .. base**bits - 1.

        Raises:
            TaskError: ``bits`` is out of range.
        """
        self.check_bits(bits)
        return self.layout([(0, self.base**bits - 1)] * self.operands)

    def digit_steps(self, layout: Layout) -> slice:
        """Return the steps of a word that hold the operands' digits; the others hold padding."""
        first = 0 if self.order == "least" else layout.steps - self.delay - layout.digits
        return slice(first, first + layout.digits)

    def first_result_step(self, steps: int) -> int:
        """Return the first step of a word whose output counts; earlier outputs are ignored."""
        return steps - 1 if self.result == "symbol" else self.delay

    def encode(self, operands: Sequence[Sequence[int]] | NDArray[np.int64], steps: int) -> Letters:
        """Return words for N tuples of operands.

        Args:
            operands: For each operand its N values.
            steps: Length T of the words; see `layout`.

        Returns:
            Letters, shape (T, N).

        Raises:
            DigitsError: An operand does not fit.
        """
        letters = np.zeros((steps, len(operands[0])), np.intp)
        room = steps if self.order == "least" else steps - self.delay
        words = letters[:room]
        for values in reversed(operands):
            words *= self.base
            words += to_digits(values, room, base=self.base, order=self.order)
        return letters

    def operands_of(self, letters: Letters) -> list[list[int]]:
        """Return the operands of words, as naturals; the inverse of `encode`."""
        words = letters if self.order == "least" else letters[: len(letters) - self.delay]
        digits = self.digits[:, words]
        return [from_digits(d, base=self.base, order=self.order) for d in digits]

    def decode(self, outputs: NDArray[np.integer], signed: bool) -> list[int]:
        """Return the results of output symbols of shape (T, N)."""
        if self.result == "symbol":
            return [int(symbol) for symbol in outputs[-1]]
        digits = outputs[self.delay :]
        return from_digits(digits, base=self.base, order=self.order, signed=signed)

    def expected(self, letters: Letters, results: Sequence[int] | None = None) -> NDArray[np.intp]:
        """Return the correct output for every step of words, shape (T, N).

        Args:
            letters: The words, shape (T, N).
            results: The correct results, for a task without a machine; default: those of the
                naturals that the words hold.
        """
        if self.machine is not None:
            return self.machine.run(letters)
        if results is None:
            operands = zip(*self.operands_of(letters), strict=True)
            results = [self.reference(*values) for values in operands]
        start = self.first_result_step(len(letters))
        if self.result == "symbol":
            digits = np.array([results])
        else:
            digits = to_digits(results, len(letters) - start, base=self.base, order=self.order)
        return np.pad(digits.astype(np.intp), ((start, 0), (0, 0)))

    def identity(self) -> list[Any]:
        """Return everything that the correct outputs of a network depend on, ready for JSON."""
        machine = None if self.machine is None else self.machine.digest()
        encoding: list[Any] = [self.base, self.operands, self.order, self.delay, self.result]
        if self.asked is not None:
            encoding += [self.asked.function, self.asked.words]
        return [self.name, dict(self.parameters), *encoding, list(self.symbols), machine]

    def expression(self, operands: Sequence[int]) -> str:
        """Return the task applied to operands, as text: ``"37 + 58"``, ``"3 - (-4)"``."""
        first, *others = map(format_integer, operands)
        shown = (f"({text})" if text.startswith("-") else text for text in others)
        return self.notation.format(first, *shown)

    def result_text(self, value: int) -> str:
        """Return a result as text: a number, or the symbol's name."""
        return self.symbols[value] if self.result == "symbol" else format_integer(value)

    def equation(self, operands: Sequence[int], value: int) -> str:
        """Return the task applied to operands with a result: ``"37 + 58 = 95"``."""
        return f"{self.expression(operands)}{self.equals} {self.result_text(value)}"

    @property
    def formula(self) -> str:
        """The function in letters: ``"a + b"``."""
        return self.notation.format(*"abcdefghijklmnop"[: self.operands])


def _read_only(table: NDArray[N]) -> NDArray[N]:
    """Make a table read-only, since every program of the task shares it."""
    table.setflags(write=False)
    return table
