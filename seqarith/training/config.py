"""What fixes a training run: the same configuration gives the same model, to the last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, final

import numpy as np

from seqarith.cells.cell import Array, Cell
from seqarith.certification.adapter import check_provable, is_provable
from seqarith.errors import InvalidValueError, TaskError
from seqarith.formats import (
    MAX_BATCH,
    MAX_CANDIDATES,
    MAX_SEED,
    MAX_STEPS,
    MAX_TRAINING_DIGITS,
    SETTINGS,
)
from seqarith.losses import Loss
from seqarith.network import Network
from seqarith.optimizers import Optimizer
from seqarith.registry import CELLS, LOSSES, OPTIMIZERS, SCHEDULES, TASKS
from seqarith.tasks.description import build_task, describe_task, named_task
from seqarith.tasks.task import Task
from seqarith.tasks.vectors import input_vectors
from seqarith.training.defaults import Recipe, fitting, recipe, trains_on_intervals
from seqarith.training.interval_schedule import IntervalSchedule, pace

Until = Literal["steps", "exact", "proved"]
GOALS = ("steps", "exact", "proved")
MAX_NUMBERS = 2**28
"""Numbers in the hidden vectors of one training step, at most: 1 GiB in float32."""


@final
@dataclass(frozen=True)
class TrainingConfig:
    """The settings of a run.

    Args:
        task: Name of a task.
        bits: Digits of each operand in training.
        base: Base of the digits, 2 to 16.
        operands: Number of operands; default: the task's own.
        parameters: What the task leaves open.
        cell: Name of a cell.
        cell_options: Its options, for instance ``{"activation": "tanh"}``.
        hidden: Hidden width; default: what fits the task.
        layers: Layers of the cell.
        digits: How a digit is put into numbers, see `seqarith.tasks.vectors`: a name, or a table
            with a row for each letter; default: bits in base 2, else one-hot.
        loss: Name of a loss; default: binary cross-entropy for two symbols, else cross-entropy.
        reduction: How the loss is summed: ``"mean"`` or ``"sum"``; see `seqarith.losses`.
        optimizer: Name of an optimizer.
        optimizer_options: Its options, for instance ``{"momentum": 0.9}``.
        rate: Learning rate; default: for Adam one that fits the network
            (`seqarith.training.defaults`), else the optimizer's own.
        schedule: Name of a schedule of the rate over ``max_steps``.
        clip: Greatest Euclidean norm of the gradient, or None.
        batch_size: Words a step; default: what fits the task.
        max_steps: Most steps.
        until: When to stop before: ``"proved"`` as soon as the network is proved right at every
            width; ``"exact"`` as soon as every operand tuple comes out right (where those are
            more than 2**24: a sample); ``"steps"`` never. Default: proved where that can be.
        noise: Standard deviation of the noise on the hidden vectors; see
            `seqarith.training.regularizers`. Default: what fits the network where the goal is a
            proof, else 0.
        synchrony: Weight of the synchrony penalty; likewise.
        restart_after: Steps after which training begins anew with other weights, while the goal
            is not reached; 0: never. Default: likewise.
        restarts: Networks that are trained side by side, from different initial weights, on the
            same words, until the first of them reaches the goal.
        seed: Of the initial weights and the words.
        dtype: ``"float32"`` or ``"float64"``.
        preset: ``"tutorial"`` or nothing: where weights and words come from.
        own: A task that no registry knows, as `seqarith.tasks.description` writes it; see
            `for_task`.
        function: The function that its machine was found in, where it is at hand. It is no part
            of the settings: no file holds it.

    Raises:
        UnknownNameError: A name is in no registry.
        InvalidValueError: A value is out of range.
        TaskError: The task cannot be built so.
    """

    task: str = "add"
    bits: int = 8
    base: int = 2
    operands: int | None = None
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    cell: str = "elman"
    cell_options: Mapping[str, Any] = field(default_factory=dict)
    hidden: int | None = None
    layers: int = 1
    digits: str | Sequence[Sequence[float]] | None = None
    loss: str | None = None
    reduction: str = "mean"
    optimizer: str = "adam"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    rate: float | None = None
    schedule: str = "constant"
    clip: float | None = 1.0
    batch_size: int | None = None
    max_steps: int = 10_000
    until: Until | None = None
    noise: float | None = None
    synchrony: float | None = None
    restart_after: int | None = None
    restarts: int = 1
    seed: int = 0
    dtype: str = "float32"
    preset: str | None = None
    own: Mapping[str, Any] | None = None
    function: Callable[..., int] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check("batch size", self.batch, 1, MAX_BATCH)
        _check("max steps", self.max_steps, 1, MAX_STEPS)
        _check("seed", self.seed, 0, MAX_SEED)
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise InvalidValueError(
                f"learning rate {self.rate}: expected a number above 0, say 0.01"
            )
        if self.clip is not None and not 0 < self.clip < float("inf"):
            raise InvalidValueError(f"clip {self.clip}: expected a number above 0, say 1")
        _check("restarts", self.restarts, 1, MAX_CANDIDATES)
        if self.until not in (None, *GOALS):
            raise InvalidValueError(f"until {self.until!r}: expected {', '.join(GOALS)}")
        for name in ("noise", "synchrony"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise InvalidValueError(f"{name} {value}: expected 0 or more, say 0.3")
        if self.restart_after is not None:
            _check("restart after", self.restart_after, 0, MAX_STEPS)
        if self.preset not in (None, "tutorial"):
            raise InvalidValueError(f"preset {self.preset!r}: expected tutorial")
        if self.schedule not in SCHEDULES:
            SCHEDULES[self.schedule]
        for name, value in zip(
            ("task", "base", "operands"), _identity(self.built_task), strict=True
        ):
            object.__setattr__(self, name, value)
        self.built_task.check_bits(self.bits)
        _ = self.network, self.built_optimizer
        self._check_size()
        if self.until == "proved":
            check_provable(self.built_task)
        if self.synchrony and self.built_task.machine is None:
            raise InvalidValueError(
                f"synchrony {self.synchrony}: task {self.task!r} has no machine whose states "
                "hidden vectors could agree on; leave it out"
            )

    def _check_size(self) -> None:
        """Refuse a run whose buffers would fill the memory, before anything of it is made."""
        if self.bits > MAX_TRAINING_DIGITS:
            raise InvalidValueError(
                f"operands of {self.bits} digits: training takes at most {MAX_TRAINING_DIGITS}; "
                "what a network learns from short operands holds for long ones"
            )
        steps = self.built_task.natural_layout(self.bits).steps
        numbers = steps * self.batch * self.restarts * self.width
        if numbers > MAX_NUMBERS:
            raise InvalidValueError(
                f"{steps} steps of {self.batch} words in {self.restarts} networks of {self.width} "
                f"hidden units are {numbers} numbers a training step; at most {MAX_NUMBERS} are "
                "held: take fewer of one of these"
            )

    @cached_property
    def built_task(self) -> Task:
        """The task that the settings name."""
        if self.own is not None:
            return _with_function(build_task(self.own), self.function)
        return named_task(self.task, self.base, self.operands, dict(self.parameters))

    @cached_property
    def built_loss(self) -> Loss:
        """The loss that the settings name."""
        loss: Loss = LOSSES.build(self.loss or self._fitting_loss, {"reduction": self.reduction})
        return loss

    @property
    def _fitting_loss(self) -> str:
        """A loss of one logit for two symbols; of two where they are the network's memory."""
        feeds_back = getattr(CELLS[self.cell], "feeds_back", False)
        few = self.built_task.outputs == 2 and not feeds_back
        return "binary_cross_entropy" if few else "cross_entropy"

    @cached_property
    def built_optimizer(self) -> Optimizer:
        """The optimizer that the settings name."""
        optimizer: Optimizer = OPTIMIZERS.build(self.optimizer, self.optimizer_options)
        return optimizer

    @cached_property
    def network(self) -> Network:
        """The network that the settings describe."""
        cell: Cell = CELLS.build(self.cell, self.cell_options)
        outputs = self.built_loss.outputs(self.built_task.outputs)
        own = self.own_vectors
        return Network(
            cell,
            self.vectors.shape[1],
            self.width,
            outputs,
            self.dtype,
            layers=self.layers,
            letters=None if own is None else len(own),
        )

    @cached_property
    def own_vectors(self) -> Array | None:
        """The input vectors that the network brings, shape (A, D); None: they are the task's."""
        if self.digits is None:
            return None
        return input_vectors(self.built_task, self.digits)

    @cached_property
    def vectors(self) -> Array:
        """The input vector of every letter, shape (A, D)."""
        return self.built_task.vectors if self.own_vectors is None else self.own_vectors

    @cached_property
    def width(self) -> int:
        """``hidden``, or what it is by default."""
        return fitting(self.built_task).hidden if self.hidden is None else self.hidden

    @cached_property
    def batch(self) -> int:
        """``batch_size``, or what it is by default."""
        return fitting(self.built_task).batch if self.batch_size is None else self.batch_size

    @cached_property
    def goal(self) -> Until:
        """When to stop: ``until``, or what it is by default."""
        if self.until is not None:
            return self.until
        return "proved" if is_provable(self.built_task) else "exact"

    @cached_property
    def _recipe(self) -> Recipe:
        return recipe(self.network.cell, self.width, fitting(self.built_task))

    @cached_property
    def _pace(self) -> IntervalSchedule | None:
        machine = self.built_task.machine
        return pace(machine) if self.interval_size and machine is not None else None

    @cached_property
    def learning_rate(self) -> float:
        """``rate``, or what it is by default."""
        fitting = self._recipe.rate if self.optimizer == "adam" else self.built_optimizer.rate
        fitting = self._pace.rate if self._pace else fitting
        return fitting if self.rate is None else self.rate

    @cached_property
    def hidden_noise(self) -> float:
        """``noise``, or what it is by default."""
        return 0.0 if self.interval_size else self._hardened(self.noise, self._recipe.noise)

    @cached_property
    def synchrony_weight(self) -> float:
        """``synchrony``, or what it is by default."""
        return 0.0 if self.interval_size else self._hardened(self.synchrony, self._recipe.synchrony)

    @cached_property
    def patience(self) -> int:
        """``restart_after``, or what it is by default."""
        fitting = self._pace.patience if self._pace else self._recipe.restart_after
        return int(self._hardened(self.restart_after, fitting))

    def _hardened(self, said: float | None, fitting: float) -> float:
        """Return what was said; else what fits the network, where the goal is a proof."""
        return said if said is not None else fitting if self.goal == "proved" else 0.0

    @cached_property
    def interval_size(self) -> int:
        """Numbers that interval training keeps; 0 where the network learns from words.

        It learns from words where noise, synchrony, a loss or an optimizer was asked for.
        """
        asked = self.noise or self.synchrony or self.optimizer != "adam" or self.preset is not None
        machine = self.built_task.machine
        if machine is None or asked or self.goal != "proved":
            return 0
        if not trains_on_intervals(self.built_task, self.network.cell):
            return 0
        return 2 * machine.states * self.width + 1

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, numbered from 1."""
        return self.learning_rate * SCHEDULES[self.schedule]((step - 1) / self.max_steps)

    def describe(self) -> dict[str, Any]:
        """Return the settings, those by default too, ready for JSON."""
        names = [f.name for f in dataclasses.fields(self) if f.name != "function"]
        values = [getattr(self, name) for name in names]
        copies = [_plain(value) for value in values]
        settings = {
            **dict(zip(names, copies, strict=True)),
            "hidden": self.width,
            "batch_size": self.batch,
            "until": self.goal,
            "rate": self.learning_rate,
            "noise": self.hidden_noise,
            "synchrony": self.synchrony_weight,
            "restart_after": self.patience,
        }
        # What older files do not have is written only where it says something.
        for name, usual in (("own", None), ("layers", 1), ("digits", None)):
            if settings[name] == usual:
                del settings[name]
        return settings

    @staticmethod
    def for_task(task: Task, **settings: Any) -> TrainingConfig:
        """Return settings for a task itself, of the registry or your own.

        Raises:
            TaskError: The task is your own and has no machine that a model file could hold, or it
                has the name of another one in the registry.
        """
        if task.name in TASKS and not task.own:
            named = dict(zip(("task", "base", "operands"), _identity(task), strict=True))
            settings = {**named, "parameters": dict(task.parameters), **settings}
            config = TrainingConfig(**settings)
            _check_same(task, config.built_task)
            return config
        own = describe_task(replace(task, own=True))
        return TrainingConfig(own=own, function=task.function, **settings)

    @staticmethod
    def from_description(description: Mapping[str, Any]) -> TrainingConfig:
        """Return the settings of a description.

        Raises:
            UnknownNameError: A name is in no registry.
            InvalidValueError: It has other settings than these, or one of another type or range.
            TaskError: The task cannot be built so.
        """
        SETTINGS.check(description, "config")
        config = TrainingConfig(**description)
        found = config.describe()
        for name, value in description.items():
            if found[name] != value:
                raise InvalidValueError(f"config.{name} is {value!r}; it makes {found[name]!r}")
        return config


def _plain(value: Any) -> Any:
    """Return a copy ready for JSON."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return value
    return [[float(number) for number in row] for row in value]


def _with_function(task: Task, function: Callable[..., int] | None) -> Task:
    """Return a task that its function, and not its machine, says what is expected of."""
    return task if function is None else replace(task, reference=function, function=function)


def _identity(task: Task) -> tuple[str, int, int]:
    return task.name, task.base, task.operands


def _check_same(task: Task, registered: Task) -> None:
    mine, known = task.machine, registered.machine
    alike = (task.formula, task.order) == (registered.formula, registered.order)
    if not alike or (mine is not None and known is not None and mine.difference(known)):
        raise TaskError(
            f"task {task.name!r}, {task.formula}, is not the registry's task of that name, "
            f"{registered.formula}; give it another name"
        )


def _check(name: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise InvalidValueError(f"{name} {value}: expected {low} to {high}")
