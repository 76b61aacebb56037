"""Exhaustive evaluation in shards: in several processes, and resumable from a checkpoint."""

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
FEWEST_SHARDS = 256
"""Fewest shards of an evaluation, if it has so many words."""

SHARD_WORDS = 2**22
"""Most words of a shard: the work that is lost when a run is stopped."""

MOST_JOBS = 60
"""Most processes of a pool: Windows allows no more."""

SAVE_SECONDS = 2.0
"""Seconds between two checkpoints."""

Path_ = str | os.PathLike[str]


@final
class Shards:
    """All words of a width, in shards of words that begin with the same letters.

    Args:
        model: The model.
        bits: Digits of each operand.

    Attributes:
        count: Number of shards.
        words: Number of words in each.
    """

    def __init__(self, model: Model, bits: int) -> None:
        self.model, self.bits, self._letters = model, bits, model.task.letters
        self._length = 0
        self.count, self.words = 1, self._letters**bits
        while self._length < bits and (self.words > SHARD_WORDS or self.count < FEWEST_SHARDS):
            self._length += 1
            self.count, self.words = self.count * self._letters, self.words // self._letters

    def prefix(self, number: int) -> list[int]:
        """Return the first letters of the words of a shard."""
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
        checkpoint: File to write, every few seconds and when the run is interrupted; if it exists,
            the run is resumed from it.
        progress: Called with the number of words done, and of all.

    Returns:
        The counts, and how many of the words the checkpoint had counted before.

    Raises:
        CheckpointError: The checkpoint is of another run.
        ModelFileError: The checkpoint is damaged.
        OutputError: The checkpoint cannot be written.
        InvalidValueError: ``jobs`` is below 1.
        ProcessError: A worker process ended unexpectedly; the checkpoint holds the counts so far.
    """
    if jobs < 1:
        raise InvalidValueError(f"{jobs} jobs: expected 1 or more")
    shards = Shards(model, bits)
    run = _Run(shards, checkpoint)
    run.save()
    numbers = iter(range(run.done, shards.count))
    try:
        with _found(shards, numbers, jobs) as found:
            for counts in found:
                run.add(counts)
                if progress:
                    progress(run.counts.words, model.task.letters**bits)
    except BrokenExecutor:
        raise ProcessError(
            "a process of this evaluation ended unexpectedly. If memory is short, take fewer jobs; "
            "in a script, guard the main part by if __name__ == '__main__'"
        ) from None
    finally:
        run.save()
    if run.done < shards.count:  # Ctrl-C was held back
        raise KeyboardInterrupt
    return run.counts, run.resumed


@final
class _Run:
    """The counts of the first shards, in their order, and the checkpoint file."""

    def __init__(self, shards: Shards, path: Path_ | None) -> None:
        self._shards, self._path = shards, None if path is None else Path(path)
        self._counted = 0, Counts(shards.model.task)
        self._saved, self._key = time.monotonic(), _key(shards)
        if self._path is not None and self._path.exists():
            self._load(self._path)
        self.resumed = self.counts.words

    @property
    def done(self) -> int:
        return self._counted[0]

    @property
    def counts(self) -> Counts:
        return self._counted[1]

    def add(self, counts: Counts) -> None:
        merged = Counts(self._shards.model.task)
        merged.merge(self.counts)
        merged.merge(counts)
        self._counted = self.done + 1, merged  # one assignment: Ctrl-C cannot separate the two
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        if self._path is None:
            return
        header = {"format": FORMAT, "version": VERSION, **self._key}
        done, counts = self._counted
        header |= {"done": done, "tally": counts.describe()}
        archive.write(self._path, header, {})
        self._saved = time.monotonic()

    def _load(self, path: Path) -> None:
        header = archive.read(path, FORMAT, VERSION, EVALUATION_CHECKPOINT).header
        for name, value in self._key.items():
            if header.get(name) != value:
                raise CheckpointError(
                    f"{path} is of another evaluation: it has {name} {header.get(name)!r}, "
                    f"this one {value!r}; remove it, or choose another file"
                )
        shards, done = self._shards, header["done"]
        if done > shards.count:
            raise ModelFileError(f"{path}: {done} of {shards.count} shards")
        counts = Counts.from_description(shards.model.task, header["tally"])
        if not counts.is_sound(done * shards.words, shards.bits):
            raise ModelFileError(f"{path}: its counts contradict each other")
        self._counted = done, counts


def _key(shards: Shards) -> dict[str, Any]:
    """Return what a checkpoint must agree in."""
    model = shards.model
    header = model.header()
    sha = hashlib.sha256(json.dumps([header["task"], header["network"]]).encode())
    for array in model.network.export(model.parameters).values():
        sha.update(array.tobytes())
    return {"bits": shards.bits, "parts": shards.count, "network": sha.hexdigest()}


@contextmanager
def _found(shards: Shards, numbers: Iterator[int], jobs: int) -> Iterator[Iterator[Counts]]:
    """Yield the counts of shards in their order, computed by this process or by several."""
    if jobs == 1:
        yield (_run_shard(shards, number) for number in numbers)
        return
    with tempfile.TemporaryDirectory() as folder, _interrupts_held() as interrupted:
        path = Path(folder) / "model.npz"
        shards.model.save(path)
        Model.load(path)  # a file that the processes could not read is refused here
        context = get_context("spawn")
        pool = ProcessPoolExecutor(min(jobs, MOST_JOBS), context, _begin, (str(path), shards.bits))
        try:
            found = takewhile(lambda _: not interrupted(), _in_order(pool, numbers, 3 * jobs))
            yield (Counts.from_description(shards.model.task, each) for each in found)
        finally:
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, numbers: Iterator[int], ahead: int
) -> Iterator[dict[str, Any]]:
    """Yield the counts of the processes as JSON; submit only a few shards ahead."""
    waiting: deque[Future[dict[str, Any]]] = deque()
    waiting.extend(pool.submit(_run_numbered, number) for number in islice(numbers, ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(_run_numbered, number) for number in islice(numbers, 1))


@contextmanager
def _interrupts_held() -> Iterator[Callable[[], bool]]:
    """Delay Ctrl-C until the end; yield a function that tells whether it was pressed.

    A pool of processes cannot be interrupted safely at any point. Processes that are started in
    this context ignore Ctrl-C, although a terminal sends it to all of them.
    """
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored or not hasattr(signal, "pthread_sigmask"):
        yield lambda: False
        return
    resource_tracker.ensure_running()  # starting it unblocks Ctrl-C, so it is started before
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield lambda: signal.SIGINT in signal.sigpending()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_of_process: list[Shards] = []  # in a process of the pool: the shards that it works on


def _begin(path: str, bits: int) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    _of_process[:] = [Shards(Model.load(path), bits)]


def _end_with_parent() -> None:
    """End this process when its parent was killed."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run_numbered(number: int) -> dict[str, Any]:
    return _run_shard(_of_process[0], number).describe()


def _run_shard(shards: Shards, number: int) -> Counts:
    return run_exhaustively(shards.model, shards.bits, shards.prefix(number))
