"""Where the machine of a task that no registry knows comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Asked:
    """A function, and how much it was asked before its machine was believed.

    Attributes:
        function: The function's name, ``"module:name"`` where that is known.
        words: How often it was called while its machine was built and compared with it; a word
            that both needed counts twice.
    """

    function: str
    words: int
