"""How much of what makes a network easy to prove: what settings are when nobody says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.cells.cell import Cell

NOISE, SYNCHRONY, RATE = 0.3, 1.0, 1.0
MOST_RATE = 0.1
NARROW = 8
PATIENCE_A_UNIT, PATIENCE = 100, 2500


@final
@dataclass(frozen=True)
class Recipe:
    """Settings that fit a network.

    Attributes:
        rate: Learning rate of Adam.
        noise: See `seqarith.training.hardening`.
        synchrony: Likewise.
        restart_after: Steps after which a run without success begins anew.
    """

    rate: float
    noise: float
    synchrony: float
    restart_after: int


def recipe(cell: Cell, hidden: int) -> Recipe:
    """Return settings for a cell of a width.

    They were found by measurement (``benchmarks/hardening.py``). Noise and synchrony follow the
    half-width of the range of the hidden units: 1 for tanh, 1/2 for the sigmoid. Narrow networks
    bear less noise. They get stuck more often, too, so they begin anew sooner.
    """
    half_width = 0.5 if getattr(cell, "activation", "tanh") == "sigmoid" else 1.0
    return Recipe(
        rate=min(MOST_RATE, RATE / (half_width * hidden)),
        noise=NOISE * half_width * min(1.0, hidden / 6),
        synchrony=SYNCHRONY / half_width**2,
        restart_after=PATIENCE_A_UNIT * hidden if hidden <= NARROW else PATIENCE,
    )
