"""Operands from a stream of lines: as they come, in blocks, in constant memory."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from io import IncrementalNewlineDecoder
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from seqarith.cli.output import notice
from seqarith.digits import parse_integer
from seqarith.errors import DigitsError, TaskError

if TYPE_CHECKING:
    from seqarith.prediction import Columns
    from seqarith.tasks.task import Task

BLOCK = 2**20
"""Most bytes that are read at once."""

ROWS = 2**15
"""Most lines that are answered together."""

PLAIN_DIGITS = 18
"""Decimal digits that any int64 holds, with room to double it."""

_PLAIN = b"0123456789- \t\n"


_QUOTED = re.compile(r'"\s*([^"\s,;]*)\s*"')
_NUMBER = re.compile(r"[+-]?\d")
_WHOLE = re.compile(r"([+-]?\d+)\.0*")
_BINARY = re.compile(r"(?<![\w.+-])0[01]+(?![\w.])")
LOOKED_AT = 4096
"""Letters of an input that are searched for what looks like binary numbers."""


class Source(Protocol):
    """A binary stream that gives what it has."""

    def read1(self, size: int, /) -> bytes:
        """Return some bytes, waiting only where there are none; nothing at the end."""


def parse_operands(texts: Sequence[str], task: Task) -> list[int]:
    """Return the operands of a command: integers, or the task as it is written, ``37 + 58``.

    Raises:
        DigitsError: They are neither.
    """
    joined = " ".join(texts)
    _warn_of_binary(joined)
    try:
        return [parse_integer(text) for text in texts]
    except DigitsError:
        between = (r"\s*".join(map(re.escape, part.split())) for part in task.notation.split("{}"))
        written = r"\s*\(?\s*([^\s()]+?)\s*\)?\s*".join(between)
        match = re.fullmatch(rf"\s*{written}\s*=?\s*", joined)
        if match is None:
            raise
        return [parse_integer(text) for text in match.groups()]


def _warn_of_binary(text: str) -> None:
    if found := _BINARY.search(text):
        notice(f"{found[0]} is read as a decimal number; a binary one is written 0b{found[0]}.")


def operand_blocks(source: Source, task: Task, name: str) -> Iterator[Columns]:
    """Yield the operands of all lines, a block at a time, for each operand its values.

    Empty lines are passed over, and a first line in which no field begins like a number. Lines
    before a wrong one are yielded before the error is raised.

    Args:
        source: Lines of integers, apart by commas, semicolons or blanks; also in quotes, and with
            a decimal point that only zeros follow.
        task: What takes them.
        name: Of the source, for messages.

    Raises:
        DigitsError: A line has another number of operands, or one that is no integer.
        TaskError: The task takes no negative operands.
    """
    number = 1
    for text in whole_lines(source):
        lines = _QUOTED.sub(r" \1 ", text) if '"' in text else text
        lines = lines.replace(",", " ").replace(";", " ")
        heading, newline, rest = lines.partition("\n")
        if number == 1:
            _warn_of_binary(lines[:LOOKED_AT])
            if not any(map(_NUMBER.match, heading.split())):
                number, lines = 1 + len(newline), rest
        table = plain_table(lines, task.operands)
        if table is None or (table.min(initial=0) < 0 and not task.negative):
            yield from _any_integers(lines, task, name, number)
        else:
            for start in range(0, table.shape[1], ROWS):
                yield table[:, start : start + ROWS]
        number += lines.count("\n")


def whole_lines(source: Source) -> Iterator[str]:
    """Yield a text as it comes, in pieces that end where a line does; every line ends in ``\\n``.

    What is there is yielded at once: whoever types a line need not wait for another one.
    """
    # What is no UTF-8 is no integer either, and is told so with its line.
    text = getincrementaldecoder("utf-8-sig")("surrogateescape")
    decoder = IncrementalNewlineDecoder(text, translate=True)
    begun: list[str] = []  # the pieces of a line that has not ended yet
    while read := source.read1(BLOCK):
        ended, newline, rest = decoder.decode(read).rpartition("\n")
        if newline:
            yield "".join([*begun, ended, newline])
            begun.clear()
        begun.append(rest)
    last = "".join([*begun, decoder.decode(b"", final=True)])
    if last:
        yield last if last.endswith("\n") else last + "\n"


def plain_table(lines: str, operands: int) -> NDArray[np.int64] | None:
    """Return the operands of lines of short decimal numbers, all at once: shape (operands, N).

    Returns:
        None where a line has anything else in it; then they are to be read one by one.
    """
    text = ("\n" + lines).encode(errors="surrogateescape")
    if text.translate(None, delete=_PLAIN):
        return None
    octets = np.frombuffer(text, np.uint8)
    inside = octets > ord(" ")
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    minus = octets[starts] == ord("-")
    lengths = ends - starts - minus
    if minus.sum() != lines.count("-") or not _all_within(lengths, 1, PLAIN_DIGITS):
        return None
    before = np.searchsorted(starts, np.flatnonzero(octets == ord("\n")))
    counts = np.diff(before)
    if not ((counts == 0) | (counts == operands)).all():
        return None
    if not len(starts):  # NumPy reads a number even where there is none
        return np.empty((operands, 0), np.int64)
    table = np.fromstring(lines, np.int64, sep=" ").reshape(-1, operands)
    return np.ascontiguousarray(table.T)


def _all_within(values: NDArray[np.intp], least: int, most: int) -> bool:
    return not values.size or bool(values.min() >= least and values.max() <= most)


def _any_integers(lines: str, task: Task, name: str, number: int) -> Iterator[Columns]:
    """Yield the operands of lines, read one by one; ``number`` is that of the first line."""
    rows: list[list[int]] = []
    wrong: DigitsError | TaskError | None = None
    for at, line in enumerate(lines.split("\n"), number):
        if fields := line.split():
            try:
                rows.append(_integers(fields, task, f"{name}, line {at}"))
            except (DigitsError, TaskError) as error:
                wrong = error
                break
        if len(rows) == ROWS:
            yield _columns(rows)
            rows.clear()
    if rows:
        yield _columns(rows)
    if wrong is not None:
        raise wrong


def _integers(fields: list[str], task: Task, place: str) -> list[int]:
    if len(fields) != task.operands:
        expected = f"{task.formula} takes {task.operands} operands, not {len(fields)}"
        hint = "; leave out results: they are computed" * (len(fields) == task.operands + 1)
        raise DigitsError(f"{place}: {expected}{hint}")
    try:
        wholes = map(_WHOLE.fullmatch, fields)
        values = [
            parse_integer(whole[1] if whole else field)
            for whole, field in zip(wholes, fields, strict=True)
        ]
        task.check_operands(values)
    except (DigitsError, TaskError) as error:
        raise type(error)(f"{place}: {error}") from None
    return values


def _columns(rows: Sequence[Sequence[int]]) -> Columns:
    columns = list(zip(*rows, strict=True))
    if max(max(map(abs, values)) for values in columns) < 10**PLAIN_DIGITS:
        return np.array(columns, np.int64)
    return columns
