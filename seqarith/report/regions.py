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

OUTLINE = 16  # bytes of a corner


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
        f"Proved. {found.claim} {certificate.regions:,} regions, smallest margin "
        f"{found.margin:.4g}; the checker accepted the certificate when this page was made."
    )
    return Known("proved", said, certificate)


def regions(known: Known, plane: Projection, room: int) -> dict[str, Any] | None:
    """Return the regions of an accepted certificate, ready for JSON; None where there is none.

    Args:
        known: What the checker said.
        plane: Where the regions are outlined.
        room: Bytes that they may take. A large proof is shown without outlines, a larger one
            without the test whether a hidden vector is inside, and the largest not at all.
    """
    proof = known.certificate
    if proof is None or 4 * proof.successors.size > room:
        return None
    width = proof.centres.shape[1]
    room -= 4 * proof.successors.size
    numbers = 11 * (proof.centres.size + proof.shapes.size)
    corners = OUTLINE * (2 * width + 3) * proof.regions
    tested = numbers <= room
    return {
        "states": proof.states.tolist(),
        "successors": proof.successors.tolist(),
        "start": int(proof.start),
        "width": width,
        "box": proof.shapes.ndim == 2,
        "centres": encoded(proof.centres.astype("<f8")) if tested else None,
        "shapes": encoded(proof.shapes.astype("<f8")) if tested else None,
        "outlines": _outlines(proof, plane) if corners + tested * numbers <= room else [],
    }


def encoded(array: NDArray[Any]) -> str:
    """Return the numbers of an array, low byte first, as base64 text."""
    little = array.astype(array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode("ascii")


def _outlines(proof: Certificate, plane: Projection) -> list[dict[str, Any]]:
    return [
        {
            "region": region,
            "state": int(proof.states[region]),
            "points": np.round(plane.outline(proof, region), 3).tolist(),
        }
        for region in range(proof.regions)
    ]
