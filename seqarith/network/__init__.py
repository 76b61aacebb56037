"""A cell and a linear readout over a word: the only loop over time in the package.

`Unroll` is the training pass, `InferencePass` the inference pass. Both run the same recorded step.
"""

from seqarith.cells.tapes.training import READOUT
from seqarith.network.inference import InferencePass, emitted, margins
from seqarith.network.network import MAX_ARRAYS, MAX_LAYERS, VECTORS, Network
from seqarith.network.parameters import Parameters
from seqarith.network.unroll import Penalty, Unroll

__all__ = [
    "MAX_ARRAYS",
    "MAX_LAYERS",
    "READOUT",
    "VECTORS",
    "InferencePass",
    "Network",
    "Parameters",
    "Penalty",
    "Unroll",
    "emitted",
    "margins",
]
