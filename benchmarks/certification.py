"""Certification and verification of default adders, in process."""

from __future__ import annotations

import sidebyside  # isort: skip  # before NumPy: it takes one core

import time
from collections.abc import Callable
from dataclasses import replace

from sidebyside import Fact, Figure, Row, Spread

import seqarith as sa
from seqarith.certification.adapter import from_model
from seqarith.certification.prove.box_prover import prove_by_boxes

SEEDS, TIMES = 20, 5
TEXT = """Adders of 20 seeds, as `seqarith train add --bits 8` makes them. *Certify* decides from
nothing: the proof that the file holds is taken away. *Quick path*: the cheap proof by boxes, which
comes first, suffices. *Verify* is the independent checker alone."""


def fastest(work: Callable[[], object]) -> float:
    """Return the least of a few times."""
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def measure() -> Figure:
    figure = Figure("A proof", TEXT)
    models = [result.model for s in range(SEEDS) if (result := sa.train("add", seed=s)).proved]
    bare = [replace(model, certificate=None) for model in models]
    proved = sum(isinstance(sa.certify(model), sa.Proved) for model in bare)
    by_boxes = sum(prove_by_boxes(from_model(model)) is not None for model in bare)
    assert all(isinstance(sa.verify(model), sa.Accepted) for model in models)
    certify = Spread.of(fastest(lambda m=m: sa.certify(m)) for m in bare)  # type: ignore[misc]
    verify = Spread.of(fastest(lambda m=m: sa.verify(m)) for m in models)  # type: ignore[misc]
    figure.add(Row("default adder", "certify", certify))
    figure.add(Row("default adder", "verify", verify))
    figure.note(Fact("Certification, median", 1000 * certify.middle, "ms", "under 50"))
    figure.note(Fact("Verification, median", 1000 * verify.middle, "ms", "under 20"))
    figure.note(Fact(f"Trained networks that are proved, of {SEEDS}", len(models)))
    figure.note(Fact("Of these certified anew", proved))
    figure.note(Fact("Of these by the quick path", by_boxes))
    return figure


if __name__ == "__main__":
    sidebyside.main("certification", measure)
