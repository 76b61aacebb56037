"""``seqarith trace``."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqarith.cli.arguments import (
    find_model,
    function_option,
    json_option,
    model_option,
    operands_argument,
    task_option,
)
from seqarith.cli.output import print_json, say_styled

if TYPE_CHECKING:
    from seqarith.tracing import Trace


@click.command("trace", context_settings={"ignore_unknown_options": True})
@operands_argument(required=True)
@model_option
@task_option
@click.option(
    "--units", type=click.IntRange(min=0), default=16, show_default=True,
    help="Number of hidden units to show.",
)  # fmt: skip
@function_option
@json_option
@click.pass_context
def trace_command(
    ctx: click.Context,
    operands: tuple[str, ...],
    model: Path | None,
    task: str,
    units: int,
    task_from: str | None,
    as_json: bool,
) -> None:
    """Show how a network computes with OPERANDS, digit by digit, in long hand.

    Above the line are the digits of the operands and the state, such as the carry. Below it are the
    expected digits, the network's digits with logits and margins, and the hidden units as shades of
    grey. Wrong digits are marked.

    Exit code 0: the result is correct; 3: it is wrong.

    \b
      seqarith trace 37 58
      seqarith trace 3778 381 --model model.npz
      seqarith trace --task sub 3 5 --json
    """
    from seqarith.cli.operands import parse_operands
    from seqarith.tracing import trace

    loaded = find_model(model, task, task_from)
    found = trace(loaded, *parse_operands(operands, loaded.task))
    if as_json:
        print_json(_json(found))
    else:
        _show(found, units)
    ctx.exit(0 if found.correct else 3)


def _show(found: Trace, units: int) -> None:
    """Print a trace as text, with the terminal's width, colour and block characters."""
    from seqarith.cli.long_hand import Style, drawn

    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    columns = shutil.get_terminal_size().columns
    style = Style(columns, units, colour, _can_print_blocks())
    say_styled(drawn(found, style), colour=colour)


def _can_print_blocks() -> bool:
    try:
        "█▓▒░│─·".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _json(found: Trace) -> dict[str, Any]:
    """Return a trace, ready for JSON; integers as text, since they may have any size."""
    from seqarith.digits import format_integer

    task = found.task
    return {
        "task": task.name,
        "base": task.base,
        "order": task.order,
        "delay": task.delay,
        "operands": [format_integer(value) for value in found.operands],
        "predicted": task.result_text(found.predicted),
        "expected": task.result_text(found.expected),
        "correct": found.correct,
        "min_margin": found.min_margin,
        "steps": [_step_json(found, t) for t in range(found.steps)],
    }


def _step_json(found: Trace, t: int) -> dict[str, Any]:
    machine, states = found.task.machine, found.states
    return {
        "step": t,
        "digits": found.digits[:, t].tolist(),
        "state": None if machine is None or states is None else machine.names[states[t]],
        "hidden": found.hidden[t + 1].tolist(),
        "logits": found.logits[t].tolist(),
        "predicted": int(found.emitted[t]),
        "expected": int(found.expected_symbols[t]),
        "margin": float(found.margins[t]),
        "counts": t >= found.first,
        "wrong": bool(found.wrong[t]),
    }
