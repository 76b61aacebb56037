"""The width of a network whose task no finite machine computes."""

from __future__ import annotations

from seqarith.model import Model

WIDEST, UNKNOWN = 1024, 8


def fixed_width(model: Model) -> int | None:
    """Return the digits of an operand that a network is for; None where every width is meant.

    A task without a machine is learnt at one width, the one that the training notes name; where
    they name none that can be run, it is 8.

    Example:
        >>> fixed_width(Model.shipped("add")) is None
        True
    """
    if model.task.machine is not None:
        return None
    bits = model.training.get("bits")
    return bits if type(bits) is int and 1 <= bits <= WIDEST else UNKNOWN
