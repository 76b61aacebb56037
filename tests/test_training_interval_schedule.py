"""Which machines get which schedule, and how the rate decays."""

from __future__ import annotations

from typing import Any

import pytest

import seqarith as sa
from seqarith.training.interval_schedule import CAREFUL, FAST, IntervalSchedule, schedule_of


def test_the_rate_fades_over_an_attempt() -> None:
    assert [FAST.decay(step, 200) for step in (0, 100, 199)] == [1, 0.5, FAST.least]
    assert FAST.decay(10**6, 0) == 1
    assert CAREFUL.decay(199, 200) == 1


@pytest.mark.parametrize(
    ("settings", "states", "expected"),
    [({"base": 10}, 2, FAST), ({"operands": 4}, 4, FAST), ({"operands": 5}, 5, CAREFUL)],
    ids=str,
)
def test_the_pace_follows_from_the_states(
    settings: dict[str, Any], states: int, expected: IntervalSchedule
) -> None:
    machine = sa.TrainingConfig(**settings).built_task.machine
    assert machine is not None
    assert machine.states == states
    assert schedule_of(machine) is expected


def test_a_run_takes_the_pace_unless_it_is_told_otherwise() -> None:
    fast, careful = sa.TrainingConfig(operands=4), sa.TrainingConfig(operands=5)
    assert careful.initial_learning_rate < fast.initial_learning_rate
    assert (careful.initial_learning_rate, careful.patience) == (CAREFUL.rate, CAREFUL.patience)
    told = sa.TrainingConfig(operands=5, learning_rate=0.5, restart_after=7)
    assert (told.initial_learning_rate, told.patience) == (0.5, 7)
