"""``seqarith report``."""

from __future__ import annotations

from pathlib import Path

import click

from seqarith.cli.arguments import find_model, model_argument, path_option
from seqarith.cli.output import notice

LARGE = 200_000


@click.command("report")
@model_argument
@path_option(
    "-o", "--output", default=Path("report.html"), show_default=True,
    help="Save the page to this file.",
)  # fmt: skip
@path_option(
    "--log", "logs", multiple=True,
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
    from seqarith.report import write_report
    from seqarith.training.log import RunLog

    loaded = find_model(model)
    place = write_report(loaded, output, [RunLog.read(log) for log in logs])
    size = place.stat().st_size
    notice(f"saved {place} ({size / 1000:,.0f} kB)")
    if size > LARGE:
        notice(f"It is large because the network has {loaded.network.size:,} parameters.")
