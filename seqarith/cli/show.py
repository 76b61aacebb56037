"""``seqarith show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqarith.cli.output import json_option, print_json

if TYPE_CHECKING:
    from seqarith.model import Model
    from seqarith.tasks.task import Task


@click.command("show")
@click.argument("model", type=click.Path(path_type=Path), default=Path("model.npz"))
@json_option
def show_command(model: Path, as_json: bool) -> None:
    """Say what MODEL (default: model.npz) holds and what is known of it."""
    from seqarith.model import Model

    loaded = Model.load(model)
    network, task = loaded.network, loaded.task
    arrays = {name: list(shape) for name, shape in network.exported_shapes().items()}
    if as_json:
        print_json({**loaded.header(), "parameters": network.size, "arrays": arrays})
        return
    header = loaded.header()
    click.echo(f"{model}: {task.formula}, base {task.base}, {task.order} significant digit first")
    click.echo(f"task        {_task(task)}")
    described = dict(header["network"])
    options = " ".join(
        f"{name}={value}"
        for name, value in described.items()
        if name not in ("cell", "hidden", "outputs", "dtype")
    )
    click.echo(
        f"network     {described['cell']} {options}: {network.inputs} inputs, "
        f"{network.hidden} hidden, {network.outputs} outputs, {network.size} parameters, "
        f"{network.dtype}"
    )
    for name, shape in arrays.items():
        click.echo(f"            {name} {tuple(shape)}")
    training = " ".join(
        f"{name}={value}"
        for name, value in loaded.training.items()
        if value not in (None, {}) and name != "task"
    )
    click.echo(f"training    {training or 'unknown'}")
    known = loaded.evaluation
    if known:
        click.echo(
            f"evaluation  {known.get('correct'):,} of {known.get('checked'):,} operand tuples of "
            f"{known.get('bits')} digits right ({known.get('mode')}), smallest margin "
            f"{known.get('min_margin'):.4g}"
        )
    else:
        click.echo("evaluation  none")
    click.echo(f"certificate {_certificate(loaded, model)}")


def _task(task: Task) -> str:
    """Return the task's name, its parameters, and what its machine remembers."""
    said = " ".join([task.name, *(f"{name}={value}" for name, value in task.parameters.items())])
    states = f"{task.machine.states} states" if task.machine else "no finite machine"
    own = ", your own: the file holds its machine" if task.own else ""
    return f"{said}: {states}, delay {task.delay}{own}"


def _certificate(model: Model, place: Path) -> str:
    """Say what the certificate claims; only 'verify' says whether it is true."""
    if model.certificate is None and model.task.machine is None:
        return f"none: no finite machine computes {model.task.formula} at every width"
    if model.certificate is None:
        return f"none; look for a proof: seqarith certify {place}"
    claims, arrays = model.certificate.claims, model.certificate.arrays
    regions, margin = len(arrays.get("states", ())), claims.get("margin")
    shown = f"{margin:.4g}" if isinstance(margin, int | float) else margin
    return (
        f"claims every width, {regions:,} regions, margin {shown}, "
        f"{claims.get('dtype')}; not checked here: seqarith verify {place}"
    )
