"""Run words through a network: the one function from letters to emitted symbols and margins.

Predictions, evaluations, counterexamples and pictures use it, and `seqarith.tracing` runs the same
`InferencePass.memories` and `InferencePass.logits`. So their results agree wherever margins exceed
the rounding error of a sum: a matrix product adds in an order that depends on the shapes, and only
a proof covers every order (`InferencePass.rounding` bounds the difference). The exhaustive
evaluation of tasks with a machine shares the steps of common prefixes
(`seqarith.evaluation.prefixes`); tests compare it with this module, symbol by symbol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.network import InferencePass, emitted, margins
from seqarith.tasks.task import Letters


@final
@dataclass(frozen=True, eq=False)
class Emission:
    """What a network emits for N words of T letters.

    Attributes:
        symbols: Shape (T, N), in the smallest unsigned type that holds every symbol.
        wrong: For each word, how many symbols that count are wrong, shape (N,).
        margins: For each word, the smallest margin of the symbols that count, shape (N,); nan if a
            logit is not a number, because weights are so large that the program overflows.
    """

    symbols: NDArray[np.unsignedinteger[Any]]
    wrong: NDArray[np.intp]
    margins: NDArray[np.float64]


def emit(
    program: InferencePass, letters: Letters, first: int = 0, expected: Letters | None = None
) -> Emission:
    """Run words from the first letter to the last.

    Args:
        program: The network.
        letters: Shape (T, N).
        first: The first step whose symbol counts; see `Task.first_result_step`.
        expected: The expected symbols, shape (T, N). None if they are not known: then no symbol
            counts as wrong, and the margins are those of the emitted symbols.
    """
    symbols = np.empty(letters.shape, symbol_type(program.network.outputs))
    wrong = np.zeros(letters.shape[1], np.intp)
    least = np.full(letters.shape[1], np.inf)
    # Huge weights overflow. The symbols are still those that the program emits.
    with np.errstate(over="ignore", invalid="ignore"):
        for t, logits in enumerate(program.run(letters)):
            symbols[t] = chosen = emitted(logits)
            if t >= first:
                correct = chosen if expected is None else expected[t]
                wrong += chosen != correct
                np.minimum(least, margins(logits, correct), out=least)
    return Emission(symbols, wrong, least)


def symbol_type(outputs: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the smallest unsigned type that numbers the symbols of K logits.

    Example:
        >>> symbol_type(1), symbol_type(256), symbol_type(257)
        (dtype('uint8'), dtype('uint8'), dtype('uint16'))
    """
    smallest: np.dtype[np.unsignedinteger[Any]] = np.min_scalar_type(max(outputs, 2) - 1)
    return smallest
