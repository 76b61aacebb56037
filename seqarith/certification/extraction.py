"""Extract the finite-state machine that a network has learned.

With a certificate that the checker accepts, the machine is proved: its states are the regions.
Without one it is observed: memories with the same outputs after every short word count as one
state, and nothing is claimed beyond the words that were run.

Source: the tests of observed states are those of T. S. Chow, Testing Software Design Modeled by
Finite-State Machines (1978), with all short words instead of a characterising set.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import final

import numpy as np

from seqarith.certification.adapter import from_model, from_stored, reference_machine
from seqarith.certification.claim import claim_of
from seqarith.certification.falsify.program_under_test import Floats, Ints, ProgramUnderTest
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import Accepted, check
from seqarith.certification.kernel.program import Program
from seqarith.certification.legacy import renew
from seqarith.errors import TaskError
from seqarith.machine import MealyMachine
from seqarith.model import Model
from seqarith.network import emitted
from seqarith.tasks.sampling import Sampler

DIGITS, WORDS = 60, 64  # letters of a sampled word, and words of each kind
SUFFIXES = 64  # suffixes of the longest length, at most
VECTORS = 512  # sampled memories, at most
MAX_STATES = 512
ROWS = 2**16  # memories that are stepped at once
LOGITS = 2**18  # that are computed at once: they fit the cache
STEP_WORK = 100  # fixed cost of a step of one memory, in products
WORK = 2**36  # products in all: about a minute


@final
@dataclass(frozen=True, eq=False)
class Extracted:
    """A machine, and how it compares with the task's.

    Attributes:
        machine: The minimised machine; its states are named after the task's.
        proved: Whether it comes from a proof.
        claim: What that proof claims; empty if the machine was observed on samples.
        difference: A shortest word on which it differs from the task's machine; None if equal.
        agreement: Share of the samples whose transitions agree with the machine; 1 if proved.
        samples: Number of memories that were sampled; 0 if proved.
    """

    machine: MealyMachine
    proved: bool
    difference: tuple[int, ...] | None
    agreement: float
    samples: int
    claim: str = ""

    def __repr__(self) -> str:
        how = "proved" if self.proved else f"observed on {self.samples:,} hidden vectors"
        same = "equal to the task's" if self.equal else "not the task's"
        return f"Extracted({self.machine}, {how}, {same})"

    @property
    def equal(self) -> bool:
        """Whether it is the task's machine."""
        return self.difference is None


@np.errstate(over="ignore", invalid="ignore")
def extract(model: Model) -> Extracted:
    """Return the finite-state machine that a model has learned.

    Raises:
        TaskError: The task has no machine to compare with; or it has a delay, and the model no
            proof; or the network has no small machine.
    """
    wanted = reference_machine(model.task)
    program, certificate = from_model(model), model.certificate
    if certificate is not None:
        believed = renew(from_stored(certificate), program, model.network)
        if isinstance(check(program, believed), Accepted):
            machine = _named(_from_regions(program, believed), wanted)
            claim = claim_of(model)
            difference = machine.difference(wanted)
            return Extracted(machine, True, difference, 1.0, 0, str(claim))
    if model.task.delay:
        raise TaskError(
            f"task {model.task.name!r} has a delay of {model.task.delay}, during which anything "
            "may be emitted: its machine is only read off a proof. Find one: seqarith certify"
        )
    observed = _Observation(model)
    machine = _named(observed.machine(), wanted)
    return Extracted(
        machine, False, machine.difference(wanted), observed.agreement, len(observed.vectors)
    )


def _from_regions(program: Program, certificate: Certificate) -> MealyMachine:
    """Return the machine whose states are the regions of a certificate."""
    return MealyMachine(
        certificate.successors,
        program.output[certificate.states],
        int(program.output.max()) + 1,
        certificate.start,
    ).minimised()


