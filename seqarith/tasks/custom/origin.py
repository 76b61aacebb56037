"""The function from which the machine of a custom task was learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Asked:
    """A function, and how often it was called to learn and test its machine.

    Attributes:
        function: The function's name, ``"module:name"`` if that is known.
        words: Number of calls while its machine was built and compared with it; a word that both
            needed counts twice.
    """

    function: str
    words: int
