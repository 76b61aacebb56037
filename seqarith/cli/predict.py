"""``seqarith predict``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from seqarith.cli.arguments import (
    find_model,
    function_option,
    json_option,
    model_option,
    operands_argument,
    path_option,
    task_option,
)
from seqarith.cli.output import notice, prediction_json, print_ascii, print_json, say
from seqarith.errors import InvalidValueError, ModelFileError

if TYPE_CHECKING:
    from seqarith.model import Model


@click.command("predict", context_settings={"ignore_unknown_options": True})
@operands_argument(required=False)
@model_option
@task_option
@path_option(
    "--input",
    "source",
    help="Read operands from a file, one tuple per line, separated by commas or spaces.",
)
@function_option
@json_option
@click.pass_context
def predict_command(
    ctx: click.Context,
    operands: tuple[str, ...],
    model: Path | None,
    task: str,
    source: Path | None,
    task_from: str | None,
    as_json: bool,
) -> None:
    """Compute with OPERANDS by running a network.

    Operands are integers of any size, written as 58, -58, 0x3a or 0b111010. A single '-' reads them
    from stdin, one tuple per line.

    Exit code 0: every result is correct; 3: a result is wrong. The expected result follows each
    wrong one.

    \b
      seqarith predict 37 58
      seqarith predict "37 + 58"
      seqarith predict --task sub 3 5
      seqarith predict --input pairs.csv --json
    """
    streamed = source is not None or operands == ("-",)
    if source is not None and operands:
        raise InvalidValueError("give operands or --input, not both")
    if not operands and not streamed:
        raise click.UsageError("Missing operands: seqarith predict 37 58", ctx=ctx)
    loaded = find_model(model, task, task_from)
    if streamed:
        with _opened(source) as file:
            wrong = _answer_lines(loaded, file, str(source or "stdin"), as_json)
    else:
        from seqarith.cli.operands import parse_operands

        prediction = loaded.predict(*parse_operands(operands, loaded.task))
        wrong = int(not prediction.correct)
        if as_json:
            print_json(prediction_json(prediction))
        else:
            say(str(prediction))
    ctx.exit(3 if wrong else 0)


@contextmanager
def _opened(source: Path | None) -> Iterator[BufferedReader]:
    if source is None:
        if sys.stdin is None:
            raise InvalidValueError("stdin is closed; give operands or --input FILE")
        yield cast(BufferedReader, sys.stdin.buffer)
        return
    try:
        with source.open("rb") as file:
            yield file
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise ModelFileError(f"{source}: cannot be read ({error.strerror})") from None


def _answer_lines(model: Model, file: BufferedReader, name: str, as_json: bool) -> int:
    """Answer every line, block by block; return the number of wrong results."""
    from seqarith.cli.batch_output import json_lines, text_lines
    from seqarith.cli.operands import operand_blocks
    from seqarith.prediction import predict

    wrong = total = 0
    separator = "["
    try:
        for operands in operand_blocks(file, model.task, name):
            found = predict(model.program, model.task, operands)
            total += len(found)
            wrong += len(found.wrong())
            if as_json:
                print_ascii(separator + ",\n ".join(json_lines(found)))
                separator = ",\n "
            else:
                say(*text_lines(found))
    finally:
        if as_json:  # the list is closed even if a line is invalid
            print_ascii("]\n" if total else "[]\n")
    if wrong:
        notice(f"{wrong:,} of {total:,} results are wrong.")
    return wrong
