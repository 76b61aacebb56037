"""Reads operands from a stream of lines, block by block, in constant memory."""

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
"""Maximum bytes per read."""

ROWS = 2**15
"""Maximum lines per block of predictions."""

PLAIN_DIGITS = 18
"""Decimal digits of numbers that fit an int64 even when doubled."""

_PLAIN = b"0123456789- \t\n"


_QUOTED = re.compile(r'"\s*([^"\s,;]*)\s*"')
_NUMBER = re.compile(r"[+-]?\d")
_WHOLE = re.compile(r"([+-]?\d+)\.0*")
_BINARY = re.compile(r"(?<![\w.+-])0[01]+(?![\w.])")
LOOKED_AT = 4096
"""Characters of an input that are searched for numbers that look binary."""


class Source(Protocol):
    """A binary stream that can return what is available."""

    def read1(self, size: int, /) -> bytes:
        """Return available bytes; wait if there are none; return nothing at the end."""


def parse_operands(texts: Sequence[str], task: Task) -> list[int]:
    """Parse the operands of a command: integers, or an expression such as ``37 + 58``.

    Raises:
        DigitsError: The texts are neither.
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
        notice(f"{found[0]} is read as a decimal number; write binary numbers as 0b{found[0]}.")


def operand_blocks(source: Source, task: Task, name: str) -> Iterator[Columns]:
    """Yield the operands of all lines in blocks, one column of values per operand.

    Empty lines are skipped, as is a first line in which no field starts like a number. Lines before
    an invalid line are yielded before the error is raised.

    Args:
        source: Lines of integers, separated by commas, semicolons or blanks. They may be quoted or
            end in a decimal point and zeros.
        task: The task that takes the operands.
        name: Name of the source, for messages.

    Raises:
        DigitsError: A line has another number of operands, or an operand is not an integer.
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
    """Yield whole lines as they arrive, several at once; every line ends in ``\\n``.

    Available lines are yielded at once, so that a user who types sees each answer immediately.
    """
    # Bytes that are not UTF-8 are kept, and refused as no integer, with the number of the line.
    text = getincrementaldecoder("utf-8-sig")("surrogateescape")
    decoder = IncrementalNewlineDecoder(text, translate=True)
    begun: list[str] = []  # pieces of an unfinished line
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
    """Parse lines of short decimal numbers with NumPy: shape (operands, N).

    Returns:
        None if any line has other content; then parse the lines one by one.
    """
    text = ("\n" + lines).encode(errors="surrogateescape")
    if text.translate(None, delete=_PLAIN):
        return None
    octets = np.frombuffer(text, np.uint8)
    inside = octets > ord(" ")
    # A number starts and ends where `inside` changes; the text starts and ends outside of one.
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    starts, ends = edges[::2], edges[1::2]
    minus = octets[starts] == ord("-")
    lengths = ends - starts - minus
    if minus.sum() != lines.count("-") or ((lengths < 1) | (lengths > PLAIN_DIGITS)).any():
        return None
    # Numbers before each line break; their differences are the numbers per line.
    before = np.searchsorted(starts, np.flatnonzero(octets == ord("\n")))
    counts = np.diff(before)
    if not ((counts == 0) | (counts == operands)).all():
        return None
    if not len(starts):  # `fromstring` would return a number for an empty text
        return np.empty((operands, 0), np.int64)
    table = np.fromstring(lines, np.int64, sep=" ").reshape(-1, operands)
    return np.ascontiguousarray(table.T)


def _any_integers(lines: str, task: Task, name: str, number: int) -> Iterator[Columns]:
    """Yield the operands of lines parsed one by one; ``number`` is the first line's number."""
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
        hint = "; omit results, which are computed" * (len(fields) == task.operands + 1)
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
