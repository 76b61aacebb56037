"""Decide whether a model is right: provers and the search for a wrong word take turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import final

import numpy as np

from seqarith.certification.adapter import from_model, from_stored, to_stored
from seqarith.certification.claim import claim_of
from seqarith.certification.falsify.falsifier import Counterexample, Falsifier
from seqarith.certification.falsify.program_under_test import ProgramUnderTest
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import (
    DEFAULT,
    Accepted,
    Budget,
    CheckProgress,
    Rejected,
    check,
)
from seqarith.certification.kernel.program import Program
from seqarith.certification.legacy import renew
from seqarith.certification.prove.box_prover import FEW_LETTERS, Proof, prove_by_boxes
from seqarith.certification.prove.induction_prover import InductionProver, NoProof
from seqarith.certification.prove.region_fitting import PLAIN, ROOMY
from seqarith.certification.verdicts import Proved, Refuted, Undecided, Verdict
from seqarith.errors import CertificateError, InvalidValueError, MissingExtraError
from seqarith.execution import emit
from seqarith.model import Model

BUDGET = 60.0  # seconds
FIRST = 0.5  # seconds of the first search: nearly all wrong networks are refuted within 0.2 s
SEARCH, SHORTEN = 0.1, 0.05  # shares of the budget for a broad search, and for each way to shorten
EARLY, MIDDLE, LATE = 0.15, 0.5, 0.85  # shares of the budget after which attempts to prove end
ALL_WORDS = 1 << 20
"""So many words are run before the strong proof: a user may well run them too."""
SHORT = 2.0
"""Seconds that these words get of a small budget; 16 units need a tenth. Of a larger one, half."""

ROUNDING = (
    "words that are wrong in a batch are right when they are run alone: the margin is so small "
    "that the order of summation decides"
)
"""Why a network whose margins are smaller than its rounding errors stays undecided."""

StageProgress = Callable[[str, float], None]
"""Called with a description of the current stage, and the seconds spent."""


def certify(
    model: Model, seconds: float = BUDGET, progress: StageProgress | None = None
) -> Verdict:
    """Decide whether a model is right on every operand of every width.

    Boxes are tried first, then a search for a wrong word, then induction for most of the time,
    alternating with longer searches. The result is deterministic, except where a deadline cuts off.

    Args:
        model: The model.
        seconds: Time limit, approximate.
        progress: Called at every stage.

    Raises:
        TaskError: The task has no finite-state machine, so there is no claim about every width.
        InvalidValueError: ``seconds`` is not positive.

    Example:
        >>> verdict = certify(Model.shipped("add"), seconds=2)
        >>> print(verdict.claim)
        a + b is right for operands of every width, as computed in float64.
    """
    if not seconds > 0:
        raise InvalidValueError(f"a budget of {seconds} seconds: expected more than 0")
    return _Run(model, seconds, progress).decide()


def attach(model: Model, certificate: Certificate) -> Model:
    """Return the model with a certificate, ready to save."""
    return replace(model, certificate=to_stored(certificate))


def stored_certificate(model: Model) -> Certificate:
    """Return the certificate that a model holds, unchecked.

    Raises:
        CertificateError: It holds none.
    """
    if model.certificate is None:
        raise CertificateError(
            "the model holds no certificate: 'seqarith certify' looks for a proof and stores it"
        )
    certificate = from_stored(model.certificate)
    if not model.certificate.is_old:
        return certificate
    return renew(certificate, from_model(model), model.network)


def verify(
    model: Model,
    budget: Budget = DEFAULT,
    progress: CheckProgress | None = None,
    *,
    exact: bool = False,
) -> Accepted | Rejected:
    """Check the certificate that a model holds, with the independent checker alone.

    Args:
        model: The model, with the parameters that the certificate must be about.
        budget: Limit of the check, which rejects beyond it; about two hours in ball
            arithmetic by default.
        progress: Called with the share of the budget that is spent, and a description.
        exact: Check in ball arithmetic instead, without NumPy's functions: that takes about 50 to
            100 times as long, and needs the extra ``exact``.

    Raises:
        CertificateError: It holds none.
        MissingExtraError: ``exact``, and python-flint is not installed.
        TaskError: The task has no finite-state machine.
    """
    checker = exact_checker() if exact else check
    found = checker(from_model(model), stored_certificate(model), budget, progress)
    if isinstance(found, Rejected):
        return found
    # The checker knows the program, not the task.
    return replace(found, claim=str(claim_of(model)))


def exact_checker() -> Callable[..., Accepted | Rejected]:
    """Return the checker that uses ball arithmetic.

    Raises:
        MissingExtraError: python-flint is not installed.
    """
    try:
        from seqarith.certification.exact.checker import check_exact
    except ModuleNotFoundError as error:
        if error.name != "flint":
            raise
        raise MissingExtraError(
            "the check in ball arithmetic needs python-flint (the extra 'exact'), which is not "
            "installed: pip install python-flint"
        ) from None
    return check_exact


@final
class _Run:
    """One call of `certify`, with its clock."""

    def __init__(self, model: Model, seconds: float, progress: StageProgress | None) -> None:
        self._begin = time.monotonic()
        self._model, self._seconds = model, seconds
        self._progress = progress or (lambda stage, spent: None)
        self._program: Program = from_model(model)

    @np.errstate(over="ignore", invalid="ignore")  # relu units may overflow
    def decide(self) -> Verdict:
        self._say("boxes")
        found = prove_by_boxes(self._program, FEW_LETTERS) or prove_by_boxes(self._program)
        if found is not None:
            return self._proved(found)
        self._say("search for a wrong word")
        falsifier = Falsifier(ProgramUnderTest.of(self._model), self._model.task)
        wrong = falsifier.search(min(FIRST, SEARCH * self._seconds)) or self._short_words(falsifier)
        plain, roomy = (InductionProver(self._program, self._regions, s) for s in (PLAIN, ROOMY))
        proof = NoProof("no proof was tried")
        for until, thorough in ((EARLY, plain), (MIDDLE, roomy), (LATE, plain)):
            if wrong is not None:
                return self._judged(falsifier, wrong)
            self._say("induction")
            tried = thorough.run(self._begin + until * self._seconds)
            if isinstance(tried, Proof):
                return self._proved(tried)
            proof = tried
            self._say("search for a wrong word")
            wrong = falsifier.search(min(SEARCH * self._seconds, self._left()))
        wrong = wrong or falsifier.run_all_words(1 << 20, self._left())
        if wrong is None:
            return self._undecided(falsifier, proof)
        return self._judged(falsifier, wrong)

    def _short_words(self, falsifier: Falsifier) -> Counterexample | None:
        """Run every word up to the length that the network was trained on."""
        task, bits = self._model.task, self._model.training.get("bits", 8)
        bits = bits if type(bits) is int and 0 < bits < 64 else 8
        steps = task.natural_layout(bits).steps
        few = task.letters**steps <= ALL_WORDS
        seconds = max(SHORT, MIDDLE * self._seconds) if few else SEARCH * self._seconds
        return falsifier.run_all_words(steps + 1, seconds)

    def _proved(self, found: Proof) -> Proved:
        said = found.accepted
        return Proved(
            claim=claim_of(self._model),
            certificate=found.certificate,
            method=found.method,
            margin=found.certificate.margin,
            steps=said.steps,
            depth=said.depth,
            seconds=self._spent(),
        )

    def _judged(self, falsifier: Falsifier, wrong: Counterexample) -> Refuted | Undecided:
        """Return the shortest wrong word that is also wrong when it is run alone, as in `predict`.

        In a batch, matrix products may add up in another order. If that decides, a word that is
        wrong in the batch may be right alone, which refutes nothing.
        """
        self._say("shorter wrong words")
        shorter = falsifier.minimise(wrong, SHORTEN * self._seconds)
        for candidate in (shorter, replace(wrong, shortest=False)):
            found = self._refuted(falsifier, candidate)
            if found.emitted != found.due:
                return found
        return self._undecided(falsifier, NoProof(ROUNDING))

    def _refuted(self, falsifier: Falsifier, wrong: Counterexample) -> Refuted:
        model, task = self._model, self._model.task
        word = wrong.word.astype(np.intp)
        # The word is padded with zeros, as many as the result has additional digits.
        layout = task.natural_layout(len(word))
        more = task.delay if task.order == "most" else max(0, layout.steps - len(word))
        letters = np.append(word, np.zeros(more, np.intp))[:, None]
        symbols = emit(model.program, letters).symbols
        right = task.expected(letters)
        return Refuted(
            task=task,
            word=tuple(word.tolist()),
            operands=tuple(values[0] for values in task.operands_of(letters)),
            predicted=task.decode(symbols, layout.signed)[0],
            expected=task.decode(right, layout.signed)[0],
            emitted=int(symbols[len(word) - 1, 0]),
            due=int(right[len(word) - 1, 0]),
            shortest=wrong.shortest,
            exhausted=falsifier.exhausted,
            found_by=wrong.found_by,
            seconds=self._spent(),
        )

    def _undecided(self, falsifier: Falsifier, proof: NoProof) -> Undecided:
        return Undecided(
            obligation=proof.obligation,
            regions=proof.regions,
            proved_regions=proof.proved,
            exhausted=falsifier.exhausted,
            seconds=self._spent(),
        )

    def _regions(self, regions: int, proved: int) -> None:
        self._say(f"induction: {proved} of {regions} regions")

    def _say(self, stage: str) -> None:
        self._progress(stage, self._spent())

    def _spent(self) -> float:
        return time.monotonic() - self._begin

    def _left(self) -> float:
        return max(0.0, self._seconds - self._spent())
