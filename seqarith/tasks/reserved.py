"""Names and notations that mean a task of the registry, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import cache

from seqarith.errors import SeqarithError, TaskError
from seqarith.registry import TASKS


def check_name(name: str) -> None:
    """Refuse the name of a task of the registry for another machine.

    Raises:
        TaskError: It is such a name.
    """
    if name.casefold() in TASKS.builtin:
        raise TaskError(
            f"name {name!r} is a task of the registry, which no other machine may be called; "
            "choose another name"
        )


_LINEAR = re.compile(r"-?(#\*)?{}([+-](#\*)?{})*([+-]#)?\Z")
_SHIFT = re.compile(r"{}(\*|//)#\*\*#\Z|{}(<<|>>)#\Z")
_ALIKE = str.maketrans(
    "\u2212\u2010\u2011\u2012\u2013\u2014\u00d7\u22c5\u00b7\u2217\u2215", "------****/"
)


def owner_of(notation: str, operands: int) -> str | None:
    """Return the task of the registry that a notation looks like, whatever its numbers; else None.

    Example:
        >>> owner_of("{}+{}", 2), owner_of("17 * {}", 1), owner_of("mix({}, {})", 2)
        ('add', 'scale', None)
        >>> owner_of("5*{} + 3*{} - 7", 2), owner_of("{} * 10**2", 1)
        ('linear', 'shift')
    """
    plain = _plain(notation)
    if plain in _notations(operands):
        return _notations(operands)[plain]
    if _SHIFT.match(plain):
        return "shift"
    return "linear" if _LINEAR.match(plain) else None


@cache
def _notations(operands: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in TASKS.builtin:
        for options in ({}, {"operands": operands}):
            with suppress(SeqarithError, TypeError):  # not a task of so many operands
                task = TASKS[name](**options)
                if task.operands == operands:
                    found[_plain(task.notation)] = name
    return found


def _plain(notation: str) -> str:
    """Return a notation without blanks and marks, look-alike signs as one, numbers as ``#``."""
    text = unicodedata.normalize("NFKC", notation).casefold().translate(_ALIKE)
    text = "".join(c for c in text if unicodedata.category(c)[0] not in "ZCM")
    return re.sub(r"\d+", "#", text)
