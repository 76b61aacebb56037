"""``seqarith certify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqarith.cli.arguments import MODEL, json_option, model_argument, path_option
from seqarith.cli.output import Bar, command_line, notice, print_json, say
from seqarith.cli.verdicts import counterexample_json, counterexample_lines
from seqarith.errors import InvalidValueError, ModelFileError
from seqarith.text import counted

if TYPE_CHECKING:
    from seqarith.certification.verdicts import Proved, Refuted, Undecided, Verdict
    from seqarith.model import Model


@click.command("certify")
@model_argument
@click.option(
    "--budget",
    type=float,
    default=60.0,
    show_default=True,
    help="Approximate time limit in seconds.",
)
@path_option(
    "-o", "--output", help="Save the model with its certificate to this file.  [default: MODEL]"
)
@json_option
@click.pass_context
def certify_command(
    ctx: click.Context, model: Path | None, budget: float, output: Path | None, as_json: bool
) -> None:
    """Prove MODEL (default: model.npz) correct at every width, or find a wrong result.

    The certificate of a proof is saved in the model file; 'seqarith verify' checks it again. The
    proof covers rounding: it is about the floating-point program that 'seqarith predict' runs.

    Exit code 0: proved; 3: refuted by a wrong result, which is shown; 4: undecided.

    \b
      seqarith certify
      seqarith certify model.npz --budget 600 -o proved.npz
    """
    from seqarith.atomic import check_writable
    from seqarith.certification.certify import attach, certify
    from seqarith.certification.verdicts import Proved, Refuted
    from seqarith.model import Model

    if not 0 < budget < float("inf"):
        raise InvalidValueError(f"--budget {budget}: expected more than 0 seconds")
    if model is None and not MODEL.exists():
        # The shipped model is not used here: its file must not be overwritten.
        train = command_line("train", "add")
        raise ModelFileError(f"{MODEL}: no such file; give a model file, or train one: {train}")
    model = model or MODEL
    place = output or model
    loaded = Model.load(model)
    check_writable(place)
    bar = Bar("certify")

    def progress(stage: str, spent: float) -> None:
        bar(min(round(10 * spent), round(10 * budget)), round(10 * budget), stage)

    try:
        verdict = certify(loaded, budget, progress)
    finally:
        bar.close()
    if isinstance(verdict, Proved):
        attach(loaded, verdict.certificate).save(place)
    record = verdict_json(verdict)
    if as_json:
        print_json({"model": str(place), "task": loaded.task.name, **record})
    else:
        match verdict:
            case Proved():
                _print_proved(loaded, verdict, place)
            case Refuted():
                _print_refuted(verdict)
            case _:
                _print_undecided(loaded, verdict)
    ctx.exit({"proved": 0, "refuted": 3, "undecided": 4}[record["verdict"]])


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict, ready for JSON: keys that all verdicts have, then those of its kind."""
    from seqarith.certification.verdicts import Proved, Refuted, Undecided

    record: dict[str, Any] = {
        "verdict": type(verdict).__name__.lower(),
        "regions": None,
        "min_margin": None,
        "seconds": round(verdict.seconds, 3),
        "counterexample": None,
    }
    match verdict:
        case Proved():
            record |= {"regions": verdict.regions, "min_margin": verdict.margin}
            record |= {"method": verdict.method, "depth": verdict.depth, "steps": verdict.steps}
            record |= verdict.claim.record()
            record |= {"digest": verdict.certificate.digest, "dtype": verdict.certificate.dtype}
        case Refuted():
            record |= {"counterexample": counterexample_json(verdict)}
            record |= {"checked_letters": verdict.exhausted, "found_by": verdict.found_by}
        case Undecided():
            record |= {"regions": verdict.regions, "proved_regions": verdict.proved_regions}
            record |= {"obligation": verdict.obligation, "checked_letters": verdict.exhausted}
    return record


def _print_proved(model: Model, verdict: Proved, place: Path) -> None:
    say(f"{model.task.name}: proved. {verdict.claim}")
    say(
        f"  {counted(verdict.regions, 'region')} of the memory, every image back in one after "
        f"{'at most ' if verdict.depth > 1 else ''}{counted(verdict.depth, 'letter')}"
    )
    say(f"  smallest margin of any digit: {verdict.margin:.4g}, rounding deducted")
    say(f"  found by {verdict.method} in {verdict.seconds:.2f} s")
    say(f"certificate stored in {place}; check it again: {command_line('verify', place)}")


def _print_refuted(verdict: Refuted) -> None:
    how = "no shorter ones exist" if verdict.shortest else "the shortest found"
    say(
        f"{verdict.task.name}: refuted by operands of {counted(verdict.bits, 'digit')} ({how}; "
        f"every word of {counted(verdict.exhausted, 'letter')} is correct)"
    )
    for line in counterexample_lines(verdict):
        say(f"  {line}")
    say(f"  found by {verdict.found_by} search in {verdict.seconds:.2f} s")


def _print_undecided(model: Model, verdict: Undecided) -> None:
    say(f"undecided after {verdict.seconds:.1f} s: found neither a proof nor a wrong result")
    say(f"  every word of up to {counted(verdict.exhausted, 'letter')} was tested and is correct")
    say(f"  missing for a proof: {verdict.obligation}")
    if verdict.regions:
        say(f"  {verdict.proved_regions:,} of {verdict.regions:,} regions were proved")
    longer = f"--budget {10 * max(1, round(verdict.seconds))}"
    if model.training.get("goal") == "proved":
        notice(f"Train with another --seed or more --hidden units, or try {longer}.")
    else:
        notice(f"Train with --goal proved, so that the network can be proved, or try {longer}.")
