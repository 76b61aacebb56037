"""Refuse malformed programs and certificates: a part of the trusted checker.

Whatever is given, only `Refusal` is raised. So the type of a value is looked at before the value,
by identity: comparing, hashing or printing a foreign object would run its own code.
"""

from dataclasses import fields
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.steps import MOST, StepError, widths
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.program import Program

LARGEST = 2.0**20  # no weight, bias, input or coordinate exceeds it
SMALLEST = 2.0**-100  # of a claimed margin
# H, M, D, A and K, and the generators that are kept. A sum over a set has MAX_WIDTH terms and then
# MAX_ORDER + MAX_WIDTH: 4,000 in all, where gamma is 2^-41.03 and GAMMA 2^-41 (lemma L1). So
# neither can grow without GAMMA.
MAX_WIDTH = 1000
MAX_ORDER = 2000
MIN_TANH_ULPS = 8.0  # a certificate that assumes a better tanh than this is refused
MAX_VALUE = 16 * MAX_WIDTH  # numbers of a value of the step
COPIES = 8  # bytes held for each byte of an array
MAX_NAME = 200  # characters in the name of an array


class Refusal(Exception):  # noqa: N818 - not an error: the verdict
    """Carry the reason of a rejection to ``check``."""


def require(holds: Any, reason: str) -> None:
    """Refuse for ``reason`` unless it holds."""
    if not holds:
        raise Refusal(reason)


def validate(p: Program, c: Certificate, memory: int) -> None:
    """Refuse unless every field is of its kind, and the certificate is about the program."""
    # A subclass could bring a digest of its own, and so could an attribute beside the fields.
    require(type(p) is Program, "that is not a program")
    require(type(c) is Certificate, "that is not a certificate")
    with np.errstate(all="ignore"):  # nan, infinity and signalling nan are refused below
        _validate_program(p, memory)
        _validate_certificate(p, _Fields(c, memory))


def _validate_program(p: Program, memory: int) -> None:
    read = _Fields(p, memory)
    letters, inputs = read.array("inputs", "f", None, None).shape
    outputs, hidden = read.array("readout_weight", "f", None, None).shape
    read.array("readout_bias", "f", outputs)
    width = len(read.array("start", "f", None))
    require(width >= hidden, "the memory has fewer numbers than the hidden vector")
    require(
        max(hidden, width, inputs, letters, outputs) <= MAX_WIDTH,
        f"the network is wider than {MAX_WIDTH}",
    )
    _validate_step(p, memory, inputs, width)
    floats = (p.inputs, *p.arrays.values(), p.start, p.readout_weight, p.readout_bias)
    require(all(x.dtype == p.start.dtype for x in floats), "the program's arrays differ in dtype")
    read.number("threshold", float, -LARGEST, LARGEST)
    exact = float(p.start.dtype.type(p.threshold)) == p.threshold
    require(exact and (outputs == 1 or p.threshold == 0), "the threshold is not the program's")
    states = len(read.array("next_state", "i", None, letters))
    read.indices("next_state", states, states, letters)
    # The digit beyond the last: any digit will do.
    read.indices("output", max(outputs, 2) + 1, states, letters)


