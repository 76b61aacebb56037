"""Hidden vectors in two principal components, coloured by state, with the proof's regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqarith.certification.certify import stored_certificate, verify
from seqarith.certification.kernel.check import Accepted
from seqarith.machine import state_names
from seqarith.model import Model
from seqarith.plots.labels import label
from seqarith.plots.palette import DASHES, FAINT, INK, colour, marker
from seqarith.projection import Projection, Visits, visits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = 96
PATHS = 2
NAMED = 12  # maximum number of states in the legend


def trajectories(axes: Axes, model: Model, bits: int = 16, seed: int = 0) -> None:
    """Draw the hidden vectors of random words, in two principal components.

    A point is a hidden vector. Its colour and marker show the state of the task's machine, for sums
    the carry. Two words are drawn as paths. If the model has a certificate that the checker
    accepts, its regions are outlined: no word of any length leaves them for good.

    Args:
        axes: Axes to draw into.
        model: The model.
        bits: Digits of each operand.
        seed: Seed of the random words.

    Raises:
        TaskError: ``bits`` is out of range.
    """
    seen = visits(model, bits, WORDS, seed)
    plane = Projection.fit(seen.hidden[1:].reshape(-1, seen.hidden.shape[2]))
    regions = _outline_regions(axes, model, plane)
    _paths(axes, plane, seen)
    _points(axes, model, plane, seen)
    start = plane(seen.hidden[0, 0])
    axes.plot(*start, "+", color=INK, markersize=9, markeredgewidth=1.6, label="start")
    shares = [f"component {i + 1} ({100 * plane.explained[i]:.0f} % of variance)" for i in (0, 1)]
    axes.set(xlabel=shares[0], ylabel=shares[1])
    axes.set_title(label(f"{model.task.formula}: hidden vectors{regions}", 160), loc="left")
    axes.legend(loc="best", frameon=False)


def _points(axes: Axes, model: Model, plane: Projection, seen: Visits) -> None:
    machine, points = model.task.machine, plane(seen.hidden[1:])
    kind, names = state_names(machine.names) if machine else ("", ["hidden vectors"])
    for state, name in enumerate(names):
        chosen = points[seen.states[1:] == state]
        shown = label(f"{kind} {name}".strip()) if state < NAMED else None
        axes.plot(
            chosen[:, 0], chosen[:, 1], marker(state), color=colour(state), markersize=3.5,
            markerfacecolor=colour(state) if state % 2 else "white", markeredgewidth=0.8,
            label=shown,
        )  # fmt: skip


def _paths(axes: Axes, plane: Projection, seen: Visits) -> None:
    for word in range(PATHS):
        path = plane(seen.hidden[:, word])
        shown = f"{PATHS} words" if word == 0 else None
        axes.plot(path[:, 0], path[:, 1], "-", color=FAINT, linewidth=0.6, label=shown)


def _outline_regions(axes: Axes, model: Model, plane: Projection) -> str:
    """Outline the regions of an accepted certificate; return a note for the title."""
    if model.certificate is None:
        return ""
    if not isinstance(verify(model), Accepted):
        return "; the certificate was rejected"
    certificate = stored_certificate(model)
    for region in range(certificate.regions):
        corners = plane.outline(certificate, region)
        closed = np.concatenate([corners, corners[:1]])
        state = int(certificate.states[region])
        axes.plot(
            closed[:, 0], closed[:, 1], DASHES[state % len(DASHES)], color=colour(state),
            linewidth=0.9, alpha=0.8,
        )  # fmt: skip
    return f" and the {certificate.regions:,} regions of the proof"
