"""Programs of proved networks: functions on integers that compute with models alone.

A composition is a Python function that is given models to compute with. Where every model is
proved, what it says is right for operands of every width, so that the whole is right if the Python
function around the models is. That function is not checked here; what it rests on is recorded.
"""

from seqarith.compose.composition import Composition
from seqarith.compose.part import Part
from seqarith.compose.programs import distance, multiply
from seqarith.compose.provenance import Provenance, ProvenanceReport

__all__ = ["Composition", "Part", "Provenance", "ProvenanceReport", "distance", "multiply"]
