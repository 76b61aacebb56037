"""The text of the page: the verdict in its badge, and the list of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqarith.certification.claim import machine_phrase
from seqarith.evaluation.evaluate import evaluate
from seqarith.evaluation.fixed_width import fixed_width
from seqarith.evaluation.result import Evaluation
from seqarith.model import Model
from seqarith.network_description import describe_network
from seqarith.report.regions import Known
from seqarith.text import counted, shortened

WIDTHS, SAMPLES, EXHAUSTIVE = (1, 2, 4, 8, 16, 32, 64, 128), 400, 2**16
NOTED = "as noted in the file, not checked here: "


def evaluate_width(model: Model, bits: int, samples: int = SAMPLES, seed: int = 0) -> Evaluation:
    """Test all operand tuples of a width if there are at most 2**16, else a random sample."""
    every = model.task.letters**bits <= EXHAUSTIVE
    return evaluate(model, bits, samples=None if every else samples, seed=seed)


def evaluate_widths(model: Model) -> list[Evaluation]:
    """Test a model at several widths, or at its fixed width."""
    width = fixed_width(model)
    return [evaluate_width(model, bits) for bits in (WIDTHS if width is None else (width,))]


def verdict(model: Model, known: Known, evaluations: Sequence[Evaluation]) -> tuple[str, str]:
    """Return the badge of the page: its CSS class and its text."""
    compared = [found.comparison for found in evaluations if found.comparison is not None]
    differing = next((each for each in compared if not each.agree), None)
    if differing is not None:
        text = str(differing)
        return "bad", text[0].upper() + text[1:]
    if known.kind == "proved":
        return "good", known.badge
    wrong = next((found for found in evaluations if not found.exact), None)
    if wrong is not None:
        return "bad", _wrong(model, wrong)
    if known.kind == "rejected":
        return "bad", known.badge
    return "open", _right(model, evaluations)


def _wrong(model: Model, found: Evaluation) -> str:
    errors = found.checked - found.correct + found.directed - found.directed_correct
    run = found.checked + found.directed
    how = "Differs from the machine in this file" if model.task.own else "Wrong"
    return f"{how} on {errors:,} of {run:,} operands of {counted(found.bits, 'digit')}"


def _right(model: Model, evaluations: Sequence[Evaluation]) -> str:
    how = "Equal to the machine in this file" if model.task.own else "Correct"
    width = fixed_width(model)
    if width is None:
        widest = max((found.bits for found in evaluations if found.mode == "exhaustive"), default=0)
        return f"{how} on all operands of {counted(widest, 'digit')}; not proved at every width"
    (found,) = evaluations
    if found.mode == "exhaustive":
        digits = counted(width, "digit")
        return f"{how} on all {found.checked:,} operands of {digits}, a fixed width"
    run = found.checked + found.directed
    return f"{how} on {run:,} operands tried, of {counted(width, 'digit')}, a fixed width"


def facts(model: Model, known: Known) -> list[tuple[str, str]]:
    """Return the facts that the page lists, as pairs of name and text."""
    task, network = model.task, model.network
    reading = f"base {task.base}, {task.order} significant digit first"
    if task.delay:
        reading += f", results delayed by {counted(task.delay, 'step')}"
    if task.own:
        reading += f"; correct results are those of {machine_phrase(task)}"
    return [
        ("Task", f"{task.name}: {task.formula}, {reading}"),
        ("Network", f"{_network(model)}; {network.size:,} parameters"),
        ("Training", _listed(model.training)),
        ("Evaluation", _evaluation(model.evaluation)),
        ("Proof", known.text),
        ("Arithmetic here", _arithmetic(network.dtype)),
    ]


def _arithmetic(dtype: str) -> str:
    if dtype == "float64":
        return "this page computes in double precision, as the model does"
    return (
        "this page computes in double precision with the model's weights; the model itself "
        "computes in single precision, so the last digits shown may differ"
    )


def _network(model: Model) -> str:
    """List the options of a network; of a recorded step only its number of operations."""
    options = dict(describe_network(model.network))
    step = options.pop("step", None)
    shown = " ".join(f"{key}={shortened(str(value))}" for key, value in options.items())
    if step is None:
        return shown
    return f"{shown}; its step, as the file records it, has {len(step['operations'])} operations"


def _listed(values: Mapping[str, Any]) -> str:
    flat = dict(values)
    for options in [value for value in values.values() if isinstance(value, dict)]:
        flat |= options
    shown = [
        shortened(f"{name}={value}")
        for name, value in flat.items()
        if value is not None and not isinstance(value, dict) and name != "task"
    ]
    return NOTED + " ".join(shown) if shown else "unknown"


def _evaluation(values: Mapping[str, Any]) -> str:
    found = _counts(values)
    if found is None:
        return "none in the file"
    correct, checked, bits = found
    margin = values.get("min_margin")
    shown = f"{margin:.4g}" if isinstance(margin, float) else "unknown"
    return (
        f"{NOTED}{correct:,} of {checked:,} operand tuples of {counted(bits, 'digit')} correct "
        f"({shortened(str(values.get('mode')))}), smallest margin {shown}"
    )


def _counts(values: Mapping[str, Any]) -> tuple[int, int, int] | None:
    """Return the counts in a file's notes, if they are integers."""
    correct, checked, bits = (values.get(key) for key in ("correct", "checked", "bits"))
    if type(correct) is int and type(checked) is int and type(bits) is int:
        return correct, checked, bits
    return None
