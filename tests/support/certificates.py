"""Certificates that are spoilt, and what both checkers have to say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seqarith.certification.kernel.certificate import ARRAYS, Certificate
from seqarith.certification.kernel.check import Accepted, Rejected
from seqarith.certification.kernel.program import Program

Check = Callable[[Program, Certificate], Accepted | Rejected]

FACTS = ("digest", "dtype", "margin")


def assert_rejects(check: Check, p: Program, c: Certificate, because: str = "") -> None:
    """Fail unless a checker rejects a certificate, for a reason that has these words in it."""
    verdict = check(p, c)
    assert isinstance(verdict, Rejected), verdict
    assert because in verdict.reason, verdict


def mutated(
    rng: np.random.Generator,
    c: Certificate,
    names: Sequence[str] = ARRAYS,
    factors: Sequence[float] = (1e4, 1e6),
) -> dict[str, Any]:
    """Change one thing of a certificate by so much that it can no longer be true.

    Args:
        rng: Says what, where and how.
        c: The certificate, of a machine of two states.
        names: What may be changed.
        factors: By which a region may grow.
    """
    name = str(rng.choice(list(names)))
    if name == "digest":
        place = int(rng.integers(64))
        other = str(rng.choice(sorted(set("0123456789abcdef") - {c.digest[place]})))
        return {name: c.digest[:place] + other + c.digest[place + 1 :]}
    if name == "dtype":
        return {name: str(rng.choice(["float32", "float16", "", "<f8"]))}
    if name == "margin":
        return {name: c.margin * 10 ** rng.uniform(0.5, 9) + 10.0}
    value = getattr(c, name).copy()
    index = tuple(rng.integers(n) for n in value.shape)
    if name == "states":
        value[index] = 1 - value[index]
    elif name == "successors":
        value[index] = rng.choice(np.flatnonzero(c.states != c.states[value[index]]))
    elif name == "centres":
        # The carry, unit 1, is mirrored: the region says what its machine state denies.
        value[index[0], 1] = 1 - value[index[0], 1]
        # Three units are the adder's by hand; of a trained network the others carry as well.
        value[index[0]] += rng.choice([-3, 3]) * (value.shape[1] > 3)
    else:
        value[index[0]] += value.ndim == 2  # a box may have no width
        value[index[0]] *= rng.choice(list(factors))
    return {name: value}
