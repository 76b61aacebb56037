"""``seqarith train``."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import isfinite
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from seqarith.cli.output import MODEL, StatusLine, command_line, json_option, notice
from seqarith.cli.settings import GroupedOption, setting_options
from seqarith.cli.task_options import (
    TaskCommand,
    ask_option,
    own_task,
    param_option,
    parameters,
    task_from_option,
)
from seqarith.cli.training_summary import Outcome
from seqarith.errors import InvalidValueError, LogError, OutputError
from seqarith.training.settings import options as table_options

if TYPE_CHECKING:
    from seqarith.setting import Setting
    from seqarith.training.checkpoint import Checkpoint
    from seqarith.training.config import TrainingConfig
    from seqarith.training.progress import Report

PRESET_OPTIONS = ("seed", "max_steps")
RENAMED = {"--until": "--goal", "--restarts": "--candidates"}
"""Options that were called otherwise before 0.6; the old names work until 0.7."""

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
    "--budget",
    cls=GroupedOption,
    group="Proof",
    type=float,
    default=10.0,
    show_default=True,
    help="Seconds for a last search for a proof or an error if training ends without a proof.",
)
@_path_option("--log", help="Write one JSON line per progress report to this file.")
@_path_option(
    "--checkpoint",
    help="Save the state of the run in this file, to resume it.  [default: the file of --resume]",
)
@click.option(
    "--checkpoint-every",
    cls=GroupedOption,
    group="Files",
    type=int,
    default=100,
    show_default=True,
    help="Steps between checkpoints.",
)
@_path_option(
    "--resume",
    help="Continue a run from its checkpoint and settings. Only --max-steps and --goal can change.",
)
@_path_option(
    "-o",
    "--output",
    default=Path("model.npz"),
    show_default=True,
    help="Save the model to this file.",
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

    checkpoint = _resumed(options["resume"])
    options["checkpoint"] = options["checkpoint"] or options["resume"]
    config = _config(ctx, options, checkpoint)
    if options["checkpoint_every"] < 1:
        raise InvalidValueError(
            f"--checkpoint-every {options['checkpoint_every']}: expected 1 or more"
        )
    if not 0 <= options["budget"] < float("inf"):
        raise InvalidValueError(f"--budget {options['budget']}: expected 0 seconds or more")
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
        name: value
        for name, value in options.items()
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    if given.get("clip") == 0:
        given["clip"] = None
    settings = _settings(ctx, given)
    if checkpoint is not None:
        return _resumed_config(options, settings, checkpoint)
    if options["preset"] == "tutorial":
        return _preset_config(given, settings)
    if options["ask"] is not None and options["task_from"] is None:
        raise InvalidValueError(
            f"--ask {options['ask']}: needs a function, --task-from MODULE:NAME"
        )
    if options["task_from"] is not None:
        return _own_config(options, settings)
    return TrainingConfig(task=options["task"], **settings)


def _own_config(options: dict[str, Any], settings: dict[str, Any]) -> TrainingConfig:
    from seqarith.training.config import TrainingConfig

    place = options["task_from"]
    if options["task"] is not None:
        raise InvalidValueError(f"give task {options['task']!r} or --task-from {place}, not both")
    base, operands = settings.pop("base", 2), settings.pop("operands", None)
    task = own_task(place, base, operands, settings.pop("parameters"), options["ask"])
    return TrainingConfig.for_task(task, **settings)


def _resumed_config(
    options: dict[str, Any], settings: dict[str, Any], checkpoint: Checkpoint
) -> TrainingConfig:
    from dataclasses import replace

    if options["task_from"] is not None:
        raise InvalidValueError(
            "--task-from with --resume: the checkpoint contains the task; remove --task-from"
        )
    if options["task"] is not None:
        settings["task"] = options["task"]
    merged: dict[str, Any] = {
        name: {**getattr(checkpoint.config, name), **value} if isinstance(value, dict) else value
        for name, value in settings.items()
    }
    return replace(checkpoint.config, **merged)


def _preset_config(given: dict[str, Any], settings: dict[str, Any]) -> TrainingConfig:
    """Return the settings of the tutorial; what is given beside them must not contradict them."""
    from seqarith.training.tutorial import BITS, tutorial_config

    config = tutorial_config(**{name: given[name] for name in PRESET_OPTIONS if name in given})

    def repeats(setting: Setting, mapping: str) -> bool:
        value, fixed = given[setting.name], getattr(config, mapping or setting.name)
        if mapping:
            fixed = fixed.get(setting.name, setting.default)
        # Its operands have 7 bits, its words have 8: either may be called the width.
        return value == fixed or (setting.name == "bits" and value == BITS + 1)

    wrong = [
        "/".join(setting.flags)
        for setting, mapping in table_options()
        if setting.name in given and not repeats(setting, mapping)
    ]
    wrong += [f"--{name.replace('_', '-')}" for name in ("task_from", "ask") if name in given]
    wrong += ["--param"] * bool(settings["parameters"])
    if given.get("task", "add") != "add":
        wrong.append(f"task {given['task']!r}")
    if wrong:
        raise InvalidValueError(
            f"--preset tutorial allows only --seed and --max-steps; remove {wrong[0]}"
        )
    return config


def _settings(ctx: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that options stand for."""
    settings: dict[str, Any] = {"parameters": parameters(given.get("param", ()))}
    for option in TaskCommand.own_options(ctx):
        if option.name in given:
            settings["parameters"][option.name] = given[option.name]
    for setting, mapping in table_options():
        if setting.name in given and mapping:
            settings.setdefault(mapping, {})[setting.name] = given[setting.name]
        elif setting.name in given:
            settings[setting.name] = given[setting.name]
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
        raise InvalidValueError("--output, --log and --checkpoint: expected different files")
    if log is not None:
        check_no_archive(log)
    if checkpoint is not None and checkpoint.exists() and checkpoint != resume:
        raise InvalidValueError(
            f"--checkpoint {checkpoint}: this file exists; remove it, or continue its run: "
            f"{command_line('train', '--resume', checkpoint)}"
        )


