"""What a notebook shows: one line as text, and HTML that says the same as the object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqarith as sa
from seqarith.certification.verdicts import Undecided
from seqarith.notebook import diagram, facts, grid
from seqarith.registry import TASKS


def parsed(shown: str) -> ElementTree.Element:
    """Return HTML that is well-formed XML besides, as ours is."""
    return ElementTree.fromstring(f"<div>{shown}</div>")


def rows(shown: str) -> dict[str, list[str]]:
    """Return the rows of all tables: the name and the cells of each."""
    return {
        "".join(row.find("th").itertext()): ["".join(cell.itertext()) for cell in row.iter("td")]
        for row in parsed(shown).iter("tr")
    }


@pytest.fixture(scope="module")
def shown(adder: sa.Model, wrong_adder: sa.Model, trained: sa.Run) -> dict[str, Any]:
    proved, refuted = sa.certify(adder, 10), sa.certify(wrong_adder, 10)
    assert isinstance(proved, sa.Proved)
    assert isinstance(refuted, sa.Refuted)
    return {
        "model": adder,
        "proved model": sa.attach(adder, proved.certificate),
        "run": trained,
        "evaluation": sa.evaluate(wrong_adder, 3),
        "sampled": sa.evaluate(adder, 40, samples=100),
        "proved": proved,
        "refuted": refuted,
        "undecided": Undecided("not proved within 100 steps", 9, 7, 12, 60.0),
        "machine": adder.task.machine,
        "large machine": TASKS["mod"](2, divisor=11).machine,
        "prediction": adder.predict(37, 58),
        "wrong": wrong_adder.predict(3, 3),
        "long": adder.predict(10**5000, -(10**4999)),
    }


KINDS = (
    "model", "proved model", "run", "evaluation", "sampled", "proved", "refuted", "undecided",
    "machine", "large machine", "prediction", "wrong", "long",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_notebook_shows_is_one_line_or_sound_html(shown: dict[str, Any], kind: str) -> None:
    assert set(KINDS) == set(shown)
    text = repr(shown[kind])
    assert text.startswith(type(shown[kind]).__name__ + "(")
    assert text.isprintable()
    assert len(text) < 250
    html = shown[kind]._repr_html_()
    assert len(html) < 20_000
    assert "".join(parsed(html).itertext())


def test_a_model_says_what_it_is(shown: dict[str, Any]) -> None:
    assert repr(shown["model"]) == "Model(add: a + b, elman of 3 units)"
    assert repr(shown["proved model"]) == "Model(add: a + b, elman of 3 units, with a certificate)"
    assert rows(shown["model"]._repr_html_())["certificate"] == ["none"]
    assert rows(shown["proved model"]._repr_html_())["certificate"] == [
        "sa.verify(model) checks it"
    ]


def test_a_run_says_what_was_reached(shown: dict[str, Any], trained: sa.Run) -> None:
    text = f"Run(add, width 8: 65,536 of 65,536 correct, {trained.steps} steps, proved)"
    assert repr(trained) == text
    found = rows(trained._repr_html_())
    assert (found["goal"], found["proof"]) == (["reached"], [trained.claim])


def test_an_evaluation_shows_its_wrong_cases(shown: dict[str, Any]) -> None:
    found = shown["evaluation"]
    assert repr(found) == f"Evaluation(add, width 3: {found.correct} of 64 correct, exhaustive)"
    text = "".join(parsed(found._repr_html_()).itertext())
    for case in found.counterexamples:
        assert str(case) in text
    assert rows(shown["sampled"]._repr_html_())["words with long runs right"] == ["25 of 25"]


def test_verdicts_say_what_they_are(shown: dict[str, Any]) -> None:
    assert repr(shown["refuted"]) == "Refuted(3 + 3 = 4 (wrong: 6 expected), width 2)"
    assert rows(shown["refuted"]._repr_html_())["shorter operands"] == ["all right"]
    assert str(shown["undecided"]) == "Undecided. not proved within 100 steps"
    assert repr(shown["undecided"]) == "Undecided(7 of 9 regions proved)"
    assert str(shown["proved"].claim) in repr(shown["proved"])


def test_a_prediction_is_written_down_as_on_paper(adder: sa.Model) -> None:
    found = rows(adder.predict(37, 58)._repr_html_())
    assert {name: "".join(cells) for name, cells in found.items() if name != "margin"} == {
        "carry": "1000000",
        "a": "0100101",
        "b": "0111010",
        "network": "1011111",
    }


def test_wrong_digits_are_marked(wrong_adder: sa.Model) -> None:
    html = wrong_adder.predict(3, 3)._repr_html_()
    found = rows(html)
    assert ("".join(found["network"]), "".join(found["expected"])) == ("100", "110")
    red = [cell.text for cell in parsed(html).iter("td") if "color" in cell.get("style", "")]
    assert red == ["0"]


def test_what_is_read_from_left_to_right_is_written_so(solved: Callable[..., sa.Model]) -> None:
    found = rows(solved(TASKS["mod"](2, divisor=5)).predict(0b101111)._repr_html_())
    assert "".join(found["a"]) == "101111"
    assert "".join(found["remainder"]) == "012013"
    assert found["network"] == ["", "", "", "", "", "2"]


@given(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70), st.integers(1, 90))
def test_every_prediction_can_be_shown(
    make_random: Callable[..., sa.Model], a: int, b: int, digits: int
) -> None:
    (found,) = make_random(TASKS["add"](), 3).predict([a], [b], digits=digits)
    cells = rows(found._repr_html_()).get("network")
    said = [int(cell) for cell in reversed(cells or [])]
    if said:  # base complement, least significant digit first
        assert (found.predicted - sum(d << i for i, d in enumerate(said))) % 2 ** len(said) == 0


def test_numbers_of_more_digits_than_python_writes() -> None:
    found = sa.load("add").predict(10**5000, 1)
    assert str(found) == f"1{'0' * 5000} + 1 = 1{'0' * 4999}1"
    assert len(repr(found)) < 250


def test_a_machine_is_drawn(adder: sa.Model) -> None:
    machine = adder.task.machine
    assert machine is not None
    assert repr(machine) == "MealyMachine(2 states, 4 letters, 2 output symbols)"
    drawing = parsed(machine._repr_html_()).find(".//svg")
    assert drawing is not None
    assert len(list(drawing.iter("circle"))) == machine.states + 1
    arrows = [path for path in drawing.iter("path") if path.get("marker-end")]
    assert len(arrows) == 4
    texts = [text.text for text in drawing.iter("text")]
    assert sorted(texts) == sorted(
        ["0", "1", "0 / 0", "1, 2 / 1", "3 / 0", "0 / 1", "1, 2 / 0", "3 / 1"]
    )


def test_a_large_machine_is_a_table_and_a_huge_one_a_line(shown: dict[str, Any]) -> None:
    machine = shown["large machine"]
    found = rows(machine._repr_html_())
    for state, name in enumerate(machine.names):
        cells = zip(machine.next_state[state], machine.output[state], strict=True)
        assert found[name.split()[-1]] == [f"{q} / {s}" for q, s in cells]
    huge = sa.MealyMachine(np.zeros((600, 2), int), np.zeros((600, 2), int))
    assert rows(huge._repr_html_()) == {}


def test_arrows_with_many_letters_list_a_few() -> None:
    machine = sa.MealyMachine(np.zeros((1, 30), int), np.arange(30)[None] // 5)
    texts = [text.text for text in parsed(machine._repr_html_()).iter("text")]
    assert texts == [
        "0, 1, 2, ... / 0",
        "5, 6, 7, ... / 1",
        "10, 11, 12, ... / 2",
        "and 3 more",
        "0",
    ]


def test_text_from_files_is_escaped() -> None:
    evil = "<script>\x1b\u202e"
    for html in (
        facts(evil, [(evil, evil)]),
        grid([(evil, [evil])]),
        diagram([evil], 0, {(0, 0): [evil]}),
    ):
        assert "<script" not in html
        assert "\x1b" not in html
        assert "\u202e" not in html
        assert "<script>" in "".join(parsed(html).itertext())
