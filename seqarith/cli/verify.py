"""``seqarith verify``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqarith.cli.arguments import find_model_file, json_option, model_argument
from seqarith.cli.output import notice, print_json, say, spent

if TYPE_CHECKING:
    from seqarith.certification.kernel.check import Accepted, Rejected
    from seqarith.model import Model


@click.command("verify")
@model_argument
@click.option(
    "--exact",
    is_flag=True,
    help="Check a second time in ball arithmetic, without NumPy's functions.",
)
@json_option
@click.pass_context
def verify_command(ctx: click.Context, model: Path | None, exact: bool, as_json: bool) -> None:
    """Check the certificate in MODEL (default: model.npz).

    The checker imports nothing from the search that found the proof, and trusts nothing in the
    file. docs/certificates.md explains why it accepts only valid proofs.

    --exact adds a second check in ball arithmetic: every number has a rigorous error bound. Both
    checks must accept. The second takes about a hundred times as long and needs python-flint
    ('pip install python-flint').

    Exit code 0: accepted; 3: rejected; 1: there is no certificate.
    """
    from seqarith.certification.certify import exact_checker, verify
    from seqarith.certification.kernel.check import Accepted
    from seqarith.model import Model

    place = find_model_file(model)
    loaded = Model.load(place)
    if exact:
        exact_checker()  # report a missing python-flint before any work
    begin = time.perf_counter()
    with spent("verify") as progress:
        found = verify(loaded, progress=progress)
    if exact and isinstance(found, Accepted):
        notice(f"checking {found.steps:,} sets again in ball arithmetic ...")
        with spent("verify --exact") as progress:
            found = verify(loaded, progress=progress, exact=True)
    seconds = time.perf_counter() - begin
    if as_json:
        record = {
            "model": str(place),
            "task": loaded.task.name,
            "exact": exact and isinstance(found, Accepted),
        }
        print_json(record | _record(loaded, found, seconds))
    elif isinstance(found, Accepted):
        _accepted(loaded, found, seconds, exact)
    else:
        say(f"{loaded.task.name}: rejected, the certificate proves nothing: {found.reason}")
    ctx.exit(0 if isinstance(found, Accepted) else 3)


def _record(model: Model, found: Accepted | Rejected, seconds: float) -> dict[str, object]:
    from seqarith.certification.certify import stored_certificate
    from seqarith.certification.claim import claim_of
    from seqarith.certification.kernel.check import Accepted

    accepted = isinstance(found, Accepted)
    return {
        "verdict": "proved" if accepted else "rejected",
        "regions": stored_certificate(model).regions if accepted else None,
        "min_margin": found.margin if isinstance(found, Accepted) else None,
        "seconds": round(seconds, 3),
        "counterexample": None,
        "reason": None if isinstance(found, Accepted) else found.reason,
        **(claim_of(model).record() if accepted else {}),
    }


def _accepted(model: Model, found: Accepted, seconds: float, exact: bool) -> None:
    from seqarith.certification.certify import stored_certificate

    certificate = stored_certificate(model)
    say(f"{model.task.name}: proved. {found.claim}")
    say(
        f"  {certificate.regions:,} regions, {found.steps:,} sets followed, smallest margin "
        f"{found.margin:.4g} ({seconds:.2f} s)"
    )
    if exact:
        say("  checked again in ball arithmetic, none of NumPy's functions trusted")
    say(
        f"  assumed about this platform: tanh is accurate to {certificate.tanh_ulps:g} epsilons "
        f"of {certificate.dtype}, a sigmoid to {certificate.tanh_ulps / 2 + 1:g}"
    )
