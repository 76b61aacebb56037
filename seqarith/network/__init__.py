"""A cell and a linear readout over a word: the only loop over time in the package.

`unroll.Unroll` is the training pass, `InferencePass` the inference pass. Both run the same record.
"""

from seqarith.cells.tapes.training import READOUT
from seqarith.network.inference import InferencePass, emitted, margins
from seqarith.network.network import MAX_ARRAYS, MAX_LAYERS, VECTORS, Network
from seqarith.network.parameters import Parameters

__all__ = [
    "MAX_ARRAYS",
    "MAX_LAYERS",
    "READOUT",
    "VECTORS",
    "InferencePass",
    "Network",
    "Parameters",
    "emitted",
    "margins",
]
