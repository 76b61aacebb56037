"""The checker's verdict on a model, and the regions of its proof as the page shows them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from seqarith.certification.certify import stored_certificate, verify
from seqarith.certification.claim import Claim, claim_of
from seqarith.certification.kernel.certificate import Certificate
from seqarith.certification.kernel.check import Accepted
from seqarith.evaluation.fixed_width import fixed_width
from seqarith.model import Model
from seqarith.projection import Projection
from seqarith.text import shortened

OUTLINE = 16  # bytes per corner of an outline


@final
@dataclass(frozen=True)
class Known:
    """The checker's verdict on a model's certificate.

    Attributes:
        kind: ``"proved"``, ``"rejected"`` or ``"none"``.
        text: The verdict as text.
        badge: The verdict in a few words.
        certificate: The certificate, if it was accepted.
    """

    kind: str
    text: str
    badge: str = ""
    certificate: Certificate | None = None


def known(model: Model) -> Known:
    """Check the certificate of a model, if there is one."""
    if model.certificate is None:
        return Known("none", _no_proof(model))
    found = verify(model)
    if not isinstance(found, Accepted):
        reason = shortened(found.reason)
        text = f"The certificate was rejected, so it proves nothing: {reason}"
        return Known("rejected", text, "Its certificate was rejected")
    certificate = stored_certificate(model)
    text = (
        f"Proved. {found.claim} {certificate.regions:,} regions, smallest margin "
        f"{found.margin:.4g}; the checker accepted the certificate when this page was made."
    )
    return Known("proved", text, badge_of(claim_of(model)), certificate)


def badge_of(claim: Claim) -> str:
    """Return a claim in a few words, which must not claim more."""
    if claim.of == "task":
        return "Proved right at every width"
    return "Proved equal to the machine in this file, at every width"


def _no_proof(model: Model) -> str:
    width = fixed_width(model)
    if width is None:
        return "This file contains no proof; 'seqarith certify' searches for one and stores it."
    return (
        f"No finite machine computes {model.task.formula}, so there is no claim about every width. "
        f"The width is fixed: operands of {width} digits."
    )


def regions(known: Known, plane: Projection, room: int) -> dict[str, Any] | None:
    """Return the regions of an accepted certificate, ready for JSON; None without one.

    Args:
        known: The checker's verdict.
        plane: The plane in which regions are outlined.
        room: Bytes available. A large proof is shown without outlines, a larger one without the
            test whether a hidden vector is inside, and the largest not at all.
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
