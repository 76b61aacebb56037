"""``seqarith plot``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqarith.cli.output import find_model_file, notice, training_bits
from seqarith.errors import InvalidValueError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from seqarith.evaluation.result import Evaluation
    from seqarith.model import Model

SAMPLES = 2000
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
UNITS, LARGEST = 100, 12.0
"""Units of a machine's diagram an inch, so that labels fit their places; and its most inches."""
EXHAUSTIVE = 2**16
"""Operand tuples of a width up to which the picture of widths runs all of them."""


@click.command("plot")
@click.argument(
    "kind",
    type=click.Choice(
        ["learning", "errors", "margins", "widths", "chains", "trajectories", "weights", "machine"]
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The picture file: .png, .svg or .pdf.  [default: the kind, .png]",
)
@click.option(
    "--digits",
    "--bits",
    "bits",
    type=int,
    help="Number of digits of each operand; for 'widths', the largest number.",
)
@click.option(
    "--samples", type=click.IntRange(min=1), default=SAMPLES, show_default=True,
    help="Number of random operand tuples, where not all are tested.",
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
        figure = (
            _learning(files) if kind == "learning" else _of_model(kind, files)(bits, samples, seed)
        )
    save_figure(figure, place)
    notice(f"saved {place}")


def _of_model(kind: str, files: tuple[Path, ...]) -> Callable[[int | None, int, int], Figure]:
    from seqarith.model import Model

    if len(files) > 1:
        raise InvalidValueError(f"{kind} draws one model; {len(files)} files were given")
    return partial(PICTURES[kind], Model.load(find_model_file(files[0] if files else None)))


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


def _map(name: str) -> Callable[..., Figure]:
    def draw(model: Model, bits: int | None, samples: int, seed: int) -> Figure:
        from seqarith import plots

        figure, (axes,) = plots.new_figure(size=(6.0, 5.0))
        getattr(plots, name)(axes, model, bits)
        return figure

    return draw


def _widths(model: Model, bits: int | None, samples: int, seed: int) -> Figure:
    from seqarith.evaluation.fixed_width import fixed_width
    from seqarith.plots import accuracy_by_width, new_figure

    most = bits if bits is not None else fixed_width(model) or WIDTHS[-1]
    model.task.check_bits(most)
    widths = [width for width in WIDTHS if width < most] + [most]
    figure, (axes,) = new_figure()
    accuracy_by_width(axes, [_evaluated(model, width, samples, seed) for width in widths])
    return figure


def _chains(model: Model, bits: int | None, samples: int, seed: int) -> Figure:
    from seqarith.plots import accuracy_by_chain, new_figure

    width = training_bits(model) if bits is None else bits
    model.task.check_bits(width)
    figure, (axes,) = new_figure()
    accuracy_by_chain(axes, _evaluated(model, width, samples, seed))
    return figure


def _evaluated(model: Model, bits: int, samples: int, seed: int) -> Evaluation:
    from seqarith.evaluation.evaluate import evaluate

    every = model.task.letters**bits <= EXHAUSTIVE
    return evaluate(model, bits, samples=None if every else samples, seed=seed)


def _trajectories(model: Model, bits: int | None, samples: int, seed: int) -> Figure:
    from seqarith.plots import new_figure, trajectories

    figure, (axes,) = new_figure(size=(6.4, 5.0))
    trajectories(axes, model, 16 if bits is None else bits, seed)
    return figure


def _weights(model: Model, bits: int | None, samples: int, seed: int) -> Figure:
    from seqarith.plots import new_figure, weights

    shapes = model.network.exported_shapes()
    columns = [_columns(name, shape) for name, shape in shapes.items()]
    square = min(0.22, 9 / max(max(shape) for shape in shapes.values()))
    wide = [square * count + 0.8 for count in columns]
    high = square * max(shape[0] for shape in shapes.values()) + 1.2
    figure, grid = new_figure(1, len(shapes), (sum(wide), max(2.0, high)), wide)
    for axes, name in zip(grid, shapes, strict=True):
        weights(axes, model, name)
    return figure


def _columns(name: str, shape: tuple[int, ...]) -> int:
    """Return how wide an array is drawn; the readout's lies on its side."""
    return 1 if len(shape) == 1 else shape[0] if name == "readout.weight" else shape[1]


def _machine(model: Model, bits: int | None, samples: int, seed: int) -> Figure:
    from seqarith.certification.extraction import extract
    from seqarith.plots import machine_diagram, new_figure

    found = extract(model)
    figure, (axes,) = new_figure()
    machine_diagram(axes, found, model.task)
    wide, high = axes.get_xlim()[1] / UNITS, axes.get_ylim()[0] / UNITS
    figure.set_size_inches(min(LARGEST, max(5.0, wide)), min(LARGEST, high) + 0.8)
    return figure


PICTURES: dict[str, Callable[[Any, int | None, int, int], Figure]] = {
    "errors": _map("error_map"),
    "margins": _map("margin_map"),
    "widths": _widths,
    "chains": _chains,
    "trajectories": _trajectories,
    "weights": _weights,
    "machine": _machine,
}
