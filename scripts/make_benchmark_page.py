"""Write docs/benchmarks.md from benchmarks/results.json: every figure that was measured.

``make bench`` measures, and runs it at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS, PAGE = ROOT / "benchmarks" / "results.json", ROOT / "docs" / "benchmarks.md"
ORDER = (
    "training_step",
    "tutorial",
    "whole_command",
    "evaluation",
    "exhaustive",
    "certification",
    "networks",
    "batch",
    "growth",
)
"""What comes first; figures of other names follow in the order of the file."""

INTRODUCTION = """# Speed

<!-- Written by scripts/make_benchmark_page.py from results.json; run make bench instead. -->

Measured by `make bench`, which anyone can run: it makes an environment of its own from
`benchmarks/requirements.txt`. Contenders take turns in one run, on one core and with one thread,
unless a table says otherwise. *Time* is the median. *Ratio* is the contender's time over that of
the first line of its case, taken round by round: the median, and in brackets the quartiles.
*Wanted* is what this project set itself before it measured: a ratio of at least so much, or what
the table says.
"""

NOT_REACHED = """## Wanted and not reached

- *A step of one word, or of 64, three times faster than JAX.* A step of one word is some 70 NumPy
  calls of 0.15 to 0.3 µs; of 64 words, half of the time are products that take BLAS 0.8 µs each.
  NumPy's price for a call is what is left; fewer calls than the recurrence has steps there cannot
  be.
- *A step of 256 words five and two times faster than PyTorch and JAX.* Two thirds of it are
  matrix products at 80 to 95 GFLOP/s, which is what OpenBLAS reaches with 32 units. JAX with its
  steps unrolled takes as long.
- *A GRU and an LSTM ahead of JAX in every row.* They are ahead of `scan`; the unrolled program is
  ahead of them with one word, and level with the GRU of 32 units.
- *The tutorial eight times faster.* Four fifths of an iteration are the two passes over one word
  of eight digits, in the order of sums that the tutorial has.
- *Twenty times faster than the tutorial's loop to exactness.* That loop needs less than two
  seconds: a twentieth is about what `import numpy, click` takes.
- *Exponents of at most one.* Time grows a little faster than the number of bits or of networks
  where the buffers outgrow the cache.
"""


def page(results: dict[str, Any]) -> str:
    """Return the page."""
    figures: dict[str, Any] = results["figures"]
    names = [name for name in ORDER if name in figures]
    names += [name for name in figures if name not in ORDER]
    sections = ("\n".join(_figure(figures[name])) for name in names)
    return "\n".join([INTRODUCTION, *sections, NOT_REACHED])


def _figure(figure: dict[str, Any]) -> Iterator[str]:
    yield f"## {figure['title']}\n"
    yield f"{figure['text']}\n"
    yield f"{_machine(figure['measured on'])}\n"
    if figure["image"]:
        yield f"![{figure['title']}: what was measured, and the exponents]({figure['image']})\n"
    if figure["rows"]:
        yield "| case | contender | time | ratio | wanted | |\n|---|---|--:|--:|--:|---|"
        before = ""
        for row in figure["rows"]:
            yield _row(row, row["case"] == before)
            before = row["case"]
        yield ""
    if figure["facts"]:
        yield "| | | wanted |\n|---|--:|---|"
        for fact in figure["facts"]:
            value = f"{_number(fact['value'])} {fact['unit']}".strip()
            yield f"| {fact['what']} | {value} | {fact['wanted']} |"
        yield ""


def _machine(about: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"{about['date']}, {about['processor']}, {about['cores']} cores, {about['system']}, "
        f"Python {about['python']}, {packages}."
    )


def _row(row: dict[str, Any], repeated: bool) -> str:
    ratio = row["ratio"]
    cells = (
        "" if repeated else row["case"],
        row["contender"],
        _time(row["seconds"]["middle"]) if row["seconds"] else "",
        f"{ratio['middle']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})" if ratio else "",
        "" if row["wanted"] is None else f"{row['wanted']:g}",
        _remark(row),
    )
    return f"| {' | '.join(cells)} |"


def _remark(row: dict[str, Any]) -> str:
    missed = row["ratio"] and row["wanted"] and row["ratio"]["middle"] < row["wanted"]
    return ", ".join(filter(None, ("**not reached**" if missed else "", row["remark"])))


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_number(seconds / size)} {unit}"
    return f"{_number(seconds / 1e-6)} µs"


def _number(value: float) -> str:
    """Return a number in three digits."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


if __name__ == "__main__":
    known = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(page(known), encoding="utf-8")
