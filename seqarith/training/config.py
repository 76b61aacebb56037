"""The configuration of a training run: equal ones give the same model, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, final

import numpy as np

from seqarith.cells.cell import Array, Cell
from seqarith.certification.adapter import check_provable, is_provable
from seqarith.errors import InvalidValueError, TaskError
from seqarith.formats import renamed
from seqarith.losses import Loss
from seqarith.network import Network
from seqarith.optimizers import Optimizer
from seqarith.registry import CELLS, LOSSES, OPTIMIZERS, SCHEDULES, TASKS
from seqarith.setting import with_arguments
from seqarith.tasks.description import build_task, describe_task, named_task
from seqarith.tasks.task import Task
from seqarith.tasks.vectors import input_vectors
from seqarith.training.defaults import (
    NetworkDefaults,
    network_defaults,
    task_defaults,
    trains_on_intervals,
)
from seqarith.training.interval_schedule import IntervalSchedule, schedule_of
from seqarith.training.settings import SCHEMA, SETTINGS, Settings, check_names, resolve

MAX_NUMBERS = 2**28
"""Most numbers in the hidden vectors of one training step: 1 GiB in float32."""


@final
@dataclass(frozen=True)
class TrainingConfig(Settings):
    """The settings of a run.

    Raises:
        TypeError: There is no such setting.
        UnknownNameError: A name is in no registry.
        InvalidValueError: A value is out of range.
        TaskError: The task cannot be built with these settings.

    Example:
        >>> config = TrainingConfig(task="add", bits=4, hidden=3)
        >>> config.goal, config.batch
        ('proved', 64)
    """

    function: Callable[..., int] | None = field(default=None, repr=False, compare=False)
    """The function from which the machine of a custom task was learned, if available. It is not a
    setting: files do not contain it."""

    def __new__(cls, *args: Any, **keywords: Any) -> Self:
        """Check that keywords are settings; the error names similar ones."""
        check_names(keywords, [*SETTINGS, "function"], cls.__name__)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for name, setting in SETTINGS.items():
            value = getattr(self, name)
            if isinstance(value, np.generic):  # an element of an array, as in a sweep
                value = value.item()
                object.__setattr__(self, name, value)
            # Mappings and tables are checked where they are used: by the task, the cell, ...
            if isinstance(value, str) or not isinstance(value, Mapping | Sequence | np.ndarray):
                setting.check(value)
        if self.schedule not in SCHEDULES:
            SCHEDULES[self.schedule]
        for name, value in zip(
            ("task", "base", "operands"), _identity(self.built_task), strict=True
        ):
            object.__setattr__(self, name, value)
        if self.goal is None:
            object.__setattr__(self, "goal", "proved" if is_provable(self.built_task) else "exact")
        elif self.goal == "proved":
            check_provable(self.built_task)
        _ = self.network, self.built_optimizer
        self._check_size()
        if self.synchrony and self.built_task.machine is None:
            raise InvalidValueError(
                f"synchrony {self.synchrony}: task {self.task!r} has no machine whose states "
                "hidden vectors could agree on; leave it out"
            )

    def _check_size(self) -> None:
        """Check that the buffers of the run fit into memory, before they are allocated."""
        steps = self.built_task.natural_layout(self.bits).steps
        numbers = steps * self.batch * self.candidates * self.width
        if numbers > MAX_NUMBERS:
            raise InvalidValueError(
                f"{steps} steps of {self.batch} words in {self.candidates} networks of "
                f"{self.width} hidden units are {numbers} numbers per training step; at most "
                f"{MAX_NUMBERS} are possible: reduce one of these"
            )

    @cached_property
    def built_task(self) -> Task:
        """The task in the settings."""
        if self.own is not None:
            task = build_task(self.own)
            if self.function is None:
                return task
            # The function, not the machine learned from it, is the reference.
            return replace(task, reference=self.function, function=self.function)
        return named_task(self.task, self.base, self.operands, dict(self.parameters))

    @cached_property
    def built_loss(self) -> Loss:
        """The loss in the settings, or the default loss."""
        loss: Loss = LOSSES.build(self.loss or self._default_loss, {"reduction": self.reduction})
        return loss

    @property
    def _default_loss(self) -> str:
        """Binary cross-entropy for two symbols, unless the logits are the network's memory."""
        feeds_back = getattr(CELLS[self.cell], "feeds_back", False)
        few = self.built_task.outputs == 2 and not feeds_back
        return "binary_cross_entropy" if few else "cross_entropy"

    @cached_property
    def built_optimizer(self) -> Optimizer:
        """The optimizer in the settings."""
        optimizer: Optimizer = OPTIMIZERS.build(self.optimizer, self.optimizer_options)
        return optimizer

    @cached_property
    def network(self) -> Network:
        """The network in the settings."""
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
        """The network's own input vectors, shape (A, D); None: it uses the task's."""
        if self.input_encoding is None:
            return None
        return input_vectors(self.built_task, self.input_encoding)

    @cached_property
    def vectors(self) -> Array:
        """The input vector of every letter, shape (A, D)."""
        return self.built_task.vectors if self.own_vectors is None else self.own_vectors

    @cached_property
    def width(self) -> int:
        """``hidden``, or its default."""
        return task_defaults(self.built_task).hidden if self.hidden is None else self.hidden

    @cached_property
    def batch(self) -> int:
        """``batch_size``, or its default."""
        return task_defaults(self.built_task).batch if self.batch_size is None else self.batch_size

    @cached_property
    def _defaults(self) -> NetworkDefaults:
        return network_defaults(self.network.cell, self.width, task_defaults(self.built_task))

    @cached_property
    def _interval_schedule(self) -> IntervalSchedule | None:
        machine = self.built_task.machine
        return schedule_of(machine) if self.interval_size and machine is not None else None

    @cached_property
    def initial_learning_rate(self) -> float:
        """``learning_rate``, or its default."""
        if self.learning_rate is not None:
            return self.learning_rate
        if self._interval_schedule is not None:
            return self._interval_schedule.rate
        return self._defaults.rate if self.optimizer == "adam" else self.built_optimizer.rate

    @cached_property
    def hidden_noise(self) -> float:
        """``noise``, or its default."""
        return 0.0 if self.interval_size else self._for_proof(self.noise, self._defaults.noise)

    @cached_property
    def synchrony_weight(self) -> float:
        """``synchrony``, or its default."""
        default = self._defaults.synchrony
        return 0.0 if self.interval_size else self._for_proof(self.synchrony, default)

    @cached_property
    def patience(self) -> int:
        """``restart_after``, or its default."""
        default = (self._interval_schedule or self._defaults).patience
        return int(self._for_proof(self.restart_after, default))

    def _for_proof(self, value: float | None, default: float) -> float:
        """Return a value if given; else its default if the goal is a proof, or 0."""
        return value if value is not None else default if self.goal == "proved" else 0.0

    @cached_property
    def interval_size(self) -> int:
        """Numbers in the state of interval training; 0 if the network learns from words.

        It learns from words if noise, synchrony, another optimizer or a preset is set.
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
        return self.initial_learning_rate * SCHEDULES[self.schedule]((step - 1) / self.max_steps)

    def describe(self) -> dict[str, Any]:
        """Return the settings with all defaults, ready for JSON."""
        settings = {
            **{name: _plain(getattr(self, name)) for name in SETTINGS},
            "hidden": self.width,
            "batch_size": self.batch,
            "learning_rate": self.initial_learning_rate,
            "noise": self.hidden_noise,
            "synchrony": self.synchrony_weight,
            "restart_after": self.patience,
        }
        return {
            name: value
            for name, value in settings.items()
            if not (SETTINGS[name].optional and value == SETTINGS[name].default)
        }

    @staticmethod
    def from_keywords(task: str | Task, /, **keywords: Any) -> TrainingConfig:
        """Return the settings from keywords of `train`.

        Args:
            task: Name of a task, or a task itself.
            keywords: Settings, and options of the task, the cell and the optimizer.

        Raises:
            TypeError: There is no such setting; the message names the nearest.
            UnknownNameError, InvalidValueError, TaskError: As `TrainingConfig` does.

        Example:
            >>> config = TrainingConfig.from_keywords("scale", factor=5, activation="sigmoid")
            >>> config.built_task.formula, config.network.cell
            ('5 * a', Elman(activation='sigmoid', bias=True))
        """
        if isinstance(task, Task):
            return TrainingConfig.for_task(task, **resolve(None, keywords))
        return TrainingConfig(task=task, **resolve(task, keywords))

    @staticmethod
    def for_task(task: Task, **settings: Any) -> TrainingConfig:
        """Return settings for a `Task`, from the registry or your own.

        Raises:
            TaskError: The task is your own and has no machine that a model file can hold, or it
                has the name of a different task in the registry.
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
        """Return the settings from a description in JSON.

        Raises:
            UnknownNameError: A name is in no registry.
            InvalidValueError: A setting is unknown, or has a wrong type or range.
            TaskError: The task cannot be built with these settings.
        """
        settings = renamed(description)
        SCHEMA.check(settings, "config")
        config = TrainingConfig(**settings)
        found = config.describe()
        for name, value in settings.items():
            makes = found.get(name, SETTINGS[name].default)
            if makes != value:
                raise InvalidValueError(f"config.{name} is {value!r}; expected {makes!r}")
        return config


def _plain(value: Any) -> Any:
    """Return a copy ready for JSON."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return value
    return [[float(number) for number in row] for row in value]


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


TrainingConfig.__doc__ = with_arguments(TrainingConfig.__doc__, SETTINGS.values())
