"""The layout of a task's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Layout:
    """Layout of words: digits per operand, steps T, and whether the result has a sign."""

    digits: int
    steps: int
    signed: bool
