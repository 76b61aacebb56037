"""Make a task from a Python function on integers."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any

from seqarith.digits import Order
from seqarith.errors import CutShortWarning, TaskError, UnboundedWarning
from seqarith.machine import MealyMachine
from seqarith.schema import Integer
from seqarith.tasks.custom.advice import advise
from seqarith.tasks.custom.boundedness import find_growth
from seqarith.tasks.custom.encoded import (
    EncodedFunction,
    count_arguments,
    function_name,
    function_place,
)
from seqarith.tasks.custom.equivalence import beside_powers, count_planned, exhausted_length
from seqarith.tasks.custom.from_machine import task_from_machine
from seqarith.tasks.custom.function_oracle import FunctionOracle, QueryProgress, UnreadableError
from seqarith.tasks.custom.lstar import SECONDS, LStarLearner
from seqarith.tasks.custom.origin import Asked
from seqarith.tasks.parameters import BASE, ORDER, check
from seqarith.tasks.task import Task

MAX_LETTERS = 4096
"""Largest alphabet of a custom task: every state is asked about every letter."""
MAX_ASK = 2**40
"""Most words that a function can be asked."""
_SIGNED = 1024  # tuples of operands with negative ones that are tried
_LINES = 100_000  # lines of Python for one of them; a call that runs more is taken to be endless


def task_from_function(
    function: Callable[..., object],
    *,
    operands: int | None = None,
    base: int = 2,
    order: Order = "least",
    delay: int = 0,
    symbols: tuple[str, ...] = (),
    name: str = "",
    notation: str = "",
    ask: int | None = None,
    progress: QueryProgress | None = None,
) -> Task:
    """Make a task from a function on naturals, if it is finite-state.

    Its machine is learned by Angluin's L* (`seqarith.tasks.custom.lstar`), minimised, and compared
    with the function on about 200,000 words: operands next to the numbers in the function's source;
    all short words; runs of equal digits; operands next to powers of the base; random words of up
    to 300 letters. This does not prove that the machine equals the function. Training and
    certification use the machine, and the task records how many words were asked (`Task.asked`).

    Negative operands are accepted if the function and its machine agree on all that are tried.

    Args:
        function: Takes ``operands`` integers and returns one, or one of ``symbols``.
        operands: Number of operands; default: the function's arguments without a default.
        base: 2 to 16.
        order: Which digit is read first.
        delay: Steps before the first digit of the result, if digits depend on later ones.
        symbols: Names of the results, if they are not numbers; the function returns a name, or
            its index.
        name: Default: the function's.
        notation: One pair of braces per operand; default: ``"name({}, {})"``.
        ask: Words that the function is asked, at most; default: all that are planned, or as many
            as about five seconds of calls allow.
        progress: Called with the number of words asked so far, and of all words.

    Warns:
        CutShortWarning: The function is slow, and ``ask`` was not given: it was compared with its
            machine on fewer words than planned.
        UnboundedWarning: Longer words distinguish more and more states.

    Raises:
        TaskError: It does not appear to be finite-state, it fails, or a value is out of range.

    Example:
        >>> task = task_from_function(lambda a: 5 * a + 3, name="f")
        >>> task.equation([37], task.reference(37)), task.machine.states
        ('f(37) = 188', 5)
        >>> task_from_function(lambda a, b: a * b, name="product")
        Traceback (most recent call last):
        ...
        seqarith.errors.TaskError: product is not finite-state, as far as 512 states can tell: ...
    """
    count = count_arguments(function) if operands is None else operands
    name, symbols = name or function_name(function), tuple(symbols)
    check("base", base, BASE)
    check("order", order, ORDER)
    check("operands", count, Integer(1, 12))
    check("delay", delay, Integer(0, 12))
    if ask is not None:
        check("ask", ask, Integer(1, MAX_ASK))
    if base**count > MAX_LETTERS:
        raise TaskError(
            f"{count} operands in base {base} are {base**count} letters; a custom task has at "
            f"most {MAX_LETTERS}. Take fewer operands or a smaller base"
        )
    encoded = EncodedFunction(function, name, symbols)
    signed = _SIGNED if ask is None else min(_SIGNED, ask // 8)
    limit = None if ask is None else ask - signed
    total = limit or count_planned()
    oracle = FunctionOracle(encoded, count, base, order, delay, limit, progress, total)
    machine = _learned(oracle)
    task = task_from_machine(
        machine,
        name,
        operands=count,
        base=base,
        order=order,
        delay=delay,
        symbols=symbols,
        notation=notation,
    )
    tried, negative = _takes_negative(task, encoded, signed) if task.negative else (0, False)
    asked = Asked(function_place(function, name), oracle.asked + tried)
    _warn_if_cut(oracle, asked)
    _warn_if_unbounded(machine, name, oracle.asked)
    return replace(task, reference=encoded, function=encoded, asked=asked, negative=negative)


def _learned(oracle: FunctionOracle) -> MealyMachine:
    try:
        machine = LStarLearner(oracle).machine()
        oracle.check_repeatable()
        return machine
    except UnreadableError as error:
        oracle.check_repeatable()
        more = advise(oracle.function, oracle.operands, oracle.base, oracle.order)
        raise TaskError(f"{error}. {more}") from None


def _takes_negative(task: Task, function: EncodedFunction, count: int) -> tuple[int, bool]:
    """Return how many tuples with any signs were tried, and whether function and machine agree."""
    source = random.Random(0)
    values = beside_powers(task.base)
    for number in range(count):
        if number % 2:
            drawn = [source.choice(values) for _ in range(task.operands)]
        else:
            top = task.base ** source.choice((2, 5, 12, 40, 200))
            drawn = [source.randint(0, top) for _ in range(task.operands)]
        operands = [value * source.choice((1, -1)) for value in drawn]
        if number % 4 < 2:
            operands[number // 4 % task.operands] = -abs(drawn[number // 4 % task.operands])
        try:
            result = with_call_limit(function, operands, _LINES)
            if task.reference(*operands) != result:
                return number + 1, False
        except (TaskError, _CallLimitError):  # the function does not accept negative numbers
            return number + 1, False
    return count, count > 0


class _CallLimitError(BaseException):
    """A call has run too many lines of Python. No ``except Exception`` catches it."""


def with_call_limit(function: Callable[..., int], operands: list[int], lines: int) -> int:
    """Call a function, and give up after so many lines of Python: a loop may never end.

    Counting lines instead of reading a clock makes the outcome the same on every computer.

    Raises:
        _CallLimitError: It runs longer.

    Example:
        >>> with_call_limit(lambda a: a + 1, [3], 100)
        4
    """
    left = lines

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise _CallLimitError
        return trace

    before = sys.gettrace()  # a debugger's, or that of coverage
    sys.settrace(trace)
    try:
        return function(*operands)
    finally:
        sys.settrace(before)


def _warn_if_cut(oracle: FunctionOracle, asked: Asked) -> None:
    if oracle.cut:
        warnings.warn(
            f"{oracle.name} is slow: comparing it with its machine stopped after about "
            f"{SECONDS:g} seconds of calls ({asked.words:,} words in all). With a limit of your "
            f"own, say ask={2 * oracle.total} (on the command line --ask), no clock is read",
            CutShortWarning,
            stacklevel=3,
        )


def _warn_if_unbounded(machine: MealyMachine, name: str, asked: int) -> None:
    """Warn if longer words distinguish more and more states, as with an unbounded counter."""
    if seen := find_growth(machine, exhausted_length(machine.letters, asked)):
        lengths, counts = seen
        warnings.warn(
            f"{name} looks unbounded: words of {_listed(lengths)} letters tell {_listed(counts)} "
            "states apart. If it counts without end, no machine is the function; ask more words",
            UnboundedWarning,
            stacklevel=3,
        )


def _listed(numbers: Sequence[int]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} and {last}"
