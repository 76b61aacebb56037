"""Schedules: how the learning rate changes in the course of a run.

A schedule is a function of the share of the run that is over, 0 up to 1, to a factor of the rate.
"""

from __future__ import annotations

from math import cos, pi


def constant(share: float) -> float:
    """Return 1."""
    return 1.0


def linear(share: float) -> float:
    """Return 1 - share: down to 0 in a straight line."""
    return 1.0 - share


def cosine(share: float) -> float:
    """Return (1 + cos(pi share)) / 2: down to 0 along half a wave.

    Source: I. Loshchilov and F. Hutter, SGDR (2017), equation 5, without restarts.
    """
    return (1.0 + cos(pi * share)) / 2
