"""``seqarith verify``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from seqarith.cli.output import json_option, print_json
from seqarith.cli.verdicts import claim


@click.command("verify")
@click.argument("model", type=click.Path(path_type=Path), default=Path("model.npz"))
@click.option(
    "--exact", is_flag=True, help="Check again in ball arithmetic, without NumPy's functions."
)
@json_option
@click.pass_context
def verify_command(ctx: click.Context, model: Path, exact: bool, as_json: bool) -> None:
    """Check the certificate that MODEL (default: model.npz) holds, with the checker alone.

    The checker shares nothing with the search that found the proof, and believes nothing in the
    file. docs/certificates.md says why what it accepts is true.

    --exact then repeats the check with python-flint, in arithmetic that is exact but for bounds
    that it carries along: 'pip install seqarith[exact]'. It takes about a minute where the first
    check takes a second, and both have to accept.

    Exit code 0: accepted; 3: rejected; 1: there is no certificate.
    """
    from seqarith.certification.certify import stored_certificate, verify, verify_exact
    from seqarith.certification.check import Accepted
    from seqarith.model import Model

    loaded = Model.load(model)
    certificate = stored_certificate(loaded)
    begin = time.perf_counter()
    found = verify(loaded)
    if exact and isinstance(found, Accepted):
        click.echo(f"checking {found.steps:,} sets again in ball arithmetic ...", err=True)
        found = verify_exact(loaded)
    seconds = time.perf_counter() - begin
    accepted = isinstance(found, Accepted)
    if as_json:
        print_json(
            {
                "model": str(model),
                "task": loaded.task.name,
                "verdict": "proved" if accepted else "rejected",
                "exact": exact and accepted,
                "regions": certificate.regions if accepted else None,
                "min_margin": found.margin if isinstance(found, Accepted) else None,
                "seconds": round(seconds, 3),
                "counterexample": None,
                "reason": None if isinstance(found, Accepted) else found.reason,
            }
        )
    elif isinstance(found, Accepted):
        click.echo(f"{loaded.task.name}: proved. {claim(loaded)}")
        click.echo(
            f"  {certificate.regions:,} regions, {found.steps:,} sets followed, smallest margin "
            f"{found.margin:.4g} ({seconds:.2f} s)"
        )
        if exact:
            click.echo("  checked again in ball arithmetic, none of NumPy's functions trusted")
        click.echo(
            f"  assumed of this platform: tanh errs by at most {certificate.tanh_ulps:g} epsilons "
            f"of {certificate.dtype}"
        )
    else:
        click.echo(f"{loaded.task.name}: rejected, the certificate proves nothing: {found.reason}")
    ctx.exit(0 if accepted else 3)
