"""Find the numbers written in a function: its special cases are often among them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from inspect import getclosurevars, isfunction, unwrap
from types import CodeType, MethodType
from typing import Any

MOST = 48
"""Numbers that are taken from one function, at most."""
_BITS = 1024  # of the largest number
_DEEP = 3  # levels of functions that call functions
_NESTED = 8  # levels of lists within lists


def find_constants(function: object, base: int) -> list[int]:
    """Return the absolute values of the integers in a function's code, and in what it refers to.

    Strings of digits count as numbers of the base. Functions that it calls are read as well, also
    behind decorators, partial functions, methods and callable objects.

    Example:
        >>> find_constants(lambda a: "101" in bin(a) or a == -200, 2)
        [5, 200]
    """
    found: dict[int, None] = {}
    for value in _written(function, _DEEP):
        number = value if isinstance(value, int) else _read(value, base)
        if number is not None and abs(number) < 1 << _BITS:
            found.setdefault(abs(number))
        if len(found) == MOST:
            break
    return sorted(found)


def _read(text: str, base: int) -> int | None:
    try:
        return int(text, base) if text.isalnum() and len(text) <= _BITS else None
    except ValueError:
        return None


def _written(value: object, deep: int) -> Iterator[int | str]:
    if isinstance(value, int | str):
        yield value
    elif isinstance(value, frozenset | set):
        # Sorted, because the order of a set changes from run to run.
        for part in sorted(value, key=lambda each: (type(each).__name__, repr(each))):
            yield from _written(part, deep)
    elif isinstance(value, tuple | list) and deep > -_NESTED:
        for part in value:
            yield from _written(part, deep - 1)
    elif isinstance(value, CodeType):
        yield from _written(value.co_consts, deep)
    elif isfunction(value) and deep > 0:
        yield from _written(value.__code__.co_consts, deep)
        yield from _written(value.__defaults__ or (), deep - 1)
        try:
            outside = getclosurevars(value)
        except ValueError:  # a variable that is not bound yet
            return
        for part in (*outside.nonlocals.values(), *outside.globals.values()):
            yield from _written(part, deep - 1)
    elif deep > 0 and callable(value):
        yield from _behind(value, deep)


def _behind(value: Any, deep: int) -> Iterator[int | str]:
    """Yield the numbers of the function behind a decorator, a method or a callable object."""
    if isinstance(value, partial):
        yield from _written((value.func, value.args, tuple(value.keywords.values())), deep)
    elif isinstance(value, MethodType):
        yield from _written(value.__func__, deep)
    elif hasattr(value, "__wrapped__"):
        yield from _written(unwrap(value), deep)
    elif isfunction(type(value).__call__):
        yield from _written(type(value).__call__, deep)
