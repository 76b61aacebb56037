"""The table of settings: every setting of a training run, written once.

The field of `TrainingConfig`, the check of its value, the option of ``seqarith train``, the row in
the documentation and the key in JSON all follow from one entry. This module does not import NumPy,
so that ``--help`` starts without it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, Literal

from seqarith.formats import (
    MAX_BATCH,
    MAX_CANDIDATES,
    MAX_HIDDEN,
    MAX_SEED,
    MAX_STEPS,
    MAX_SYMBOLS,
    MAX_TRAINING_DIGITS,
    RENAMED,
    TASK,
)
from seqarith.registry import CELLS, OPTIMIZERS, TASKS, Registry, nearest
from seqarith.schema import AnyOf, Flag, Integer, Json, ListOf, Maybe, Number, Record, Schema, Text
from seqarith.setting import Setting

_TASK, _NETWORK, _TRAINING, _PROOF = "Task", "Network", "Training", "Proof"
"""The headings of ``--help``, in order."""

_NAME = Text(200)
_OPTIONS = Record(rest=Json(2))
_VALUES = Record(rest=AnyOf((Text(), Integer())))
_TABLE = ListOf(ListOf(Number(), 2**10, 1), MAX_SYMBOLS, 1)


def _setting(default: Any, schema: Schema, text: str, group: str = "", **more: Any) -> Any:
    """Return a field of `Settings` with its `Setting` as metadata."""
    made: dict[str, Any] = {"default_factory": dict} if default == {} else {"default": default}
    setting = Setting("", default, schema, text, group=group, **more)
    return field(**made, metadata={"setting": setting})


@dataclass(frozen=True)
class Settings:
    """The settings of a run, as given; see `TrainingConfig`."""

    task: str = _setting("add", _NAME, "Name of the task.")
    bits: int = _setting(
        8,
        Integer(1, MAX_TRAINING_DIGITS),
        "Number of digits of each operand in training.",
        _TASK,
        options=("--digits", "--bits"),
    )
    base: int = _setting(2, Integer(2, 16), "Base of the digits.", _TASK)
    operands: int | None = _setting(
        None, Integer(1, 16), "Number of operands.", _TASK, fits="depends on the task"
    )
    parameters: Mapping[str, int | str] = _setting(
        {}, _VALUES, 'Parameters of the task, for example ``{"factor": 5}``.'
    )
    cell: str = _setting("elman", _NAME, "Recurrent cell, as listed by 'seqarith cells'.", _NETWORK)
    cell_options: Mapping[str, Any] = _setting(
        {},
        _OPTIONS,
        'Options of the cell, for example ``{"activation": "relu"}``.',
        _NETWORK,
        parts=(
            Setting("activation", "tanh", _NAME, "Activation function: tanh, sigmoid or relu."),
        ),
    )
    hidden: int | None = _setting(
        None,
        Integer(1, MAX_HIDDEN),
        "Number of hidden units.",
        _NETWORK,
        fits="depends on the task",
    )
    layers: int = _setting(1, Integer(1, 16), "Number of layers.", _NETWORK, optional=True)
    input_encoding: str | Sequence[Sequence[float]] | None = _setting(
        None,
        AnyOf((_NAME, _TABLE)),
        "How a digit is encoded as numbers: bits, onehot, scalar (the digit d itself) or scaled "
        "(d / (base - 1)); in Python also a table with one row per combination of digits.",
        _NETWORK,
        fits="bits in base 2, else onehot",
        optional=True,
    )
    loss: str | None = _setting(
        None,
        _NAME,
        "Loss function, as listed by 'seqarith losses'.",
        _TRAINING,
        fits="binary_cross_entropy for two output symbols, else cross_entropy",
    )
    reduction: str = _setting(
        "mean",
        Text(choices=("mean", "sum")),
        "How the losses of a batch are combined.",
        _TRAINING,
    )
    optimizer: str = _setting(
        "adam", _NAME, "Optimizer, as listed by 'seqarith optimizers'.", _TRAINING
    )
    optimizer_options: Mapping[str, Any] = _setting(
        {},
        _OPTIONS,
        'Options of the optimizer, for example ``{"momentum": 0.9}``.',
        _TRAINING,
        parts=(
            Setting("momentum", 0.0, Number(), "Momentum (optimizer sgd)."),
            Setting("nesterov", False, Flag(), "Use Nesterov momentum (optimizer sgd)."),
        ),
    )
    learning_rate: float | None = _setting(
        None,
        Number(positive=True),
        "Learning rate at the first step.",
        _TRAINING,
        fits="depends on the network for adam, else the optimizer's default",
        options=("--learning-rate", "--lr"),
    )
    schedule: str = _setting(
        "constant",
        _NAME,
        "How the learning rate changes, as listed by 'seqarith schedules'.",
        _TRAINING,
    )
    clip: float | None = _setting(
        1.0,
        Maybe(Number(positive=True)),
        "Clip the gradient to this Euclidean norm; 0 disables clipping (None in Python).",
        _TRAINING,
    )
    batch_size: int | None = _setting(
        None,
        Integer(1, MAX_BATCH),
        "Batch size: operand tuples per step.",
        _TRAINING,
        fits="depends on the task",
    )
    max_steps: int = _setting(
        10_000, Integer(1, MAX_STEPS), "Maximum number of training steps.", _TRAINING
    )
    goal: Literal["proved", "exact", "steps"] | None = _setting(
        None,
        Text(choices=("proved", "exact", "steps")),
        "When to stop early. proved: when the network is proved correct at every width; exact: "
        "when all operand tuples give correct results (a sample if there are more than 2**24); "
        "steps: never.",
        _PROOF,
        fits="proved if a proof is possible, else exact",
    )
    noise: float | None = _setting(
        None,
        Number(0),
        "Standard deviation of the noise added to hidden vectors in training.",
        _PROOF,
        fits="depends on the network if the goal is a proof, else 0",
    )
    synchrony: float | None = _setting(
        None,
        Number(0),
        "Weight of a penalty on different hidden vectors in the same state of the task's machine.",
        _PROOF,
        fits="depends on the network if the goal is a proof, else 0",
    )
    restart_after: int | None = _setting(
        None,
        Integer(0, MAX_STEPS),
        "Restart from new initial weights after this many steps without success; 0: never.",
        _PROOF,
        fits="depends on the network if the goal is a proof, else 0",
    )
    candidates: int = _setting(
        1,
        Integer(1, MAX_CANDIDATES),
        "Number of networks to train in parallel from different initial weights; the first to "
        "reach the goal is kept.",
        _TRAINING,
    )
    seed: int = _setting(
        0, Integer(0, MAX_SEED), "Seed of the initial weights and the training data.", _TRAINING
    )
    dtype: str = _setting(
        "float32",
        Text(choices=("float32", "float64")),
        "Floating-point type of the network.",
        _NETWORK,
    )
    preset: str | None = _setting(
        None,
        Text(choices=("tutorial",)),
        "Reproduce the numbers of the RNN tutorial of 2015 exactly.",
        _TRAINING,
    )
    own: Mapping[str, Any] | None = _setting(
        None,
        TASK,
        "A task that is not in the registry, as described by `seqarith.tasks.description`.",
        optional=True,
    )


SETTINGS = {
    each.name: dataclasses.replace(each.metadata["setting"], name=each.name)
    for each in dataclasses.fields(Settings)
}
"""Every setting by name."""


def _keys(settings: Iterable[Setting]) -> dict[str, Schema]:
    return {
        each.name: Maybe(each.schema) if each.default is None else each.schema for each in settings
    }


SCHEMA = Record(
    _keys(each for each in SETTINGS.values() if not each.optional),
    _keys(each for each in SETTINGS.values() if each.optional),
)
"""The settings in JSON, with all defaults filled in."""


def options() -> Iterator[tuple[Setting, str]]:
    """Yield all settings that are options of the command line.

    Yields:
        A setting, and the name of its mapping if it is an entry of one, else an empty string.
    """
    for setting in SETTINGS.values():
        if setting.parts:
            for part in setting.parts:
                yield dataclasses.replace(part, group=setting.group), setting.name
        elif setting.group:
            yield setting, ""


def check_names(
    names: Iterable[str], known: Iterable[str], of: str, others: Sequence[str] = ()
) -> None:
    """Check that keywords are settings.

    Args:
        names: The keywords.
        known: The settings.
        of: What takes them.
        others: What it takes besides, which a misspelt keyword may mean.

    Raises:
        TypeError: One is not; the message says its new name, or the nearest name.
    """
    known = list(known)
    for name in names:
        if name in RENAMED:
            also = ", or bits for the number of digits" if name == "digits" else ""
            raise TypeError(f"{of} has no setting {name!r}: it is called {RENAMED[name]}{also}")
        if name not in known:
            near = nearest(name, [*known, *others])
            told = f". Did you mean {near!r}?" if near else f": it has {', '.join(known)}"
            raise TypeError(f"{of} has no setting {name!r}{told}")


def resolve(task: str | None, keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings from the keywords of `train`.

    A keyword is a setting, or an option of the task, the cell or the optimizer, for instance
    ``factor``, ``activation`` or ``momentum``. ``digits`` is a synonym of ``bits``.

    Args:
        task: Name of a task in the registry; None for a task without parameters.
        keywords: Keywords of `train`.

    Raises:
        TypeError: A keyword is none of these.
        UnknownNameError: A name is in no registry.

    Example:
        >>> resolve("scale", {"factor": 5, "activation": "relu", "digits": 4})
        {'parameters': {'factor': 5}, 'cell_options': {'activation': 'relu'}, 'bits': 4}
    """
    entries: list[tuple[str, Registry[Callable[..., Any]], str | None]] = [
        ("parameters", TASKS, task),
        ("cell_options", CELLS, keywords.get("cell", Settings.cell)),
        ("optimizer_options", OPTIMIZERS, keywords.get("optimizer", Settings.optimizer)),
    ]
    place = {
        option: mapping
        for mapping, registry, name in entries
        if name is not None
        for option in signature(registry[name]).parameters
        if option not in SETTINGS
    }
    found: dict[str, Any] = {}
    for name, value in keywords.items():
        new = "bits" if name == "digits" and type(value) is int else name
        check_names([new], [*SETTINGS, *place], "train", ("progress", "seeds"))
        if new == "bits" and new in found:
            raise TypeError("digits and bits are the same setting; give one")
        if new in place:
            found[place[new]] = {**found.get(place[new], {}), new: value}
        elif SETTINGS[new].default == {}:
            found[new] = {**value, **found.get(new, {})}
        else:
            found[new] = value
    return found
