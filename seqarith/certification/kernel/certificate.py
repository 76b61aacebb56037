"""The certificate: an inductive invariant of a program, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from numpy.typing import NDArray

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
