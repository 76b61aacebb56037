"""Runs words through a network: the one way from letters to emitted symbols and their margins.

Predictions, evaluations, counterexamples and pictures all take it, and `seqarith.tracing` runs the
same `Program.memories` and `Program.logits`. So what one of them says, all say, wherever margins
exceed the rounding of a sum: a product of matrices adds up in an order of its own for each shape,
and only a proof covers every order (`Program.rounding` bounds it). The exhaustive
evaluation of tasks with a machine shares the steps of words that begin alike
(`seqarith.evaluation.prefixes`); tests hold it against this, symbol by symbol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.network import Program, emitted, margins
from seqarith.tasks.task import Letters


@final
@dataclass(frozen=True, eq=False)
class Emission:
    """What a network emits for N words of T letters.

    Attributes:
        symbols: Shape (T, N), in the smallest unsigned type that holds every symbol.
        wrong: How many symbols of each word that count are not the expected ones, shape (N,).
        margins: The smallest margin of each word's symbols that count, shape (N,); nan where a
            logit is not a number, because weights are so large that the program overflows.
    """

    symbols: NDArray[np.unsignedinteger[Any]]
    wrong: NDArray[np.intp]
    margins: NDArray[np.float64]


def emit(
    program: Program, letters: Letters, first: int = 0, expected: Letters | None = None
) -> Emission:
    """Run words from their first letter to their last.

    Args:
        program: The network.
        letters: Shape (T, N).
        first: The first step whose symbol counts; see `Task.first_result_step`.
        expected: The expected symbols, shape (T, N). None where they are not known: then no
            symbol counts as wrong, and margins are those of the emitted symbols.
    """
    symbols = np.empty(letters.shape, symbol_type(program.network.outputs))
    wrong = np.zeros(letters.shape[1], np.intp)
    least = np.full(letters.shape[1], np.inf)
    # Huge weights overflow. What is emitted then is still what the program emits.
    with np.errstate(over="ignore", invalid="ignore"):
        for t, logits in enumerate(program.run(letters)):
            said = emitted(logits)
            symbols[t] = said
            if t >= first:
                wanted = said if expected is None else expected[t]
                wrong += said != wanted
                np.minimum(least, margins(logits, wanted), out=least)
    return Emission(symbols, wrong, least)


def symbol_type(outputs: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the smallest unsigned type that numbers the symbols of K logits.

    Example:
        >>> symbol_type(1), symbol_type(256), symbol_type(257)
        (dtype('uint8'), dtype('uint8'), dtype('uint16'))
    """
    smallest: np.dtype[np.unsignedinteger[Any]] = np.min_scalar_type(max(outputs, 2) - 1)
    return smallest
