"""What an accepted certificate claims, with all that the claim rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.tasks.task import Task
from seqarith.text import shortened

DIGEST = 12  # digits of a machine's digest that are shown


@final
@dataclass(frozen=True)
class Claim:
    """A claim, as a badge of a few words and as a sentence.

    Attributes:
        badge: The shortest text that does not say more than is proved.
        said: The whole claim.
    """

    badge: str
    said: str


def claim(task: Task, dtype: str, trusting: str = "") -> Claim:
    """Return what is claimed once the checker has accepted a certificate.

    Args:
        task: The task.
        dtype: Of the arithmetic that the claim is about.
        trusting: The enclosure of another package that the proof rests on; empty: none.
    """
    badge = "Proved right at every width"
    said = f"Proved: {task.formula} is right for operands of every width"
    if task.own:
        badge = "Proved equal to the machine in this file, at every width"
        said = f"Proved: equal, at every width, to {own_machine(task)}"
    if trusting:
        name = shortened(trusting)
        badge = f"Proved, if the enclosure {name} is right"
        said += f", if the enclosure {name} is right, which was not checked"
    return Claim(badge, f"{said}. As computed in {dtype}.")


def own_machine(task: Task) -> str:
    """Return which machine says what is right, where the registry does not."""
    machine = task.machine
    assert machine is not None
    held = (
        f"the machine in this file, {machine.states:,} states, digest {machine.digest()[:DIGEST]}"
    )
    if task.asked is None:
        return held
    return (
        f"{held}, which was found in {shortened(task.asked.function)} by asking "
        f"{task.asked.words:,} words"
    )
