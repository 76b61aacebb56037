"""A setting: its name, default, range and meaning, written once.

Its argument in Python, its option on the command line, its row in the documentation, its key in
JSON and the check of its value are all made from it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

from seqarith.schema import Schema


@final
@dataclass(frozen=True)
class Setting:
    """One setting: name, default, range and meaning.

    Args:
        name: Its name in Python and in JSON.
        default: Its default; None if the default is computed from other settings.
        schema: The values that it accepts.
        help: Its meaning, in a sentence or two.
        fits: The default in words, if ``default`` is None.
        group: The heading that ``--help`` lists it under.
        options: Names of its option; by default made from ``name``.
        parts: For a mapping: its entries that each have an option.
        optional: Whether files leave it out if it has its default.
    """

    name: str
    default: Any
    schema: Schema
    help: str
    fits: str = ""
    group: str = ""
    options: tuple[str, ...] = ()
    parts: tuple[Setting, ...] = ()
    optional: bool = False

    def check(self, value: Any) -> None:
        """Check a value.

        Raises:
            InvalidValueError: It is out of range; the message names setting, value and range.

        Example:
            >>> from seqarith.schema import Integer
            >>> Setting("max_steps", 10, Integer(1, 99), "Most steps.").check(0)
            Traceback (most recent call last):
            ...
            seqarith.errors.InvalidValueError: max steps 0: expected an integer from 1 to 99
        """
        if value is not None or self.default is not None:
            self.schema.check(value, self.name.replace("_", " "))

    @property
    def flags(self) -> tuple[str, ...]:
        """The names of its option on the command line."""
        return self.options or (f"--{self.name.replace('_', '-')}",)

    @property
    def usual(self) -> str:
        """The default in words; empty if there is nothing to tell."""
        return self.fits if self.default in (None, {}) else str(self.default)

    @property
    def notes(self) -> str:
        """Default and range, which follow a help text in brackets."""
        default = f"default: {self.usual}" if self.usual and self.default is not False else ""
        return "; ".join(part for part in (default, self.schema.limits) if part)


def with_arguments(docstring: str | None, settings: Iterable[Setting]) -> str:
    """Return a docstring with a section ``Args`` of settings, before its other sections.

    Example:
        >>> from seqarith.schema import Integer
        >>> base = Setting("base", 2, Integer(2, 16), "Base of the digits.")
        >>> print(with_arguments("Do.", [base]))
        Do.
        <BLANKLINE>
        Args:
            base: Base of the digits. [default: 2; 2 to 16]
    """
    lines = [
        f"    {each.name}: {each.help}" + (f" [{each.notes}]" if each.notes else "")
        for each in settings
    ]
    text, *rest = re.split(
        r"\n\n(?=(?:Raises|Example|Source):)", inspect.cleandoc(docstring or ""), maxsplit=1
    )
    return "\n\n".join([text, "\n".join(["Args:", *lines]), *rest])
