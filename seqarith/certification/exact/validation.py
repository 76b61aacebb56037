"""Refuse malformed programs in the exact checker: every number is read again as Python's own."""

from __future__ import annotations

from typing import Any

from seqarith.cells.steps import StepError, widths
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import Refusal, require

MAX_WIDTH = 1000
MAX_MAGNITUDE = 2.0**20  # both as in the kernel, and written down again on purpose
DIGITS = {"float32": (24, 149), "float64": (53, 1074)}
"""Of a number format: bits of a number, and the negated exponent of the smallest."""


def read_program(p: Program, dtype: str) -> list[int]:
    """Refuse values that could overflow or be no numbers, and tables that lead nowhere.

    Returns:
        The width of every value of the step.
    """
    letters, inputs = p.inputs.shape
    outputs, hidden = p.readout_weight.shape
    width, states = len(p.start), len(p.next_state)
    require(max(letters, inputs, width, outputs) <= MAX_WIDTH, "the network is too wide")
    require(hidden <= width, "the memory has fewer numbers than the hidden vector")
    shapes = {name: array.shape for name, array in p.arrays.items()}
    try:
        found = widths(p.step, shapes, inputs, width)
    except StepError as error:
        raise Refusal(str(error)) from None
    arrays = [
        (p.inputs, [letters, inputs]),
        (p.start, [width]),
        (p.readout_weight, [outputs, hidden]),
        (p.readout_bias, [outputs]),
        *((array, list(array.shape)) for array in p.arrays.values()),
    ]
    for array, shape in arrays:
        require(str(array.dtype) == dtype, "the arrays are not of the certificate's dtype")
        read_array(array, float, shape, -MAX_MAGNITUDE, MAX_MAGNITUDE)
    _read_threshold(p.threshold, outputs, dtype)
    read_array(p.next_state, int, [states, letters], 0, states - 1)
    read_array(p.output, int, [states, letters], 0, max(outputs, 2))
    return found


def _read_threshold(threshold: float, outputs: int, dtype: str) -> None:
    """Refuse what is no number of the format: the program would compare with another one."""
    known = type(threshold) in (float, int) and abs(threshold) <= MAX_MAGNITUDE
    require(known and (outputs == 1 or threshold == 0), "the threshold is not as expected")
    digits, least = DIGITS[dtype]
    numerator, denominator = threshold.as_integer_ratio()
    held = numerator.bit_length() <= digits and denominator <= 2**least
    require(held, f"the threshold is not a number of {dtype}")


def read_array(
    array: Any, kind: type[int | float], shape: list[int], low: float, high: float
) -> Any:
    """Return an array as lists, if its shape and each of its values is as expected."""
    values = array.tolist()
    require(_fits(values, kind, shape, low, high), f"{kind.__name__}s {shape} are not as expected")
    return values


def _fits(values: Any, kind: type[int | float], shape: list[int], low: float, high: float) -> bool:
    if not shape:
        return type(values) is kind and low <= values <= high
    return (
        type(values) is list
        and len(values) == shape[0]
        and all(_fits(value, kind, shape[1:], low, high) for value in values)
    )
