"""The way from the first memory of a program into the regions."""

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from seqarith.certification.kernel.program import FloatArray, IntArray
from seqarith.certification.prove.induction import Induction, Limits, Regions

CANDIDATES = 8  # regions tried as the one that the start is on its way to: the nearest ones
EFFORT = 4_000  # zonotope steps that each of them may cost
SMALL = 1e-4  # half-width of the start's own region


@final
@dataclass(frozen=True, eq=False)
class InitialRegion:
    """Regions, the number of the one that the start is on its way to, and the letters it takes."""

    regions: Regions
    start: int
    depth: int


def find_initial_region(
    induction: Induction, start: FloatArray, following: IntArray, limits: Limits
) -> InitialRegion | None:
    """Return regions with one that the start (M,) reaches; None if it reaches none.

    A network may remember its first letter for ever, so that the start never comes into a region of
    later memories. Then it gets a region of its own, which each letter leaves for another region,
    one of the machine state that follows.

    Args:
        induction: The induction over the regions.
        start: The first memory, shape (M,).
        following: Machine states after each first letter, shape (A,).
        limits: Of the induction.
    """
    limits = replace(limits, effort=max(EFFORT, limits.effort))
    found = _towards(induction, start, 0, limits)
    if found is not None:
        return InitialRegion(induction.regions, *found)
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
    return InitialRegion(regions, len(regions.states) - 1, outcome.depth)


def _towards(
    induction: Induction, point: FloatArray, state: int, limits: Limits
) -> tuple[int, int] | None:
    """Return a region of the state that a memory reaches, and the letters it takes."""
    regions = induction.regions
    candidates: IntArray = np.flatnonzero(regions.states == state)
    far = np.abs(regions.centres[candidates] - point).max(1)
    candidates = candidates[far.argsort(kind="stable")][:CANDIDATES]
    outcome = induction.from_point(point, candidates, limits)
    if outcome.failed.all():
        return None
    return int(candidates[int(outcome.failed.argmin())]), outcome.depth


def _with_start(regions: Regions, start: FloatArray, to: list[int]) -> Regions:
    return Regions(
        np.append(regions.states, 0),
        np.append(regions.successors, [to], 0),
        np.append(regions.centres, start[None].astype(float), 0),
        np.append(regions.shapes, SMALL * np.eye(len(start))[None], 0),
    )