def _check_log(log: Path, resume: Path | None, run: Mapping[str, str | int]) -> None:
    """Refuse to write over the log of another run, and over what is no log."""
    if not log.is_file() or log.stat().st_size == 0:
        return
    if resume is None:
        raise InvalidValueError(
            f"--log {log}: this file exists, perhaps as the log of another run; remove it, choose "
            "another name, or continue its run with --resume CHECKPOINT"
        )
    from seqarith.training.log import RunLog
    from seqarith.training.run_id import contradiction

    try:
        wrong = contradiction(RunLog.read(log).run, run)
    except LogError as error:
        # Going on would drop the lines that are no reports: they may be somebody's notes.
        raise InvalidValueError(
            f"--log {error}; choose another name, or correct that line"
        ) from None
    if wrong:
        raise InvalidValueError(f"--log {log}: this is the log of another run, of {wrong}")


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
    if config.preset or report.stays or not line.shown:
        line.close()
        notice(*report.text().splitlines())
    else:
        line(f"train {config.task}: {report.brief(config.max_steps)}")


def _say_interrupted(step: int, options: Mapping[str, Any]) -> None:
    """Say how to go on.

    A checkpoint names no other files: a foreign one could have any file written over.
    """
    how = "no --checkpoint, so it is lost"
    if checkpoint := options["checkpoint"]:
        output = None if options["output"] == MODEL else options["output"]
        kept = [("--resume", checkpoint), ("--log", options["log"]), ("-o", output)]
        words = [word for option, place in kept if place for word in (option, place)]
        how = f"resume with: {command_line('train', *words)}"
    notice(f"Interrupted after step {step:,}; {how}")
