"""Many networks of the same settings, trained side by side, each to its own end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import index
from typing import Any, final

import numpy as np

from seqarith.certification.kernel.certificate import Certificate
from seqarith.errors import InvalidValueError
from seqarith.tasks.task import Task
from seqarith.training.config import TrainingConfig
from seqarith.training.engine import CHECK_EVERY, Engine
from seqarith.training.result import Run

TOGETHER = 16
"""Networks that are trained side by side: with more of them the arrays outgrow the cache."""


@final
class Flock:
    """Networks that read the same words, from initial weights of their own.

    Each is hardened, judged and ended by itself; those that are left go on in smaller arrays.

    Args:
        config: The settings; its seed is that of the words.
        seeds: Of the networks' initial weights: those of runs with these seeds.
    """

    def __init__(self, config: TrainingConfig, seeds: Sequence[int]) -> None:
        self._course = Engine(replace(config, restarts=len(seeds)), seeds)
        self._rows: dict[int, int] = {seed: row for row, seed in enumerate(seeds)}
        self._seeds, self._results = seeds, dict[int, Run]()

    def run(self) -> list[Run]:
        """Train until every network has reached the goal, or the steps are spent.

        Raises:
            DivergedError: A parameter is not finite any more.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            while self._rows and self._course.step < self._course.config.max_steps:
                self._course.advance()
                if self._course.step % CHECK_EVERY == 0:
                    self._look()
                    self._close_ranks()
        self._course.check_finite(list(self._rows.values()))
        stays = self._course.config.goal == "steps"
        for seed, row in list(self._rows.items()):
            self._end(seed, row, stays, None)
        return [self._results[seed] for seed in self._seeds]

    def _look(self) -> None:
        """Take note of how far the networks are, and end those that have reached the goal."""
        course, examiner = self._course, self._course.examiner
        course.check_finite(list(self._rows.values()))
        shares = course.shares()
        course.hardening.look(shares)
        if not course.promising():
            return
        for seed, row in list(self._rows.items()):
            if shares[row] >= examiner.needed:
                reached, proof = examiner.judge(course.model(row))
                if reached:
                    self._end(seed, row, True, proof)
        if self._rows:
            best = max(self._rows.values(), key=lambda row: shares[row])
            course.seek(best, shares[best])

    def _end(self, seed: int, row: int, reached: bool, proof: Certificate | None) -> None:
        self._results[seed] = Run.of(self._course, row, reached, proof)
        del self._rows[seed]

    def _close_ranks(self) -> None:
        """Leave out the networks that have ended, once they are half."""
        if 0 < 2 * len(self._rows) <= self._course.config.restarts:
            self._course = self._course.kept(list(self._rows.values()))
            self._rows = {seed: row for row, seed in enumerate(self._rows)}


def train_many(
    task: str | Task = "add",
    seeds: Sequence[int] = range(TOGETHER),
    *,
    together: int = TOGETHER,
    **settings: Any,
) -> list[Run]:
    """Train a network for each of some seeds, several side by side.

    Side by side they share the fixed cost of array operations, and the words: those of the first
    seed among them. The initial weights are those of a run with the seed alone. So the networks
    are as different as their beginnings, but not as independent as those of runs of their own; the
    model of each names the seeds beside it.

    Args:
        task: Name of a task, or a task.
        seeds: All different.
        together: Networks that are trained side by side, at least 1.
        settings: Any setting of `TrainingConfig` but ``seed`` and ``restarts``.

    Returns:
        The results, in the order of the seeds.

    Raises:
        InvalidValueError: A value is out of range, or a seed occurs twice.
        UnknownNameError: A name is in no registry.
        TaskError: The task cannot be built so.
        DivergedError: A parameter is not finite any more.

    Example:
        >>> results = train_many("add", seeds=range(8), bits=4)
        >>> [result.proved for result in results].count(True)
        8
    """
    seeds = _numbers(seeds)
    _check(seeds, together, settings)
    results: list[Run] = []
    for start in range(0, len(seeds), together):
        group = list(seeds[start : start + together])
        if isinstance(task, Task):
            config = TrainingConfig.for_task(task, seed=group[0], **settings)
        else:
            config = TrainingConfig(task=task, seed=group[0], **settings)
        results += Flock(config, group).run()
    return results


def _numbers(seeds: Sequence[int]) -> list[int]:
    try:
        return [index(seed) for seed in seeds]
    except TypeError as error:
        raise InvalidValueError(f"seeds: expected integers, {error}") from None


def _check(seeds: Sequence[int], together: int, settings: dict[str, Any]) -> None:
    if together < 1:
        raise InvalidValueError(f"{together} networks together: expected 1 or more")
    if len(set(seeds)) < len(seeds):
        raise InvalidValueError("a seed occurs twice: its network would be the same one")
    for seed in seeds:
        if not 0 <= seed < 2**32:
            raise InvalidValueError(f"seed {seed}: expected 0 to {2**32 - 1}")
    for name in ("seed", "restarts", "preset"):
        if name in settings:
            raise InvalidValueError(
                f"{name} {settings[name]!r}: many networks have none; leave it out"
            )
