"""``seqarith train``."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqarith.cli.arguments import MODEL, json_option
from seqarith.cli.output import StatusLine, command_line, notice
from seqarith.cli.settings import GroupedOption, setting_options
from seqarith.cli.task_options import TaskCommand, ask_option, param_option, task_from_option
from seqarith.cli.training_config import training_config
from seqarith.cli.training_files import check_log, check_places, open_log, write_line
from seqarith.cli.training_summary import Outcome
from seqarith.errors import InvalidValueError
from seqarith.training.settings import options as table_options

if TYPE_CHECKING:
    from seqarith.training.config import TrainingConfig
    from seqarith.training.progress import Report

RENAMED = {"--until": "--goal", "--restarts": "--candidates"}
"""Options renamed in 0.6; the old names work until 0.7."""

_path_option = partial(
    click.option, cls=GroupedOption, group="Files", type=click.Path(path_type=Path)
)


@setting_options(setting for setting, _ in table_options())
@click.command("train", cls=TaskCommand, renamed=RENAMED)
@click.argument("task", required=False)
@param_option
@task_from_option
@ask_option
@click.option(
    "--budget", cls=GroupedOption, group="Proof", type=float, default=10.0, show_default=True,
    help="Seconds for a last search for a proof or an error if training ends without a proof.",
)  # fmt: skip
@_path_option("--log", help="Write one JSON line per progress report to this file.")
@_path_option(
    "--checkpoint",
    help="Save the state of the run in this file, to resume it.  [default: the file of --resume]",
)
@click.option(
    "--checkpoint-every", cls=GroupedOption, group="Files", type=int, default=100,
    show_default=True, help="Steps between checkpoints.",
)  # fmt: skip
@_path_option(
    "--resume",
    help="Continue a run from its checkpoint and settings. Only --max-steps and --goal can change.",
)
@_path_option(
    "-o", "--output", default=MODEL, show_default=True, help="Save the model to this file."
)
@json_option
@click.pass_context
def train_command(ctx: click.Context, /, **options: Any) -> None:
    """Train a network on TASK and save it.

    TASK is a name such as add or sub; 'seqarith tasks' lists them all. With a TASK, --help also
    lists the parameters of that task. By default the operands have 8 digits in base 2, and training
    stops when the network is proved correct at every width. The model file contains the proof.

    Exit code 0: the goal was reached; 3: training ended without reaching it; 130: interrupted.

    \b
      seqarith train add
      seqarith train add --hidden 3 --candidates 32
      seqarith train sub --bits 16 --hidden 32 --seed 3 -o sub.npz
      seqarith train add --base 10 --bits 3
      seqarith train scale --factor 5
      seqarith train --task-from mymodule:double
      seqarith train add --preset tutorial
      seqarith train add --checkpoint run.ckpt --max-steps 100000
      seqarith train --resume run.ckpt
    """
    named = (options["task"], options["task_from"], options["resume"])
    if named == (None, None, None) and options["preset"] != "tutorial":
        from seqarith.registry import TASKS

        raise click.UsageError(f"Missing argument 'TASK': one of {', '.join(TASKS)}.", ctx=ctx)
    from seqarith.training.progress import Hooks
    from seqarith.training.run_id import identity
    from seqarith.training.trainer import Trainer

    checkpoint = None
    if options["resume"] is not None:  # a run without it starts faster if this is not imported
        from seqarith.training.checkpoint import Checkpoint

        checkpoint = Checkpoint.load(options["resume"])
    options["checkpoint"] = options["checkpoint"] or options["resume"]
    config = training_config(ctx, options, checkpoint)
    if options["checkpoint_every"] < 1:
        raise InvalidValueError(
            f"--checkpoint-every {options['checkpoint_every']}: expected 1 or more"
        )
    if not 0 <= options["budget"] < float("inf"):
        raise InvalidValueError(f"--budget {options['budget']}: expected 0 seconds or more")
    check_places(options)
    run = identity(config.describe())
    if options["log"] is not None:
        check_log(options["log"], options["resume"], run)
    trainer = Trainer(config, checkpoint)
    start = time.perf_counter()
    line = StatusLine()
    with open_log(options["log"], trainer.step) as log, _interruptible() as stop:

        def report(found: Report) -> None:
            if log:
                seconds = round(time.perf_counter() - start, 3)
                write_line(log, {**found.record(), "seconds": seconds, **run})
            _show(found, line, config)

        hooks = Hooks(report=report, stop=stop, checkpoint_every=options["checkpoint_every"])
        if place := options["checkpoint"]:
            hooks.checkpoint = lambda reached: reached.save(place)
        try:
            result = trainer.run(hooks)
        except KeyboardInterrupt:
            line.close()
            _say_interrupted(trainer.step, options)
            ctx.exit(130)
        finally:
            line.close()
    outcome = Outcome(result, options["output"], options["budget"])
    outcome.save()
    outcome.say(time.perf_counter() - start, options["as_json"])
    ctx.exit(0 if outcome.reached else 3)


@contextmanager
def _interruptible() -> Iterator[Any]:
    """Turn the first Ctrl-C into a request to stop after the current step; the second one kills."""
    asked = False

    def ask(number: int, frame: Any) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # only the main thread receives signals
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _show(report: Report, line: StatusLine, config: TrainingConfig) -> None:
    if config.preset or report.stays or not line.shown:
        line.close()
        notice(*report.text().splitlines())
    else:
        line(f"train {config.task}: {report.brief(config.max_steps)}")


def _say_interrupted(step: int, options: Mapping[str, Any]) -> None:
    """Print how to resume the run.

    Checkpoints contain no file names: a foreign checkpoint could otherwise overwrite any file.
    """
    how = "no --checkpoint, so it is lost"
    if checkpoint := options["checkpoint"]:
        output = None if options["output"] == MODEL else options["output"]
        kept = [("--resume", checkpoint), ("--log", options["log"]), ("-o", output)]
        words = [word for option, place in kept if place for word in (option, place)]
        how = f"resume with: {command_line('train', *words)}"
    notice(f"Interrupted after step {step:,}; {how}")
