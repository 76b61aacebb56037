"""Registries: entries by name, with plugins and "did you mean".

A registry stores its builtin entries as ``"module:attribute"``, so that listing the names, or
refusing a wrong one, imports nothing. Other packages add entries under the registry's entry-point
group, for instance in their ``pyproject.toml``::

    [project.entry-points."seqarith.cells"]
    indrnn = "my_package.indrnn:IndRNN"
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, final

from seqarith.errors import InvalidValueError, PluginError, SeqarithError, UnknownNameError
from seqarith.text import shortened

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")

# What a broken module of another package may raise while it is imported.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


@final
class Registry(Generic[T]):
    """Entries of one kind by name.

    Args:
        kind: The kind of the entries, in the singular, for messages: ``"cell"``.
        builtin: Name to ``"module:attribute"``.
        group: The entry-point group; default: ``"seqarith."`` and the plural of ``kind``.
        check: ``"module:function"``, which is called with the name and the entry of another
            package, and raises `InvalidValueError` if they cannot be used.
        product: ``"module:class"`` of the objects that an entry returns when it is called.

    Example:
        >>> fruits: Registry[type] = Registry("number", {"fraction": "fractions:Fraction"})
        >>> fruits["fraction"]
        <class 'fractions.Fraction'>
        >>> fruits["fractoin"]
        Traceback (most recent call last):
        ...
        seqarith.errors.UnknownNameError: unknown number 'fractoin': ... Did you mean 'fraction'?
    """

    def __init__(
        self,
        kind: str,
        builtin: Mapping[str, str],
        group: str = "",
        check: str = "",
        product: str = "",
    ) -> None:
        self.kind = kind
        self.group = group or f"seqarith.{kind}s"
        self._builtin, self._check_place, self._product = dict(builtin), check, product
        self._loaded: dict[str, T] = {}
        self._registered: set[str] = set()

    def register(self, name: str, entry: T) -> T:
        """Add a custom entry for this process; packages add theirs with an entry point.

        Raises:
            InvalidValueError: The name is a builtin one, or the entry cannot be used.
        """
        if name in self._builtin:
            raise InvalidValueError(f"{self.kind} {name!r} is seqarith's own; choose another name")
        self._check(name, entry)
        self._loaded[name] = entry
        self._registered.add(name)
        return entry

    @property
    def builtin(self) -> tuple[str, ...]:
        """The names of the builtin entries."""
        return tuple(self._builtin)

    def __getitem__(self, name: str) -> T:
        """Return the entry of that name.

        Raises:
            UnknownNameError: No entry has that name; the message suggests the nearest.
            PluginError: It is an entry of another package that cannot be imported or used.
            TypeError: The name is not a string.
        """
        if not isinstance(name, str):
            self._refuse(name)
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Yield all names: the builtin ones, then the others in alphabetical order."""
        yield from self._builtin
        yield from sorted((self._plugins().keys() | self._registered) - self._builtin.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in self._registered or name in self._plugins()

    def build(self, name: str, options: Mapping[str, Any]) -> Any:
        """Call the entry of that name with options.

        Raises:
            UnknownNameError: No entry has that name.
            InvalidValueError: It has no such option (the message lists its options), or the object
                that it returns is of the wrong class.
            SeqarithError: The entry itself refuses a value.
            TypeError: The name is not a string.
        """
        factory: Any = self[name]
        try:
            accepted = list(signature(factory).parameters)
            surplus = [option for option in options if option not in accepted]
            if not surplus:
                return self._made(name, factory(**options))
        except SeqarithError:
            raise
        except (TypeError, ValueError) as error:
            raise InvalidValueError(f"{self.kind} {name!r}, {dict(options)}: {error}") from None
        raise InvalidValueError(
            f"{self.kind} {name!r} has no option {surplus[0]!r}; "
            f"it has {', '.join(accepted) or 'none'}"
        )

    def _load(self, name: str) -> T:
        if name in self._builtin:
            return _at(self._builtin[name])  # type: ignore[no-any-return]
        plugin = self._plugins().get(name)
        if plugin is None:
            raise UnknownNameError(unknown(self.kind, name, list(self)))
        try:
            entry = plugin.load()
            self._check(name, entry)
        except _BROKEN as error:
            told = isinstance(error, SeqarithError | ImportError | AttributeError)
            text = str(error) if told else f"{type(error).__name__}: {error}"
            raise PluginError(
                f"{self.kind} {name!r} of {plugin.value} cannot be loaded: {text}. "
                f"Reinstall or remove the package that offers it"
            ) from error
        return entry  # type: ignore[no-any-return]

    def _check(self, name: str, entry: object) -> None:
        if self._check_place:
            _at(self._check_place)(name, entry)

    def _made(self, name: str, made: Any) -> Any:
        if self._product and not isinstance(made, _at(self._product)):
            raise InvalidValueError(
                f"{self.kind} {name!r} makes {type(made).__name__}; expected an instance of "
                f"{self._product.replace(':', '.')}"
            )
        return made

    def _refuse(self, given: object) -> NoReturn:
        """Refuse an object that is given instead of a name, for instance a class."""
        name, constant = getattr(given, "name", ""), self.group.rpartition(".")[2].upper()
        example = name if isinstance(name, str) and name else f"my_{self.kind}"
        known = example in self
        remedy = "write" if known else f"call seqarith.{constant}.register({example!r}, ...), then"
        raise TypeError(
            f"{self.kind} {shortened(repr(given), 60)}: expected a name, as a file keeps it; "
            f"{remedy} {self.kind}={example!r}"
        )

    @property
    def ignored(self) -> dict[str, str]:
        """Messages about entries of other packages that are ignored: their names are builtin."""
        return {
            name: f"{self.kind} {name!r} of {plugin.value} is ignored: the name is seqarith's own; "
            "the package that offers it must choose another"
            for name, plugin in self._plugins().items()
            if name in self._builtin
        }

    def _plugins(self) -> Mapping[str, EntryPoint]:
        # Reading the metadata of every installed package takes milliseconds: only when asked.
        from importlib.metadata import entry_points

        return {entry.name: entry for entry in entry_points(group=self.group)}


def _at(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


def unknown(kind: str, name: str, known: list[str]) -> str:
    """Return the message for an unknown name, with the nearest known one."""
    message = f"unknown {kind} {name!r}: known are {', '.join(known)}"
    near = nearest(name, known)
    return f"{message}. Did you mean {near!r}?" if near else message


OTHER_NAMES = {
    "rnn": "elman", "simplernn": "elman", "vanilla": "elman", "plus": "add", "minus": "sub",
    "times": "mul", "modulo": "mod", "bce": "binary_cross_entropy", "mse": "squared_error",
    "lr": "learning_rate", "epochs": "max_steps",
}  # fmt: skip
"""Names in other libraries that are spelt very differently."""


def nearest(name: str, known: list[str]) -> str | None:
    """Return the known name that an unknown one most likely stands for, if any."""
    from difflib import get_close_matches

    lower = name.lower()
    if OTHER_NAMES.get(lower) in known:
        return OTHER_NAMES[lower]
    near = get_close_matches(lower, known)
    return min(near, key=lambda entry: not entry.startswith(lower), default=None)


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
"""Functions ``(base, **parameters) -> Task``; some take the number of ``operands`` as well."""

CELLS: Registry[Callable[..., Any]] = Registry(
    "cell",
    {
        "elman": "seqarith.cells.elman:Elman",
        "gru": "seqarith.cells.gru:GRU",
        "lstm": "seqarith.cells.lstm:LSTM",
        "jordan": "seqarith.cells.jordan:Jordan",
    },
    check="seqarith.cells.cell:check_entry",
    product="seqarith.cells.cell:Cell",
)
"""Classes ``(**options) -> Cell``."""

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
"""Functions from the completed fraction of the run to a factor of the learning rate."""
