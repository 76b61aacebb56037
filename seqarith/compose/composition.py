"""A function on integers that computes with models."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from seqarith.compose.part import Part
from seqarith.compose.provenance import ProvenanceReport, provenance
from seqarith.errors import TaskError
from seqarith.model import Model


@final
class Composition:
    """A function on integers that computes with models.

    Args:
        function: Takes integers, and the parts as keyword arguments. What it computes without the
            parts is not covered by any certificate.
        name: Default: the function's name.
        models: The models, by the names of the keyword arguments.

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
            raise TaskError("a composition of no model: pass the models by name")
        self.name = name or function.__name__
        self.parts = {part: Part(model) for part, model in models.items()}
        self._function = function

    def __call__(self, *operands: int) -> int:
        """Return the result for integers of any size."""
        return self._function(*operands, **self.parts)

    def report(self) -> ProvenanceReport:
        """Check every certificate again, and return what the results depend on."""
        return ProvenanceReport(self.name, tuple(provenance(*item) for item in self.parts.items()))
