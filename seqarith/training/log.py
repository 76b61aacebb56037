"""The log of a run, read back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.errors import LogError
from seqarith.training.identity import IDENTITY, identity

STEP = ("step", "iteration")


@final
@dataclass(frozen=True, eq=False)
class RunLog:
    """What a run wrote with ``--log``: a number of every kind for every report.

    Attributes:
        name: The file's name without its ending.
        steps: Steps done at every report, shape (N,).
        values: The numbers by their keys, ``"loss"`` and others, shape (N,) each; nan where a
            report lacks one.
        run: What the log says of the run that it is of, see `identity`; empty in logs of versions
            before 0.6.
    """

    name: str
    steps: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    run: Mapping[str, str | int] = field(default_factory=dict)

    @staticmethod
    def read(path: str | os.PathLike[str]) -> RunLog:
        """Read a log.

        A last line that was cut off, as when a run is killed, is passed over.

        Raises:
            LogError: It cannot be read, or is no log.
        """
        place = Path(path)
        try:
            lines = place.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "no text in UTF-8"
            raise LogError(f"{place}: cannot be read ({reason})") from None
        records = [_record(place, number, line) for number, line in enumerate(lines[:-1], 1)]
        if lines:
            try:
                records.append(_record(place, len(lines), lines[-1]))
            except LogError:
                if not records:
                    raise
        if not records:
            raise LogError(f"{place}: the log is empty; a run writes one with --log")
        for number, record in enumerate(records, 1):
            if identity(record) != identity(records[0]):
                raise LogError(f"{place}, line {number}: it is of another run than line 1")
        return _table(place.stem, records)


def _record(place: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict) or not any(type(record.get(key)) is int for key in STEP):
        raise LogError(
            f"{place}, line {number}: expected an object with a step, as 'train --log' writes it"
        )
    return record


def _table(name: str, records: list[dict[str, Any]]) -> RunLog:
    step = next(key for key in STEP if key in records[0])
    keys = {
        key
        for record in records
        for key, value in record.items()
        if type(value) in (int, float) and key != step and key not in IDENTITY
    }
    values = {
        key: np.array([_number(record.get(key)) for record in records]) for key in sorted(keys)
    }
    steps = np.array([record.get(step, -1) for record in records])
    return RunLog(name, steps, values, identity(records[0]))


def _number(value: Any) -> float:
    return float(value) if type(value) in (int, float) else float("nan")
