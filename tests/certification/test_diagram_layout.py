"""Diagrams of machines: what is drawn does not cover what is written."""

from __future__ import annotations

from itertools import combinations
from math import dist

import pytest

import seqarith as sa
from seqarith.certification.diagram import arrows
from seqarith.certification.diagram_layout import LETTER, LINE, Diagram, lay_out

TASKS = [
    ("add", {}),
    ("add", {"base": 10}),
    ("add", {"operands": 4}),
    ("mod", {"divisor": 5}),
    ("mod", {"divisor": 7}),
    ("scale", {"factor": 5}),
    ("parity", {}),
    ("not", {}),
]


def drawn(name: str, **settings: int) -> Diagram:
    task = sa.registry.TASKS[name](**settings)
    return lay_out(task.machine.names, arrows(task, task.machine))


def extent(lines: tuple[str, ...]) -> tuple[float, float]:
    return LETTER * max(map(len, lines)), LINE * len(lines)


@pytest.mark.parametrize(("name", "settings"), TASKS, ids=str)
def test_names_are_whole_and_fit_their_circles(name: str, settings: dict[str, int]) -> None:
    task, diagram = sa.registry.TASKS[name](**settings), drawn(name, **settings)
    for lines, state in zip(diagram.names, task.machine.names, strict=True):
        assert " ".join(lines) == state
        assert dist((0, 0), extent(lines)) <= 2 * diagram.radius
    for one, other in combinations(diagram.places, 2):
        assert dist(one, other) > 2 * diagram.radius + 10


@pytest.mark.parametrize(("name", "settings"), TASKS, ids=str)
def test_no_label_covers_a_circle_or_a_label(name: str, settings: dict[str, int]) -> None:
    diagram = drawn(name, **settings)
    boxes = [(arrow.label, extent(arrow.lines)) for arrow in diagram.arrows]
    for (one, wide), (other, broad) in combinations(boxes, 2):
        apart = [2 * abs(one[i] - other[i]) >= wide[i] + broad[i] for i in (0, 1)]
        assert any(apart), (one, other)
    for label, size in boxes:
        assert label[0] - size[0] / 2 > 0
        assert label[0] + size[0] / 2 < diagram.size[0]
        assert label[1] - size[1] / 2 > 0
        assert label[1] + size[1] / 2 < diagram.size[1]
        for place in diagram.places:
            near = [max(0.0, abs(label[i] - place[i]) - size[i] / 2) for i in (0, 1)]
            assert dist((0, 0), near) > diagram.radius


def test_every_arrow_begins_and_ends_at_its_circles() -> None:
    diagram = drawn("mod", divisor=5)
    for arrow in diagram.arrows:
        start, _, end = arrow.curve
        assert dist(start, diagram.places[arrow.source]) == pytest.approx(diagram.radius)
        assert dist(end, diagram.places[arrow.target]) == pytest.approx(diagram.radius)


def test_many_states_have_arrows_without_labels() -> None:
    names = [f"remainder {state}" for state in range(300)]
    diagram = lay_out(names, {(q, (q + 1) % 300): ["0 / 1"] for q in range(300)})
    assert {arrow.lines for arrow in diagram.arrows} == {()}


def test_a_word_that_is_too_long_is_cut() -> None:
    (lines,) = lay_out(["a" * 40 + " b"], {}).names
    assert lines == ("a" * 11 + "…", "b")
