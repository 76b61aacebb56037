"""The Jordan cell: what the network said last is fed back, and nothing else."""

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

    W_out and b_out are the readout's. All that passes from step to step is y, one number for each
    logit: so more must be in the logits than which digit they decide for, the carry for instance.

    Args:
        activation: f: ``"tanh"``, ``"sigmoid"`` or ``"relu"``.
        bias: Whether there is b_ih.

    Raises:
        InvalidValueError: Another activation, or a bias that is no truth value.

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
        said = o.sigmoid(o.logits())
        return f(o.linear(x, "weight_ih", "bias_ih") + o.linear(said, "weight_yh"))
