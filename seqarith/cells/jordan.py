"""The Jordan cell: its only memory is the last output, which is fed back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from seqarith.cells.cell import Cell, check_activation, check_flag
from seqarith.cells.recording import Operations, Sizes, Value
from seqarith.cells.steps import Shape


@final
@dataclass(frozen=True)
class Jordan(Cell):
    """h' = f(W_ih x + b_ih + W_yh y), with y = sigmoid(W_out h + b_out), the last outputs.

    W_out and b_out are the readout's. Only y passes from step to step, one number for each logit.
    So the logits must hold more than the digit that they emit, for instance the carry.

    Args:
        activation: f: ``"tanh"``, ``"sigmoid"`` or ``"relu"``.
        bias: Whether there is b_ih.

    Raises:
        InvalidValueError: The activation is unknown, or ``bias`` is not a bool.

    Source: M. I. Jordan, Serial Order: A Parallel Distributed Processing Approach (1986), without
        the decaying trace of earlier outputs.
    """

    activation: str = "tanh"
    bias: bool = True

    name: ClassVar[str] = "jordan"
    feeds_back: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_activation(self.activation)
        check_flag("bias", self.bias)

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {
            "weight_ih": (sizes.hidden, sizes.inputs),
            "weight_yh": (sizes.hidden, sizes.outputs),
        }
        return shapes | ({"bias_ih": (sizes.hidden,)} if self.bias else {})

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        f = {"tanh": o.tanh, "sigmoid": o.sigmoid, "relu": o.relu}[self.activation]
        y = o.sigmoid(o.logits())
        return f(o.linear(x, "weight_ih", "bias_ih") + o.linear(y, "weight_yh"))
