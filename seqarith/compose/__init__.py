"""Programs of proved networks: functions on integers that compute with models.

A composition is a Python function that calls models. If every model is proved, its results are
correct for operands of every width, so the composition is correct if the Python function around the
models is. That function is not checked here; a report lists what the results depend on.
"""

from seqarith.compose.composition import Composition
from seqarith.compose.part import Part
from seqarith.compose.programs import distance, multiply
from seqarith.compose.provenance import Provenance, ProvenanceReport

__all__ = ["Composition", "Part", "Provenance", "ProvenanceReport", "distance", "multiply"]
