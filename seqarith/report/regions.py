"""What is proved of a model, and the regions of its proof as the page shows them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.certificate import Certificate
from seqarith.certification.certify import stored_certificate, verify
from seqarith.certification.check import Accepted
from seqarith.model import Model
from seqarith.projection import Projection

MOST_BYTES = 60_000
"""Of regions and of outlines; a larger proof is shown without the one or the other."""


@final
@dataclass(frozen=True)
class Known:
    """What the checker said of a model's certificate.

    Attributes:
        kind: ``"proved"``, ``"rejected"`` or ``"none"``.
        said: That in words.
        certificate: The certificate, if it was accepted.
    """

    kind: str
    said: str
    certificate: Certificate | None = None


def known(model: Model) -> Known:
    """Check the certificate of a model, if it holds one."""
    if model.certificate is None:
        said = "This file holds no proof; 'seqarith certify' looks for one and stores it."
        return Known("none", said)
    found = verify(model)
    if not isinstance(found, Accepted):
        return Known("rejected", f"The certificate was rejected, it proves nothing: {found.reason}")
    certificate = stored_certificate(model)
    said = (
        f"Proved: {model.task.formula} is right for operands of every width, as computed in "
        f"{model.network.dtype}. {certificate.regions:,} regions, smallest margin "
        f"{found.margin:.4g}; the checker accepted the certificate when this page was made."
    )
    return Known("proved", said, certificate)


def regions(known: Known, plane: Projection) -> dict[str, Any] | None:
    """Return the regions of an accepted certificate, ready for JSON; None where there is none."""
    proof = known.certificate
    if proof is None:
        return None
    width = proof.centres.shape[1]
    shown = proof.centres.size + proof.shapes.size <= MOST_BYTES // 6
    corners = 2 * width * proof.regions
    return {
        "states": proof.states.tolist(),
        "successors": proof.successors.tolist(),
        "start": int(proof.start),
        "width": width,
        "box": proof.shapes.ndim == 2,
        "centres": _single(proof.centres) if shown else None,
        "shapes": _single(proof.shapes) if shown else None,
        "outlines": _outlines(proof, plane) if corners * 16 <= MOST_BYTES else [],
    }


def _outlines(proof: Certificate, plane: Projection) -> list[dict[str, Any]]:
    return [
        {
            "region": region,
            "state": int(proof.states[region]),
            "points": np.round(plane.outline(proof, region), 3).tolist(),
        }
        for region in range(proof.regions)
    ]


def _single(array: NDArray[Any]) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode("ascii")
