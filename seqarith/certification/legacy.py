"""Certificates of files before 0.6, which identify their program by another digest.

None of this is trusted. A digest only tells which program a certificate is about; the checker
decides whether the certificate holds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.elman import Elman
from seqarith.cells.gru import GRU
from seqarith.cells.lstm import LSTM
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.program import Program
from seqarith.certification.kernel.wellformed import MIN_TANH_ULPS
from seqarith.network import Network

SLACK = 0.99
"""Share of an old margin that is claimed: it was bounded for fewer orders of summation."""


def renew(certificate: Certificate, program: Program, network: Network) -> Certificate:
    """Return a certificate with the current digest of the program, if it had its old digest.

    Args:
        certificate: The stored certificate.
        program: The model's program.
        network: The model's network.
    """
    digest = program.digest()
    if certificate.digest == digest or certificate.digest != _old_digest(program, network):
        return certificate
    margin = certificate.margin
    claimed = margin * SLACK if type(margin) is float else margin
    ulps = certificate.tanh_ulps
    if type(ulps) is float:
        ulps = max(ulps, MIN_TANH_ULPS)
    return replace(certificate, digest=digest, margin=claimed, tanh_ulps=ulps)


def _old_digest(p: Program, network: Network) -> str:
    """Return the digest that 0.5 gave a program; empty if it did not support the program."""
    cell, known = network.cell, (Elman, GRU, LSTM)
    if type(cell) not in known or network.layers > 1 or p.threshold:
        return ""
    if isinstance(cell, Elman) and cell.activation == "relu":
        return ""
    none = np.zeros(len(p.arrays["rnn.weight_hh_l0"]), p.dtype)
    bias, beside = (p.arrays.get(f"rnn.bias_{side}_l0", none) for side in ("ih", "hh"))
    kernels = {"weight_ih": p.arrays["rnn.weight_ih_l0"], "weight_hh": p.arrays["rnn.weight_hh_l0"]}
    if isinstance(cell, GRU):
        apart = 2 * network.hidden
        summed = np.concatenate((bias[:apart] + beside[:apart], bias[apart:]))
        kernels |= {"bias": summed, "bias_hh": beside[apart:]}
    else:
        kernels["bias"] = bias + beside
    if isinstance(cell, Elman):
        title = f"activation {cell.activation};"
    else:
        title = f"cell {json.dumps([cell.name, {}, list(kernels)], sort_keys=True)};"
    later = ("start", "readout_weight", "readout_bias", "next_state", "output")
    arrays = [("inputs", p.inputs), *kernels.items(), *((n, getattr(p, n)) for n in later)]
    sha = hashlib.sha256(title.encode())
    for name, value in arrays:
        sha.update(_hashed(name, value))
    return sha.hexdigest()


def _hashed(name: str, value: NDArray[np.generic]) -> bytes:
    kind = "<i8" if value.dtype.kind == "i" else value.dtype.newbyteorder("<")
    array = np.ascontiguousarray(value, kind)
    return f"{name} {array.dtype.str} {array.shape};".encode() + array.tobytes()