def _validate_step(p: Program, memory: int, inputs: int, width: int) -> None:
    """Refuse unless the operations are a step, and its arrays those that they name."""
    require(type(p.arrays) is dict, "the arrays are not a dict")
    require(len(p.arrays) <= MOST and type(p.step) is tuple, "the step is not a tuple")
    for operation in p.step[: MOST + 1]:
        plain = type(operation) is tuple and len(operation) <= MAX_WIDTH
        plain = plain and all(type(x) is str or type(x) is int for x in operation)
        require(plain, "an operation is not plain")
    held = 0
    for name, x in p.arrays.items():
        plain = type(name) is str and name.isascii() and name.isprintable()
        require(plain and len(name) <= MAX_NAME, "the name of an array is not a short ASCII text")
        held += _checked(name, x, "f", memory // COPIES, None).nbytes
        require(held <= memory // COPIES, "the arrays exceed the memory budget")
    try:
        found = widths(p.step, {name: x.shape for name, x in p.arrays.items()}, inputs, width)
    except StepError as error:
        raise Refusal(str(error)) from None
    require(max(found) <= MAX_VALUE, f"a value of the step is wider than {MAX_VALUE}")
    summed = max((x.shape[-1] for x in p.arrays.values() if x.ndim == 2), default=0)
    require(summed <= MAX_WIDTH, f"a product of the step sums more than {MAX_WIDTH} terms")


def _validate_certificate(p: Program, read: "_Fields") -> None:
    c: Certificate = read.owner
    letters, width = len(p.inputs), len(p.start)
    spoken_of = type(c.dtype) is str and c.dtype == str(p.start.dtype)
    require(spoken_of, "the certificate speaks of another dtype")
    spoken_of = type(c.digest) is str and c.digest == Program.digest(p)
    require(spoken_of, "the certificate speaks of another program")
    regions = len(read.array("states", "i", None))
    held = max(regions * width * width, len(p.readout_bias) ** 2 * width) * 64
    require(held <= read.memory, "the regions exceed the memory budget")
    read.indices("states", len(p.next_state), regions)
    read.indices("successors", regions, regions, letters)
    read.array("centres", "f", regions, width)
    boxes = type(c.shapes) is not np.ndarray or c.shapes.ndim != 3
    shapes = read.array("shapes", "f", regions, width, *([] if boxes else [width]))
    require(not boxes or shapes.min() >= 0, "shapes holds a negative half-width")
    read.number("start", int, 0, regions - 1)
    read.number("depth", int, 1, 10**6)
    read.number("order", int, 0, MAX_ORDER)
    read.number("margin", float, SMALLEST, LARGEST)
    read.number("tanh_ulps", float, MIN_TANH_ULPS, 2.0**10)


@final
class _Fields:
    """The fields of a record, each returned only if it is what it has to be."""

    def __init__(self, owner: Any, memory: int) -> None:
        held, names = vars(owner), {field.name for field in fields(owner)}
        own = all(type(name) is str for name in held) and set(held) == names
        require(own, f"the fields of the {type(owner).__name__.lower()} are not its own")
        self.owner, self.memory = owner, memory

    def array(self, name: str, kind: str, *shape: int | None) -> NDArray[Any]:
        """Return a finite array of that kind and shape (None: any length from 1)."""
        return _checked(name, getattr(self.owner, name), kind, self.memory, shape)

    def indices(self, name: str, limit: int, *shape: int | None) -> None:
        """Refuse unless the array holds indices below ``limit``."""
        x = self.array(name, "i", *shape)
        require(x.min() >= 0 and x.max() < limit, f"{name} holds an index outside 0..{limit - 1}")

    def number(self, name: str, kind: type, low: float, high: float) -> None:
        """Refuse unless it is a number of that kind, or an integer, from ``low`` to ``high``."""
        x: Any = getattr(self.owner, name)
        fits = any(type(x) is known for known in (kind, int)) and low <= x <= high
        require(fits, f"{name} is not a number from {low} to {high}")


def _checked(
    name: str, x: Any, kind: str, memory: int, shape: tuple[int | None, ...] | None
) -> NDArray[Any]:
    """Return an array if it is finite, of that kind and shape (None: any shape, any length)."""
    require(type(x) is np.ndarray, f"{name} is not an array")
    array: NDArray[Any] = x
    of_kind = array.dtype.kind == kind and array.dtype.itemsize in (4, 8) and array.dtype.isnative
    require(of_kind, f"{name} has dtype {array.dtype!s:.40}")
    wanted = (None,) * array.ndim if shape is None else shape
    fits = array.ndim == len(wanted) and all(
        n > 0 and want in (None, n) for n, want in zip(array.shape, wanted, strict=True)
    )
    require(fits, f"{name} has shape {array.shape!s:.60}, expected {wanted}")
    # Before its values are read: an array without strides is as large as it likes to be.
    require(array.nbytes <= memory, f"{name} exceeds the memory budget")
    finite = kind == "i" or np.all(np.abs(array) <= LARGEST)
    require(finite, f"{name} holds a value that is not finite, or too large")
    return array
