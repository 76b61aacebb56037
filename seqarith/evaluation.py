"""Counts what a network gets right: every operand tuple where that can be done, a sample beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.errors import InvalidValueError
from seqarith.model import Model, Prediction
from seqarith.network import Program, emitted, margins
from seqarith.tasks.layout import Layout
from seqarith.tasks.sampling import Sampler
from seqarith.tasks.task import Letters, Task

EXHAUSTIVE_LIMIT = 2**28
"""Most operand tuples that are all run unless a sample is asked for."""

SAMPLES = 100_000
SHOWN = 10
_BLOCK_BYTES = 2**19  # of hidden vectors that are worked on at once: they stay in the cache

Progress = Callable[[int, int], None]


@final
@dataclass(frozen=True)
class Evaluation:
    """What was counted.

    Attributes:
        task: Name of the task.
        bits: Digits of each operand.
        mode: ``"exhaustive"``: every operand tuple; ``"sampled"``: operand tuples drawn
            uniformly, and besides ``directed`` words with long runs, for instance carry chains.
        checked: Operand tuples that were run, without the directed ones.
        correct: How many of them came out right, every digit.
        digits: Output digits of all those.
        digits_correct: How many of them are right.
        directed: Words with long runs that were run besides.
        directed_correct: How many of them came out right.
        min_margin: Smallest margin over all digits of all words.
        counterexamples: The first wrong cases in the order of the operands, at most ten.
        by_chain: For every length of the longest carry chain: words, wrong words.
    """

    task: str
    bits: int
    mode: Literal["exhaustive", "sampled"]
    checked: int
    correct: int
    digits: int
    digits_correct: int
    directed: int
    directed_correct: int
    min_margin: float
    counterexamples: tuple[Prediction, ...]
    by_chain: dict[int, tuple[int, int]]

    @property
    def accuracy(self) -> float:
        """Share of the operand tuples with every digit right."""
        return self.correct / self.checked

    @property
    def digit_accuracy(self) -> float:
        """Share of the digits that are right."""
        return self.digits_correct / self.digits

    @property
    def exact(self) -> bool:
        """Whether nothing that was run came out wrong."""
        return self.correct == self.checked and self.directed_correct == self.directed

    def summary(self) -> dict[str, Any]:
        """Return the counts alone, ready for JSON."""
        return {
            "bits": self.bits,
            "mode": self.mode,
            "checked": self.checked,
            "correct": self.correct,
            "accuracy": self.accuracy,
            "digit_accuracy": self.digit_accuracy,
            "directed_checked": self.directed,
            "directed_correct": self.directed_correct,
            "min_margin": self.min_margin,
            "exact": self.exact,
        }


def evaluate(
    model: Model,
    bits: int,
    *,
    samples: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Run a model on operands of ``bits`` digits and count.

    Args:
        model: The model.
        bits: Digits of each operand; any width, not only that of training.
        samples: Draw so many operand tuples instead of running all; default: all of them where
            that is at most 2**28, otherwise 100,000.
        seed: Of the sample.
        progress: Called with the operand tuples that are done, and how many there are.

    Raises:
        TaskError: ``bits`` is out of range.
        InvalidValueError: ``samples`` is below 1.

    Example:
        >>> evaluation = evaluate(Model.shipped("add"), bits=8)
        >>> evaluation.mode, evaluation.checked, evaluation.exact
        ('exhaustive', 65536, True)
    """
    task = model.task
    task.check_bits(bits)
    if samples is not None and samples < 1:
        raise InvalidValueError(f"{samples} samples: expected 1 or more")
    tally = _Tally(task, bits)
    if samples is None and bits <= widest_exhaustive(task, EXHAUSTIVE_LIMIT):
        blocks = _tree(model, bits) if task.machine else _all_words(model, bits)
        mode: Literal["exhaustive", "sampled"] = "exhaustive"
        total = task.letters**bits
    else:
        total = samples or SAMPLES
        mode = "sampled"
        sampler = Sampler(task, bits)
        blocks = _drawn(model, sampler, sampler.uniform, total, np.random.default_rng(seed))
    for block in blocks:
        tally.add(block)
        if progress:
            progress(tally.words, total)
    checked, correct = tally.words, tally.right_words
    digits, digits_right = tally.digits, tally.right_digits
    if mode == "sampled":
        rng = np.random.default_rng([seed, 1])
        for block in _drawn(model, sampler, sampler.favouring, max(1, total // 4), rng):
            tally.add(block)
    return Evaluation(
        task=task.name,
        bits=bits,
        mode=mode,
        checked=checked,
        correct=correct,
        digits=digits,
        digits_correct=digits_right,
        directed=tally.words - checked,
        directed_correct=tally.right_words - correct,
        min_margin=tally.min_margin,
        counterexamples=tuple(model.predict_many(tally.first_wrong(), bits)),
        by_chain=tally.chains(),
    )


def widest_exhaustive(task: Task, limit: int) -> int:
    """Return the most digits an operand may have for at most ``limit`` tuples; at least 1."""
    bits = 1
    while task.letters ** (bits + 1) <= limit:
        bits += 1
    return bits


def is_exact(task: Task, program: Program, bits: int) -> bool:
    """Return whether a program is right on every operand tuple, stopping at the first error.

    Raises:
        TaskError: The task has no machine; see `evaluate`.
    """
    return all(block.right for block in _walk(task, program, bits, counted=False))


@dataclass
class _Block:
    """Words that were run.

    Attributes:
        steps: T.
        wrong: Wrong digits of each word, shape (N,).
        min_margin: Smallest margin of all digits.
        chain: Longest carry chain of each word, shape (N,).
        letters: Returns the words of given numbers, shape (T, n).
    """

    steps: int
    wrong: NDArray[np.integer]
    min_margin: float
    chain: NDArray[np.integer]
    letters: Callable[[NDArray[np.intp]], Letters]


class _Tally:
    """Sums of blocks."""

    def __init__(self, task: Task, bits: int) -> None:
        self._task = task
        self.words = self.right_words = self.digits = self.right_digits = 0
        self.min_margin = float("inf")
        self._wrong: list[tuple[int, ...]] = []
        self._by_chain = np.zeros((2, 0), np.int64)

    def add(self, block: _Block) -> None:
        """Count a block."""
        count = len(block.wrong)
        wrong = np.flatnonzero(block.wrong)
        self.words += count
        self.right_words += count - len(wrong)
        digits = count * (block.steps - self._task.first_result_step(block.steps))
        self.digits += digits
        self.right_digits += digits - int(block.wrong.sum())
        self.min_margin = min(self.min_margin, block.min_margin)
        self._add_chains(np.stack([_counts(block.chain), _counts(block.chain, wrong)]))
        if len(wrong):
            self._keep_first(block, wrong)

    def first_wrong(self) -> list[tuple[int, ...]]:
        """Return the first wrong operand tuples, in their order."""
        return self._wrong

    def chains(self) -> dict[int, tuple[int, int]]:
        """Return for every length of the longest carry chain that occurred: words, wrong words."""
        rows = enumerate(self._by_chain.T.tolist())
        return {length: (words, wrong) for length, (words, wrong) in rows if words}

    def _add_chains(self, counts: NDArray[np.int64]) -> None:
        longer, shorter = counts, self._by_chain
        if longer.shape[1] < shorter.shape[1]:
            longer, shorter = shorter, longer
        longer = longer.copy()
        longer[:, : shorter.shape[1]] += shorter
        self._by_chain = longer

    def _keep_first(self, block: _Block, wrong: NDArray[np.intp]) -> None:
        # Many wrong words at once: a slice of them at a time, since each becomes Python integers.
        for start in range(0, len(wrong), 4096):
            operands = self._task.operands_of(block.letters(wrong[start : start + 4096]))
            found = {*self._wrong, *zip(*operands, strict=True)}
            self._wrong = sorted(found)[:SHOWN]


def _counts(
    chain: NDArray[np.integer], chosen: NDArray[np.intp] | None = None
) -> NDArray[np.int64]:
    size = int(chain.max(initial=0)) + 1
    picked = chain if chosen is None else chain[chosen]
    return np.bincount(picked, minlength=size).astype(np.int64)


@dataclass
class _Node:
    """Beginnings of words, all of one length, with what is known after their last letter."""

    depth: int
    memory: Array
    state: NDArray[np.uint8 | np.intp]
    right: bool = True
    min_margin: float = float("inf")
    code: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    wrong: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(1, np.uint32))
    chain: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(1, np.uint32))
    longest: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(1, np.uint32))


