"""What the page's own program needs: the network, the task's machine and encoding, the pictures."""

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

ROOM = 110_000  # bytes of weights, step and proof; the page without them takes 75,000
MOST_ENTRIES = 20_000  # of the machine's table
LAYOUTS = 64  # widths whose layout is listed; beyond them words grow evenly
BITS, WORDS, POINTS = 12, 48, 360  # of the cloud of hidden vectors
EXAMPLE = (37, 58, 12, 7, 21, 45, 3, 60)
MOST_LETTERS = 128  # of a network whose machine is observed, not read off a proof
FUNCTIONS = ("mul", "square")
"""Tasks without a machine whose right results the page computes by itself, see task.js."""
STATES = 32  # of a machine that is drawn, at most


def payload(
    model: Model, known: Known, evaluations: Sequence[Evaluation], logs: Sequence[RunLog]
) -> dict[str, Any]:
    """Return what the page's program reads, ready for JSON; see `require_runnable`.

    Args:
        model: The model.
        known: What the checker says of it.
        evaluations: Of several widths.
        logs: Of its training.
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
        "no_proof": known.said + (" It is too large to be shown here." * bool(known.certificate)),
        **_machine(model, known, finite=plane is not None),
        "widths": [_width(evaluation) for evaluation in evaluations],
        "curves": [curve for log in logs for curve in curves(log)],
        "example": _example(task, fixed_width(model)),
    }


def require_runnable(model: Model) -> None:
    """Refuse a model that the page cannot run.

    Raises:
        TaskError: Its machine is too large to hold.
    """
    machine = model.task.machine
    if machine is not None and machine.next_state.size > MOST_ENTRIES:
        raise TaskError(
            f"a machine of {machine.states} states and {machine.letters} letters is too large for "
            f"the page: expected at most {MOST_ENTRIES:,} entries"
        )


def _network(network: Network) -> dict[str, Any]:
    """Return the step that the page runs, and the sizes that it needs; arrays stand elsewhere."""
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
    """Return the operands that the page opens with: of a fixed width, where there is one."""
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
    """Return the plane of hidden vectors, and it with some of them; None where one overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        seen = visits(model, BITS, WORDS)
        vectors = seen.hidden[1:].reshape(-1, seen.hidden.shape[2]).astype(np.float64)
        # Squares are added up.
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
    if not finite:
        said = "No machine is shown: the hidden vectors of random words overflow."
        return {"extracted": None, "no_machine": said}
    if known.certificate is None and model.task.letters > MOST_LETTERS:
        said = f"No machine is shown: there are {model.task.letters:,} letters to try one by one."
        return {"extracted": None, "no_machine": said}
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # of longer words than were looked at
            found = extract(model)
    except TaskError as error:
        return {"extracted": None, "no_machine": f"No machine is shown: {error}."}
    if found.agreement < 1:
        # What does not move as the network does is not the network's machine.
        share = percent(found.agreement, 0)
        said = f"No machine is shown: only {share} of the hidden vectors of random words follow "
        return {"extracted": None, "no_machine": f"{said}the machine that was observed."}
    if found.machine.states > STATES or found.machine.next_state.size > MOST_ENTRIES:
        said = f"The network's machine has {found.machine.states} states, too many to draw."
        return {"extracted": None, "no_machine": said}
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
        "said": f"The machine that the network has become, {how}; it is {same} "
        f"{other}. On the arrows: digits read / symbol emitted.{on}",
    }


def _rounded(point: tuple[float, float]) -> list[float]:
    return [round(coordinate, 1) for coordinate in point]


def _width(found: Evaluation) -> list[Any]:
    """Return digits, share right, whether a sample, share of words with long runs, and errors."""
    directed = found.directed_correct / found.directed if found.directed else None
    errors = found.checked - found.correct, found.directed - found.directed_correct
    run = found.checked, found.directed
    return [found.bits, found.accuracy, found.mode == "sampled", directed, sum(errors), sum(run)]
