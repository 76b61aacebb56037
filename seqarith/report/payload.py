"""The data of the page's script: the network, the task's machine and encoding, the pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.diagram import arrows
from seqarith.certification.diagram_layout import lay_out
from seqarith.certification.extraction import Extracted, extract
from seqarith.errors import TaskError
from seqarith.evaluation.fixed_width import fixed_width
from seqarith.evaluation.result import Evaluation
from seqarith.machine import MealyMachine, state_names
from seqarith.model import Model
from seqarith.network import Network
from seqarith.projection import Projection, visits
from seqarith.report.logs import curves
from seqarith.report.regions import Known, encoded, regions
from seqarith.tasks.task import Task
from seqarith.text import percent
from seqarith.training.log import RunLog

ROOM = 110_000  # bytes of weights, step and proof; the rest of the page takes 75,000
MOST_ENTRIES = 20_000  # of a machine's table
LAYOUTS = 64  # widths whose layout is listed; beyond, the number of steps grows linearly
BITS, WORDS, POINTS = 12, 48, 360  # digits, words and points of the plot of hidden vectors
EXAMPLE = (37, 58, 12, 7, 21, 45, 3, 60)
MOST_LETTERS = 128  # of a task whose machine is observed, not taken from a proof
FUNCTIONS = ("mul", "square")
"""Tasks without a machine whose expected results the page computes, see task.js."""
STATES = 32  # maximum of a drawn machine


def payload(
    model: Model, known: Known, evaluations: Sequence[Evaluation], logs: Sequence[RunLog]
) -> dict[str, Any]:
    """Return the data of the page's script, ready for JSON; see `require_runnable`.

    Args:
        model: The model.
        known: The checker's verdict on the model.
        evaluations: Evaluations at several widths.
        logs: Logs of the model's training.
    """
    task, network = model.task, _network(model.network)
    plane, cloud = _plane(model)
    exported = model.network.export(model.parameters)
    arrays = {name: _array(array) for name, array in exported.items()}
    room = ROOM - len(json.dumps(network)) - sum(len(array["data"]) for array in arrays.values())
    proof = regions(known, plane, room) if plane else None
    return {
        "task": {**_task(task), "fixed": fixed_width(model)},
        "network": network,
        "arrays": arrays,
        "plane": cloud,
        "proof": proof,
        "no_proof": known.text + (" It is too large to be shown here." * bool(known.certificate)),
        **_machine(model, known, finite=plane is not None),
        "widths": [_width(evaluation) for evaluation in evaluations],
        "curves": [curve for log in logs for curve in curves(log)],
        "example": _example(task, fixed_width(model)),
    }


def require_runnable(model: Model) -> None:
    """Refuse a model that the page cannot run.

    Raises:
        TaskError: The task's machine is too large.
    """
    machine = model.task.machine
    if machine is not None and machine.next_state.size > MOST_ENTRIES:
        raise TaskError(
            f"a machine of {machine.states} states and {machine.letters} letters is too large for "
            f"the page: expected at most {MOST_ENTRIES:,} entries"
        )


def _network(network: Network) -> dict[str, Any]:
    """Return the step that the page runs, and its sizes; arrays are stored separately."""
    return {
        "operations": [list(operation) for operation in network.step.operations],
        "layers": network.layers,
        "inputs": network.inputs,
        "memory": network.memory,
        "hidden": network.hidden,
        "outputs": network.outputs,
        "threshold": float(np.dtype(network.dtype).type(network.threshold)),
        "dtype": network.dtype,
    }


def _array(array: NDArray[Any]) -> dict[str, Any]:
    return {"shape": list(array.shape), "data": encoded(array)}


def _task(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "notation": task.notation,
        "operands": task.operands,
        "base": task.base,
        "order": task.order,
        "delay": task.delay,
        "negative": task.negative,
        "function": task.name if task.machine is None and task.name in FUNCTIONS else None,
        "result": task.result,
        "symbols": list(task.symbols),
        "machine": None if task.machine is None else _tables(task.machine),
        "layout": {kind: _layouts(task, kind == "signed") for kind in ("natural", "signed")},
    }


def _example(task: Task, width: int | None) -> list[str]:
    """Return the operands that the page opens with, cut to the fixed width if there is one."""
    values = [EXAMPLE[i % len(EXAMPLE)] for i in range(task.operands)]
    return [str(value if width is None else value % task.base**width) for value in values]


def _tables(machine: MealyMachine) -> dict[str, Any]:
    label, short = state_names(machine.names)
    return {
        "next": machine.next_state.tolist(),
        "output": machine.output.tolist(),
        "initial": machine.initial,
        "names": list(machine.names),
        "label": label,
        "short": short,
    }


def _layouts(task: Task, signed: bool) -> list[list[Any]]:
    """Return steps and signedness for operands of 1, 2, ... digits."""
    rows = []
    for digits in range(1, LAYOUTS + 1):
        count = task.base**digits
        bounds = (-(count // 2), (count - 1) // 2) if signed else (0, count - 1)
        layout = task.layout([bounds] * task.operands)
        rows.append([layout.steps, layout.signed])
    return rows


def _plane(model: Model) -> tuple[Projection | None, dict[str, Any] | None]:
    """Return the plane of hidden vectors, and its data with some points; None on overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        seen = visits(model, BITS, WORDS)
        vectors = seen.hidden[1:].reshape(-1, seen.hidden.shape[2]).astype(np.float64)
        # The projection sums squares, so these must be finite too.
        if not np.isfinite(np.square(vectors).sum()):
            return None, None
    plane = Projection.fit(vectors)
    step = max(1, len(vectors) // POINTS)
    states = seen.states[1:].reshape(-1)[::step].tolist()
    points = [
        [round(x, 3), round(y, 3), state]
        for (x, y), state in zip(plane(vectors[::step]).tolist(), states, strict=True)
    ]
    return plane, {
        "mean": plane.mean.tolist(),
        "axes": plane.axes.tolist(),
        "explained": [round(share, 4) for share in plane.explained.tolist()],
        "span": [float(vectors.min()), float(vectors.max())],
        "points": points,
    }


def _machine(model: Model, known: Known, finite: bool) -> dict[str, Any]:
    """Return the drawing of the network's machine, or the reason why there is none."""
    found, why = None, ""
    if not finite:
        why = "the hidden vectors of random words overflow"
    elif known.certificate is None and model.task.letters > MOST_LETTERS:
        why = f"there are {model.task.letters:,} letters to try one by one"
    else:
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # longer words may overflow
                found = extract(model)
        except TaskError as error:
            why = str(error)
    if found and found.agreement < 1:
        # A machine that moves unlike the network must not be shown as the network's.
        share = percent(found.agreement, 0)
        why = f"only {share} of the hidden vectors of random words follow the observed machine"
    elif found and (found.machine.states > STATES or found.machine.next_state.size > MOST_ENTRIES):
        why = f"its {found.machine.states} states are too many to draw"
    if why or not found:
        return {"extracted": None, "no_machine": f"No machine is shown: {why}."}
    return {"extracted": _diagram(model.task, found), "no_machine": ""}


def _diagram(task: Task, found: Extracted) -> dict[str, Any]:
    machine = found.machine
    diagram = lay_out(machine.names, arrows(task, machine))
    how = "read off the proof" if found.claim else f"observed on {found.samples:,} hidden vectors"
    same = "equal to" if found.equal else "not equal to"
    other = "the one in this file" if task.own else f"that of {task.formula}"
    on = f" {found.claim}" if found.claim and not found.proved else ""
    return {
        "names": list(machine.names),
        "initial": machine.initial,
        "next": machine.next_state.tolist(),
        "size": _rounded(diagram.size),
        "radius": round(diagram.radius, 1),
        "places": [_rounded(place) for place in diagram.places],
        "lines": diagram.names,
        "arrows": [
            {
                "from": arrow.source,
                "to": arrow.target,
                "curve": [_rounded(point) for point in arrow.curve],
                "at": _rounded(arrow.label),
                "lines": arrow.lines,
            }
            for arrow in diagram.arrows
        ],
        "said": f"The machine that the network has learned, {how}; it is {same} "
        f"{other}. On the arrows: digits read / symbol emitted.{on}",
    }


def _rounded(point: tuple[float, float]) -> list[float]:
    return [round(coordinate, 1) for coordinate in point]


def _width(found: Evaluation) -> list[Any]:
    """Return digits, accuracy, whether sampled, accuracy on long runs, errors, words."""
    directed = found.directed_correct / found.directed if found.directed else None
    errors = found.checked - found.correct, found.directed - found.directed_correct
    run = found.checked, found.directed
    return [found.bits, found.accuracy, found.mode == "sampled", directed, sum(errors), sum(run)]
