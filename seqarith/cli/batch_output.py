"""Many predictions as lines of text or JSON, column by column."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from seqarith.digits import format_integer

if TYPE_CHECKING:
    from seqarith.prediction import Answers

Cells = Sequence[int | str]

_SHORT = 2**2000
"""Python itself writes integers below as decimal text; longer ones it may refuse."""


def text_lines(answers: Answers) -> list[str]:
    """Return a line for every prediction, as ``str`` of it would be."""
    task = answers.task
    first, *others = map(_integers, answers.operands)
    cells = [first, *map(_bracketed, others), _results(answers, answers.predicted)]
    lines = _filled(f"{task.notation}{task.equals} {{}}", cells)
    for i in answers.wrong():
        lines[i] += f" (wrong: {task.result_text(answers.expected[i])} expected)"
    return lines


def json_lines(answers: Answers) -> list[str]:
    """Return an object of JSON for every prediction, as `json.dumps` would write it."""
    symbols = answers.task.result == "symbol"
    result = "{}" if symbols else '"{}"'
    operands = ", ".join(['"{}"'] * len(answers.operands))
    pattern = (
        f'{{"task": {json.dumps(answers.task.name)}, "operands": [{operands}], '
        f'"predicted": {result}, "expected": {result}, "correct": {{}}, "min_margin": {{}}}}'
    )
    correct = ["true"] * len(answers)
    for i in answers.wrong():
        correct[i] = "false"
    results = [_results(answers, values) for values in (answers.predicted, answers.expected)]
    if symbols:
        results = [[json.dumps(symbol) for symbol in column] for column in results]
    # Huge weights overflow: such a margin is not a number, which JSON has none of.
    finite = [value if isfinite(value) else None for value in answers.margins.tolist()]
    margins = json.dumps(finite)[1:-1].split(", ")
    return _filled(pattern, [*map(_integers, answers.operands), *results, correct, margins])


def _filled(pattern: str, columns: Iterable[Cells]) -> list[str]:
    """Return the pattern, which has a pair of braces a column, filled in with every row."""
    # '%' writes integers about a third faster than 'str.format'.
    template = pattern.replace("%", "%%").replace("{}", "%s")
    return list(map(template.__mod__, zip(*columns, strict=True)))


def _results(answers: Answers, values: list[int]) -> Cells:
    if answers.task.result == "symbol":
        return [answers.task.symbols[value] for value in values]
    return _integers(values)


def _integers(values: list[int]) -> Cells:
    if min(values) > -_SHORT and max(values) < _SHORT:
        return values
    return [format_integer(value) for value in values]


def _bracketed(values: Cells) -> Cells:
    texts = [str(value) for value in values]
    return [f"({text})" if text.startswith("-") else text for text in texts]
