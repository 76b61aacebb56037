"""Assembles the page: one file that loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from seqarith.archive import check_no_archive
from seqarith.atomic import check_writable, write_bytes
from seqarith.model import Model
from seqarith.network import Network
from seqarith.network_description import is_builtin
from seqarith.report.facts import evaluate_widths, facts, verdict
from seqarith.report.logs import require_log_of
from seqarith.report.payload import payload, require_runnable
from seqarith.report.regions import known
from seqarith.text import printable, shortened
from seqarith.training.log import RunLog
from seqarith.version import __version__

SCRIPTS = (
    "network.js", "task.js", "charts.js", "run.js", "paper.js", "show.js", "standing.js",
    "weights.js", "pairs.js", "page.js",
)  # fmt: skip
OF_THE_NUMBERS = ("Training", "Evaluation", "Proof")
"""Facts about the weights; they no longer hold once a weight is changed on the page."""


def write_report(model: Model, path: str | os.PathLike[str], logs: Sequence[RunLog] = ()) -> Path:
    """Write an HTML page about a model: facts, pictures, and the network at work.

    The page works offline: its content-security policy allows its own script and style, by their
    hashes, and nothing else. The same model gives the same bytes.

    Args:
        model: A network of any cell.
        path: The file to write, ``.html``.
        logs: Logs of the model's training, for the learning curves.

    Raises:
        TaskError: The task's machine is too large for the page.
        LogError: A log belongs to another run.
        OutputError: The file cannot be written; an existing file is left unchanged.
    """
    check_writable(path)
    check_no_archive(path)
    write_bytes(path, page(model, logs).encode())
    return Path(path)


def page(model: Model, logs: Sequence[RunLog] = ()) -> str:
    """Return the page as text; see `write_report`."""
    require_runnable(model)
    for log in logs:
        require_log_of(model, log)
    checked, evaluations = known(model), evaluate_widths(model)
    style, script = _asset("page.css"), "\n".join(_program(name) for name in SCRIPTS)
    badge, text = verdict(model, checked, evaluations)
    rows = "".join(_fact(name, text) for name, text in facts(model, checked))
    return _filled(
        _asset("page.html"),
        {
            "policy": _policy(style, script),
            "style": style,
            "script": script,
            "title": _safe(f"{model.task.formula}, by a network of {_units(model.network)}"),
            "badge": badge,
            "verdict": _safe(text),
            "lead": _safe(_lead(model)),
            "facts": rows,
            "footer": _safe(f"Made by seqarith {__version__}. This page loads nothing."),
            "data": _data(payload(model, checked, evaluations, logs)),
        },
    )


def _safe(text: str) -> str:
    """Escape a text for HTML: mark-up and invisible characters."""
    return escape(printable(text))


def _fact(name: str, text: str) -> str:
    kind = ' class="known"' if name in OF_THE_NUMBERS else ""
    return f"<dt>{_safe(name)}</dt><dd{kind}>{_safe(text)}</dd>"


def _lead(model: Model) -> str:
    task, network = model.task, model.network
    return (
        f"A recurrent network ({_cell(network)}, {network.size:,} parameters) reads one digit of "
        f"every operand at each step, base {task.base}, {task.order} significant digit first, and "
        "outputs the result digit by digit. What it must remember from step to step, it keeps in "
        "its hidden units."
    )


def _cell(network: Network) -> str:
    """Describe a network: its cell, and its layers if there are several."""
    cell = network.cell
    name = type(cell).__name__ if is_builtin(cell) else f"cell {shortened(cell.name, 60)}"
    layers = f", {network.layers} layers of {network.hidden} units" if network.layers > 1 else ""
    return name + layers


def _units(network: Network) -> str:
    layers = f"{network.layers} layers of " if network.layers > 1 else ""
    return f"{layers}{network.hidden} hidden units"


def _data(content: Mapping[str, object]) -> str:
    text = json.dumps(_printable(content), separators=(",", ":"), allow_nan=False)
    # Inside a script element, only "<" can end the element or begin a comment.
    return text.replace("<", "\\u003c")


def _printable(value: Any) -> Any:
    """Make every text in nested plain values printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(key): _printable(each) for key, each in value.items()}
    return [_printable(each) for each in value] if isinstance(value, list | tuple) else value


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _asset(name: str) -> str:
    return files("seqarith.report").joinpath("assets", name).read_text(encoding="utf-8")


def _program(name: str) -> str:
    """Return a script without comment lines, which would take 4 kB of every page."""
    return re.sub(r"^ *//.*\n", "", _asset(name), flags=re.MULTILINE)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Fill in all placeholders in one pass, so that inserted text is never expanded."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], template)
