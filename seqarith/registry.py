"""Registries: names to what they stand for, with plugins and "did you mean".

A registry knows its builtin entries by their place (``"module:attribute"``), so that listing the
names, or refusing a wrong one, imports nothing. Other packages add entries under the registry's
entry-point group, for instance in their ``pyproject.toml``::

    [project.entry-points."seqarith.cells"]
    indrnn = "my_package.indrnn:IndRNN"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

from seqarith.errors import InvalidValueError, PluginError, UnknownNameError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

ALSO_CALLED = {
    "rnn": "elman", "simplernn": "elman", "vanilla": "elman", "plus": "add", "minus": "sub",
    "times": "mul", "modulo": "mod", "bce": "binary_cross_entropy", "mse": "squared_error",
}  # fmt: skip
"""Names that others use, which no entry looks like."""


@final
class Registry(Generic[T]):
    """Names of one kind of thing, and where to find it.

    Args:
        kind: What the entries are, in the singular, for messages: ``"cell"``.
        builtin: Name to ``"module:attribute"``.
        group: The entry-point group; default: ``"seqarith."`` and the plural of ``kind``.

    Example:
        >>> fruits: Registry[type] = Registry("number", {"fraction": "fractions:Fraction"})
        >>> fruits["fraction"]
        <class 'fractions.Fraction'>
        >>> fruits["fractoin"]
        Traceback (most recent call last):
        ...
        seqarith.errors.UnknownNameError: unknown number 'fractoin': ... Did you mean 'fraction'?
    """

    def __init__(self, kind: str, builtin: Mapping[str, str], group: str = "") -> None:
        self.kind = kind
        self.group = group or f"seqarith.{kind}s"
        self._builtin = dict(builtin)
        self._loaded: dict[str, T] = {}
        self._registered: set[str] = set()

    def register(self, name: str, entry: T) -> T:
        """Add an entry of your own, for this process; a package offers it by an entry point.

        Raises:
            InvalidValueError: The name is one of this package's.
        """
        if name in self._builtin:
            raise InvalidValueError(f"{self.kind} {name!r} is seqarith's own; choose another name")
        self._loaded[name] = entry
        self._registered.add(name)
        return entry

    @property
    def builtin(self) -> tuple[str, ...]:
        """The names of this package's own entries."""
        return tuple(self._builtin)

    def __getitem__(self, name: str) -> T:
        """Return the entry of that name.

        Raises:
            UnknownNameError: No entry has that name; the message suggests the nearest.
            PluginError: Another package offers it, but it cannot be imported.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Yield all names, this package's first, each group in its own order."""
        yield from self._builtin
        yield from sorted((set(self._plugins()) | self._registered) - set(self._builtin))

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in self._registered or name in self._plugins()

    def build(self, name: str, options: Mapping[str, Any]) -> Any:
        """Call the entry of that name with options.

        Raises:
            UnknownNameError: No entry has that name.
            InvalidValueError: It has no such option; the message lists those that it has.
            SeqarithError: What the entry raises for a value that it does not take.
        """
        factory: Any = self[name]
        try:
            accepted = list(signature(factory).parameters)
            surplus = [option for option in options if option not in accepted]
            if not surplus:
                return factory(**options)
        except TypeError as error:
            raise InvalidValueError(f"{self.kind} {name!r}, {dict(options)}: {error}") from None
        raise InvalidValueError(
            f"{self.kind} {name!r} has no option {surplus[0]!r}; "
            f"it has {', '.join(accepted) or 'none'}"
        )

    def _load(self, name: str) -> T:
        if name in self._builtin:
            module, _, attribute = self._builtin[name].partition(":")
            return getattr(import_module(module), attribute)  # type: ignore[no-any-return]
        plugin = self._plugins().get(name)
        if plugin is None:
            raise UnknownNameError(unknown(self.kind, name, list(self)))
        try:
            return plugin.load()  # type: ignore[no-any-return]
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"{self.kind} {name!r} of {plugin.value} cannot be loaded: {error}. "
                f"Reinstall or remove the package that offers it"
            ) from error

    def _plugins(self) -> Mapping[str, EntryPoint]:
        # Reading the metadata of every installed package takes milliseconds: only when asked.
        from importlib.metadata import entry_points

        return {entry.name: entry for entry in entry_points(group=self.group)}


