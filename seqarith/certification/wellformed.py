"""Refuse malformed programs and certificates: a part of the trusted checker."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.certificate import Certificate
from seqarith.certification.outward import LARGEST
from seqarith.certification.program import Program

SMALLEST = 2.0**-100  # of a claimed margin
MAX_WIDTH = 1000  # of H, M, D, A and K; with MAX_ORDER it keeps every sum within lemma L1
MAX_ORDER = 2000
MIN_TANH_ULPS = 4.0  # a certificate that assumes a better tanh than this is refused

GATES = {"elman": 1, "gru": 3, "lstm": 4}


class Refusal(Exception):  # noqa: N818 - not an error: the verdict
    """Carry the reason of a rejection to ``check``."""


def require(holds: Any, reason: str) -> None:
    """Refuse for ``reason`` unless it holds."""
    if not holds:
        raise Refusal(reason)


def validate(p: Program, c: Certificate, memory: int) -> None:
    """Refuse unless every field is of its kind, and the one speaks of the other."""
    require(isinstance(p, Program), "that is no program")
    require(isinstance(c, Certificate), "that is no certificate")
    _validate_program(p)
    letters, width, states = len(p.inputs), len(p.start), len(p.next_state)
    require(
        type(c.dtype) is str and c.dtype == str(p.start.dtype),
        "the certificate speaks of another dtype",
    )
    require(
        type(c.digest) is str and c.digest == p.digest(),
        "the certificate speaks of another program",
    )
    regions = len(_array(c, "states", "i", None))
    require(
        max(regions * width * width, len(p.readout_bias) ** 2 * width) * 64 <= memory,
        "the regions exceed the memory budget",
    )
    _indices(c, "states", states, regions)
    _indices(c, "successors", regions, regions, letters)
    _array(c, "centres", "f", regions, width)
    shapes = _array(
        c, "shapes", "f", regions, width, *[width] * (getattr(c.shapes, "ndim", 0) == 3)
    )
    require(shapes.ndim == 3 or shapes.min() >= 0, "shapes holds a negative half-width")
    _number(c, "start", int, 0, regions - 1)
    _number(c, "depth", int, 1, 10**6)
    _number(c, "order", int, 0, MAX_ORDER)
    _number(c, "margin", float, SMALLEST, LARGEST)
    _number(c, "tanh_ulps", float, MIN_TANH_ULPS, 2.0**10)


def _validate_program(p: Program) -> None:
    letters, inputs = _array(p, "inputs", "f", None, None).shape
    outputs, hidden = _array(p, "readout_weight", "f", None, None).shape
    _array(p, "readout_bias", "f", outputs)
    width = len(_array(p, "start", "f", None))
    _validate_recurrence(p, inputs, hidden, width)
    require(
        max(hidden, width, inputs, letters, outputs) <= MAX_WIDTH,
        f"the network is wider than {MAX_WIDTH}",
    )
    floats = (p.inputs, *p.kernels.values(), p.start, p.readout_weight, p.readout_bias)
    require(all(x.dtype == p.start.dtype for x in floats), "the program's arrays differ in dtype")
    states = len(_array(p, "next_state", "i", None, letters))
    _indices(p, "next_state", states, states, letters)
    _indices(
        p, "output", max(outputs, 2) + 1, states, letters
    )  # the one beyond the last: any digit will do


def _validate_recurrence(p: Program, inputs: int, hidden: int, width: int) -> None:
    """Refuse unless the cell is known, or brings an enclosure, and its arrays are as it needs."""
    require(type(p.cell) is str, "unknown cell")
    require(type(p.options) is dict and type(p.kernels) is dict, "the recurrence is malformed")
    if p.cell not in GATES:
        require(callable(p.enclosure), f"no enclosure of cell {p.cell!r} is at hand")
        for name, x in p.kernels.items():
            require(type(name) is str, "a kernel has no name")
            _finite(name, x, "f", *[None] * getattr(x, "ndim", 0))
        return
    options = {"activation": p.options.get("activation")} if p.cell == "elman" else {}
    require(p.options == options, "unknown options")
    require(options.get("activation", "tanh") in ("tanh", "sigmoid"), "unknown activation")
    rows = GATES[p.cell] * hidden
    shapes = {"weight_ih": (rows, inputs), "weight_hh": (rows, hidden), "bias": (rows,)}
    if p.cell == "gru":
        shapes["bias_hh"] = (hidden,)
    require(list(p.kernels) == list(shapes), "the kernels are not those of the cell")
    for name, shape in shapes.items():
        _finite(name, p.kernels[name], "f", *shape)
    require(width == hidden * (2 if p.cell == "lstm" else 1), "start is no memory of the cell")


def _array(owner: object, name: str, kind: str, *shape: int | None) -> NDArray[Any]:
    """Fetch a field: a finite array of that kind and shape (None: any length from 1)."""
    return _finite(name, getattr(owner, name), kind, *shape)


def _finite(name: str, x: Any, kind: str, *shape: int | None) -> NDArray[Any]:
    if type(x) is not np.ndarray:
        raise Refusal(f"{name} is not an array")
    require(
        x.dtype.kind == kind and x.dtype.itemsize in (4, 8) and x.dtype.isnative,
        f"{name} has dtype {x.dtype}",
    )
    fits = x.ndim == len(shape) and all(
        n > 0 and want in (None, n) for n, want in zip(x.shape, shape, strict=True)
    )
    require(fits, f"{name} has shape {x.shape}, expected {shape}")
    require(
        kind == "i" or np.all(np.abs(x) <= LARGEST),
        f"{name} holds a value that is not finite, or too large",
    )
    return x


def _indices(owner: object, name: str, limit: int, *shape: int | None) -> None:
    x = _array(owner, name, "i", *shape)
    require(x.min() >= 0 and x.max() < limit, f"{name} holds an index outside 0..{limit - 1}")


def _number(owner: object, name: str, kind: type, low: float, high: float) -> None:
    x = getattr(owner, name)
    require(
        type(x) in (kind, int) and low <= x <= high, f"{name} is not a number from {low} to {high}"
    )
