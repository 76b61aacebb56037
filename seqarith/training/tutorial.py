"""The best-known RNN tutorial of 2015, reproduced to the last digit.

A. Trask, "Anyone Can Learn To Code an LSTM-RNN in Python (Part 1: RNN)" (2015): a network of 2
inputs, 16 hidden sigmoid units and 1 sigmoid output, without biases, learns to add 7-bit numbers,
one random pair at a time, 10,000 times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from seqarith.cells.activations import sigmoid
from seqarith.cells.cell import Array
from seqarith.network import Network, Parameters
from seqarith.tasks.task import Letters
from seqarith.training.batches import Batches
from seqarith.training.config import TrainingConfig
from seqarith.training.progress import Report

BITS = 7
REPORT_EVERY = 1000


def tutorial_config(seed: int = 0, max_steps: int = 10_000) -> TrainingConfig:
    """Return the settings of the tutorial.

    Example:
        >>> tutorial_config().network.size
        304
    """
    return TrainingConfig(
        task="add",
        bits=BITS,
        cell="elman",
        cell_options={"activation": "sigmoid", "bias": False},
        hidden=16,
        loss="squared_error",
        reduction="sum",
        optimizer="sgd",
        learning_rate=0.1,
        clip=None,
        batch_size=1,
        max_steps=max_steps,
        goal="steps",
        seed=seed,
        dtype="float64",
        preset="tutorial",
    )


def tutorial_draws(seed: int, iterations: int) -> tuple[dict[str, Array], Letters]:
    """Return the tutorial's initial weights and its operands, from NumPy's legacy generator.

    Returns:
        Weights ``input`` (2, 16), ``output`` (16, 1), ``hidden`` (16, 16), drawn in that order,
        and operands, shape (iterations, 2).
    """
    generator = np.random.RandomState(seed)
    shapes = {"input": (2, 16), "output": (16, 1), "hidden": (16, 16)}
    weights: dict[str, Array] = {
        name: 2 * generator.random_sample(shape) - 1 for name, shape in shapes.items()
    }
    return weights, generator.randint(2**BITS, size=(iterations, 2))


def tutorial_parameters(network: Network, seed: int) -> Parameters:
    """Return the initial weights of the tutorial, in the layout of training."""
    weights, _ = tutorial_draws(seed, 0)
    arrays = {
        "rnn.weight_ih_l0": weights["input"].T,
        "rnn.weight_hh_l0": weights["hidden"].T,
        "readout.weight": weights["output"].T,
    }
    return network.pack(network.absorb(arrays))


@final
class TutorialBatches(Batches):
    """The pairs of the tutorial, one per step."""

    def __init__(self, config: TrainingConfig) -> None:
        _, self._pairs = tutorial_draws(config.seed, config.max_steps)
        super().__init__(config, config.built_task.natural_layout(BITS).steps)
        self._chunk = 256

    def words(self, first: int, count: int) -> Letters:
        pairs = self._pairs[first : first + count]
        letters = self._config.built_task.encode(list(pairs.T), self.steps)
        # Past the end of the run the chunk is padded with words that no step uses.
        return np.pad(letters, ((0, 0), (0, count - len(pairs))))


@final
@dataclass(frozen=True)
class TutorialReport(Report):
    """The report that the tutorial prints every 1,000 iterations, counted from 0.

    Attributes:
        step: The iteration.
        error: Sum over the positions of the distance between output and true bit.
        a: First operand.
        b: Second operand.
        predicted: The sum by the network's rounded outputs.
        expected: The sum.
        digits: Number of positions.
    """

    step: int
    error: float
    a: int
    b: int
    predicted: int
    expected: int
    digits: int

    @staticmethod
    def of(iteration: int, operands: tuple[int, int], logits: Array) -> TutorialReport:
        """Return the report of one pair.

        Args:
            iteration: Number of the iteration, from 0.
            operands: a and b.
            logits: Of every position, shape (T, 1).
        """
        output = sigmoid(logits)
        places = np.arange(len(logits))
        expected = sum(operands)
        error = np.abs((expected >> places & 1) - output[:, 0]).sum()
        predicted = int(((logits[:, 0] > 0) << places).sum())
        return TutorialReport(iteration, float(error), *operands, predicted, expected, len(logits))

    def record(self) -> dict[str, Any]:
        return {
            "iteration": self.step,
            "error": self.error,
            "a": self.a,
            "b": self.b,
            "predicted": self.predicted,
            "expected": self.expected,
        }

    def text(self) -> str:
        return "\n".join(
            [
                f"Iteration {self.step}",
                f"Error: {self.error:.8f}",
                f"Pred:  [{self._bits(self.predicted)}]",
                f"True:  [{self._bits(self.expected)}]",
                f"{self.a} + {self.b} = {self.predicted}",
                "------------",
            ]
        )

    def _bits(self, value: int) -> str:
        return " ".join(f"{value:0{self.digits}b}")
