"""The settings of a training run, from the options of ``seqarith train``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from seqarith.cli.task_options import TaskCommand, own_task, parameters
from seqarith.errors import InvalidValueError
from seqarith.training.settings import options as table_options

if TYPE_CHECKING:
    from seqarith.setting import Setting
    from seqarith.training.checkpoint import Checkpoint
    from seqarith.training.config import TrainingConfig

PRESET_OPTIONS = ("seed", "max_steps")
"""Options that ``--preset tutorial`` allows."""


def training_config(
    ctx: click.Context, options: dict[str, Any], checkpoint: Checkpoint | None
) -> TrainingConfig:
    """Return the settings of a run: the preset's or the checkpoint's, and the given options."""
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
    """Return the tutorial's settings; refuse options that contradict them."""
    from seqarith.training.tutorial import BITS, tutorial_config

    config = tutorial_config(**{name: given[name] for name in PRESET_OPTIONS if name in given})

    def repeats(setting: Setting, mapping: str) -> bool:
        value, fixed = given[setting.name], getattr(config, mapping or setting.name)
        if mapping:
            fixed = fixed.get(setting.name, setting.default)
        # Operands have 7 bits and sums 8; both numbers are accepted as the width.
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
    """Return settings by name, from options."""
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
