"""Run all words of a width; words with a common prefix share its steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import final

import numpy as np
from numpy.typing import NDArray

from seqarith.cells.cell import Array
from seqarith.network import InferencePass, emitted
from seqarith.tasks.task import Letters, Task

BLOCK_BYTES = 2**19
"""Bytes of memories that are processed at once: with all temporary arrays they fit in the cache."""

_KEPT_BYTES = 30 * 2**20  # a little less than glibc's largest mmap threshold, 32 MiB


@final
@dataclass(frozen=True)
class Block:
    """Prefixes of words, all of one length, after which the machine is in the same state.

    Attributes:
        depth: Their length.
        state: The state of the machine.
        memory: The network's memory after each, shape (N, M).
        codes: Their letters as digits of a number in base A, the first letter least significant,
            without ``offset``, shape (N,).
        offset: A number to add to all codes.
        wrong: Number of wrong digits of each, shape (N,); None: no digit is wrong.
    """

    depth: int
    state: int
    memory: Array
    codes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    offset: int = 0
    wrong: NDArray[np.uint32] | None = None

    def __len__(self) -> int:
        return len(self.memory)


@final
class Prefixes:
    """The tree of all words of a width, in blocks, depth first.

    With depth-first search, memory does not grow with the width. All prefixes of a block have the
    same state, so the expected digit and the next state are one number for the whole block. Each
    step appends one letter to all of them, so the network works on whole arrays. Small blocks of
    the same depth and state are joined.

    Args:
        task: A task with a machine.
        program: The network.
        bits: Digits of each operand.

    Attributes:
        least: Smallest margin of all digits so far.

    Raises:
        TaskError: ``bits`` is out of range.
    """

    def __init__(self, task: Task, program: InferencePass, bits: int) -> None:
        assert task.machine is not None
        self._task, self._program, self._machine = task, program, task.machine
        layout = task.natural_layout(bits)
        self.steps, self._places = layout.steps, task.digit_steps(layout)
        self._first_result = task.first_result_step(layout.steps)
        memory = program.start(1)
        self._room = max(1, BLOCK_BYTES // (memory.shape[1] * memory.itemsize))
        self.least = float("inf")

    def words(self, prefix: Sequence[int] = ()) -> Iterator[Block]:
        """Yield blocks of complete words; only those whose digits begin with ``prefix``."""
        return (block for block in self.blocks(prefix) if block.depth == self.steps)

    def blocks(self, prefix: Sequence[int] = ()) -> Iterator[Block]:
        """Yield every block, each before the blocks that continue it."""
        # glibc returns large arrays to the system at once, and requests them again for the next
        # block, until a larger array was freed. Without this line that takes a third of the time.
        np.empty(_KEPT_BYTES, np.uint8)
        root = Block(0, self._machine.initial, self._program.start(1))
        waiting = [iter([[root]])]
        while waiting:
            front = next(waiting[-1], None)
            if front is None:
                waiting.pop()
                continue
            yield from front
            if front[0].depth < self.steps:
                waiting.append(self._following(front, prefix))

    def _following(self, front: list[Block], prefix: Sequence[int]) -> Iterator[list[Block]]:
        """Yield, in lists, the blocks that continue some blocks of one depth by a letter."""
        children = chain.from_iterable(self._children(block, prefix) for block in front)
        if 2 * sum(map(len, front)) > self._room:
            yield from ([child] for child in children)
            return
        few = []
        for child in self._joined(children):
            if 2 * len(child) > self._room:
                yield [child]
            else:
                few.append(child)
        if few:
            yield few

    def _letters(self, depth: int, prefix: Sequence[int]) -> Sequence[int]:
        """Return the letters that are possible at a step."""
        place = depth - self._places.start
        if not self._places.start <= depth < self._places.stop:
            return (0,)
        return prefix[place : place + 1] or range(self._task.letters)

    def _children(self, block: Block, prefix: Sequence[int]) -> Iterator[Block]:
        """Yield a block for each letter that may follow the prefixes of a block."""
        letters = self._letters(block.depth, prefix)
        power = self._task.letters ** max(0, block.depth - self._places.start)
        memories = self._program.branch(block.memory, letters)
        for letter, memory in zip(letters, memories, strict=True):
            state = int(self._machine.next_state[block.state, letter])
            wrong = block.wrong
            # Only the digits of the result must be correct, not the symbols before them.
            if block.depth >= self._first_result:
                symbol = int(self._machine.output[block.state, letter])
                wrong = self._judged(self._program.logits(memory), symbol, wrong)
            offset = block.offset + power * letter
            yield Block(block.depth + 1, state, memory, block.codes, offset, wrong)

    def _judged(
        self, logits: Array, symbol: int, wrong: NDArray[np.uint32] | None
    ) -> NDArray[np.uint32] | None:
        """Add the digits of logits (N, K) that are not ``symbol`` to the wrong digits so far."""
        least = _least_margin(logits, symbol)
        self.least = min(self.least, least)
        if least > 0:
            return wrong
        now = (emitted(logits) != symbol).astype(np.uint32)
        if wrong is not None:
            now += wrong
        return now if now.any() else None

    def _joined(self, children: Iterator[Block]) -> Iterator[Block]:
        """Yield the same prefixes in fewer blocks: those of the same state joined, if they fit."""
        waiting: dict[int, list[Block]] = {}
        for child in children:
            others = waiting.setdefault(child.state, [])
            if others and sum(map(len, others)) + len(child) > self._room:
                yield _join(others)
                others.clear()
            others.append(child)
        yield from map(_join, waiting.values())

    def letters(self, block: Block, chosen: NDArray[np.intp]) -> Letters:
        """Return the words of a block, shape (T, n), at indices of shape (n,)."""
        words = np.zeros((self.steps, len(chosen)), np.intp)
        left = block.codes[chosen] + block.offset
        for step in range(self._places.start, self._places.stop):
            left, words[step] = np.divmod(left, self._task.letters)
        return words


def is_exact(task: Task, program: InferencePass, bits: int) -> bool:
    """Return whether a program is correct on every operand tuple; stop at the first error.

    The task must have a machine; see `seqarith.evaluation.evaluate.evaluate` for others.
    """
    return all(block.wrong is None for block in Prefixes(task, program, bits).blocks())


def _least_margin(logits: Array, symbol: int) -> float:
    """Return the smallest margin by which logits (N, K) favour a symbol; see `network.margins`."""
    if logits.shape[1] == 1:
        return float(logits.min()) if symbol else -float(logits.max())
    rows = logits.T  # logits are stored units first, so each row is contiguous
    others = np.maximum.reduce([row for k, row in enumerate(rows) if k != symbol])
    return float((rows[symbol] - others).min())


def _join(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    # Transposed twice: memories are stored units first.
    memory = np.concatenate([block.memory.T for block in blocks], axis=1).T
    codes = np.concatenate([block.codes + block.offset for block in blocks])
    wrong = None
    if any(block.wrong is not None for block in blocks):
        wrong = np.concatenate(
            [np.zeros(len(b), np.uint32) if b.wrong is None else b.wrong for b in blocks]
        )
    return Block(blocks[0].depth, blocks[0].state, memory, codes, 0, wrong)
