"""The command line: a thin layer over the Python API, one module per command.

Results go to stdout, everything else to stderr. Exit codes: 0 success, 1 error, 2 usage error,
3 wrong result or refuted, 4 undecided, 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import Any

import click

from seqarith.cli.output import fail
from seqarith.errors import (
    DigitsError,
    InvalidValueError,
    SeqarithError,
    TaskError,
    UnknownNameError,
)
from seqarith.version import __version__

COMMANDS = {
    "train": ("train", "Train a network on TASK and save it."),
    "eval": ("evaluate", "Test MODEL (default: model.npz) on every operand tuple of a width."),
    "predict": ("predict", "Compute with OPERANDS by running a network."),
    "trace": (
        "trace",
        "Show how a network computes with OPERANDS, digit by digit, in long hand.",
    ),
    "certify": (
        "certify",
        "Prove MODEL (default: model.npz) correct at every width, or find a wrong result.",
    ),
    "verify": ("verify", "Check the certificate in MODEL (default: model.npz)."),
    "extract": (
        "extract",
        "Show the finite-state machine that MODEL (default: model.npz) has learned.",
    ),
    "plot": ("plot", "Draw a picture of a model or of training logs."),
    "report": ("report", "Write an interactive HTML page about MODEL (default: model.npz)."),
    "show": (
        "show",
        "Show what MODEL (default: model.npz) contains: task, network, training, certificate.",
    ),
    "tasks": ("registries", "List the tasks, or describe the task NAME."),
    "cells": ("registries", "List the cells."),
    "losses": ("registries", "List the losses."),
    "optimizers": ("registries", "List the optimizers."),
    "schedules": ("registries", "List the schedules."),
}
"""Module and summary of each command: the list of commands needs no import of any of them."""

USAGE_ERRORS = (DigitsError, InvalidValueError, TaskError, UnknownNameError)
MANY_OBJECTS = 50_000
"""Allocations between two garbage collections. Python's default of 700 takes a tenth of a command's
start-up time, and arrays and frozen dataclasses make few reference cycles."""
BLAS_THREADS = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class _Commands(click.Group):
    """The commands, imported on demand; errors become one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"seqarith.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Like click's own, but summaries are wrapped instead of cut.
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from seqarith.registry import unknown

            ctx.fail(unknown("command", args[0], list(COMMANDS)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SeqarithError as error:
            fail(f"Error: {error}")
            ctx.exit(2 if isinstance(error, USAGE_ERRORS) else 1)
        except BrokenPipeError:
            _drop_output()
            ctx.exit(141)
        except MemoryError:
            fail("Error: not enough memory; use fewer digits, hidden units or operands")
            ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="seqarith")
def cli() -> None:
    """Train a small recurrent network to do arithmetic digit by digit, and prove it correct.

    \b
      seqarith train add --bits 8     train a network, save it as model.npz
      seqarith eval model.npz         test it on every pair of operands
      seqarith predict 37 58          add two numbers with it
      seqarith certify model.npz      prove it correct at every width
    """


def main() -> None:
    """Run the command line."""
    # One BLAS thread: with more, products of matrices this small take several times as long.
    for variable in BLAS_THREADS:
        os.environ.setdefault(variable, "1")
    gc.set_threshold(MANY_OBJECTS)
    # Skip the final garbage collection, which takes 10 ms; the process ends anyway.
    atexit.register(gc.freeze)
    try:
        status = cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "seqarith"
        message = " ".join(_usage_message(error).split())
        stop = "" if message.endswith((".", "?", "!")) else "."
        fail(f"Error: {message}{stop} See '{command} --help'.")
        sys.exit(error.exit_code)
    except click.ClickException as error:
        fail(f"Error: {error.format_message()}")
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        fail("Interrupted.")
        sys.exit(130)
    except OSError as error:
        fail(f"Error: {error.strerror or error}")
        _drop_output()
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _usage_message(error: click.UsageError) -> str:
    if not isinstance(error, click.NoSuchOption) or not error.possibilities:
        return error.format_message()
    from seqarith.registry import nearest

    near = nearest(error.option_name, list(error.possibilities)) or error.possibilities[0]
    return f"No such option {error.option_name!r}. Did you mean {near!r}?"


def _drop_output() -> None:
    """Flush stdout; if that fails, redirect it, so that the flush at exit does not fail again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
