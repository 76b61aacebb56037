"""``seqarith report``."""

from __future__ import annotations

from pathlib import Path

import click

from seqarith.cli.output import find_model_file, model_argument, notice

LARGE = 200_000


@click.command("report")
@model_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="Save the page to this file.",
)
@click.option(
    "--log", "logs", multiple=True, type=click.Path(path_type=Path),
    help="A log of the model's training, for the learning curves. Repeat it for several.",
)  # fmt: skip
def report_command(model: Path | None, output: Path, logs: tuple[Path, ...]) -> None:
    """Write an interactive HTML page about MODEL (default: model.npz).

    The page is one file that works offline. Type two integers, step through the digits, watch the
    hidden units and the carry, or change a weight and see results go wrong. It also shows pictures,
    accuracy, and whether the model is proved.

    \b
      seqarith report model.npz -o report.html
      seqarith report --log run.jsonl
    """
    from seqarith.model import Model
    from seqarith.report import write_report
    from seqarith.training.log import RunLog

    loaded = Model.load(find_model_file(model))
    place = write_report(loaded, output, [RunLog.read(log) for log in logs])
    size = place.stat().st_size
    notice(f"saved {place} ({size / 1000:,.0f} kB)")
    if size > LARGE:
        notice(f"It is large because the network has {loaded.network.size:,} parameters.")