def _tree(model: Model, bits: int) -> Iterator[_Block]:
    """Yield all words of a width: operands that begin alike share the steps that they share."""
    task = model.task
    layout = task.natural_layout(bits)
    places = task.digit_steps(layout)
    least = float("inf")
    for node in _walk(task, model.program, bits, counted=True):
        least = min(least, node.min_margin)
        if node.depth < layout.steps:
            continue

        def letters(chosen: NDArray[np.intp], codes: NDArray[np.int64] = node.code) -> Letters:
            words = np.zeros((layout.steps, len(chosen)), np.intp)
            left = codes[chosen]
            for step in range(places.start, places.stop):
                left, words[step] = np.divmod(left, task.letters)
            return words

        yield _Block(layout.steps, node.wrong, least, node.longest, letters)


def _walk(task: Task, program: Program, bits: int, *, counted: bool) -> Iterator[_Node]:
    """Yield the tree of all words, depth first, in blocks that fit the cache.

    With ``counted`` a node carries per-word counts; without, only whether all were right.
    """
    layout = task.natural_layout(bits)
    places = task.digit_steps(layout)
    grow = _Growth(task, program, layout, counted)
    memory = program.start(1)
    size = max(task.letters, _BLOCK_BYTES // (memory.shape[1] * memory.itemsize))
    machine = task.machine
    assert machine is not None
    stack = [_Node(0, memory, np.full(1, machine.initial, np.intp))]
    every, padding = np.arange(task.letters), np.zeros(1, np.intp)
    while stack:
        node = stack.pop()
        letters = every if places.start <= node.depth < places.stop else padding
        room = max(1, size // len(letters))
        for start in range(0, len(node.state), room):
            child = grow(node, slice(start, start + room), letters)
            yield child
            if child.depth < layout.steps:
                stack.append(child)


class _Growth:
    """Appends letters to the words of a node."""

    def __init__(self, task: Task, program: Program, layout: Layout, counted: bool) -> None:
        machine = task.machine
        assert machine is not None
        self._task, self._program, self._counted = task, program, counted
        self._first = task.digit_steps(layout).start
        self._first_result = task.first_result_step(layout.steps)
        self._following, self._symbols = machine.next_state.T, machine.output.T
        self._initial = machine.initial
        self._resets = (machine.next_state == machine.next_state[:1]).all(axis=0)

    def __call__(self, node: _Node, part: slice, letters: NDArray[np.intp]) -> _Node:
        memory = self._program.branch(node.memory[part], letters)
        memory = memory.reshape(-1, memory.shape[-1])
        before = node.state[part]
        state = self._following[letters][:, before].reshape(-1)
        symbols = self._symbols[letters][:, before].reshape(-1)
        logits = self._program.logits(memory)
        wrong = emitted(logits) != symbols
        # A symbol that is thrown away need not be right, only the result's digits.
        counts = node.depth >= self._first_result
        wrong &= counts
        child = _Node(node.depth + 1, memory, state, not wrong.any())
        if self._counted:
            if counts:
                child.min_margin = float(margins(logits, symbols).min())
            self._count(node, part, letters, child, wrong)
        return child

    def _count(
        self, node: _Node, part: slice, letters: NDArray[np.intp], child: _Node, wrong: Any
    ) -> None:
        power = self._task.letters ** max(0, node.depth - self._first)
        child.code = (node.code[part] + power * letters[:, None]).reshape(-1)
        child.wrong = np.tile(node.wrong[part], len(letters)) + wrong
        away = child.state != self._initial
        carried = np.tile(node.chain[part], len(letters)) + 1
        resets = np.repeat(self._resets[letters], len(node.state[part]))
        child.chain = np.where(away, np.where(resets, 1, carried), 0).astype(np.uint32)
        child.longest = np.maximum(np.tile(node.longest[part], len(letters)), child.chain)


def longest_chains(task: Task, letters: Letters) -> NDArray[np.intp]:
    """Return the length of the longest carry chain of words (T, N), shape (N,).

    A chain is a run of steps through which the machine has to remember: it begins with a letter
    that leaves the initial state whatever came before (two ones, in addition) and goes on for
    as long as letters keep the memory alive that could have let it go. For addition it is the
    number of digits that a carry travels; 255 + 1 has a chain of 8. Without a machine: 0.
    """
    longest = np.zeros(letters.shape[1], np.intp)
    if task.machine is None:
        return longest
    states = task.machine.trace(letters)[1:]
    table = task.machine.next_state
    resets = (table == table[:1]).all(axis=0)[letters]
    chain = np.zeros_like(longest)
    for state, reset in zip(states, resets, strict=True):
        chain = np.where(state == task.machine.initial, 0, np.where(reset, 1, chain + 1))
        np.maximum(longest, chain, out=longest)
    return longest


def _run(model: Model, letters: Letters) -> _Block:
    """Return what came out for given words."""
    task = model.task
    expected = task.expected(letters)
    wrong = np.zeros(letters.shape[1], np.uint32)
    least = float("inf")
    for t, logits in enumerate(model.program.run(letters)):
        if t >= task.first_result_step(len(letters)):
            wrong += emitted(logits) != expected[t]
            least = min(least, float(margins(logits, expected[t]).min()))
    chain = longest_chains(task, letters)
    return _Block(len(letters), wrong, least, chain, lambda chosen: letters[:, chosen])


def _drawn(
    model: Model,
    sampler: Sampler,
    draw: Callable[[np.random.Generator, int], Letters],
    count: int,
    rng: np.random.Generator,
) -> Iterator[_Block]:
    room = max(1, _BLOCK_BYTES // max(sampler.steps, model.network.hidden * 4))
    while count > 0:
        yield _run(model, draw(rng, min(room, count)))
        count -= room


def _all_words(model: Model, bits: int) -> Iterator[_Block]:
    """Yield all words of a task without a machine, whose outputs depend on the whole word."""
    task = model.task
    layout = task.natural_layout(bits)
    places = task.digit_steps(layout)
    room = _BLOCK_BYTES // 64
    for start in range(0, task.letters**bits, room):
        codes = np.arange(start, min(start + room, task.letters**bits))
        words = np.zeros((layout.steps, len(codes)), np.intp)
        for step in range(places.start, places.stop):
            codes, words[step] = np.divmod(codes, task.letters)
        yield _run(model, words)
