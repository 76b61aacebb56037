"""Products of operands, which are not finite-state."""

from __future__ import annotations

from seqarith.tasks.parameters import Base, task_factory
from seqarith.tasks.task import Range, Task


@task_factory
def mul(base: Base = 2) -> Task:
    """Multiply two naturals at a fixed width; no finite memory can do it at every width.

    Not finite-state: after n digits of both operands, the output depends on the operands
    themselves, not only on a carry. If only zeros follow, the machine must still output the high
    half of the product, which has about base**n values. So a network can learn it only at the
    training width. Nothing is claimed about other widths, and `certify` refuses the task.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> task = mul()
        >>> task.reference(37, 58), task.machine, task.natural_layout(4).steps
        (2146, None, 8)
    """

    def bounds(a: Range, b: Range) -> Range:
        corners = [x * y for x in a for y in b]
        return min(corners), max(corners)

    return Task(
        name="mul",
        notation="{} * {}",
        operands=2,
        reference=lambda a, b: a * b,
        bounds=bounds,
        machine=None,
        base=base,
        negative=False,
    )


@task_factory
def square(base: Base = 2) -> Task:
    """Square a natural at a fixed width; no finite memory can do it at every width.

    Not finite-state, for the reason of ``mul``: after the operand's last digit the machine must
    still output the high half of the square, which has about base**n values.

    Raises:
        TaskError: The base is out of range.

    Example:
        >>> square().reference(37)
        1369
    """
    return Task(
        name="square",
        notation="{}**2",
        operands=1,
        reference=lambda a: a * a,
        bounds=lambda a: (0, max(a[0] * a[0], a[1] * a[1])),
        machine=None,
        base=base,
        negative=False,
    )
