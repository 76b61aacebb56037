"""The LSTM cell: a hidden vector, and a cell state that gates write, keep and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from seqarith.cells.cell import Cell, check_flag, pytorch_parameters
from seqarith.cells.recording import Operations, Sizes, Value
from seqarith.cells.steps import Shape

if TYPE_CHECKING:
    from seqarith.cells.tapes.training import Training


@final
@dataclass(frozen=True)
class LSTM(Cell):
    """c' = f * c + i * g, h' = o * tanh(c').

    The gates i, f, o are sigmoids and g is a tanh of ``W_ih x + b_ih + W_hh h + b_hh``, each with
    its own rows, in the order i, f, g, o. The memory is [h, c].

    Args:
        bias: Whether there are biases.

    Raises:
        InvalidValueError: ``bias`` is not a bool.

    Source: S. Hochreiter and J. Schmidhuber, Long Short-Term Memory (1997), with the forget gate of
        F. A. Gers, J. Schmidhuber and F. Cummins, Learning to Forget (2000).
    """

    bias: bool = True

    name: ClassVar[str] = "lstm"
    memories: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_flag("bias", self.bias)

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        return pytorch_parameters(4, sizes, self.bias)

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        h, c = o.split(memory, 2)
        gates = o.linear(x, "weight_ih", "bias_ih") + o.linear(h, "weight_hh", "bias_hh")
        write_keep, new, show = o.split(gates, 2, 1, 1)
        write, keep = o.split(o.sigmoid(write_keep), 2)
        c = keep * c + write * o.tanh(new)
        return o.join(o.sigmoid(show) * o.tanh(c), c)

    def tuned(self, sizes: Sizes) -> Training:
        # Only training needs the passes: predictions start sooner without them.
        from seqarith.cells.tapes.lstm import LSTMTraining

        return LSTMTraining(self.bias, sizes)
