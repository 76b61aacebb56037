"""The way from a network's first hidden vector into the regions."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.induction import Induction, Limits, Regions

ENTRIES = 8  # regions tried as the one that a vector counts as being on its way to
EFFORT = 4_000  # zonotope steps that each of them may cost
SMALL = 1e-4  # half-width of the start's own region


@final
@dataclass(frozen=True, eq=False)
class Entry:
    """Regions with the one that the start counts as being on its way to, and the depth of that."""

    regions: Regions
    start: int
    depth: int


def enter(
    induction: Induction, start: FloatArray, following: IntArray, limits: Limits
) -> Entry | None:
    """Bring the start (H,) into the regions; None where it does not come in.

    It counts as being on its way to one of them. Where that fails, since what a network remembers
    of its first letter may last for ever, it gets a region of its own, which every letter leaves
    for another region of the state ``following`` (A,) it.
    """
    limits = replace(limits, effort=max(EFFORT, limits.effort))
    found = _towards(induction, start, 0, limits)
    if found is not None:
        return Entry(induction.regions, *found)
    letters = np.arange(len(following))
    images = induction.cell.points(np.repeat(start[None].astype(float), len(letters), 0), letters)
    ways = [_towards(induction, images[a], int(following[a]), limits) for a in letters]
    to = [way[0] for way in ways if way is not None]
    if len(to) < len(ways):
        return None
    regions = _with_start(induction.regions, start, to)
    again = Induction(induction.cell, induction.readout, induction.output, regions)
    outcome = again.from_regions(np.array([len(regions.states) - 1]), limits)
    if outcome.failed.any():
        return None
    return Entry(regions, len(regions.states) - 1, outcome.depth)


def _towards(
    induction: Induction, point: FloatArray, state: int, limits: Limits
) -> tuple[int, int] | None:
    """Find a region of the state that a vector may count as being on its way to; and the depth."""
    regions = induction.regions
    entries: IntArray = np.flatnonzero(regions.states == state)
    far = np.abs(regions.centres[entries] - point).max(1)
    entries = entries[far.argsort(kind="stable")][:ENTRIES]
    outcome = induction.from_point(point, entries, limits)
    if outcome.failed.all():
        return None
    return int(entries[int(outcome.failed.argmin())]), outcome.depth


def _with_start(regions: Regions, start: FloatArray, to: list[int]) -> Regions:
    return Regions(
        np.append(regions.states, 0),
        np.append(regions.successors, [to], 0),
        np.append(regions.centres, start[None].astype(float), 0),
        np.append(regions.shapes, SMALL * np.eye(len(start))[None], 0),
    )
