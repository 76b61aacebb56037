"""The outcome of ``seqarith train``: the saved model, its verdict, and the summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from seqarith.cli.output import command_line, notice, print_json, say, tuples_name, width_name
from seqarith.cli.verdicts import counterexample_json, counterexample_lines

if TYPE_CHECKING:
    from seqarith.certification.verdicts import Refuted
    from seqarith.model import Model
    from seqarith.training.result import Run

SETTINGS = ("base", "operands", "cell", "hidden", "noise", "seed")
"""Settings of the run that its JSON repeats."""


@final
class Outcome:
    """The result of training; without a proof from training, also the verdict of a search.

    Args:
        result: The result of training.
        place: The model file.
        budget: Seconds for the search; 0: no search.
    """

    def __init__(self, result: Run, place: Path, budget: float) -> None:
        self._result, self._place = result, place
        self.model: Model = result.model
        """The model, with its proof if there is one."""
        self._refuted: Refuted | None = None
        self._goal = result.model.training["goal"]
        if self._goal == "proved" and not result.proved and budget > 0:
            from seqarith.certification.certify import attach, certify
            from seqarith.certification.verdicts import Proved, Refuted

            match certify(result.model, budget):
                case Proved() as proved:
                    self.model = attach(result.model, proved.certificate)
                case Refuted() as refuted:
                    self._refuted = refuted

    @property
    def reached(self) -> bool:
        """Whether the goal was reached, and the learned machine agrees with the user's function."""
        return (self._result.reached or self.model.certificate is not None) and self._agree

    @property
    def _agree(self) -> bool:
        """Whether the machine agrees with the user's function on all inputs that were compared."""
        compared = self._result.evaluation.comparison
        return compared is None or compared.agree

    @property
    def verdict(self) -> str | None:
        """``"proved"``, ``"refuted"`` or ``"undecided"``; None if the goal was not a proof."""
        if self.model.certificate is not None:
            return "proved"
        if self._refuted is not None:
            return "refuted"
        return "undecided" if self._goal == "proved" else None

    def save(self) -> None:
        """Save the model; keep a proved model of another run that it replaces, and say so."""
        kept = _keep_proved(self._place, self.model)
        self.model.save(self._place)
        if kept is not None:
            notice(f"{self._place} was a proved model of another run; that model is now {kept}.")

    def say(self, seconds: float, as_json: bool) -> None:
        """Print the outcome to stdout, and advice to stderr."""
        if as_json:
            print_json(self._record(seconds))
            return
        name, steps = self.model.task.name, self._result.steps
        say(f"{name}: {self._counted()}, after {steps:,} steps ({seconds:.2f} s)")
        for line in self._judged():
            say(line)
        if self._result.evaluation.comparison is not None:
            say(f"{name}: {self._result.evaluation.comparison}")
        say(f"saved {self._place}")
        if not self.reached and self._agree:
            notice(
                f"The goal ({self._goal}) was not reached in {steps:,} steps; try --max-steps "
                f"{2 * steps}, --candidates 16, another --seed or more --hidden units."
            )

    def _counted(self) -> str:
        """Describe how many results are correct at the training width."""
        known, task = self._result.evaluation, self.model.task
        width, tuples = width_name(task, known.bits), tuples_name(task)
        if known.mode == "exhaustive" and known.exact:
            return f"exact on all {known.checked:,} {tuples} of {width} operands"
        if known.mode == "exhaustive":
            counts = f"{known.correct:,} of all {known.checked:,}"
            return f"correct on {counts} {tuples} of {width} operands"
        total, right = known.checked + known.directed, known.correct + known.directed_correct
        return f"correct on {right:,} of {total:,} sampled {tuples} of {width} operands"

    def _judged(self) -> list[str]:
        """Describe the verdict on all widths."""
        name = self.model.task.name
        if self.model.certificate is not None:
            from seqarith.certification.claim import claim_of

            claim, proof = claim_of(self.model), self.model.certificate
            found = (
                f"{len(proof.arrays['states']):,} regions, smallest margin "
                f"{proof.claims['margin']:.3g}"
            )
            plain = claim.of == "task"
            text = f"proved right at every width ({found})" if plain else f"proved. {claim} {found}"
            return [f"{name}: {text}; check it again: {command_line('verify', self._place)}"]
        if self._refuted is not None:
            lines = counterexample_lines(self._refuted)
            return [f"{name}: refuted", *(f"  {line}" for line in lines)]
        if self._goal == "proved":
            return [f"{name}: undecided at other widths: found neither a proof nor a wrong result"]
        return []

    def _record(self, seconds: float) -> dict[str, Any]:
        known, refuted = self._result.evaluation, self._refuted
        wrong = None if refuted is None else counterexample_json(refuted)
        proof = self.model.certificate
        return {
            "model": str(self._place),
            "task": known.task,
            "bits": known.bits,
            **{name: self.model.training[name] for name in SETTINGS},
            "steps": self._result.steps,
            "examples": self._result.examples,
            "seconds": round(seconds, 3),
            "exact": known.exact,
            "mode": known.mode,
            "checked": known.checked,
            "accuracy": known.accuracy,
            "min_margin": known.min_margin,
            "reached": self.reached,
            "verdict": self.verdict,
            "regions": None if proof is None else len(proof.arrays["states"]),
            "proved_margin": None if proof is None else proof.claims["margin"],
            "counterexample": wrong,
            **({} if known.comparison is None else known.comparison.record()),
            **self._claimed(),
        }

    def _claimed(self) -> dict[str, Any]:
        """Return what is proved and under which assumptions, ready for JSON."""
        if self.model.certificate is None:
            return {}
        from seqarith.certification.claim import claim_of

        return claim_of(self.model).record()


def _keep_proved(place: Path, model: Model) -> Path | None:
    """Copy a proved model that another model is about to replace; return the copy's path."""
    from seqarith.atomic import write_bytes
    from seqarith.errors import SeqarithError
    from seqarith.model import Model

    try:
        before = Model.load(place)
    except SeqarithError:  # no such file, or not a readable model
        return None
    if before.certificate is None or before.digest == model.digest:
        return None
    kept = place.with_name(f"{place.name}.bak")
    write_bytes(kept, place.read_bytes())
    return kept
