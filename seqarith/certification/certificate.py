"""The certificate: an inductive invariant of a program, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.errors import ModelFileError
from seqarith.model import StoredCertificate

ARRAYS = ("states", "successors", "centres", "shapes")


@final
@dataclass(frozen=True, eq=False)
class Certificate:
    """Regions of the hidden space that every run stays among, and the claims that rest on them.

    Region ``r`` is the parallelotope ``{centres[r] + t @ shapes[r] : |t_i| <= 1}``, or the box with
    the half-widths ``shapes[r]``, and belongs to machine state ``states[r]``. A run that is in
    region ``r`` and reads ``a`` counts from then on as being on its way to region
    ``successors[r, a]``, then to the successor of that, and so on; after at most ``depth`` letters
    it lies in the region that it is on its way to. On all these steps the readout decides for the
    right digit by at least ``margin``. So the paths need not be stored: the successors spell them.

    Args:
        digest: ``Program.digest()`` of the one program that the certificate speaks of.
        dtype: The dtype in which that program computes, ``"float32"`` or ``"float64"``.
        tanh_ulps: Assumed bound of the platform's error in ``tanh``, in multiples of the dtype's
            epsilon.
        states: Machine state of every region, shape (R,).
        successors: Regions, shape (R, A).
        centres: Shape (R, H).
        shapes: Boxes (R, H), or parallelotopes (R, H, H), a generator a row.
        start: The region that a run starts on its way to; the first hidden vector need not lie
            in it.
        depth: The longest way from a region, or from the start, into a region, in letters.
        order: Generators that a zonotope may have before its smallest are joined into a box.
        margin: The smallest logit margin, rounding errors deducted.
    """

    digest: str
    dtype: str
    tanh_ulps: float
    states: NDArray[Any]
    successors: NDArray[Any]
    centres: NDArray[Any]
    shapes: NDArray[Any]
    start: int
    depth: int
    order: int
    margin: float

    @property
    def regions(self) -> int:
        """Number of regions R."""
        return len(self.states)

    def stored(self) -> StoredCertificate:
        """Return what a model file keeps of it."""
        claims = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ARRAYS}
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in ARRAYS}
        for name in ("states", "successors"):
            arrays[name] = arrays[name].astype(np.int32)
        return StoredCertificate(claims, arrays)

    @staticmethod
    def from_stored(stored: StoredCertificate) -> Certificate:
        """Return the certificate of a model file. Nothing is believed: `check` looks at all of it.

        Raises:
            ModelFileError: A field is missing, or there is one that no certificate has.
        """
        values: Mapping[str, Any] = {**stored.claims, **stored.arrays}
        names = {field.name for field in fields(Certificate)}
        if values.keys() != names or stored.arrays.keys() != set(ARRAYS):
            wrong = ", ".join(sorted(values.keys() ^ names)) or "a field of the wrong kind"
            raise ModelFileError(f"the certificate does not have the fields of one: {wrong}")
        return Certificate(**values)
