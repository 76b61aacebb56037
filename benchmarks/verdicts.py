"""How many networks are decided that were trained without a thought of proofs.

Run: ``python benchmarks/verdicts.py tutorial|plain [--seeds N] [--budget SECONDS] [--json FILE]``

``tutorial``: networks of ``--preset tutorial``. ``plain``: 16 tanh and 16 sigmoid units, 500 steps
of Adam, no noise, no synchrony penalty.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import seqarith as sa


def tutorial(seed: int) -> Iterator[tuple[str, sa.Model]]:
    yield "tutorial", sa.Trainer(sa.tutorial_config(seed)).run().model


def plain(seed: int) -> Iterator[tuple[str, sa.Model]]:
    for activation in ("tanh", "sigmoid"):
        options: dict[str, Any] = {"cell_options": {"activation": activation}, "seed": seed}
        yield activation, sa.train(goal="steps", max_steps=500, **options).model


def judged(model: sa.Model, budget: float) -> dict[str, Any]:
    """Return what is known of a model after at most so many seconds."""
    verdict = sa.certify(model, budget)
    record = {"verdict": type(verdict).__name__.lower(), "seconds": verdict.seconds}
    match verdict:
        case sa.Proved():
            record |= {"method": verdict.method, "regions": verdict.regions}
            record |= {"margin": verdict.margin}
        case sa.Refuted():
            record |= {"letters": len(verdict.word), "shortest": verdict.shortest}
            record |= {"method": verdict.found_by}
    return record


def summary(name: str, records: list[dict[str, Any]]) -> str:
    by = {kind: [r for r in records if r["verdict"] == kind] for kind in VERDICTS}
    lines = [f"{name}: " + ", ".join(f"{len(by[kind])} {kind}" for kind in VERDICTS)]
    for kind in ("proved", "refuted"):
        if by[kind]:
            seconds = [r["seconds"] for r in by[kind]]
            methods = sorted({r["method"] for r in by[kind]})
            counted = ", ".join(f"{sum(r['method'] == m for r in by[kind])} {m}" for m in methods)
            lines.append(
                f"  {kind}: {statistics.median(seconds):.2f} s median, {max(seconds):.1f} worst; "
                f"{counted}"
            )
    if by["proved"]:
        regions = [r["regions"] for r in by["proved"]]
        margins = [r["margin"] for r in by["proved"]]
        lines.append(
            f"  regions {statistics.median(regions):.0f} median, {max(regions)} most; margin "
            f"{statistics.median(margins):.2f} median, {min(margins):.3g} least"
        )
    if by["refuted"]:
        letters = sorted(r["letters"] for r in by["refuted"])
        shortest = sum(r["shortest"] for r in by["refuted"])
        lines.append(f"  {shortest} proved to be shortest; letters {letters}")
    return "\n".join(lines)


VERDICTS = ("proved", "refuted", "undecided")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", choices=("tutorial", "plain"))
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--budget", type=float, default=0)
    parser.add_argument("--json", help="write every verdict to this file")
    said = parser.parse_args()
    source = {"tutorial": tutorial, "plain": plain}[said.which]
    seeds = said.seeds or {"tutorial": 100, "plain": 50}[said.which]
    budget = said.budget or {"tutorial": 120.0, "plain": 60.0}[said.which]
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(said.first, said.first + seeds):
        for name, model in source(seed):
            found.setdefault(name, []).append({"seed": seed, **judged(model, budget)})
            if said.json:
                with open(said.json, "w", encoding="utf-8") as file:
                    json.dump(found, file, indent=1)
    for name, records in found.items():
        print(summary(name, records))


if __name__ == "__main__":
    main()
