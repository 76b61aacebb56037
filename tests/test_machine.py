"""The transducer against brute force over words."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqarith.errors import MachineError
from seqarith.machine import MealyMachine


@st.composite
def machines(draw: st.DrawFn, letters: int = 2, most: int = 4) -> MealyMachine:
    states = draw(st.integers(1, most))

    def table(limit: int) -> list[list[int]]:
        row = st.lists(st.integers(0, limit - 1), min_size=letters, max_size=letters)
        return draw(st.lists(row, min_size=states, max_size=states))

    initial = draw(st.integers(0, states - 1))
    return MealyMachine(table(states), table(2), outputs=2, initial=initial)


def say(machine: MealyMachine, word: tuple[int, ...], state: int | None = None) -> list[int]:
    """Return the outputs for a word, letter by letter."""
    here = machine.initial if state is None else state
    outputs = []
    for letter in word:
        outputs.append(int(machine.output[here][letter]))
        here = int(machine.next_state[here][letter])
    return outputs


def words(letters: int, longest: int) -> list[tuple[int, ...]]:
    """Return all words, the shortest first, those of one length in the order of letters."""
    return [w for length in range(1, longest + 1) for w in product(range(letters), repeat=length)]


def reachable(machine: MealyMachine) -> set[int]:
    found, queue = {machine.initial}, [machine.initial]
    while queue:
        for successor in machine.next_state[queue.pop()].tolist():
            if successor not in found:
                found.add(successor)
                queue.append(successor)
    return found


@given(machines(letters=3), st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_run_and_trace(machine: MealyMachine, word: list[int]) -> None:
    assert machine.run(word).tolist() == say(machine, tuple(word))
    trace = machine.trace(word)
    assert trace[0] == machine.initial
    for t, letter in enumerate(word):
        assert trace[t + 1] == machine.next_state[trace[t], letter]


@given(machines(letters=2), st.integers(0, 3))
def test_words_side_by_side_are_as_one_by_one(machine: MealyMachine, start: int) -> None:
    state = start % machine.states
    batch = np.array(list(product(range(2), repeat=4))).T
    together = machine.run(batch, state)
    for column in range(batch.shape[1]):
        alone = say(machine, tuple(batch[:, column].tolist()), state)
        assert together[:, column].tolist() == alone


@given(machines())
def test_minimised_is_equivalent_and_minimal(machine: MealyMachine) -> None:
    small = machine.minimised()
    longest = machine.states + 1
    for word in words(2, longest):
        assert say(machine, word) == say(small, word)
    # States that no word tells apart are one state: so many behaviours, so many states.
    behaviours = {
        tuple(tuple(say(machine, word, state)) for word in words(2, longest))
        for state in reachable(machine)
    }
    assert small.states == len(behaviours)
    assert small.outputs == machine.outputs


@given(machines())
def test_minimised_numbers_states_as_they_are_met(machine: MealyMachine) -> None:
    small = machine.minimised()
    met = [small.initial]
    for state in met:
        met += [int(s) for s in dict.fromkeys(small.next_state[state].tolist()) if s not in met]
    assert met == list(range(small.states))


@given(machines(most=3), machines(most=3))
def test_difference_is_the_first_shortest_word(left: MealyMachine, right: MealyMachine) -> None:
    # Two machines that differ do so on a word no longer than the states of both.
    differing = (
        word for word in words(2, left.states + right.states) if say(left, word) != say(right, word)
    )
    assert left.difference(right) == next(differing, None)


@given(machines())
def test_a_machine_does_not_differ_from_itself_minimised(machine: MealyMachine) -> None:
    assert machine.difference(machine) is None
    assert machine.difference(machine.minimised()) is None


def test_difference_needs_one_alphabet() -> None:
    with pytest.raises(MachineError, match="2 and 1 letters"):
        MealyMachine([[0, 0]], [[0, 0]]).difference(MealyMachine([[0]], [[0]]))


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (([[0, 1]], [[0, 0]]), "next_state holds 1"),
        (([[0, -1]], [[0, 0]]), "next_state holds -1"),
        (([[0, 0]], [[0, -1]]), "output holds -1"),
        (([[0, 0]], [[0]]), "expected \\(states, letters\\) for both"),
        (([0, 0], [0, 0]), "expected integers"),
        (([], []), "expected integers"),
        (([[]], [[]]), "expected integers"),
        (([[0.5]], [[0]]), "expected integers"),
        (([["a"]], [[0]]), "expected integers"),
        (([[0]], [[3]], 3), "output holds 3"),
        (([[0]], [[0]], 1, 1), "initial state 1 does not exist"),
        (([[0]], [[0]], 1, -1), "initial state -1 does not exist"),
        (([[0]], [[0]], 1, 0, ("a", "b")), "2 names for 1 states"),
    ],
)
def test_tables_that_contradict_themselves(tables: tuple[object, ...], message: str) -> None:
    with pytest.raises(MachineError, match=message):
        MealyMachine(*tables)  # type: ignore[arg-type]


def test_immutable_and_apart_from_what_it_was_built_of() -> None:
    following = np.array([[0, 1], [1, 0]])
    machine = MealyMachine(following, following)
    following[0, 0] = 1
    assert machine.next_state[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        machine.next_state[0, 0] = 1
    with pytest.raises(AttributeError):
        machine.initial = 1  # type: ignore[misc]


def test_explore_visits_what_can_be_reached() -> None:
    """A counter modulo 5 that is asked to go on by 0 or 2: all five, in the order they are met."""
    machine = MealyMachine.explore(
        0,
        lambda state, letters: (((state + letters) % 5).tolist(), (state + letters) // 5),
        np.array([0, 2]),
        2,
        lambda state: f"at {state}",
    )
    assert machine.names == ("at 0", "at 2", "at 4", "at 1", "at 3")
    assert (machine.states, machine.letters, machine.outputs, machine.initial) == (5, 2, 2, 0)
    assert machine.run([1, 1, 1, 0, 1, 1]).tolist() == [0, 0, 1, 0, 0, 1]


def test_explore_leaves_out_what_cannot_be_reached() -> None:
    machine = MealyMachine.explore(
        0,
        lambda state, letters: (((state + letters) % 6).tolist(), letters * 0),
        np.array([0, 2]),
        1,
        str,
    )
    assert machine.names == ("0", "2", "4")


def test_defaults() -> None:
    machine = MealyMachine([[0, 1], [0, 1]], [[0, 4], [0, 0]])
    assert (machine.outputs, machine.initial, machine.names) == (5, 0, ("0", "1"))


def test_words_of_every_shape() -> None:
    toggles = MealyMachine([[0, 1], [1, 0]], [[0, 1], [1, 0]])
    block = np.arange(24).reshape(4, 3, 2) % 5 % 2
    found, states = toggles.run(block), toggles.trace(block)
    assert (found.shape, states.shape) == ((4, 3, 2), (5, 3, 2))
    for place in np.ndindex(3, 2):
        column = block[:, *place]
        assert found[:, *place].tolist() == say(toggles, tuple(column))
        assert states[1:, *place].tolist() == (np.cumsum(column) % 2).tolist()
    assert toggles.run([]).shape == (0,)
    assert toggles.trace(np.empty((0, 7), int)).shape == (1, 7)


@pytest.mark.parametrize("letter", [-1, 2])
def test_a_letter_that_does_not_exist(letter: int) -> None:
    with pytest.raises(MachineError, match=rf"word holds {letter}; expected 0..1"):
        MealyMachine([[0, 0]], [[0, 1]]).run([0, letter])
