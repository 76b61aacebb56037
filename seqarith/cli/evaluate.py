"""``seqarith eval``."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqarith.cli.arguments import (
    find_model,
    function_option,
    json_option,
    model_argument,
    path_option,
    training_bits,
)
from seqarith.cli.output import (
    Bar,
    notice,
    prediction_json,
    print_json,
    say,
    tuples_name,
    width_name,
)
from seqarith.text import percent, shortened

if TYPE_CHECKING:
    from seqarith.evaluation.result import Evaluation
    from seqarith.tasks.task import Task


MANY = 2**25
"""Operand tuples above which several processes pay for their start-up."""


@click.command("eval")
@model_argument
@click.option(
    "--digits", "--bits", "bits", type=int,
    help="Number of digits of each operand.  [default: as in training]",
)  # fmt: skip
@click.option("--samples", type=int, help="Test this many random operand tuples instead of all.")
@click.option("--exhaustive", is_flag=True, help="Test all operand tuples, however many there are.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random sample.")
@click.option(
    "--jobs", type=int, help="Number of processes.  [default: 1, or one per core for a long run]"
)
@path_option("--checkpoint", help="Save progress in this file; continue from it if it exists.")
@function_option
@json_option
@click.pass_context
def eval_command(
    ctx: click.Context,
    model: Path | None,
    bits: int | None,
    samples: int | None,
    exhaustive: bool,
    seed: int,
    jobs: int | None,
    checkpoint: Path | None,
    task_from: str | None,
    as_json: bool,
) -> None:
    """Test MODEL (default: model.npz) on every operand tuple of a width.

    If there are more than 2**28 operand tuples, a random sample is tested, and the output says so;
    --exhaustive tests them all. With --checkpoint you can interrupt a long run at any time and
    continue it with the same command.

    Exit code 0: all tested results are correct; 3: a result is wrong, or, with --task-from, the
    function differs from the machine that was learned from it.

    \b
      seqarith eval model.npz --bits 16 --exhaustive --checkpoint eval.ckpt
    """
    from seqarith.atomic import check_writable
    from seqarith.errors import InvalidValueError
    from seqarith.evaluation.evaluate import evaluate

    if not 0 <= seed < 2**32:
        raise InvalidValueError(f"seed {seed}: expected 0 to {2**32 - 1}")
    loaded = find_model(model, task_from=task_from)
    width = training_bits(loaded) if bits is None else bits
    if checkpoint is not None:
        check_writable(checkpoint)
    bar = Bar("eval")
    try:
        found = evaluate(
            loaded,
            width,
            samples=samples,
            exhaustive=exhaustive,
            seed=seed,
            jobs=_jobs(loaded.task, width) if jobs is None else jobs,
            checkpoint=checkpoint,
            progress=bar,
        )
    except KeyboardInterrupt:
        bar.close()
        if checkpoint is None:
            raise
        notice(f"Interrupted; the same command continues from {checkpoint}.")
        ctx.exit(130)
    finally:
        bar.close()
    if as_json:
        print_json(
            {
                "task": found.task,
                **found.summary(),
                "resumed": found.resumed,
                "within_rounding": found.within_rounding,
                "counterexamples": [prediction_json(case) for case in found.counterexamples],
                "by_chain": {
                    str(length): {"checked": words, "wrong": wrong}
                    for length, (words, wrong) in found.by_chain.items()
                },
            }
        )
    else:
        _print(loaded.task, found)
    ctx.exit(0 if found.exact else 3)


def _jobs(task: Task, bits: int) -> int:
    """Return the default number of processes."""
    from seqarith.evaluation.evaluate import widest_exhaustive

    if bits <= widest_exhaustive(task, MANY):
        return 1
    cores = getattr(os, "sched_getaffinity", None)
    return len(cores(0)) if cores else os.cpu_count() or 1


def _print(task: Task, found: Evaluation) -> None:
    tuples, width = tuples_name(task), width_name(task, found.bits)
    if found.mode == "exhaustive":
        say(f"{found.task}: all {found.checked:,} {tuples} of {width} operands (exhaustive)")
    else:
        say(f"{found.task}: {found.checked:,} random {tuples} of {width} operands (sampled)")
    for line in _judged_by(task, found):
        say(f"  {line}")
    if found.resumed:
        say(f"  {found.resumed:,} of these counts are from the checkpoint")
    _share("exact-match accuracy", found.correct, found.checked)
    _share("digit accuracy", found.digits_correct, found.digits)
    if found.directed:
        _share("on long chains", found.directed_correct, found.directed)
    _row("smallest margin", f"{found.min_margin:.4g}", "")
    if found.within_rounding:
        say("  this is within rounding error: in another batch, such digits may differ")
    if any(wrong for _, wrong in found.by_chain.values()):
        say(f"errors by length of the longest {found.chain}:")
        for lengths, words, wrong in _bands(found.by_chain):
            share = percent(Fraction(wrong, words), up=True)
            say(f"  {lengths:>11}  {share:>9}  {wrong:,} of {words:,}")
    if found.counterexamples:
        say("first wrong cases:")
        for case in found.counterexamples:
            say(f"  {shortened(str(case), 160)}")


def _bands(by_chain: dict[int, tuple[int, int]]) -> list[tuple[str, int, int]]:
    """Return counts by chain length: one by one up to 16, then in bands that double."""
    bands: dict[tuple[int, int], tuple[int, int]] = {}
    for length, (words, wrong) in by_chain.items():
        power = 1 << max(0, length - 1).bit_length()
        band = (length, length) if length <= 16 else (power // 2 + 1, power)
        before = bands.get(band, (0, 0))
        bands[band] = (before[0] + words, before[1] + wrong)
    return [
        (f"{low}" if low == high else f"{low}..{high}", words, wrong)
        for (low, high), (words, wrong) in bands.items()
    ]


def _judged_by(task: Task, found: Evaluation) -> list[str]:
    """Say where the expected results come from, if not from a task of the registry."""
    if not task.own:
        return []
    from seqarith.certification.claim import machine_phrase

    lines = [f"counted by {machine_phrase(task)}"]
    if found.comparison is not None:
        lines.append(str(found.comparison))
    return lines


def _share(name: str, right: int, whole: int) -> None:
    _row(name, percent(Fraction(right, whole)), f"{right:,} of {whole:,}")


def _row(name: str, value: str, detail: str) -> None:
    say(f"  {name:<21} {value:>10}" + (f"  ({detail})" if detail else ""))
