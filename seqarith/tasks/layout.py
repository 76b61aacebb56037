"""How the words of a task are laid out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Layout:
    """How words are laid out: digits an operand, steps T, and whether the result has a sign."""

    digits: int
    steps: int
    signed: bool
