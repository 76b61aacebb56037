"""Training steps in PyTorch, eager and compiled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from peers.case import CLIP, RATE, Batch, Case, Weights

UNROLLED = {
    "rnn.weight_ih_l0": "input.weight",
    "rnn.bias_ih_l0": "input.bias",
    "rnn.weight_hh_l0": "recurrent.weight",
    "rnn.bias_hh_l0": "recurrent.bias",
    "readout.weight": "readout.weight",
    "readout.bias": "readout.bias",
}
"""Names of the weights in the unrolled network."""

LAYERS = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
Tensors = tuple[Tensor, Tensor]


class Network(nn.Module):
    """PyTorch's own layer and a linear readout.

    Its two biases only ever act as their sum; one of them is frozen, as elsewhere there is one.
    """

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.rnn = LAYERS[case.cell](2, case.hidden)
        self.readout = nn.Linear(case.hidden, 1)
        self.load_state_dict({k: torch.from_numpy(v) for k, v in case.weights().items()})
        self.rnn.bias_hh_l0.requires_grad_(case.cell == "gru")

    def forward(self, inputs: Tensor) -> Tensor:
        return self.readout(self.rnn(inputs)[0])


class Unrolled(nn.Module):
    """The same, unrolled: the compiler takes this apart, but leaves PyTorch's layers alone."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        blocks = {"elman": 1, "gru": 3, "lstm": 4}[case.cell]
        self.input = nn.Linear(2, blocks * case.hidden)
        self.recurrent = nn.Linear(case.hidden, blocks * case.hidden)
        self.readout = nn.Linear(case.hidden, 1)
        tensors = {UNROLLED[k]: torch.from_numpy(v) for k, v in case.weights().items()}
        self.load_state_dict(tensors)
        self.recurrent.bias.requires_grad_(case.cell == "gru")
        self._hidden, self._memories = case.hidden, 2 if case.cell == "lstm" else 1
        self._cell: Callable[..., tuple[Tensor, ...]] = {
            "elman": self._elman,
            "gru": self._gru,
            "lstm": self._lstm,
        }[case.cell]

    def forward(self, inputs: Tensor) -> Tensor:
        from_input = self.input(inputs)
        memory: tuple[Tensor, ...] = (inputs.new_zeros(inputs.shape[1], self._hidden),)
        memory *= self._memories
        hidden = []
        for projected in from_input:
            memory = self._cell(projected, self.recurrent(memory[0]), *memory)
            hidden.append(memory[0])
        return self.readout(torch.stack(hidden))

    @staticmethod
    def _elman(projected: Tensor, recurrent: Tensor, _: Tensor) -> tuple[Tensor, ...]:
        return (torch.tanh(projected + recurrent),)

    @staticmethod
    def _gru(projected: Tensor, recurrent: Tensor, before: Tensor) -> tuple[Tensor, ...]:
        (r, z, n), (by_r, by_z, by_n) = projected.chunk(3, 1), recurrent.chunk(3, 1)
        keep = torch.sigmoid(z + by_z)
        candidate = torch.tanh(n + torch.sigmoid(r + by_r) * by_n)
        return (candidate + keep * (before - candidate),)

    @staticmethod
    def _lstm(projected: Tensor, recurrent: Tensor, _: Tensor, cell: Tensor) -> tuple[Tensor, ...]:
        write, keep, candidate, out = (projected + recurrent).chunk(4, 1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(write) * torch.tanh(candidate)
        return torch.sigmoid(out) * torch.tanh(cell), cell


class PyTorch:
    """A training step.

    Args:
        case: Shapes and weights.
        compiled: Whether the network is unrolled and compiled, its optimizer too.
        fused: Which of PyTorch's implementations of Adam: the fused or the one over lists.
        exact: Whether the second bias of a GRU is kept where it only acts as a sum with the first.
            It costs the peer a little, and is only asked for when results are compared.
    """

    def __init__(
        self, case: Case, compiled: bool = False, fused: bool = True, exact: bool = False
    ) -> None:
        self._net = Unrolled(case) if compiled else Network(case)
        self._trained = [p for p in self._net.parameters() if p.requires_grad]
        self._adam = torch.optim.Adam(self._trained, RATE, fused=fused, foreach=not fused)
        self._done = 0
        if exact and case.cell == "gru":
            mask = torch.zeros(3 * case.hidden)
            mask[2 * case.hidden :] = 1
            beside = self._net.recurrent.bias if compiled else self._net.rnn.bias_hh_l0
            beside.register_hook(lambda gradient: gradient * mask)
        self._names = UNROLLED if compiled else {name: name for name in UNROLLED}
        self._loss = self._compute
        if compiled:
            torch.compiler.reset()  # else shapes that were compiled before would be counted
            self._loss = torch.compile(self._compute, dynamic=False)

    def _compute(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(self._net(inputs).view(-1, 1), targets)

    def prepare(self, batch: Batch) -> Tensors:
        return torch.from_numpy(batch[0]), torch.from_numpy(batch[1])

    def run(self, batches: list[Tensors], steps: int) -> None:
        for _ in range(steps):
            self._adam.zero_grad(set_to_none=True)
            self._loss(*batches[self._done % len(batches)]).backward()
            nn.utils.clip_grad_norm_(self._trained, CLIP)
            self._adam.step()
            self._done += 1

    def weights(self) -> Weights:
        found = self._net.state_dict()
        return {name: found[key].numpy().copy() for name, key in self._names.items()}
