"""The training width of a network whose task is not finite-state."""

from __future__ import annotations

from seqarith.model import Model

WIDEST, UNKNOWN = 1024, 8


def fixed_width(model: Model) -> int | None:
    """Return the only width that a network was trained for; None if its task has a machine.

    A task without a machine is learned at one width, which the training notes give. If they give no
    valid width, it is 8.

    Example:
        >>> fixed_width(Model.shipped("add")) is None
        True
    """
    if model.task.machine is not None:
        return None
    bits = model.training.get("bits")
    return bits if type(bits) is int and 1 <= bits <= WIDEST else UNKNOWN
