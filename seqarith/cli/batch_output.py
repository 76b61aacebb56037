"""Many predictions as lines of text or JSON, column by column."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING

from seqarith.digits import format_integer

if TYPE_CHECKING:
    from seqarith.prediction import Predictions

Cells = Sequence[int | str]

_SHORT = 2**2000
"""Python converts smaller integers to decimal text; it may refuse larger ones."""


def text_lines(found: Predictions) -> list[str]:
    """Return a line for every prediction, equal to its ``str``."""
    task = found.task
    first, *others = map(_integers, found.operands)
    cells = [first, *map(_bracketed, others), _results(found, found.predicted)]
    lines = _filled(f"{task.notation}{task.equals} {{}}", cells)
    for i in found.wrong():
        lines[i] += f" (wrong: {task.result_text(found.expected[i])} expected)"
    return lines


def json_lines(found: Predictions) -> list[str]:
    """Return a JSON object for every prediction, formatted as by `json.dumps`.

    `json.dumps` itself takes five times as long: 1.1 s for 100,000 predictions.
    """
    symbols = found.task.result == "symbol"
    result = "{}" if symbols else '"{}"'
    operands = ", ".join(['"{}"'] * len(found.operands))
    pattern = (
        f'{{"task": {json.dumps(found.task.name)}, "operands": [{operands}], '
        f'"predicted": {result}, "expected": {result}, "correct": {{}}, "min_margin": {{}}}}'
    )
    correct = ["true"] * len(found)
    for i in found.wrong():
        correct[i] = "false"
    results = [_results(found, values) for values in (found.predicted, found.expected)]
    if symbols:
        results = [[json.dumps(symbol) for symbol in column] for column in results]
    # Huge weights overflow to margins that are not finite, which JSON cannot represent.
    finite = [value if isfinite(value) else None for value in found.margins.tolist()]
    margins = json.dumps(finite)[1:-1].split(", ")
    return _filled(pattern, [*map(_integers, found.operands), *results, correct, margins])


def _filled(pattern: str, columns: Iterable[Cells]) -> list[str]:
    """Fill each row into the pattern, which has a pair of braces per column."""
    # '%' writes integers about a third faster than 'str.format'.
    template = pattern.replace("%", "%%").replace("{}", "%s")
    return list(map(template.__mod__, zip(*columns, strict=True)))


def _results(found: Predictions, values: list[int]) -> Cells:
    if found.task.result == "symbol":
        return [found.task.symbols[value] for value in values]
    return _integers(values)


def _integers(values: list[int]) -> Cells:
    if min(values) > -_SHORT and max(values) < _SHORT:
        return values
    return [format_integer(value) for value in values]


def _bracketed(values: Cells) -> Cells:
    texts = [str(value) for value in values]
    return [f"({text})" if text.startswith("-") else text for text in texts]
