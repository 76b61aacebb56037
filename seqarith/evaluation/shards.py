"""An exhaustive evaluation in parts: in several processes, stopped and taken up again."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice, takewhile
from multiprocessing import connection, get_context, parent_process, resource_tracker
from pathlib import Path
from threading import Thread
from typing import Any, final

from seqarith import archive
from seqarith.errors import CheckpointError, InvalidValueError, ModelFileError, ProcessError
from seqarith.evaluation.counts import Counts
from seqarith.evaluation.exhaustive import Progress, run_exhaustively
from seqarith.formats import EVALUATION_CHECKPOINT
from seqarith.model import Model

FORMAT, VERSION = "seqarith-evaluation", 1
PARTS = 256
"""Shards that an evaluation has at least, where it has so many words."""

PART_WORDS = 2**22
"""Words of a part at most: what is lost when a run is stopped."""

MOST_JOBS = 60
"""Processes of a pool at most: Windows allows no more."""

SAVE_SECONDS = 2.0
"""Between two writings of a checkpoint."""

Path_ = str | os.PathLike[str]


@final
class Shards:
    """All words of a width in parts that begin with the same letters.

    Args:
        model: The model.
        bits: Digits of each operand.

    Attributes:
        count: How many parts there are.
        words: How many words each of them has.
    """

    def __init__(self, model: Model, bits: int) -> None:
        self.model, self.bits, self._letters = model, bits, model.task.letters
        self._length = 0
        while self._length < bits and self._are_few():
            self._length += 1
        self.count = self._parts_of(self._length)
        self.words = self._letters ** (bits - self._length)

    def _are_few(self) -> bool:
        words: int = self._letters ** (self.bits - self._length)
        return words > PART_WORDS or self._parts_of(self._length) < PARTS

    def _parts_of(self, length: int) -> int:
        count: int = self._letters**length
        return count

    def prefix(self, number: int) -> list[int]:
        """Return the letters that words of a part begin with."""
        return [number // self._letters**place % self._letters for place in range(self._length)]


def run_shards(
    model: Model,
    bits: int,
    *,
    jobs: int,
    checkpoint: Path_ | None = None,
    progress: Progress | None = None,
) -> tuple[Counts, int]:
    """Run a model on all words of a width.

    Args:
        model: The model.
        bits: Digits of each operand.
        jobs: Processes to use.
        checkpoint: File to write, every few seconds and when the run is interrupted; where it is
            there already, the run goes on from it.
        progress: Called with the words that are done, and how many there are.

    Returns:
        The counts, and how many of the words were not run now: the checkpoint says so of them.

    Raises:
        CheckpointError: The file is of another run.
        ModelFileError: It is damaged.
        OutputError: It cannot be written.
        InvalidValueError: ``jobs`` is below 1.
        ProcessError: A process ended before its time; the checkpoint holds what was counted.
    """
    if jobs < 1:
        raise InvalidValueError(f"{jobs} jobs: expected 1 or more")
    parts = Shards(model, bits)
    run = _Run(parts, checkpoint)
    run.save()
    numbers = iter(range(run.done, parts.count))
    try:
        with _found(parts, numbers, jobs) as found:
            for tally in found:
                run.add(tally)
                if progress:
                    progress(run.tally.words, model.task.letters**bits)
    except BrokenExecutor:
        raise ProcessError(
            "a process of this evaluation ended before its time: for want of memory perhaps, then "
            "take fewer jobs; or a script's main part is not guarded by if __name__ == '__main__'"
        ) from None
    finally:
        run.save()
    if run.done < parts.count:  # Ctrl-C came, and nobody has raised it
        raise KeyboardInterrupt
    return run.tally, run.resumed


@final
class _Run:
    """What has been counted: the first parts, in their order; and its file."""

    def __init__(self, parts: Shards, path: Path_ | None) -> None:
        self._parts, self._path = parts, None if path is None else Path(path)
        self._counted = 0, Counts(parts.model.task)
        self._saved, self._key = time.monotonic(), _key(parts)
        if self._path is not None and self._path.exists():
            self._load(self._path)
        self.resumed = self.tally.words

    @property
    def done(self) -> int:
        return self._counted[0]

    @property
    def tally(self) -> Counts:
        return self._counted[1]

    def add(self, tally: Counts) -> None:
        merged = Counts(self._parts.model.task)
        merged.merge(self.tally)
        merged.merge(tally)
        self._counted = self.done + 1, merged  # both at once, wherever Ctrl-C comes
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        if self._path is None:
            return
        header = {"format": FORMAT, "version": VERSION, **self._key}
        done, tally = self._counted
        header |= {"done": done, "tally": tally.describe()}
        archive.write(self._path, header, {})
        self._saved = time.monotonic()

    def _load(self, path: Path) -> None:
        header = archive.read(path, FORMAT, VERSION, EVALUATION_CHECKPOINT).header
        for name, value in self._key.items():
            if header.get(name) != value:
                raise CheckpointError(
                    f"{path} is of another evaluation: it has {name} {header.get(name)!r}, "
                    f"this one {value!r}; remove it, or name another file"
                )
        parts, done = self._parts, header["done"]
        if done > parts.count:
            raise ModelFileError(f"{path}: {done} of {parts.count} parts")
        tally = Counts.from_description(parts.model.task, header["tally"])
        if not tally.is_sound(done * parts.words, parts.bits):
            raise ModelFileError(f"{path}: its counts contradict each other")
        self._counted = done, tally


def _key(parts: Shards) -> dict[str, Any]:
    """Return what a checkpoint must agree in."""
    model = parts.model
    header = model.header()
    sha = hashlib.sha256(json.dumps([header["task"], header["network"]]).encode())
    for array in model.network.export(model.parameters).values():
        sha.update(array.tobytes())
    return {"bits": parts.bits, "parts": parts.count, "network": sha.hexdigest()}


@contextmanager
def _found(parts: Shards, numbers: Iterator[int], jobs: int) -> Iterator[Iterator[Counts]]:
    """Give the tallies of parts in their order, from this process or from several."""
    if jobs == 1:
        yield (_run_part(parts, number) for number in numbers)
        return
    with tempfile.TemporaryDirectory() as folder, _interrupts_held() as interrupted:
        path = Path(folder) / "model.npz"
        parts.model.save(path)
        Model.load(path)  # what the processes could not read is refused here, with its reason
        context = get_context("spawn")
        pool = ProcessPoolExecutor(min(jobs, MOST_JOBS), context, _begin, (str(path), parts.bits))
        try:
            found = takewhile(lambda _: not interrupted(), _in_order(pool, numbers, 3 * jobs))
            yield (Counts.from_description(parts.model.task, each) for each in found)
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, numbers: Iterator[int], ahead: int
) -> Iterator[dict[str, Any]]:
    """Yield descriptions of what the processes find, with only a few parts asked for ahead."""
    waiting: deque[Future[dict[str, Any]]] = deque()
    waiting.extend(pool.submit(_run_numbered, number) for number in islice(numbers, ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(_run_numbered, number) for number in islice(numbers, 1))


@contextmanager
def _interrupts_held() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back, which then comes at the end; give what tells whether it is due.

    A pool of processes must not be interrupted anywhere. Those that are started meanwhile never
    see Ctrl-C, although it reaches every process of a terminal.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored or not hasattr(signal, "pthread_sigmask"):
        yield lambda: False
        return
    resource_tracker.ensure_running()  # it lets Ctrl-C through again when it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield lambda: signal.SIGINT in signal.sigpending()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_of_process: list[Shards] = []  # in a process of the pool: what it works on


def _begin(path: str, bits: int) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    _of_process[:] = [Shards(Model.load(path), bits)]


def _end_with_parent() -> None:
    """End this process when the one that started it was killed."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run_numbered(number: int) -> dict[str, Any]:
    return _run_part(_of_process[0], number).describe()


def _run_part(parts: Shards, number: int) -> Counts:
    return run_exhaustively(parts.model, parts.bits, parts.prefix(number))
