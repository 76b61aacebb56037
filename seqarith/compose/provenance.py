"""What the results of a composition depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from seqarith.certification.adapter import from_model
from seqarith.certification.certify import verify
from seqarith.certification.kernel.check import Accepted
from seqarith.compose.part import Part
from seqarith.errors import CertificateError, TaskError
from seqarith.model import Model


@final
@dataclass(frozen=True)
class Provenance:
    """What is known about one model of a composition.

    Attributes:
        part: Its name in the composition.
        formula: The formula of its task.
        digest: SHA-256 of the program that was proved; None if its task has no machine.
        proved: Whether its certificate was checked just now and accepted.
        reason: Why it counts as proved or not; if it is proved, the exact statement.
        calls: Number of calls so far.
        wrong: Number of wrong results, according to the task.
        own: Whether its task is a custom machine, and not one of the registry.
    """

    part: str
    formula: str
    digest: str | None
    proved: bool
    reason: str
    calls: int
    wrong: int
    own: bool = False

    def __str__(self) -> str:
        digest = f", program {self.digest[:16]}" if self.digest else ""
        verdict = "proved" if self.proved else "NOT PROVED"
        return (
            f"  {self.part}: {self.formula}{digest}: {verdict}, {self.reason} "
            f"({self.calls:,} calls, {self.wrong:,} wrong)"
        )


@final
@dataclass(frozen=True)
class ProvenanceReport:
    """What the results of a composition depend on.

    Attributes:
        name: Name of the composition.
        bases: One entry for each model.
    """

    name: str
    bases: tuple[Provenance, ...]

    @property
    def proved(self) -> bool:
        """Whether every model is proved correct at every width."""
        return all(basis.proved for basis in self.bases)

    def __str__(self) -> str:
        if self.proved:
            verdict = "every network it computes with is proved right at every width"
            if any(basis.own for basis in self.bases):
                verdict += ", for the task or machine that its line names"
        else:
            verdict = "NOT every network it computes with is proved; its results may be wrong"
        rest = "  and on the Python function around them, which no certificate covers"
        return "\n".join([f"{self.name}: {verdict}", *map(str, self.bases), rest])


def provenance(name: str, part: Part) -> Provenance:
    """Check the certificate of a part again, and return what is known about it."""
    task = part.model.task
    digest, proved, reason = _known(part.model)
    return Provenance(name, task.formula, digest, proved, reason, part.calls, part.wrong, task.own)


def _known(model: Model) -> tuple[str | None, bool, str]:
    """Return the digest of a model's program, whether it is proved, and why or why not."""
    try:
        digest = from_model(model).digest()
    except TaskError as error:
        return None, False, str(error)
    try:
        found = verify(model)
    except CertificateError:
        return digest, False, "it holds no certificate"
    if isinstance(found, Accepted):
        margin = f"certificate accepted, smallest margin {found.margin:.4g}"
        return digest, True, f"{margin}. {found.claim}"
    return digest, False, f"certificate rejected: {found.reason}"
