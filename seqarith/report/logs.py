"""Training logs on the page: the check that they belong to the model, and their curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqarith.errors import LogError
from seqarith.model import Model
from seqarith.text import percent, shortened
from seqarith.training.log import RunLog
from seqarith.training.run_id import contradiction, identity

CURVES = {"loss": "loss", "error": "loss", "accuracy": "words correct (%)", "min_margin": "margin"}
CURVE_POINTS = 300


def require_log_of(model: Model, log: RunLog) -> None:
    """Refuse a log that contradicts the training notes of a model.

    Raises:
        LogError: The log has another task, width, cell or seed, or more steps.
    """
    name = shortened(log.name)
    wrong = contradiction(log.run, identity(model.training))
    if wrong:
        raise LogError(f"log {name!r} belongs to another run than the model: {wrong}")
    steps = model.training.get("steps")
    if type(steps) is int and log.steps[-1] > steps:
        raise LogError(
            f"log {name!r} belongs to another run than the model: it reaches step "
            f"{log.steps[-1]:,}, but the model was trained for {steps:,} steps"
        )


def curves(log: RunLog) -> list[dict[str, Any]]:
    """Return the learning curves of a log, ready for JSON."""
    found = []
    for key, label in CURVES.items():
        if key not in log.values:
            continue
        step = -(-len(log.steps) // CURVE_POINTS)
        rows = zip(log.steps[::step].tolist(), log.values[key][::step].tolist(), strict=True)
        points = [[steps, _shown(key, value)] for steps, value in rows if np.isfinite(value)]
        if points:
            positive = label == "loss" and all(value > 0 for _, value in points)
            found.append(
                {
                    "label": label,
                    "name": log.name if log.run else f"{log.name}, which does not name its run",
                    "log": positive,
                    "share": key == "accuracy",
                    "points": points,
                }
            )
    return found


def _shown(key: str, value: float) -> float:
    """Round a value for the page; a share becomes a percentage, rounded down."""
    if key != "accuracy":
        return float(f"{value:.5g}")
    return float(percent(value, 3).removesuffix("%"))
