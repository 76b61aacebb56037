"""Schedules: how the learning rate changes during a run.

A schedule maps the share of steps done, from 0 to 1, to a factor of the learning rate.
"""

from __future__ import annotations

from math import cos, pi


def constant(share: float) -> float:
    """Return 1: a constant learning rate."""
    return 1.0


def linear(share: float) -> float:
    """Return 1 - share: linear decay to 0."""
    return 1.0 - share


def cosine(share: float) -> float:
    """Return (1 + cos(pi share)) / 2: cosine decay to 0.

    Source: I. Loshchilov and F. Hutter, SGDR (2017), equation 5, without restarts.
    """
    return (1.0 + cos(pi * share)) / 2
