"""What a proof claims, in words: all output takes these sentences from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from seqarith.model import Model
from seqarith.tasks.description import is_registered
from seqarith.tasks.task import Task
from seqarith.text import shortened

DIGITS = 12
"""Hexadecimal digits of a machine's digest that a sentence contains."""


@final
@dataclass(frozen=True)
class Claim:
    """What a proof of a network claims; its ``str`` is the whole sentence.

    Attributes:
        task: The task whose machine the network was proved equal to.
        dtype: The number format that the program computes in.
        registered: Whether the task is a registered one, machine included.
    """

    task: Task
    dtype: str
    registered: bool = False

    @property
    def of(self) -> str:
        """What the proof is about: a registered ``"task"``, a ``"machine"`` or a ``"function"``."""
        if self.registered:
            return "task"
        return "machine" if self.task.asked is None else "function"

    @property
    def subject(self) -> str:
        """What is proved of the network, without the assumptions."""
        task = self.task
        if self.registered:
            base = "" if task.base == 2 else f", base {task.base},"
            return f"{task.formula}{base} is right for operands of every width"
        return f"Equal, at every width, to {machine_phrase(task)}"

    def __str__(self) -> str:
        return f"{self.subject}, as computed in {self.dtype}."

    def record(self) -> dict[str, Any]:
        """Return the claim, ready for JSON."""
        machine = self.task.machine
        return {
            "claim": str(self),
            "claim_of": self.of,
            "machine": None if machine is None else machine.digest(),
        }


def machine_phrase(task: Task) -> str:
    """Return in words which machine defines a custom task.

    Example:
        >>> from seqarith.machine import MealyMachine
        >>> from seqarith.tasks.custom.from_machine import task_from_machine
        >>> machine_phrase(task_from_machine(MealyMachine([[0, 0]], [[0, 1]]), "same"))
        'the machine in this file (1 state, digest ab2c88bea972)'
    """
    machine = task.machine
    assert machine is not None
    states = f"{machine.states} state{'s' * (machine.states != 1)}"
    digest = f"digest {machine.digest()[:DIGITS]}"
    if task.asked is None:
        return f"the machine in this file ({states}, {digest})"
    function, words = shortened(task.asked.function, 80), task.asked.words
    told = "" if task.function is not None else ", as the file says"
    found = f"that was found in {function} by asking {words:,} words{told}"
    return f"the machine of {states} ({digest}) {found}"


def claim_of(model: Model) -> Claim:
    """Return what a certificate of a model claims."""
    task, network = model.task, model.network
    return Claim(task, network.dtype, is_registered(task))
