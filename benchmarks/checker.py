"""The checker: how long it is, how long it takes, how large certificates are; 10,000 mutations.

Run: ``python benchmarks/checker.py [--mutations 10000]``

A mutation changes a certificate or the network under it so that the claim becomes false or is no
longer what was proved: regions, states, successors, the start, claims, the digest, weights, biases.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import seqarith as sa
from seqarith.certification.adapter import from_model, from_stored
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import Accepted, check
from seqarith.certification.kernel.program import Program

PACKAGE = Path(sa.__file__).parent
TRUSTED = [
    PACKAGE / "cells" / "steps.py",
    *sorted((PACKAGE / "certification" / "kernel").glob("[a-z]*.py")),
]


def code_lines(path: Path) -> tuple[int, int]:
    """Return the lines of a module, and those that are neither blank, comment nor docstring."""
    source = path.read_text()
    quoted: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            quoted |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    lines = source.splitlines()
    code = [
        line
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.strip().startswith("#") and number not in quoted
    ]
    return len(lines), len(code)


def timed(program: Program, certificate: Certificate) -> float:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        assert isinstance(check(program, certificate), Accepted)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def mutated(rng: random.Random, p: Program, c: Certificate) -> tuple[Program, Certificate]:
    """Return a program and a certificate of which one is not what was proved."""
    kind = rng.choice(("states", "successors", "centres", "shapes", "start", "claim", "weights"))
    if kind == "weights":
        name = rng.choice(sorted(p.arrays))
        array = p.arrays[name].copy()
        place = rng.randrange(array.size)
        array.flat[place] += rng.choice((-1, 1)) * 10 ** rng.uniform(-6, 1)
        return replace(p, arrays={**p.arrays, name: array}), c
    if kind == "start":
        others = [r for r in range(c.regions) if c.states[r] != c.states[c.start]]
        return p, replace(c, start=rng.choice([*others, c.regions, -1]))
    if kind == "claim":
        change: dict[str, Any] = rng.choice(
            (
                {"digest": c.digest[:-1] + ("0" if c.digest[-1] != "0" else "1")},
                {"margin": c.margin * (1 + 10 ** rng.uniform(-3, 1))},
                {"dtype": "float64" if c.dtype == "float32" else "float32"},
                {"tanh_ulps": 0.5},
                {"depth": 0},
            )
        )
        return p, replace(c, **change)
    value = getattr(c, kind).copy()
    place = rng.randrange(value.size)
    if kind == "states":
        value.flat[place] = (value.flat[place] + 1) % len(p.next_state)
    elif kind == "successors":
        wrong = np.flatnonzero(c.states != c.states[value.flat[place]])
        value.flat[place] = rng.choice(wrong.tolist())
    else:  # of regions that are not single points: -0 is 0
        some = np.flatnonzero(c.shapes.reshape(c.regions, -1).any(1) & c.centres.any(1))
        value[rng.choice(some.tolist())] *= -1 if kind == "centres" or value.ndim == 2 else 0
    return p, replace(c, **{kind: value})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=10_000)
    said = parser.parse_args()
    sizes = {path.stem: code_lines(path) for path in TRUSTED}
    whole, code = (sum(size[i] for size in sizes.values()) for i in (0, 1))
    print(f"trusted modules: {whole} lines, {code} of them code: {sizes}")
    adder = sa.train("add").model
    tutorial = sa.Trainer(sa.tutorial_config(0)).run().model
    proved = sa.certify(tutorial, 120)
    assert isinstance(proved, sa.Proved)
    cases = []
    for name, model in (
        ("default adder", adder),
        ("shipped adder", sa.Model.shipped("add")),
        ("tutorial, seed 0", sa.attach(tutorial, proved.certificate)),
    ):
        assert model.certificate is not None
        certificate = from_stored(model.certificate)
        program = from_model(model)
        size = sum(array.nbytes for array in model.certificate.arrays.values())
        print(
            f"{name}: {certificate.regions} regions, {size:,} bytes, margin "
            f"{certificate.margin:.3g}, checked in {timed(program, certificate):.4f} s"
        )
        cases.append((program, certificate))
    rng, accepted = random.Random(0), 0
    for _ in range(said.mutations):
        program, certificate = mutated(rng, *rng.choice(cases[:2]))
        accepted += isinstance(check(program, certificate), Accepted)
    print(f"of {said.mutations:,} mutations {accepted} were accepted")


if __name__ == "__main__":
    main()
