"""``seqarith plot``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seqarith.cli.arguments import find_model, path_option, training_bits
from seqarith.cli.output import notice
from seqarith.errors import InvalidValueError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from seqarith.model import Model

WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
UNITS, MAX_INCHES = 100, 12.0
"""Units of a machine's diagram per inch, so that labels fit; and its maximum size in inches."""


@click.command("plot")
@click.argument(
    "kind",
    type=click.Choice(
        ["learning", "errors", "margins", "widths", "chains", "trajectories", "weights", "machine"]
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@path_option(
    "-o", "--output", help="The picture file: .png, .svg or .pdf.  [default: the kind, .png]"
)
@click.option(
    "--digits", "--bits", "bits", type=int,
    help="Number of digits of each operand; for 'widths', the largest number.",
)  # fmt: skip
@click.option(
    "--samples", type=click.IntRange(min=1), default=2000, show_default=True,
    help="Number of random operand tuples, if not all are tested.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, help="Seed of the random operands."
)
def plot_command(
    kind: str,
    files: tuple[Path, ...],
    output: Path | None,
    bits: int | None,
    samples: int,
    seed: int,
) -> None:
    """Draw a picture of a model or of training logs.

    \b
    learning      loss, accuracy and margin during training, from log files
    errors        number of wrong digits for every pair of operands
    margins       smallest margin for every pair of operands
    widths        accuracy by number of digits
    chains        accuracy by length of the longest carry chain; for tasks without
                  carry, of the longest run of steps outside the initial state
    trajectories  hidden vectors in two principal components, and proof regions
    weights       every weight array
    machine       the finite-state machine that the network has learned

    FILES are logs ('train --log') for 'learning', else one model (default: model.npz). Pictures
    need matplotlib: pip install 'seqarith[plot]'.

    \b
      seqarith plot trajectories model.npz -o memory.svg
      seqarith plot learning run-*.jsonl -o learning.pdf
    """
    from seqarith.plots.figure import check_picture, save_figure, style

    place = output or Path(f"{kind}.png")
    check_picture(place)
    with style():
        if kind == "learning":
            figure = _learning(files)
        elif len(files) > 1:
            raise InvalidValueError(f"{kind} draws one model; {len(files)} files were given")
        else:
            figure = _drawn(kind, find_model(files[0] if files else None), bits, samples, seed)
    save_figure(figure, place)
    notice(f"saved {place}")


def _learning(files: tuple[Path, ...]) -> Figure:
    from seqarith.plots.figure import new_figure
    from seqarith.plots.learning import QUANTITIES, learning_curve, recorded
    from seqarith.training.log import RunLog

    if not files:
        raise click.UsageError("Missing logs: seqarith plot learning run.jsonl")
    runs = [RunLog.read(file) for file in files]
    shown = [quantity for quantity in QUANTITIES if recorded(runs, quantity)]
    if not shown:
        raise InvalidValueError(f"{files[0]}: the log contains no {', no '.join(QUANTITIES)}")
    figure, grid = new_figure(len(shown), size=(6.4, 1.2 + 2.2 * len(shown)))
    for axes, quantity in zip(grid, shown, strict=True):
        learning_curve(axes, runs, quantity)
    return figure


def _drawn(kind: str, model: Model, bits: int | None, samples: int, seed: int) -> Figure:
    """Return the picture of a model."""
    from seqarith import plots
    from seqarith.certification.extraction import extract
    from seqarith.evaluation.fixed_width import fixed_width
    from seqarith.report.facts import evaluate_width

    if kind == "weights":
        return _weights(model)
    sizes = {"errors": (6.0, 5.0), "margins": (6.0, 5.0), "trajectories": (6.4, 5.0)}
    figure, (axes,) = plots.new_figure(size=sizes.get(kind, (6.4, 4.2)))
    match kind:
        case "errors":
            plots.error_map(axes, model, bits)
        case "margins":
            plots.margin_map(axes, model, bits)
        case "widths":
            most = bits if bits is not None else fixed_width(model) or WIDTHS[-1]
            model.task.check_bits(most)
            widths = [width for width in WIDTHS if width < most] + [most]
            found = [evaluate_width(model, width, samples, seed) for width in widths]
            plots.accuracy_by_width(axes, found)
        case "chains":
            width = training_bits(model) if bits is None else bits
            model.task.check_bits(width)
            plots.accuracy_by_chain(axes, evaluate_width(model, width, samples, seed))
        case "trajectories":
            plots.trajectories(axes, model, 16 if bits is None else bits, seed)
        case _:
            plots.machine_diagram(axes, extract(model), model.task)
            wide, high = axes.get_xlim()[1] / UNITS, axes.get_ylim()[0] / UNITS
            figure.set_size_inches(min(MAX_INCHES, max(5.0, wide)), min(MAX_INCHES, high) + 0.8)
    return figure


def _weights(model: Model) -> Figure:
    from seqarith import plots

    shapes = model.network.exported_shapes()
    # The readout is drawn on its side, so that a row of every array is a hidden unit.
    columns = [
        1 if len(shape) == 1 else shape[name != "readout.weight"] for name, shape in shapes.items()
    ]
    square = min(0.22, 9 / max(max(shape) for shape in shapes.values()))
    wide = [square * count + 0.8 for count in columns]
    high = square * max(shape[0] for shape in shapes.values()) + 1.2
    figure, grid = plots.new_figure(1, len(shapes), (sum(wide), max(2.0, high)), wide)
    for axes, name in zip(grid, shapes, strict=True):
        plots.weights(axes, model, name)
    return figure
