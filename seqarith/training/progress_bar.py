"""The display of ``train(progress=True)``: a bar in a notebook, a line on stderr elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from shutil import get_terminal_size
from typing import final

from seqarith.text import printable
from seqarith.training.progress import Report

Show = Callable[[Report], None]


@contextmanager
def progress_bar(show: bool, label: str, most: int) -> Iterator[Show | None]:
    """Yield a function that shows reports of a run.

    In a notebook it shows a bar of tqdm, if tqdm is installed. Otherwise it shows one line on
    stderr and updates it; if stderr is a file, it writes one line per report.

    Args:
        show: Whether to show anything; if not, it yields None.
        label: Name of the task.
        most: Largest number of steps of the run.
    """
    if not show:
        yield None
        return
    notebook = "ipykernel" in sys.modules
    try:
        if not notebook:
            raise ModuleNotFoundError
        bars = import_module("tqdm.auto")
    except ModuleNotFoundError:
        line = _Line(label, most, moves=notebook or sys.stderr.isatty())
        try:
            yield line
        finally:
            line.close()
        return
    with bars.tqdm(total=most, desc=f"train {label}") as bar:

        def update(report: Report) -> None:
            bar.set_postfix_str(report.brief(most), refresh=False)
            bar.update(report.step - bar.n)

        yield update
        # Training usually ends before the last step: this shows a complete bar.
        bar.total = bar.n
        bar.refresh()


@final
class _Line:
    """A line that each report updates, or one line per report."""

    def __init__(self, label: str, most: int, *, moves: bool) -> None:
        self._label, self._most, self._moves = label, most, moves
        self._wide = 0

    def __call__(self, report: Report) -> None:
        text = printable(f"train {self._label}: {report.brief(self._most)}")
        if self._moves:
            text = text[: get_terminal_size().columns - 1]
            sys.stderr.write("\r" + text.ljust(self._wide))
            self._wide = len(text)
        else:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line."""
        if self._wide:
            sys.stderr.write("\n")
