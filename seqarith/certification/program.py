"""The record of what is proved: a network's arrays, and the machine that their program must equal.

Shapes, beside those of the package: R regions, N sets handled at once, G generators;
M is the width of a memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[Any]
IntArray = NDArray[Any]


@final
@dataclass(frozen=True, eq=False)
class Program:
    """A network, the letters that it reads and the machine that it must equal.

    One step reads letter ``a``: the memory becomes what the cell makes of it and of ``inputs[a]``;
    its first H numbers are the hidden vector ``h``. Then
    ``z = h @ readout_weight.T + readout_bias``. With K = 1 the digit is ``z > 0``, otherwise
    ``argmax(z)``. All arithmetic is in the dtype of the arrays, one and the same for all: float32
    or float64. Kernels of this package's cells have the orientation and the gate order of PyTorch:
    ``weight_ih``, ``weight_hh``, ``bias``, which is added to the input's part, and for a GRU
    ``bias_hh`` (H,), which is added to the memory's part of n. A sigmoid is the program
    ``0.5 * tanh(0.5 * x) + 0.5``.

    Args:
        cell: ``"elman"``, ``"gru"``, ``"lstm"``; or ``"module:class"`` of another package.
        options: What else the cell depends on: ``{"activation": "tanh"}``.
        inputs: The vector that stands for each letter, shape (A, D).
        kernels: The cell's arrays by name.
        start: The first memory, shape (M,).
        readout_weight: Shape (K, H).
        readout_bias: Shape (K,).
        next_state: States of the machine, which starts in state 0, shape (Q, A).
        output: The digit that is due when the letter is read in the state, shape (Q, A);
            ``max(K, 2)`` where any digit will do.
        enclosure: What encloses a step of another package's cell; no part of the digest, and not
            looked at for this package's cells.
    """

    cell: str
    options: Mapping[str, Any]
    inputs: FloatArray
    kernels: Mapping[str, FloatArray]
    start: FloatArray
    readout_weight: FloatArray
    readout_bias: FloatArray
    next_state: IntArray
    output: IntArray
    enclosure: Callable[..., Any] | None = None

    @property
    def dtype(self) -> str:
        """The dtype in which the program computes."""
        return str(self.start.dtype)

    @property
    def hidden(self) -> int:
        """Hidden width H."""
        return int(self.readout_weight.shape[1])

    @property
    def memory(self) -> int:
        """Width M of the memory: the dimension of the space that regions are in."""
        return len(self.start)

    @property
    def letters(self) -> int:
        """Number of letters A."""
        return int(self.inputs.shape[0])

    def digest(self) -> str:
        """Return the SHA-256 of cell, options and every array, alike on every platform.

        Indices are hashed as 64-bit integers, all numbers with their low byte first.
        """
        sha = hashlib.sha256(self._title().encode())
        later = ("start", "readout_weight", "readout_bias", "next_state", "output")
        arrays = [("inputs", self.inputs), *self.kernels.items()]
        for name, value in [*arrays, *((name, getattr(self, name)) for name in later)]:
            kind = "<i8" if value.dtype.kind == "i" else value.dtype.newbyteorder("<")
            array = np.ascontiguousarray(value, kind)
            sha.update(f"{name} {array.dtype.str} {array.shape};".encode())
            sha.update(array.tobytes())
        return sha.hexdigest()

    def _title(self) -> str:
        """Return cell and options as text; for an Elman cell as it was before there were others."""
        if self.cell == "elman":
            return f"activation {self.options['activation']};"
        described = [self.cell, dict(self.options), list(self.kernels)]
        return f"cell {json.dumps(described, sort_keys=True)};"
