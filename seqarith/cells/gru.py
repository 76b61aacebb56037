"""The GRU cell: gates decide which parts of the hidden vector to keep or to replace."""

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
class GRU(Cell):
    """h' = (1 - z) n + z h, with n = tanh(W_in x + b_in + r (W_hn h + b_hn)).

    The gates r and z are sigmoids of ``W_ih x + b_ih + W_hh h + b_hh``, each with its own rows.
    The rows of the arrays are in the order r, z, n.

    Args:
        bias: Whether there are biases.

    Raises:
        InvalidValueError: ``bias`` is not a bool.

    Source: K. Cho et al., Learning Phrase Representations using RNN Encoder-Decoder (2014), with
        the reset gate applied after the product, as in PyTorch and cuDNN.
    """

    bias: bool = True

    name: ClassVar[str] = "gru"

    def __post_init__(self) -> None:
        check_flag("bias", self.bias)

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        return pytorch_parameters(3, sizes, self.bias)

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        gates_x, new_x = o.split(o.linear(x, "weight_ih", "bias_ih"), 2, 1)
        gates_h, new_h = o.split(o.linear(memory, "weight_hh", "bias_hh"), 2, 1)
        r, z = o.split(o.sigmoid(gates_x + gates_h), 2)
        return o.blend(z, memory, o.tanh(r * new_h + new_x))

    def tuned(self, sizes: Sizes) -> Training:
        # Only training needs the passes: predictions start sooner without them.
        from seqarith.cells.tapes.gru import GRUTraining

        return GRUTraining(self.bias, sizes)