def unknown(kind: str, name: str, known: list[str]) -> str:
    """Return the message for a name that is not known, with the nearest one that is."""
    from difflib import get_close_matches

    message = f"unknown {kind} {name!r}: known are {', '.join(known)}"
    near = get_close_matches(ALSO_CALLED.get(name.lower(), name.lower()), known)
    near.sort(key=lambda entry: not entry.startswith(name.lower()))
    return f"{message}. Did you mean {near[0]!r}?" if near else message


TASKS: Registry[Callable[..., Any]] = Registry(
    "task",
    {
        "add": "seqarith.tasks.builtin.addition:add",
        "sub": "seqarith.tasks.builtin.addition:sub",
        "neg": "seqarith.tasks.builtin.affine:neg",
        "increment": "seqarith.tasks.builtin.affine:increment",
        "scale": "seqarith.tasks.builtin.affine:scale",
        "linear": "seqarith.tasks.builtin.affine:linear",
        "and": "seqarith.tasks.builtin.bitwise:bitwise_and",
        "or": "seqarith.tasks.builtin.bitwise:bitwise_or",
        "xor": "seqarith.tasks.builtin.bitwise:bitwise_xor",
        "not": "seqarith.tasks.builtin.bitwise:bitwise_not",
        "compare": "seqarith.tasks.builtin.comparison:compare",
        "max": "seqarith.tasks.builtin.comparison:maximum",
        "min": "seqarith.tasks.builtin.comparison:minimum",
        "parity": "seqarith.tasks.builtin.coding:parity",
        "gray": "seqarith.tasks.builtin.coding:gray",
        "ungray": "seqarith.tasks.builtin.coding:ungray",
        "shift": "seqarith.tasks.builtin.shifting:shift",
        "average": "seqarith.tasks.builtin.shifting:average",
        "divide": "seqarith.tasks.builtin.division:divide",
        "mod": "seqarith.tasks.builtin.division:mod",
        "mul": "seqarith.tasks.builtin.products:mul",
        "square": "seqarith.tasks.builtin.products:square",
    },
)
"""Functions ``(base, **parameters) -> Task``; those of any number of operands take ``operands``."""

CELLS: Registry[Callable[..., Any]] = Registry(
    "cell",
    {
        "elman": "seqarith.cells.elman:Elman",
        "gru": "seqarith.cells.gru:GRU",
        "lstm": "seqarith.cells.lstm:LSTM",
        "jordan": "seqarith.cells.jordan:Jordan",
    },
)
"""Classes ``(bias, **options) -> Cell``."""

LOSSES: Registry[Callable[..., Any]] = Registry(
    "loss",
    {
        "binary_cross_entropy": "seqarith.losses:BinaryCrossEntropy",
        "cross_entropy": "seqarith.losses:CrossEntropy",
        "squared_error": "seqarith.losses:SquaredError",
    },
    group="seqarith.losses",
)
"""Classes ``(reduction) -> Loss``."""

OPTIMIZERS: Registry[Callable[..., Any]] = Registry(
    "optimizer",
    {
        "adam": "seqarith.optimizers:Adam",
        "rmsprop": "seqarith.optimizers:RMSProp",
        "sgd": "seqarith.optimizers:SGD",
    },
)
"""Classes ``(**options) -> Optimizer``."""

SCHEDULES: Registry[Callable[[float], float]] = Registry(
    "schedule",
    {
        "constant": "seqarith.schedules:constant",
        "cosine": "seqarith.schedules:cosine",
        "linear": "seqarith.schedules:linear",
    },
)
"""Functions of the share of the run that is over to a factor of the learning rate."""
