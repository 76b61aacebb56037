"""A cell read from a file: its recorded step, where its class is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from seqarith.cells.cell import Cell
from seqarith.cells.recording import Operations, Sizes, Step, Value
from seqarith.cells.steps import Operation, Shape, StepError


@final
@dataclass(frozen=True)
class RecordedCell(Cell):
    """The step of a whole network, all layers of it, as a file records it.

    All but training uses the record, so such a network can be run, proved and verified.

    Args:
        name: Name of the cell.
        options: Its options.
        operations: The record.
        arrays: Name and shape of every array of the recurrence.
        memory: Width M of the memory.
    """

    name: str  # type: ignore[misc]
    options: Mapping[str, Any]
    operations: tuple[Operation, ...]
    arrays: Mapping[str, Shape]
    memory: int

    @property
    def bias(self) -> bool:  # type: ignore[override]
        """Whether the readout has a bias by default."""
        return bool(self.options.get("bias", True))

    def parameters(self, sizes: Sizes) -> dict[str, Shape]:
        raise StepError(f"cell {self.name!r} is only recorded: install its package to train it")

    def step(self, o: Operations, x: Value, memory: Value) -> Value:
        raise StepError(f"cell {self.name!r} is only recorded: install its package to change it")

    def describe(self) -> dict[str, Any]:
        return dict(self.options)

    def shapes(self, sizes: Sizes, layers: int = 1) -> dict[str, Shape]:
        return dict(self.arrays)

    def record(self, sizes: Sizes, layers: int = 1, readout_bias: bool = True) -> Step:
        shapes = self.readout_shapes(sizes, readout_bias) | dict(self.arrays)
        return Step(self.operations, shapes, sizes.inputs, self.memory).pruned()

    def width(self, hidden: int, layers: int = 1) -> int:
        return self.memory
