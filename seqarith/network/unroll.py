"""The training pass: forward and back-propagation through time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, final

import numpy as np

from seqarith.cells.activations import Operation, run
from seqarith.cells.cell import Array
from seqarith.cells.tapes.operations import gradient as sum_products
from seqarith.cells.tapes.operations import spread
from seqarith.cells.tapes.training import READOUT, Extent
from seqarith.errors import InvalidValueError
from seqarith.network.network import Network
from seqarith.network.parameters import Parameters

Penalty = Callable[[], None]


class Backward(Protocol):
    """The backward pass of `Unroll.forward`."""

    def __call__(self, penalty: Penalty | None = None) -> None: ...


@final
class Unroll:
    """A network unrolled over words of T steps, for training; its buffers are made once.

    Args:
        network: The network.
        parameters: Its kernels; the next pass uses them as they are then.
        gradients: The backward pass writes the gradient here.
        steps: T.
        batch: B.
        noisy: Whether ``noise`` is added to the hidden vectors.
        penalised: Whether the backward pass accepts a penalty.

    Attributes:
        inputs, noise, clean, hidden_gradient, rest: See `seqarith.cells.tapes.training.Tape`.
        rest_gradient: See there; None if there is no rest, or no penalty.
        logits: Shape (..., T * B, K).
        logit_gradient: Same shape.
    """

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        gradients: Parameters,
        steps: int,
        batch: int,
        noisy: bool = False,
        penalised: bool = False,
    ) -> None:
        leading = parameters.flat.shape[:-1]
        extent = Extent(steps, batch, network.inputs, network.hidden, leading, noisy)
        tape = network.training.tape(parameters.arrays, gradients.arrays, extent)
        width = network.hidden
        readout, gradient = parameters.arrays[READOUT], gradients.arrays[READOUT]
        weight, weight_gradient = readout[..., :width, :], gradient[..., :width, :]
        self._penalised = penalised
        self.inputs, self.noise, self.clean = tape.inputs, tape.noise, tape.clean
        self.rest = tape.rest
        self.rest_gradient = tape.rest_gradient() if penalised and self.rest.size else None
        self.logits = np.empty((*leading, steps * batch, network.outputs), network.dtype)
        self.logit_gradient = np.empty_like(self.logits)
        by_step = (*leading, steps, batch, network.outputs)
        by_weight = np.swapaxes(weight, -1, -2)[..., None, :, :]
        shown, wanted = (
            np.swapaxes(logits.reshape(by_step), -1, -2)
            for logits in (self.logits, self.logit_gradient)
        )
        # Both passes as lists of operations: this is the only loop over time in training.
        self._forward = [operation for t in range(steps) for operation in tape.step(t)]
        self._forward.append(partial(np.matmul, by_weight, tape.hidden, shown))
        self._back_to_hidden: list[Operation] = [
            *tape.clear(),
            *sum_products(tape.hidden, wanted, weight_gradient),
            *(
                [spread(weight, wanted, tape.hidden_gradient)]
                if penalised
                else tape.read_out(weight, wanted)
            ),
        ]
        self.hidden_gradient = tape.hidden_gradient
        self._back = [
            *(operation for t in reversed(range(steps)) for operation in tape.step_back(t)),
            *tape.finish(),
        ]
        if network.readout_bias:
            bias, bias_gradient = readout[..., width:, :], gradient[..., width:, :]
            self._forward.append(partial(np.add, self.logits, bias, self.logits))
            total = partial(np.add.reduce, axis=-2, keepdims=True, out=bias_gradient)
            # Before the tape's gradient, which is added if the step reads the logits.
            self._back_to_hidden.append(partial(total, self.logit_gradient))

    def forward(self) -> tuple[Array, Backward]:
        """Run the network on ``inputs``, which the caller has written, shape (..., T, B, D).

        Returns:
            The logits, shape (..., T * B, K), and the backward pass. Before running it, write the
            derivative of the loss by the logits into ``logit_gradient``; it writes the gradient of
            every parameter. If the pass is penalised, it takes a function that adds the derivative
            of a penalty to ``hidden_gradient``. The next call reuses all these buffers.
        """
        run(self._forward)
        return self.logits, self._backward

    def _backward(self, penalty: Penalty | None = None) -> None:
        run(self._back_to_hidden)
        if penalty:
            if not self._penalised:
                raise InvalidValueError("a penalty needs a pass made with penalised=True")
            penalty()
        run(self._back)
