"""Whether a file is read as it says: compared with zipfile, NumPy and json alone."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

import seqarith as sa
from seqarith.errors import SeqarithError
from seqarith.tasks.description import build_task


def disagreement(kind: str, place: Path) -> str:
    """Return how a file is read as something else than it says; empty where it is not, or refused.

    Args:
        kind: Of file: ``"log"``, ``"checkpoint"``, ``"evaluation"``, or one of models.
        place: The file.
    """
    read = {"log": _log, "checkpoint": _checkpoint, "evaluation": _evaluation}.get(kind, _model)
    try:
        return read(place)
    except SeqarithError:
        return ""


def _model(place: Path) -> str:
    model = sa.Model.load(place)
    header, arrays = _apart(place)
    found = model.header()
    # Notes on another network than the file's are dropped: nothing is said of it then.
    dropped = [name for name in ("training", "evaluation") if not found[name]]
    dropped = dropped if header.get("digest") != found["digest"] else []
    for name in sorted(header.keys() - set(dropped)):
        said, mine = header[name], found.get(name)
        both = (_task(said), _task(mine)) if name == "task" else (said, mine)
        if name not in ("version", "digest") and _text(both[0]) != _text(both[1]):
            return f"{name}: {_text(said)} was read as {_text(mine)}"
    exported = model.network.export(model.parameters)
    if model.certificate is not None:
        exported |= {f"certificate.{k}": v for k, v in model.certificate.arrays.items()}
    if set(exported) != set(arrays):
        return f"arrays {sorted(arrays)} were read as {sorted(exported)}"
    hidden = "rnn.bias_ih_l0", "rnn.bias_hh_l0"  # two that act as their sum
    for each in (exported, arrays):
        if all(name in each for name in hidden):
            each[hidden[0]] = each[hidden[0]] + each.pop(hidden[1])
    wrong = [name for name in exported if not np.array_equal(exported[name], arrays[name])]
    return f"array {wrong[0]} was read otherwise" if wrong else ""


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _task(described: dict[str, Any]) -> dict[str, Any]:
    """Return a task with its machine in its least form, which is what is kept of one."""
    machine = build_task(described).machine
    described = json.loads(json.dumps(described))
    for name in ("names", "next_state", "output"):
        described.get("own", {}).pop(name, None)
    described["machine"] = None if machine is None else machine.digest()
    return described


def _checkpoint(place: Path) -> str:
    found = sa.Checkpoint.load(place)
    header, arrays = _apart(place)
    mine = {"config": found.config.describe(), "step": found.step, "lessons": found.words}
    for name, value in mine.items():
        if _text(header[name]) != _text(value):
            return f"{name}: {header[name]!r} was read as {value!r}"
    if not np.array_equal(arrays["parameters"], found.parameters):
        return "the parameters were read otherwise"
    return ""


def _evaluation(place: Path) -> str:
    model = sa.Model.load("model")
    header, _ = _apart(place)
    found = sa.evaluate(model, 4, checkpoint=place)
    return "" if found.checked == 16 else f"{found.checked} of 16 words; the file: {header!r}"


def _log(place: Path) -> str:
    log = sa.RunLog.read(place)
    lines = place.read_text(encoding="utf-8").split("\n")
    reports = []
    for line in filter(None, lines):
        try:
            reports.append(json.loads(line))
        except (ValueError, RecursionError):  # the last one may be cut off
            break
    for number, (step, report) in enumerate(zip(log.steps.tolist(), reports, strict=False)):
        if step != report.get("step", report.get("iteration")):
            return f"step {report!r} was read as {step}"
        for name, values in log.values.items():
            said = report.get(name)
            said = said if type(said) in (int, float) and math.isfinite(said) else math.nan
            if not np.array_equal(values[number], float(said), equal_nan=True):
                return f"{name} {said!r} was read as {values[number]}"
    return "" if len(reports) - len(log.steps) in (0, 1) else "a report was passed over"


def _apart(place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and arrays as NumPy and json read them."""
    with np.load(place) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(bytes(arrays.pop("header"))), arrays
