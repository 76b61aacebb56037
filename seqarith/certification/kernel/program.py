"""The record of what is proved: a network's arrays, and the machine that their program must equal.

Shapes, beside those of the package: R regions, N sets handled at once, G generators;
M is the width of a memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.steps import Operation

FloatArray = NDArray[Any]
IntArray = NDArray[Any]


@final
@dataclass(frozen=True, eq=False)
class Program:
    """A network, the letters that it reads and the machine that it must equal.

    One step reads letter ``a``: the memory becomes what the recorded operations make of it and of
    ``inputs[a]``; its first H numbers are the hidden vector ``h``. Then
    ``z = h @ readout_weight.T + readout_bias``. With K = 1 the digit is ``z > threshold``,
    otherwise ``argmax(z)``. All arithmetic is in the dtype of the arrays, one and the same for all:
    float32 or float64.

    Args:
        step: The operations, see `seqarith.cells.steps`.
        arrays: The arrays that they name.
        inputs: The vector that stands for each letter, shape (A, D).
        start: The first memory, shape (M,).
        readout_weight: Shape (K, H).
        readout_bias: Shape (K,).
        threshold: Where a single logit decides; 0 for several.
        next_state: States of the machine, which starts in state 0, shape (Q, A).
        output: The digit that is due when the letter is read in the state, shape (Q, A);
            ``max(K, 2)`` where any digit will do.
    """

    step: tuple[Operation, ...]
    arrays: Mapping[str, FloatArray]
    inputs: FloatArray
    start: FloatArray
    readout_weight: FloatArray
    readout_bias: FloatArray
    threshold: float
    next_state: IntArray
    output: IntArray

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
        """Return the SHA-256 of the step and every array, alike on every platform.

        Indices are hashed as 64-bit integers, all numbers with their low byte first.
        """
        names = sorted(self.arrays)
        title = json.dumps([self.step, names, self.threshold])
        sha = hashlib.sha256(title.encode())
        later = ("inputs", "start", "readout_weight", "readout_bias", "next_state", "output")
        named = [
            *((name, self.arrays[name]) for name in names),
            *((name, getattr(self, name)) for name in later),
        ]
        for name, value in named:
            kind = "<i8" if value.dtype.kind == "i" else value.dtype.newbyteorder("<")
            array = np.ascontiguousarray(value, kind)
            sha.update(f"{name} {array.dtype.str} {array.shape};".encode())
            sha.update(array.tobytes())
        return sha.hexdigest()
