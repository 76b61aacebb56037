"""The plane of most spread, and the shadows of regions in it."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.certification.kernel.certificate import Certificate
from seqarith.projection import Projection, visits


def test_axes_are_those_of_the_covariance() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 5)) * [1, 4, 2, 0.5, 3] + 7
    plane = Projection.fit(vectors)
    values, columns = np.linalg.eigh(np.cov(vectors.T, bias=True))
    np.testing.assert_allclose(plane.explained, values[::-1][:2] / values.sum())
    for axis, column in zip(plane.axes, columns.T[::-1], strict=False):
        assert abs(axis @ column) == pytest.approx(1)
        assert axis[np.abs(axis).argmax()] > 0
    placed = plane(vectors)
    np.testing.assert_allclose(placed.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(placed.var(axis=0), values[::-1][:2])


@pytest.mark.parametrize("vectors", [np.ones((4, 3)), np.arange(5.0)[:, None]])
def test_vectors_without_a_plane(vectors: Any) -> None:
    plane = Projection.fit(vectors)
    placed = plane(vectors)
    assert placed.shape == (len(vectors), 2)
    np.testing.assert_allclose(placed.var(), vectors.var() * vectors.shape[1] / 2, atol=1e-12)


def certificate_with(centres: Any, shapes: Any) -> Certificate:
    count = len(centres)
    return Certificate(
        "", "float64", 4.0, np.zeros(count, int), np.zeros((count, 4), int),
        np.array(centres, float), np.array(shapes, float), 0, 1, 8, 0.1,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["box", "parallelotope"])
def test_the_outline_is_the_shadow(kind: str) -> None:
    rng = np.random.default_rng(1)
    plane = Projection.fit(rng.normal(size=(50, 4)))
    centre = rng.normal(size=4)
    shape = rng.uniform(0.1, 2, 4) if kind == "box" else rng.normal(size=(4, 4))
    generators = np.diag(shape) if kind == "box" else shape
    corners = [centre + np.array(signs) @ generators for signs in product((-1, 1), repeat=4)]
    outline = plane.outline(certificate_with([centre], [shape]), 0)
    # A convex shape is known by how far it reaches in every direction.
    for angle in np.linspace(0, 2 * np.pi, 60):
        direction = np.array([np.cos(angle), np.sin(angle)])
        reach = max(direction @ plane(corner) for corner in corners)
        assert (outline @ direction).max() == pytest.approx(reach)
    edges = np.roll(outline, -1, axis=0) - outline
    turns = edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1]
    turns -= edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]
    assert (turns > -1e-12).all(), "the corners come in order"


def test_a_shadow_of_a_wider_memory() -> None:
    plane = Projection.fit(np.random.default_rng(2).normal(size=(50, 2)))
    outline = plane.outline(certificate_with([[1, 2, 9]], [[0.5, 0.25, 7]]), 0)
    expected = plane(np.array([[1 + x, 2 + y] for x in (-0.5, 0.5) for y in (-0.25, 0.25)]))
    for point in expected:
        assert np.abs(outline - point).max(axis=1).min() < 1e-12


def test_visits_are_traces() -> None:
    model = sa.Model.shipped("add")
    seen = visits(model, 6, 20, seed=3)
    assert seen.hidden.shape == (8, 20, model.network.hidden)
    operands = model.task.operands_of(seen.letters)
    for word in range(20):
        steps = sa.trace(model, *(values[word] for values in operands))
        known = steps.steps + 1  # a trace has no more room than its operands need
        np.testing.assert_allclose(seen.hidden[:known, word], steps.hidden, atol=1e-12)
        assert steps.states is not None
        assert seen.states[:known, word].tolist() == steps.states.tolist()
    again = visits(model, 6, 20, seed=4)
    assert (again.letters != seen.letters).any()
