"""The identity of a run: the settings that distinguish runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqarith.text import shortened

IDENTITY = ("task", "base", "operands", "bits", "cell", "hidden", "seed")
"""Settings that every line of a log repeats, to identify its run."""

Identity = Mapping[str, str | int]


def identity(settings: Mapping[str, Any]) -> dict[str, str | int]:
    """Return the identity of a run from its settings or from a line of its log.

    Example:
        >>> identity({"task": "scale", "parameters": {"factor": 5}, "seed": 0, "noise": 0.3})
        {'task': 'scale factor=5', 'seed': 0}
    """
    found = {key: settings[key] for key in IDENTITY if type(settings.get(key)) in (str, int)}
    options = settings.get("parameters")
    if "task" in found and isinstance(options, Mapping):
        found["task"] = " ".join([str(found["task"]), *(f"{k}={v}" for k, v in options.items())])
    return found


def contradiction(run: Identity, other: Identity) -> str:
    """Return in words the first difference of two identities, or an empty string.

    A setting that only one of them has, as in logs of versions before 0.6, is no difference.

    Example:
        >>> contradiction({"task": "add", "seed": 0}, {"task": "sub", "bits": 8})
        'task add, not sub'
    """
    for key in IDENTITY:
        if key in run and key in other and run[key] != other[key]:
            return f"{key} {shortened(str(run[key]), 80)}, not {shortened(str(other[key]), 80)}"
    return ""
