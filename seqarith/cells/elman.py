"""The Elman cell: the simplest network with a memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from seqarith.cells.cell import Cell, check_activation, check_flag, pytorch_parameters
from seqarith.cells.recording import Operations, Sizes, Value
from seqarith.cells.steps import Shape

if TYPE_CHECKING:
    from seqarith.cells.tapes.training import Training


@final
@dataclass(frozen=True)
class Elman(Cell):
    """h' = f(W_ih x + b_ih + W_hh h + b_hh).

    Args:
        activation: f: ``"tanh"``, ``"sigmoid"`` or ``"relu"``.
        bias: Whether there are biases.

    Raises:
        InvalidValueError: The activation is unknown, or ``bias`` is not a bool.

    Source: J. L. Elman, Finding Structure in Time (1990).
    """

    activation: str = "tanh"
    bias: bool = True

    name: ClassVar[str] = "elman"

    def __post_init__(self) -> None:
        check_activation(self.activation)
        check_flag("bias", self.bias)

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        return pytorch_parameters(1, sizes, self.bias)

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        f = {"tanh": o.tanh, "sigmoid": o.sigmoid, "relu": o.relu}[self.activation]
        return f(o.linear(x, "weight_ih", "bias_ih") + o.linear(memory, "weight_hh", "bias_hh"))

    def tuned(self, sizes: Sizes) -> Training | None:
        if self.activation == "relu":
            return None
        # Only training needs the passes: predictions start sooner without them.
        from seqarith.cells.tapes.elman import ElmanTraining

        return ElmanTraining(self.activation, self.bias, sizes)
