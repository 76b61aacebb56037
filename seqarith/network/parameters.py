"""The parameters of a network: one vector, with a view of it for every array."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from types import MappingProxyType
from typing import final

import numpy as np

from seqarith.cells.cell import Array
from seqarith.cells.steps import Shape


@final
class Parameters:
    """All parameters of a network in one vector, and a view of it for every array.

    One vector lets an optimizer update every parameter with one operation.

    Attributes:
        flat: The vector, shape (..., size).
        arrays: Views of it by name, shapes (..., *shape).

    Args:
        flat: The vector.
        shapes: Shape of every array, in order.
        frozen: Whether the vector is read-only; see `frozen`.
    """

    __slots__ = ("_frozen", "_shapes", "arrays", "flat")
    flat: Array
    arrays: Mapping[str, Array]
    _shapes: Mapping[str, Shape]
    _frozen: bool

    def __init__(self, flat: Array, shapes: Mapping[str, Shape], *, frozen: bool = False) -> None:
        arrays: dict[str, Array] = {}
        start = 0
        for name, shape in shapes.items():
            part = flat[..., start : start + prod(shape)]
            arrays[name] = part.reshape(*flat.shape[:-1], *shape)
            start += prod(shape)
        parts = flat, MappingProxyType(arrays), dict(shapes), frozen
        for attribute, value in zip(("flat", "arrays", "_shapes", "_frozen"), parts, strict=True):
            object.__setattr__(self, attribute, value)

    def __setattr__(self, name: str, value: object) -> None:
        if value is getattr(self, name, None):  # parameters.flat -= ... ends with this
            return
        raise AttributeError(f"parameters keep their arrays: change {name!r} in place")

    def frozen(self) -> Parameters:
        """Return a read-only copy: an array over ``bytes`` can never be made writeable.

        Frozen parameters are returned as they are.
        """
        if self._frozen:
            return self
        flat = np.frombuffer(self.flat.tobytes(), self.flat.dtype).reshape(self.flat.shape)
        return Parameters(flat, self._shapes, frozen=True)
