"""Your own task, from a Python function on integers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from inspect import Parameter, signature

from seqarith.digits import Order
from seqarith.errors import TaskError
from seqarith.tasks.own import task_from_machine
from seqarith.tasks.parameters import check_base, check_integer, check_order
from seqarith.tasks.residuals import Residuals
from seqarith.tasks.spoken import Spoken
from seqarith.tasks.task import Task

MAX_LETTERS = 4096
"""Largest alphabet of an own task: every residual is asked about every letter."""
_SIGNED = (2, 5, 40, 200)  # digits of the negative operands that are tried


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
) -> Task:
    """Make a task of a function on naturals, if it is finite-state.

    Its machine is built by telling residuals apart (`seqarith.tasks.residuals`), minimised, and
    compared with the function on every word up to a length (4,096 words of one length at most) and
    on random words of up to 150 letters. That is no proof that the machine is the function; what
    is trained, counted and certified is the machine.

    Negative operands are taken where the function and its machine agree on random ones.

    Args:
        function: Takes ``operands`` integers and returns one, or one of ``symbols``.
        operands: Number of operands; default: the function's arguments without a default.
        base: 2 to 16.
        order: Which digit is read first.
        delay: Steps before the first digit of the result, where digits depend on later ones.
        symbols: What the function may return, where that is no number; or returns the number of.
        name: Default: the function's.
        notation: One pair of braces an operand; default: ``"name({}, {})"``.

    Raises:
        TaskError: It is not finite-state as far as can be told, fails, or a value is out of range.

    Example:
        >>> task = task_from_function(lambda a: 5 * a + 3, name="f")
        >>> task.equation([37], task.reference(37)), task.machine.states
        ('f(37) = 188', 5)
        >>> task_from_function(lambda a, b: a * b, name="product")
        Traceback (most recent call last):
        ...
        seqarith.errors.TaskError: product is not finite-state, as far as 512 states can tell: ...
    """
    count = _arguments(function) if operands is None else operands
    name = name or _name(function)
    check_base(base)
    check_order(order)
    check_integer("operands", count, 1, 12)
    check_integer("delay", delay, 0, 12)
    if base**count > MAX_LETTERS:
        raise TaskError(
            f"{count} operands in base {base} are {base**count} letters; an own task has at most "
            f"{MAX_LETTERS}. Take fewer operands or a smaller base"
        )
    spoken = Spoken(function, name, count, base, order, delay, tuple(symbols))
    machine = Residuals(spoken).machine()
    task = task_from_machine(
        machine,
        name,
        operands=count,
        base=base,
        order=order,
        delay=delay,
        symbols=tuple(symbols),
        notation=notation,
    )
    return replace(
        task, reference=spoken.call, negative=task.negative and _takes_negative(task, spoken)
    )


def _takes_negative(task: Task, spoken: Spoken) -> bool:
    """Return whether function and machine agree on random operands of both signs."""
    source = random.Random(0)
    for digits in _SIGNED:
        top = task.base**digits
        for _ in range(20):
            values = [source.randint(-top, top) for _ in range(task.operands)]
            try:
                if task.reference(*values) != spoken.call(*values):
                    return False
            except TaskError:
                return False
    return True


def _arguments(function: Callable[..., object]) -> int:
    try:
        found = signature(function).parameters.values()
    except (TypeError, ValueError):
        raise TaskError(
            f"{_name(function)}: how many operands it takes cannot be seen; say operands"
        ) from None
    return sum(p.kind <= Parameter.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in found)


def _name(function: Callable[..., object]) -> str:
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else "task"
