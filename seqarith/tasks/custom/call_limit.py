"""Calls that are given up after many lines: a loop may never end on negative numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


class CallLimitError(BaseException):
    """A call has run through more lines than it may; no ``except Exception`` stops it."""


def with_call_limit(function: Callable[..., int], operands: list[int], lines: int) -> int:
    """Call a function, and give up after so many lines of Python.

    Lines are counted and no clock is read, so that the outcome is the same on every machine.

    Raises:
        CallLimitError: It runs longer.

    Example:
        >>> with_call_limit(lambda a: a + 1, [3], 100)
        4
    """
    left = lines

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise CallLimitError
        return trace

    before = sys.gettrace()  # a debugger's, or that of coverage
    sys.settrace(trace)
    try:
        return function(*operands)
    finally:
        sys.settrace(before)
