"""The step that `seqarith train` makes."""

from __future__ import annotations

from peers.case import RATE, Batch, Case, Weights
from seqarith.training.batched import BatchedNetworks


class Ours:
    """`Pass` and `BatchedNetworks` as `seqarith.training.engine` uses them."""

    def __init__(self, case: Case) -> None:
        self._network, self._stack = case.network, BatchedNetworks(case.config)
        self._stack.flat[...] = case.initial().flat
        self._pass, self._step = self._stack.over(case.steps, case.batch), 0

    def prepare(self, batch: Batch) -> Batch:
        return batch

    def run(self, batches: list[Batch], steps: int) -> None:
        for _ in range(steps):
            inputs, targets = batches[self._step % len(batches)]
            self._pass.run(inputs, targets)
            self._step += 1
            self._stack.update(RATE, self._step)

    def weights(self) -> Weights:
        return self._network.export(self._stack.parameters(0))
