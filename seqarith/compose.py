"""Programs of proved networks: functions on integers that compute with models alone.

A composition is a Python function that is given models to compute with. Where every model is
proved, what it says is right for operands of every width, so that the whole is right if the Python
function around the models is. That function is not checked here; what it rests on is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from seqarith.certification.certify import verify
from seqarith.certification.check import Accepted
from seqarith.certification.program import from_model
from seqarith.digits import count_digits
from seqarith.errors import CertificateError, TaskError
from seqarith.model import Model

_LETTERS = 2**22  # that are run side by side, about: what bounds the memory


@final
class Part:
    """A model as a function on integers, which counts how often it was asked.

    Args:
        model: The model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.calls = self.wrong = 0

    def __call__(self, *operands: int) -> int:
        """Return what the network says: an integer, or the number of a symbol."""
        return self.many([operands])[0]

    def many(self, tuples: Sequence[Sequence[int]]) -> list[int]:
        """Return what the network says for many tuples of operands, run side by side."""
        results: list[int] = []
        base = self.model.task.base
        digits = max((count_digits(v, base) for values in tuples for v in values), default=1)
        room = max(1, _LETTERS // digits)
        for start in range(0, len(tuples), room):
            for prediction in self.model.predict_many(tuples[start : start + room]):
                results.append(prediction.predicted)
                self.wrong += not prediction.correct
        self.calls += len(tuples)
        return results


@final
@dataclass(frozen=True)
class Basis:
    """What is known of one model that a composition computes with.

    Attributes:
        part: The name that the composition has for it.
        formula: What its task is.
        digest: SHA-256 of the program that was proved; None where there is no machine to prove
            it against.
        proved: Whether its certificate was checked just now, and accepted.
        reason: Why it counts as proved, or not.
        calls: How often it was asked so far.
        wrong: How many of its results were wrong, seen from the task.
    """

    part: str
    formula: str
    digest: str | None
    proved: bool
    reason: str
    calls: int
    wrong: int

    def __str__(self) -> str:
        digest = f", program {self.digest[:16]}" if self.digest else ""
        verdict = "proved" if self.proved else "NOT PROVED"
        return (
            f"  {self.part}: {self.formula}{digest}: {verdict}, {self.reason} "
            f"({self.calls:,} calls, {self.wrong:,} wrong)"
        )


@final
@dataclass(frozen=True)
class BasisReport:
    """What the results of a composition rest on.

    Attributes:
        name: Of the composition.
        bases: One for each model.
    """

    name: str
    bases: tuple[Basis, ...]

    @property
    def proved(self) -> bool:
        """Whether every model is proved right at every width."""
        return all(basis.proved for basis in self.bases)

    def __str__(self) -> str:
        if self.proved:
            said = "every network it computes with is proved right at every width"
        else:
            said = "NOT every network it computes with is proved; its results may be wrong"
        rest = "  and on the Python function around them, which no certificate covers"
        return "\n".join([f"{self.name}: {said}", *map(str, self.bases), rest])


@final
class Composition:
    """A function on integers that computes with models.

    Args:
        function: Takes the parts by name, as keywords, and then integers: what it does with
            integers beside the parts is what has to be believed of it.
        name: Default: the function's.
        models: The models, by the names that the function has for them.

    Raises:
        TaskError: There is no model.

    Example:
        >>> def triple(a: int, *, add: Part) -> int:
        ...     return add(add(a, a), a)
        >>> composition = Composition(triple, add=Model.shipped("add"))
        >>> composition(37)
        111
        >>> composition.report().bases[0].calls
        2
    """

    def __init__(self, function: Callable[..., int], name: str = "", **models: Model) -> None:
        if not models:
            raise TaskError("a composition of no model: give the models by name")
        self.name = name or function.__name__
        self.parts = {part: Part(model) for part, model in models.items()}
        self._function = function

    def __call__(self, *operands: int) -> int:
        """Return the result for integers of any size."""
        return self._function(*operands, **self.parts)

    def report(self) -> BasisReport:
        """Check every certificate anew, and return what the results rest on."""
        return BasisReport(self.name, tuple(_basis(*item) for item in self.parts.items()))


def multiply(adder: Model) -> Composition:
    """Multiply any two integers by shift-and-add, every addition by a network.

    Sums of shifted operands are added in pairs, then sums of pairs, and so on, all pairs of a round
    side by side. Of Python's own arithmetic only signs, shifts and masks are used.

    Args:
        adder: A model of ``add``, two operands, base 2.

    Raises:
        TaskError: It is of another task.

    Example:
        >>> product = multiply(Model.shipped("add"))
        >>> product(-37, 58)
        -2146
    """
    _check(adder, "add", 2)
    return Composition(_multiply, "multiply", add=adder)


def distance(compare: Model, subtract: Model) -> Composition:
    """Return abs(a - b) of two naturals: one network tells which is larger, one subtracts.

    Args:
        compare: A model of ``compare``.
        subtract: A model of ``sub``, two operands.

    Raises:
        TaskError: One is of another task.
    """
    _check(compare, "compare", compare.task.base)
    _check(subtract, "sub", subtract.task.base)
    return Composition(_distance, "distance", compare=compare, subtract=subtract)


def _multiply(a: int, b: int, *, add: Part) -> int:
    if b < 0:
        a, b = -a, -b
    sums = [a if b >> place & 1 else 0 for place in range(max(1, b.bit_length()))]
    width = 1  # the sums are worth 1, 2**width, 2**(2 width), ...
    while len(sums) > 1:
        sums += [0] * (len(sums) % 2)
        low, high = sums[::2], sums[1::2]
        # The last digits of the lower sum meet zeros: only those before them are added.
        added = add.many([(x >> width, y) for x, y in zip(low, high, strict=True)])
        mask = (1 << width) - 1
        sums = [(s << width) | (x & mask) for s, x in zip(added, low, strict=True)]
        width *= 2
    return sums[0]


def _distance(a: int, b: int, *, compare: Part, subtract: Part) -> int:
    less = compare(a, b) == 0
    return subtract(b, a) if less else subtract(a, b)


def _check(model: Model, name: str, base: int) -> None:
    task = model.task
    if task.own or (task.name, task.operands, task.base) != (name, 2, base):
        raise TaskError(
            f"a model of {task.name}, {task.operands} operands, base {task.base}; expected one of "
            f"{name}, 2 operands, base {base}"
        )


def _basis(name: str, part: Part) -> Basis:
    task = part.model.task
    digest, proved, reason = _known(part.model)
    return Basis(name, task.formula, digest, proved, reason, part.calls, part.wrong)


def _known(model: Model) -> tuple[str | None, bool, str]:
    """Return the digest of a model's program, whether it is proved, and why or why not."""
    try:
        digest = from_model(model).digest()
    except TaskError as error:
        return None, False, str(error)
    try:
        found = verify(model)
    except CertificateError:
        return digest, False, "it holds no certificate"
    if isinstance(found, Accepted):
        return digest, True, f"certificate accepted, smallest margin {found.margin:.4g}"
    return digest, False, f"certificate rejected: {found.reason}"
