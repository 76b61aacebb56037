"""Names and notations that are reserved for the tasks of the registry."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import cache

from seqarith.errors import SeqarithError, TaskError
from seqarith.registry import TASKS
from seqarith.text import BLANK


def check_name(name: str) -> None:
    """Refuse the name of a registered task for another machine.

    Raises:
        TaskError: It is such a name.
    """
    if name.casefold() in TASKS.builtin:
        raise TaskError(
            f"name {name!r} is a task of the registry, and reserved for it; choose another name"
        )


def owner_of(notation: str, operands: int) -> str | None:
    """Return what a notation could be mistaken for: a registered task or a formula; else None.

    A notation without letters, of signs and numbers only, reads as a formula.

    Example:
        >>> owner_of("{}+{}", 2), owner_of("MAX({}, {})", 2), owner_of("5*{} - 7", 1)
        ("task 'add'", "task 'max'", 'a formula')
        >>> owner_of("mix({}, {})", 2) is None
        True
    """
    plain = _plain(notation)
    if plain in _notations(operands):
        return f"task {_notations(operands)[plain]!r}"
    return None if any(map(str.isalpha, plain)) else "a formula"


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
    """Return a notation without blanks and marks, with its numbers replaced by ``#``."""
    text = unicodedata.normalize("NFKC", notation).casefold()
    text = "".join(c for c in text if c not in BLANK and unicodedata.category(c)[0] not in "ZCM")
    return re.sub(r"\d+", "#", text)
