"""``seqarith train``."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from seqarith.cli.output import MODEL, StatusLine, command_line, json_option, notice
from seqarith.cli.task_options import (
    ask_option,
    own_task,
    param_option,
    parameters,
    task_from_option,
)
from seqarith.cli.training_summary import Outcome
from seqarith.errors import InvalidValueError, LogError, OutputError

if TYPE_CHECKING:
    from seqarith.training.checkpoint import Checkpoint
    from seqarith.training.config import TrainingConfig
    from seqarith.training.progress import Report

OPTIONS = {
    "bits": "bits",
    "base": "base",
    "operands": "operands",
    "cell": "cell",
    "hidden": "hidden",
    "layers": "layers",
    "digits": "digits",
    "loss": "loss",
    "optimizer": "optimizer",
    "lr": "rate",
    "schedule": "schedule",
    "clip": "clip",
    "batch_size": "batch_size",
    "max_steps": "max_steps",
    "until": "until",
    "noise": "noise",
    "synchrony": "synchrony",
    "restart_after": "restart_after",
    "restarts": "restarts",
    "seed": "seed",
    "dtype": "dtype",
}
"""Options of the command line, and the settings that they are."""

PRESET_OPTIONS = ("seed", "max_steps")


@click.command("train")
@click.argument("task", required=False)
@click.option("--bits", type=int, default=8, show_default=True, help="Digits of each operand.")
@click.option("--base", type=int, default=2, show_default=True, help="Base of the digits, 2 to 16.")
@click.option("--operands", type=int, help="Number of operands.  [default: the task's]")
@param_option
@task_from_option
@ask_option
@click.option("--cell", default="elman", show_default=True, help="The recurrence; see 'cells'.")
@click.option("--activation", default="tanh", show_default=True, help="tanh, sigmoid or relu.")
@click.option("--hidden", type=int, help="Hidden units.  [default: fits the task]")
@click.option("--layers", type=int, default=1, show_default=True, help="Layers of the cell.")
@click.option(
    "--digits",
    help="How a digit is read: bits, onehot, scalar (as it is) or scaled (to 1 at most).  "
    "[default: bits in base 2, else onehot]",
)
@click.option("--loss", help="The loss; see 'losses'.  [default: fits the task]")
@click.option("--optimizer", default="adam", show_default=True, help="See 'optimizers'.")
@click.option("--momentum", type=float, help="Of sgd.")
@click.option("--nesterov", is_flag=True, default=None, help="Nesterov's momentum, of sgd.")
@click.option("--lr", type=float, help="Learning rate.  [default: the optimizer's]")
@click.option("--schedule", default="constant", show_default=True, help="Of the learning rate.")
@click.option(
    "--clip",
    type=float,
    default=1.0,
    show_default=True,
    help="Greatest norm of the gradient; 0: no limit.",
)
@click.option("--batch-size", type=int, help="Words a step.  [default: fits the task]")
@click.option("--max-steps", type=int, default=10_000, show_default=True, help="Most steps.")
@click.option(
    "--until",
    help="Goal: 'proved' at every width, 'exact' on every operand tuple, or all 'steps'.  "
    "[default: proved where that can be, else exact]",
)
@click.option(
    "--budget",
    type=float,
    default=10.0,
    show_default=True,
    help="Seconds for a last search for a proof, or for a wrong input, once the steps are spent.",
)
@click.option(
    "--restarts",
    type=int,
    default=1,
    show_default=True,
    help="Networks trained side by side; the first that reaches the goal is kept.",
)
@click.option(
    "--restart-after",
    type=int,
    help="Begin anew after so many steps without success; 0: never.  [default: fits the network]",
)
@click.option(
    "--noise",
    type=float,
    help="Of the hidden vectors while training, a standard deviation.  [default: fits the network]",
)
@click.option(
    "--synchrony",
    type=float,
    help="Weight of the penalty on hidden vectors of one past that differ.  [default: likewise]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Fixes everything random.")
@click.option("--dtype", default="float32", show_default=True, help="float32 or float64.")
@click.option("--preset", help="'tutorial': the RNN tutorial of 2015, to the last digit.")
@click.option("--log", type=click.Path(path_type=Path), help="Write a line of JSON a report.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Keep the state of the run in this file.  [default: that of --resume]",
)
@click.option(
    "--checkpoint-every",
    type=int,
    default=100,
    show_default=True,
    help="Steps between checkpoints.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    help="Go on from a checkpoint; its settings hold, --max-steps and --until may change.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("model.npz"),
    show_default=True,
    help="The model file.",
)
@json_option
@click.pass_context
def train_command(ctx: click.Context, /, **options: Any) -> None:
    """Train a network on TASK and save it.

    TASK is add, sub, ...; 'seqarith tasks' lists all. With no more options the network learns
    8-bit sums until it is proved right for operands of every width; the proof is saved with it.

    Exit code 0: the goal was reached; 3: the steps were spent before; 130: interrupted.

    \b
      seqarith train add
      seqarith train add --hidden 3 --restarts 32
      seqarith train sub --bits 16 --hidden 32 --seed 3 -o sub.npz
      seqarith train add --base 10 --bits 3
      seqarith train scale --param factor=5
      seqarith train --task-from mymodule:double
      seqarith train add --preset tutorial
      seqarith train add --checkpoint run.ckpt --max-steps 100000
      seqarith train --resume run.ckpt
    """
    named = (options["task"], options["task_from"], options["resume"])
    if named == (None, None, None) and options["preset"] != "tutorial":
        from seqarith.registry import TASKS

        raise click.UsageError(f"Missing argument 'TASK': one of {', '.join(TASKS)}.", ctx=ctx)
    from seqarith.training.run_id import identity
    from seqarith.training.trainer import Hooks, Trainer

    checkpoint = _resumed(options["resume"])
    options["checkpoint"] = options["checkpoint"] or options["resume"]
    config = _config(ctx, options, checkpoint)
    if options["checkpoint_every"] < 1:
        raise InvalidValueError(
            f"checkpoint every {options['checkpoint_every']}: expected 1 or more"
        )
    if not 0 <= options["budget"] < float("inf"):
        raise InvalidValueError(f"--budget {options['budget']}: expected seconds, 0 or more")
    _check_places(options)
    run = identity(config.describe())
    if options["log"] is not None:
        _check_log(options["log"], options["resume"], run)
    trainer = Trainer(config, checkpoint)
    start = time.perf_counter()
    line = StatusLine()
    with _log(options["log"], trainer.step) as log, _interruptible() as stop:

        def report(found: Report) -> None:
            if log:
                seconds = round(time.perf_counter() - start, 3)
                _write_line(log, {**found.record(), "seconds": seconds, **run})
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


def _resumed(path: Path | None) -> Checkpoint | None:
    if path is None:
        return None
    from seqarith.training.checkpoint import Checkpoint

    return Checkpoint.load(path)


def _config(
    ctx: click.Context, options: dict[str, Any], checkpoint: Checkpoint | None
) -> TrainingConfig:
    """Return the settings: the preset's or the checkpoint's, and what was given beside them."""
    from seqarith.training.config import TrainingConfig

    given = {
        name for name in options if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if checkpoint is not None:
        return _resumed_config(options, given, checkpoint)
    if options["preset"] == "tutorial":
        free = {"activation", "momentum", "nesterov", "param", "task_from", "ask"}
        fixed = given & (set(OPTIONS) | free) - {*PRESET_OPTIONS}
        if fixed or options["task"] not in (None, "add"):
            wrong = f"--{min(fixed).replace('_', '-')}" if fixed else f"task {options['task']!r}"
            raise InvalidValueError(
                f"--preset tutorial fixes all but --seed and --max-steps; drop {wrong}"
            )
        from seqarith.training.tutorial import tutorial_config

        changed = {name: options[name] for name in PRESET_OPTIONS if name in given}
        return tutorial_config(**changed)
    if options["ask"] is not None and options["task_from"] is None:
        raise InvalidValueError(f"--ask {options['ask']}: only a function of --task-from is asked")
    settings = _settings(options, set(OPTIONS), given)
    if options["task_from"] is not None:
        return _own_config(options, settings)
    return TrainingConfig(task=options["task"], preset=options["preset"], **settings)


def _own_config(options: dict[str, Any], settings: dict[str, Any]) -> TrainingConfig:
    from seqarith.training.config import TrainingConfig

    place = options["task_from"]
    if options["task"] is not None:
        raise InvalidValueError(f"task {options['task']!r} and --task-from {place}: give one")
    base, operands, given = (settings.pop(name) for name in ("base", "operands", "parameters"))
    task = own_task(place, base, operands, given, options["ask"])
    return TrainingConfig.for_task(task, preset=options["preset"], **settings)


def _resumed_config(
    options: dict[str, Any], given: set[str], checkpoint: Checkpoint
) -> TrainingConfig:
    from dataclasses import replace

    if options["task_from"] is not None:
        raise InvalidValueError("--task-from and --resume: the checkpoint holds its task; drop one")
    settings = _settings(options, given & set(OPTIONS), given)
    if options["task"] is not None:
        settings["task"] = options["task"]
    for name in ("cell_options", "optimizer_options", "parameters"):
        settings[name] = {**getattr(checkpoint.config, name), **settings[name]}
    if options["preset"] is not None:
        settings["preset"] = options["preset"]
    return replace(checkpoint.config, **settings)


def _settings(options: dict[str, Any], chosen: set[str], given: set[str]) -> dict[str, Any]:
    settings = {OPTIONS[name]: options[name] for name in chosen}
    if settings.get("clip") == 0:
        settings["clip"] = None
    settings["parameters"] = parameters(options["param"])
    said = "activation" in given
    settings["cell_options"] = {"activation": options["activation"]} if said else {}
    settings["optimizer_options"] = {
        name: options[name] for name in ("momentum", "nesterov") if options[name] is not None
    }
    return settings


def _check_places(options: Mapping[str, Any]) -> None:
    """Refuse files that cannot be written, or in whose place something would be lost."""
    from seqarith.archive import check_no_archive
    from seqarith.atomic import check_writable

    output, log = options["output"], options["log"]
    checkpoint, resume = options["checkpoint"], options["resume"]
    places = [place for place in (output, log, checkpoint) if place is not None]
    for place in places:
        check_writable(place)
    if len({place.resolve() for place in places}) < len(places):
        raise InvalidValueError("--output, --log and --checkpoint: give each a file of its own")
    if log is not None:
        check_no_archive(log)
    if checkpoint is not None and checkpoint.exists() and checkpoint != resume:
        raise InvalidValueError(
            f"--checkpoint {checkpoint}: there is such a file; remove it, or go on from it: "
            f"{command_line('train', '--resume', checkpoint)}"
        )


def _check_log(log: Path, resume: Path | None, run: Mapping[str, str | int]) -> None:
    """Refuse to write over the log of another run, and over what is no log."""
    if not log.is_file() or log.stat().st_size == 0:
        return
    if resume is None:
        raise InvalidValueError(
            f"--log {log}: there is such a file, maybe the log of another run; remove it, give "
            "another name, or go on with its run from its checkpoint: --resume"
        )
    from seqarith.training.log import RunLog
    from seqarith.training.run_id import contradiction

    try:
        wrong = contradiction(RunLog.read(log).run, run)
    except LogError as error:
        # Going on would drop the lines that are no reports: they may be somebody's notes.
        raise InvalidValueError(f"--log {error}; give another name, or mend it") from None
    if wrong:
        raise InvalidValueError(f"--log {log}: it is the log of another run, of {wrong}")


@contextmanager
def _log(path: Path | None, step: int) -> Iterator[IO[str] | None]:
    """Open a log: anew, or, in a resumed run, without the lines after the step resumed from."""
    if path is None:
        yield None
        return
    kept = _lines_until(path, step) if step and path.exists() else []
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(kept)
            file.flush()
            yield file
    except OutputError:  # of another file: it says so itself
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def _lines_until(path: Path, step: int) -> list[str]:
    from seqarith.training.log import log_lines, report_of

    kept = []
    for line in log_lines(path):
        try:
            report = report_of(line)
        except InvalidValueError:
            continue
        reached = report["step"] if "step" in report else report["iteration"] + 1
        if reached <= step and line.endswith("\n"):
            kept.append(line)
    return kept


def _write_line(file: IO[str], record: dict[str, Any]) -> None:
    # A loss that is no number is no JSON either.
    numbers = {k: None if type(v) is float and not isfinite(v) else v for k, v in record.items()}
    file.write(json.dumps(numbers) + "\n")
    file.flush()


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
    except ValueError:  # not in the main thread, where signals do not arrive anyway
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _show(report: Report, line: StatusLine, config: TrainingConfig) -> None:
    if config.preset or not line.shown:
        notice(*report.text().splitlines())
    else:
        line(f"train {config.task}: {report.brief(config.max_steps)}")


def _say_interrupted(step: int, options: Mapping[str, Any]) -> None:
    """Say how to go on.

    A checkpoint names no other files: a foreign one could have any file written over.
    """
    how = "without --checkpoint it is lost"
    if checkpoint := options["checkpoint"]:
        output = None if options["output"] == MODEL else options["output"]
        kept = [("--resume", checkpoint), ("--log", options["log"]), ("-o", output)]
        words = [word for option, place in kept if place for word in (option, place)]
        how = f"resume with: {command_line('train', *words)}"
    notice(f"Interrupted after step {step:,}; {how}")
