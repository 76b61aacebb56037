"""Which machines get which pace, and how the rate fades."""

from __future__ import annotations

from typing import Any

import pytest

import seqarith as sa
from seqarith.training.interval_schedule import CAREFUL, FAST, IntervalSchedule, pace


def test_the_rate_fades_over_an_attempt() -> None:
    assert [FAST.fading(step, 200) for step in (0, 100, 199)] == [1, 0.5, FAST.least]
    assert FAST.fading(10**6, 0) == 1
    assert CAREFUL.fading(199, 200) == 1


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"base": 10}, FAST), ({"operands": 4}, FAST), ({"operands": 5}, CAREFUL)],
    ids=str,
)
def test_the_pace_follows_from_the_states(
    settings: dict[str, Any], expected: IntervalSchedule
) -> None:
    config = sa.TrainingConfig(**settings)
    assert config.built_task.machine is not None
    assert pace(config.built_task.machine) == expected
    assert config.initial_learning_rate == expected.rate
    assert config.patience == expected.patience
