"""``seqarith extract``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqarith.cli.arguments import find_model, model_argument
from seqarith.cli.output import print_json, say
from seqarith.text import counted, percent

if TYPE_CHECKING:
    from seqarith.certification.extraction import Extracted
    from seqarith.tasks.task import Task


@click.command("extract")
@model_argument
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "dot"]), default="text",
    show_default=True, help="Output format; dot is for Graphviz.",
)  # fmt: skip
def extract_command(model: Path | None, form: str) -> None:
    """Show the finite-state machine that MODEL (default: model.npz) has learned.

    The machine is minimised and compared with the task's machine. If the model has a certificate,
    the machine is proved; otherwise it is observed on samples, and the output says so.

    \b
      seqarith extract
      seqarith extract model.npz --format dot | dot -Tsvg > machine.svg
    """
    from seqarith.certification.extraction import extract

    loaded = find_model(model)
    found = extract(loaded)
    if form == "json":
        print_json(_json(loaded.task, found))
    elif form == "dot":
        say(*_dot(loaded.task, found))
    else:
        say(*_text(loaded.task, found))


def _json(task: Task, found: Extracted) -> dict[str, Any]:
    from seqarith.certification.diagram import letter_label

    machine = found.machine
    return {
        "task": task.name,
        "proved": found.proved,
        "claim": found.claim or None,
        "equal": found.equal,
        "difference": None if found.difference is None else list(found.difference),
        "agreement": found.agreement,
        "samples": found.samples,
        "letters": [letter_label(task, letter) for letter in range(machine.letters)],
        "states": list(machine.names),
        "initial": machine.initial,
        "next_state": machine.next_state.tolist(),
        "output": machine.output.tolist(),
    }


def _text(task: Task, found: Extracted) -> list[str]:
    from seqarith.certification.diagram import letter_label, letters_label, symbol_label

    machine = found.machine
    how = "proved" if found.claim else f"observed on {found.samples:,} hidden vectors, not proved"
    lines = [f"{task.name}: a machine of {counted(machine.states, 'state')}, {how}"]
    if found.claim:
        lines.append(f"  {found.claim}")
    else:
        lines.append(f"  {percent(found.agreement, 2)} of those vectors move as it does")
    if found.difference is None:
        lines.append(f"  equal to the machine of {task.formula}")
    else:
        word = " ".join(letter_label(task, letter) for letter in found.difference)
        lines.append(f"  differs from the machine of {task.formula}, first on the word {word}")
    for state, name in enumerate(machine.names):
        lines.append(f"{name}{' (start)' if state == machine.initial else ''}")
        for (symbol, target), letters in found.machine.edges().get(state, {}).items():
            shown = letters_label(task, letters)
            lines.append(
                f"  {shown} -> emits {symbol_label(task, symbol)}, {machine.names[target]}"
            )
    return lines


def _dot(task: Task, found: Extracted) -> list[str]:
    from seqarith.certification.diagram import letters_label, symbol_label

    machine = found.machine
    title = found.claim or "observed"
    lines = [
        "digraph machine {",
        f'  label="{task.formula} ({title})"; rankdir=LR; node [shape=circle];',
        "  start [shape=point];",
        f"  start -> q{machine.initial};",
    ]
    lines += [f'  q{state} [label="{name}"];' for state, name in enumerate(machine.names)]
    for state, leaving in found.machine.edges().items():
        for (symbol, target), letters in leaving.items():
            label = f"{letters_label(task, letters)} / {symbol_label(task, symbol)}"
            lines.append(f'  q{state} -> q{target} [label="{label}"];')
    return [*lines, "}"]
