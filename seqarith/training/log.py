"""Read the log of a run."""

from __future__ import annotations

import io
import os
import stat
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.archive import START
from seqarith.errors import InvalidValueError, LogError
from seqarith.formats import LOG_LINE
from seqarith.strict_json import parse_json
from seqarith.training.run_id import IDENTITY, Identity, identity

STEP = ("step", "iteration")
MAX_BYTES = 2**27
"""Largest size of a log that is read."""

MAX_KEYS = 100
"""Largest number of keys in a log."""


@final
@dataclass(frozen=True, eq=False)
class RunLog:
    """A log that a run wrote with ``--log``: one number per key for every report.

    Attributes:
        name: The file's name without its extension.
        steps: Steps done at every report, shape (N,).
        values: The numbers by their keys, ``"loss"`` and others, shape (N,) each; nan if a report
            lacks one.
        run: The identity of the run, see `identity`; empty in logs of versions before 0.6.
    """

    name: str
    steps: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    run: Mapping[str, str | int] = field(default_factory=dict)

    @staticmethod
    def read(path: str | os.PathLike[str]) -> RunLog:
        """Read a log.

        An incomplete last line, as when a run is killed, is ignored. Numbers that are not finite
        count as missing.

        Raises:
            LogError: It cannot be read, or is not a log.
        """
        place = Path(path)
        columns = _Columns()
        for number, (line, last) in enumerate(_lines(place), 1):
            try:
                columns.append(line)
            except LogError as error:
                raise LogError(f"{place}, line {number}: {error}") from None
            except InvalidValueError as error:
                if last and columns.steps:
                    break
                raise LogError(f"{place}, line {number}: {error}") from None
        if not columns.steps:
            raise LogError(f"{place}: the log is empty; a run writes one with --log")
        steps = np.array(columns.steps, np.int64)
        return RunLog(place.stem, steps, columns.table(), columns.run)


def report_of(line: str) -> dict[str, Any]:
    """Return the report in a line of a log.

    Raises:
        InvalidValueError: The line is not a report.
    """
    expected = "expected an object with a step, as 'train --log' writes it"
    try:
        report: dict[str, Any] = parse_json(line, missing=True)
        LOG_LINE.check(report, "")
    except InvalidValueError as error:
        raise InvalidValueError(f"{expected}; {error}") from None
    if not any(key in report for key in STEP):
        raise InvalidValueError(expected)
    return report


@final
class _Columns:
    """The numbers of a log, one column per key: a dict per line takes ten times the memory."""

    def __init__(self) -> None:
        self.steps = array("q")
        self._values: dict[str, array[float]] = {}
        self._step = ""
        self.run: Identity = {}

    def append(self, line: str) -> None:
        report = report_of(line)
        if not self.steps:
            self.run = identity(report)
        elif identity(report) != self.run:
            raise LogError("it belongs to a different run than line 1")
        self._step = self._step or next(key for key in STEP if key in report)
        if self._step not in report:
            raise InvalidValueError(f"expected a {self._step!r}, as in the lines before")
        for key, value in report.items():
            if type(value) in (int, float) and key != self._step and key not in IDENTITY:
                self._column(key).append(float(value))
        self.steps.append(report[self._step])

    def _column(self, key: str) -> array[float]:
        column = self._values.setdefault(key, array("d"))
        if len(self._values) > MAX_KEYS:
            raise InvalidValueError(f"more than {MAX_KEYS} kinds of numbers in one log")
        return self._filled(column)

    def _filled(self, column: array[float]) -> array[float]:
        column.extend([float("nan")] * (len(self.steps) - len(column)))
        return column

    def table(self) -> dict[str, NDArray[np.float64]]:
        return {key: np.array(self._filled(self._values[key])) for key in sorted(self._values)}


def log_lines(path: str | os.PathLike[str]) -> Iterator[str]:
    """Yield every line of a log with its line break; bytes that are not UTF-8 are replaced.

    Raises:
        LogError: It cannot be read.
    """
    for line in io.BytesIO(_content(Path(path))):
        yield line.decode("utf-8", "replace")


def _lines(place: Path) -> Iterator[tuple[str, bool]]:
    """Yield every line of a log, and whether it is the last."""
    content = _content(place)
    if content.startswith(START):
        raise LogError(f"{place}: a model or a checkpoint; expected a log, as 'train --log' writes")
    rest = len(content)
    for line in io.BytesIO(content):
        rest -= len(line)
        try:
            yield line.decode("utf-8"), rest == 0
        except UnicodeDecodeError:
            raise LogError(f"{place}: cannot be read (not text in UTF-8)") from None


def _content(place: Path) -> bytes:
    try:
        status = place.stat()
        if not stat.S_ISREG(status.st_mode):
            raise LogError(f"{place}: not a file")
        if status.st_size > MAX_BYTES:
            raise LogError(f"{place}: {status.st_size} bytes; at most {MAX_BYTES} are read")
        return place.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, LogError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise LogError(f"{place}: cannot be read ({reason})") from None
