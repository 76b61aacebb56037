"""A function of the user, whose results are checked and turned into integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, signature
from typing import Any, final

import numpy as np

from seqarith.errors import TaskError
from seqarith.text import shortened

_PLAIN = {int, bool}


@final
@dataclass(frozen=True)
class EncodedFunction:
    """A function on integers; if it has symbols, a result is the number of a symbol.

    Args:
        function: Takes integers; returns an integer, or one of ``symbols``, or its number.
        name: For messages.
        symbols: What the function may return; empty if it returns numbers.
    """

    function: Callable[..., object]
    name: str
    symbols: tuple[str, ...] = ()

    def __call__(self, *operands: int) -> int:
        """Return the result.

        Raises:
            TaskError: The function fails, or returns something else.
        """
        try:
            result = self.function(*operands)
        except (Exception, SystemExit) as error:  # code of the user may raise anything
            what = shortened(" ".join(f"{type(error).__name__}: {error}".split()), 150)
            raise TaskError(f"{self.shown(operands)} fails with {what}") from None
        return self._checked(result, operands)

    def many(self, columns: Sequence[Sequence[int]]) -> list[int]:
        """Return the results for N tuples of operands.

        Args:
            columns: For each operand its N values.

        Raises:
            TaskError: The function fails, or returns something else.
        """
        try:
            results: list[Any] = list(map(self.function, *columns))
        except (Exception, SystemExit):  # raised again below, with the operands
            results = []
        # If the function raises StopIteration, `map` just ends.
        if len(results) < len(columns[0]):
            return [self(*operands) for operands in zip(*columns, strict=True)]
        types = set(map(type, results))
        if self.symbols and types <= {*_PLAIN, str} and self._codes.keys() >= set(results):
            return [self._codes[result] for result in results]
        if types <= _PLAIN and not self.symbols:
            return results if types == {int} else list(map(int, results))
        tuples = zip(*columns, strict=True)
        return [self._checked(r, operands) for r, operands in zip(results, tuples, strict=True)]

    def shown(self, operands: Sequence[int]) -> str:
        """Return the function applied to operands, as text: ``"f(3, 5)"``."""
        return f"{self.name}({', '.join(map(short, operands))})"

    def result_text(self, code: int) -> str:
        """Return a result as text."""
        return self.symbols[code] if self.symbols else short(code)

    @cached_property
    def _codes(self) -> dict[Any, int]:
        numbers: dict[Any, int] = {number: number for number in range(len(self.symbols))}
        return numbers | {symbol: number for number, symbol in enumerate(self.symbols)}

    def _checked(self, result: object, operands: Sequence[int]) -> int:
        code = self._code(result)
        if code is None:
            raise TaskError(
                f"{self.shown(operands)} is {_result_text(result)}; expected {self._expected}"
            )
        return code

    def _code(self, result: Any) -> int | None:
        """Return a result as an integer; None if it is not a valid result."""
        if isinstance(result, str):
            return self._codes.get(result) if self.symbols else None
        if not isinstance(result, int | np.integer | np.bool):
            return None
        code = int(result)
        return code if not self.symbols or 0 <= code < len(self.symbols) else None

    @property
    def _expected(self) -> str:
        if not self.symbols:
            return "an integer"
        return f"{shortened(', '.join(self.symbols), 100)} or its number"


def count_arguments(function: Callable[..., object]) -> int:
    """Return how many arguments without a default a function has.

    Raises:
        TaskError: It is not a function, or the signature does not tell.
    """
    if not callable(function):
        raise TaskError(f"{shortened(repr(function), 40)}: expected a function on integers")
    name = function_name(function)
    try:
        found = list(signature(function).parameters.values())
    except (TypeError, ValueError):
        found = []
    count = sum(p.kind <= Parameter.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in found)
    if not count or any(p.kind is Parameter.VAR_POSITIONAL for p in found):
        raise TaskError(
            f"{name}: how many operands it takes cannot be seen from its signature; set it with "
            "operands=2 or another number (on the command line --operands 2)"
        )
    return count


def function_name(function: Callable[..., object]) -> str:
    """Return a function's name, or ``"task"`` if that is not a valid name of a task."""
    name = getattr(function, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else "task"


def function_place(function: Callable[..., object], name: str) -> str:
    """Return ``"module:name"`` of a function that can be imported by it, else ``name``."""
    module, qualified = (getattr(function, key, "") for key in ("__module__", "__qualname__"))
    if not (isinstance(module, str) and isinstance(qualified, str)):
        return name
    importable = module not in ("", "__main__") and qualified.isidentifier()
    return f"{module}:{qualified}"[:200] if importable else name


def short(value: int) -> str:
    """Return an integer as text, or only its size if it is long."""
    return str(value) if abs(value) < 10**12 else f"an integer of {value.bit_length()} bits"


def _result_text(result: Any) -> str:
    if isinstance(result, int | np.integer):
        return short(int(result))
    return repr(shortened(str(result), 40))
