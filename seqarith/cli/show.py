"""``seqarith show``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqarith.cli.arguments import find_model_file, json_option, model_argument
from seqarith.cli.output import command_line, print_json, say
from seqarith.errors import TaskError
from seqarith.text import counted, shortened

if TYPE_CHECKING:
    from seqarith.model import Model
    from seqarith.tasks.task import Task

WIDE = 100
"""Maximum characters of a value from the file."""


@click.command("show")
@model_argument
@json_option
def show_command(model: Path | None, as_json: bool) -> None:
    """Show what MODEL (default: model.npz) contains: task, network, training, certificate."""
    from seqarith.model import Model

    place = find_model_file(model)
    loaded = Model.load(place)
    network, task = loaded.network, loaded.task
    arrays = {name: list(shape) for name, shape in network.exported_shapes().items()}
    if as_json:
        step = [list(operation) for operation in network.step.operations]
        own = {"parameters": network.size, "arrays": arrays, "step": step}
        print_json({**loaded.header(), **own})
        return
    header = loaded.header()
    say(f"{place}: {task.formula}, base {task.base}, {task.order} significant digit first")
    say(f"task        {_task(task)}")
    described = dict(header["network"])
    options = "".join(
        f" {name}={shortened(str(value), WIDE)}"
        for name, value in described.items()
        if name not in ("cell", "hidden", "outputs", "dtype", "inputs", "step")
    )
    say(
        f"network     {described['cell']}{options}: {counted(network.inputs, 'input')}, "
        f"{network.hidden} hidden, {counted(network.outputs, 'output')}, "
        f"{counted(network.size, 'parameter')}, {network.dtype}"
    )
    for name, shape in arrays.items():
        say(f"            {name} {tuple(shape)}")
    say(f"training    {_listed(loaded.training) or 'unknown'}")
    say(f"evaluation  {_evaluation(loaded.evaluation) or 'none'}")
    if loaded.training or loaded.evaluation:
        say("            training and evaluation are as noted in the file, not checked here")
    say(f"certificate {_certificate(loaded, place)}")


def _task(task: Task) -> str:
    """Describe the task: name, parameters, size of its machine."""
    shown = " ".join([task.name, *(f"{name}={value}" for name, value in task.parameters.items())])
    states = f"{task.machine.states} states" if task.machine else "no finite machine"
    own = ", a custom task: the file contains its machine" if task.own else ""
    return f"{shown}: {states}, delay {task.delay}{own}"


def _listed(notes: Mapping[str, Any]) -> str:
    """Return notes as ``name=value``, long values shortened."""
    shown = {name: value for name, value in notes.items() if value not in (None, {}, [])}
    shown.pop("task", None)
    return " ".join(
        f"{shortened(name, WIDE)}={shortened(str(value), WIDE)}" for name, value in shown.items()
    )


def _evaluation(notes: Mapping[str, Any]) -> str:
    """Describe the evaluation in the file, in a sentence if it is complete."""
    if not {"correct", "checked", "bits", "mode", "min_margin"} <= notes.keys():
        return _listed(notes)
    margin = notes["min_margin"]
    return (
        f"{notes['correct']:,} of {notes['checked']:,} operand tuples of {notes['bits']} digits "
        f"correct ({notes['mode']}), smallest margin "
        f"{'unknown' if margin is None else format(margin, '.4g')}"
    )


def _is_of(model: Model, digest: object) -> bool:
    """Return whether a certificate is about the program in this file."""
    from seqarith.certification.adapter import from_model

    try:
        return from_model(model).digest() == digest
    except TaskError:  # nothing can be proved for this task or cell
        return False


def _certificate(model: Model, place: Path) -> str:
    """Describe the certificate's claim, which only 'verify' checks."""
    if model.certificate is None and model.task.machine is None:
        return f"none: no finite machine computes {model.task.formula} at every width"
    if model.certificate is None:
        return f"none; search for a proof: {command_line('certify', place)}"
    claims, arrays = model.certificate.claims, model.certificate.arrays
    regions, margin = len(arrays.get("states", ())), claims.get("margin")
    shown = f"{margin:.4g}" if isinstance(margin, int | float) else margin
    if not _is_of(model, claims.get("digest")):
        return (
            f"about another program than this file's ({regions:,} regions), so it proves nothing "
            f"here; search for a proof: {command_line('certify', place)}"
        )
    return (
        f"claims every width, {regions:,} regions, margin {shown}, "
        f"{claims.get('dtype')}; not checked here: {command_line('verify', place)}"
    )