@final
class _Observation:
    """Sampled memories, distinguished by what the network emits after every short suffix."""

    def __init__(self, model: Model) -> None:
        self._program = ProgramUnderTest.of(model)
        self._symbols = max(model.task.outputs, 2)
        self.agreement, self._work = 1.0, 0
        self._size = model.network.size
        depth = 1
        while self._program.letters ** (depth + 1) <= SUFFIXES:
            depth += 1
        self._suffixes = [
            np.array(list(product(range(self._program.letters), repeat=length)), np.intp).T
            for length in range(1, depth + 1)
        ]
        self.vectors = self._reached(model)

    def machine(self) -> MealyMachine:
        """Explore from the first memory; the first memory of each class represents it."""
        answers = self._answers(self._program.start[None])
        classes = {answers[0].tobytes(): 0}
        representative = [self._program.start]
        following: list[list[int]] = []
        symbols: list[Ints] = []
        for vector in representative:
            after, said = self._moved(vector[None])
            row = []
            for answer, successor in zip(self._answers(after), after, strict=True):
                state = classes.setdefault(answer.tobytes(), len(classes))
                if state == len(representative):
                    representative.append(successor)
                row.append(state)
            following.append(row)
            symbols.append(said)
            if len(classes) > MAX_STATES:
                raise TaskError(
                    f"the network has no machine of {MAX_STATES} states or fewer: its hidden "
                    "vectors do not fall into few kinds. Train it until it is exact"
                )
        machine = MealyMachine(following, np.array(symbols), self._symbols)
        self.agreement = self._agreeing(machine, classes)
        return machine.minimised()

    def _reached(self, model: Model) -> Floats:
        sampler = Sampler(model.task, DIGITS)
        rng = np.random.default_rng(0)
        words = np.concatenate([sampler.uniform(rng, WORDS), sampler.favouring(rng, WORDS)], 1)
        hidden = np.repeat(self._program.start[None], words.shape[1], axis=0)
        met = []
        for letters in words:
            hidden = self._program.step(hidden, letters)
            met.append(hidden)
        vectors = np.concatenate(met)
        # Each memory is stepped under every letter, and then under every suffix.
        answers = self._program.letters * sum(suffixes.size for suffixes in self._suffixes)
        most = max(8, min(VECTORS, WORK // 4 // (answers * (self._size + STEP_WORK))))
        return vectors[:: max(1, len(vectors) // most)]

    def _moved(self, vectors: Floats) -> tuple[Floats, Ints]:
        """Step memories (N, M) under every letter; return those (N * A, M), and what is emitted."""
        letters = np.tile(np.arange(self._program.letters), len(vectors))
        after = self._program.step(np.repeat(vectors, self._program.letters, 0), letters)
        return after, self._said(after)

    def _answers(self, vectors: Floats) -> Ints:
        """Return what is emitted at the end of every suffix, shape (N, S)."""
        count = sum(suffixes.shape[1] for suffixes in self._suffixes)
        answers = np.empty((len(vectors), count), np.uint16)  # symbols are less than 2**16
        self._spend(len(vectors) * sum(suffixes.size for suffixes in self._suffixes))
        room = max(1, ROWS // count)
        for start in range(0, len(vectors), room):
            some, column = vectors[start : start + room], 0
            for suffixes in self._suffixes:
                said = self._said_after(some, suffixes)
                answers[start : start + room, column : column + said.shape[1]] = said
                column += said.shape[1]
        return answers

    def _said_after(self, vectors: Floats, suffixes: Ints) -> Ints:
        """Return what is emitted at the end of every suffix of one length (T, S), shape (N, S)."""
        count = suffixes.shape[1]
        hidden = np.repeat(vectors, count, axis=0)
        for letters in suffixes:
            hidden = self._program.step(hidden, np.tile(letters, len(vectors)))
        return self._said(hidden).reshape(-1, count)

    def _said(self, hidden: Floats) -> Ints:
        """Return what is emitted at memories (N, M), shape (N,)."""
        room = max(1, LOGITS // self._symbols)
        parts = (hidden[i : i + room] for i in range(0, len(hidden), room))
        return np.concatenate([emitted(self._program.logits(part)) for part in parts])

    def _spend(self, rows: int) -> None:
        """Add to the work done, and refuse to go on beyond the limit."""
        self._work += rows * (self._size + STEP_WORK)
        if self._work > WORK:
            raise TaskError(
                f"a network of {self._program.letters} letters and {self._size} parameters: to "
                "observe its machine takes too long. With a proof it is fast: seqarith certify"
            )

    def _agreeing(self, machine: MealyMachine, classes: dict[bytes, int]) -> float:
        """Return the share of samples in a known class whose transitions agree with its state."""
        known = [classes.get(answer.tobytes(), -1) for answer in self._answers(self.vectors)]
        after, _ = self._moved(self.vectors)
        arrived = [classes.get(answer.tobytes(), -1) for answer in self._answers(after)]
        states = np.array(known)
        moved = np.array(arrived).reshape(len(states), -1)
        agrees = (machine.next_state[states] == moved).all(axis=1) & (states >= 0)
        return float(agrees.mean())


def _named(machine: MealyMachine, wanted: MealyMachine) -> MealyMachine:
    """Name every state after the states of the task's machine that occur together with it."""
    met: dict[int, list[int]] = {machine.initial: [wanted.initial]}
    queue = [(machine.initial, wanted.initial)]
    for mine, theirs in queue:
        steps = zip(
            machine.next_state[mine].tolist(), wanted.next_state[theirs].tolist(), strict=True
        )
        for state, partner in steps:
            if partner not in met.setdefault(state, []):
                met[state].append(partner)
                queue.append((state, partner))
    names: list[str] = []
    for state in range(machine.states):
        name = " or ".join(wanted.names[q] for q in sorted(met.get(state, [])))
        same = sum(other == name or other.startswith(f"{name}, no. ") for other in names)
        names.append(f"{name}, no. {same + 1}" if same else name)
    return MealyMachine(
        machine.next_state, machine.output, machine.outputs, machine.initial, tuple(names)
    )
