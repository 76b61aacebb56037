"""Evaluations in parts: the same counts, in several processes, and after any interruption."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest

import seqarith as sa
from seqarith import archive
from seqarith.errors import CheckpointError, InvalidValueError, ModelFileError, ProcessError
from seqarith.evaluation import shards as module
from seqarith.evaluation.counts import Counts
from seqarith.evaluation.shards import Shards, run_shards


def counted(tally: Counts) -> dict[str, Any]:
    return tally.describe()


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_parts_are_all_words_once(wrong_adder: sa.Model, bits: int) -> None:
    parts = Shards(wrong_adder, bits)
    assert parts.count == min(4**bits, module.FEWEST_SHARDS)
    prefixes = {tuple(parts.prefix(number)) for number in range(parts.count)}
    assert len(prefixes) == parts.count


def test_large_widths_have_small_parts(adder: sa.Model) -> None:
    parts = Shards(adder, 20)
    assert 4**20 // parts.count <= module.SHARD_WORDS


@pytest.mark.parametrize("task", ["add", "mul"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_in_parts(make_random: Any, tmp_path: Path, task: str, jobs: int) -> None:
    model = make_random(sa.registry.TASKS[task](), 2, "float64")
    bits = 3 if task == "mul" else 5
    whole, seen = sa.evaluate(model, bits), []
    found = sa.evaluate(
        model, bits, jobs=jobs, checkpoint=tmp_path / "c", progress=lambda *at: seen.append(at)
    )
    assert found.summary() | {"min_margin": 0} == whole.summary() | {"min_margin": 0}
    assert found.min_margin == pytest.approx(whole.min_margin, rel=1e-12)
    assert found.by_chain == whole.by_chain
    assert [c.operands for c in found.counterexamples] == [
        c.operands for c in whole.counterexamples
    ]
    assert not found.exact
    assert seen[-1] == (found.checked, found.checked)
    assert seen == sorted(seen)


def test_a_run_goes_on_where_it_stopped(
    wrong_adder: sa.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, run = tmp_path / "c", []
    kept = module._run_shard

    def stopping(parts: Shards, number: int) -> Counts:
        if len(run) == 100:
            raise KeyboardInterrupt
        run.append(number)
        return kept(parts, number)

    monkeypatch.setattr(module, "_run_shard", stopping)
    with pytest.raises(KeyboardInterrupt):
        run_shards(wrong_adder, 5, jobs=1, checkpoint=place)
    assert archive.read(place, module.FORMAT, 1).header["done"] == 100
    run.append(-1)  # so that it is not stopped again
    found, resumed = run_shards(wrong_adder, 5, jobs=1, checkpoint=place)
    assert run == [*range(100), -1, *range(100, 256)]
    assert resumed == 100 * Shards(wrong_adder, 5).words
    again = len(run)
    assert counted(run_shards(wrong_adder, 5, jobs=1, checkpoint=place)[0]) == counted(found)
    assert len(run) == again


def test_a_checkpoint_of_another_run_is_refused(
    adder: sa.Model, wrong_adder: sa.Model, tmp_path: Path
) -> None:
    place = tmp_path / "c"
    sa.evaluate(adder, 4, checkpoint=place)
    with pytest.raises(CheckpointError, match=r"it has bits 4, this one 5"):
        sa.evaluate(adder, 5, checkpoint=place)
    with pytest.raises(CheckpointError, match="another evaluation: it has network"):
        sa.evaluate(wrong_adder, 4, checkpoint=place)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"done": 257}, "257 of 256 shards"),
        ({"done": -1}, "done -1: expected an integer of at least 0"),
        ({"tally": {}}, "tally lacks 'words'"),
        ({"tally": None}, "tally None: expected an object"),
    ],
)
def test_a_damaged_checkpoint_is_refused(
    adder: sa.Model, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    place = tmp_path / "c"
    sa.evaluate(adder, 4, checkpoint=place)
    header = archive.read(place, module.FORMAT, 1).header
    archive.write(place, header | change, {})
    with pytest.raises(ModelFileError, match=message):
        sa.evaluate(adder, 4, checkpoint=place)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": -1}, "tally.words -1: expected an integer"),
        ({"wrong_chains": [[1]]}, "expected a list of 2 values"),
        ({"least": "x"}, "expected a finite number"),
        ({"words": 255}, "contradict"),
        ({"wrong_digits": 5}, "contradict"),
        ({"wrong_words": 5, "wrong_digits": 5}, "contradict"),
        ({"first_wrong": [[1, 2]]}, "contradict"),
    ],
)
def test_a_damaged_tally_is_refused(
    adder: sa.Model, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    place = tmp_path / "c"
    sa.evaluate(adder, 4, checkpoint=place)
    header = archive.read(place, module.FORMAT, 1).header
    header["tally"] |= change
    archive.write(place, header, {})
    with pytest.raises(ModelFileError, match=message):
        sa.evaluate(adder, 4, checkpoint=place)


def test_refusals(adder: sa.Model, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="0 jobs: expected 1 or more"):
        sa.evaluate(adder, 4, jobs=0)
    with pytest.raises(InvalidValueError, match="choose one of the two"):
        sa.evaluate(adder, 4, samples=5, exhaustive=True)
    with pytest.raises(InvalidValueError, match="more than 2\\*\\*62 tuples"):
        sa.evaluate(adder, 32, exhaustive=True)
    with pytest.raises(InvalidValueError, match="only an exhaustive evaluation"):
        sa.evaluate(adder, 32, checkpoint=tmp_path / "c")


def test_ctrl_c_in_the_middle_of_a_sum(
    wrong_adder: sa.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is counted once or not at all, wherever the sum is interrupted."""
    place, kept, calls = tmp_path / "c", Counts.merge, []

    def interrupted(self: Counts, other: Counts) -> None:
        calls.append(other)
        kept(self, other)
        if len(calls) in (41, 42):  # with what was known, with what is new
            raise KeyboardInterrupt

    monkeypatch.setattr(Counts, "merge", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_shards(wrong_adder, 4, jobs=1, checkpoint=place)
    found, _ = run_shards(wrong_adder, 4, jobs=1, checkpoint=place)
    monkeypatch.undo()
    assert counted(found) == counted(run_shards(wrong_adder, 4, jobs=1)[0])


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs POSIX signals")
def test_where_ctrl_c_is_ignored_all_is_counted(
    adder_file: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """As in a script that runs it in the background."""
    command = ["eval", str(adder_file), "--bits", "12", "--jobs", "2", "--checkpoint", "run"]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        started = Popen(
            [sys.executable, "-m", "seqarith", *command], stdout=PIPE, stderr=PIPE, text=True,
            env=environment, cwd=tmp_path, start_new_session=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    wait_for((tmp_path / "run").exists)
    os.killpg(started.pid, signal.SIGINT)
    out, _ = started.communicate(timeout=60)
    assert started.returncode == 0
    assert "(16,777,216 of 16,777,216)" in out


def test_ctrl_c_that_nobody_raises(
    wrong_adder: sa.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller's own handler of the signal may do nothing: no part of a count is a count."""

    @contextmanager
    def due() -> Iterator[Callable[[], bool]]:
        yield lambda: True

    monkeypatch.setattr(module, "_interrupts_held", due)
    with pytest.raises(KeyboardInterrupt):
        run_shards(wrong_adder, 4, jobs=2, checkpoint=tmp_path / "c")


def _end(_path: str, _bits: int) -> None:
    os._exit(9)


def test_a_process_that_dies_is_told(
    adder: sa.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_begin", _end)
    with pytest.raises(ProcessError, match="take fewer jobs"):
        run_shards(adder, 4, jobs=2, checkpoint=tmp_path / "c")
    assert archive.read(tmp_path / "c", module.FORMAT, 1).header["done"] == 0


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc")
def test_a_killed_run_leaves_no_process(
    adder_file: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    command = ["eval", str(adder_file), "--bits", "15", "--exhaustive", "--jobs", "2"]
    started = Popen(
        [sys.executable, "-m", "seqarith", *command], stdout=PIPE, stderr=PIPE, text=True,
        env=environment, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: len(of_session(started.pid)) >= 4)  # it, its two processes, their tracker
    started.kill()
    started.communicate(timeout=60)
    wait_for(lambda: not of_session(started.pid))


def of_session(number: int) -> list[str]:
    """Return the processes of a session that have not ended."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, session = place.read_text().rpartition(")")[2].split()[:4]
            if int(session) == number and state != "Z":
                found.append(place.parent.name)
    return found


def wait_for(condition: Callable[[], Any]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_ctrl_c_and_the_same_command_again(
    adder_file: Path, shell: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    command = ["eval", str(adder_file), "--bits", "14", "--jobs", "2", "--checkpoint", "run"]
    started = Popen(
        [sys.executable, "-m", "seqarith", *command], stdout=PIPE, stderr=PIPE, text=True,
        env=environment, cwd=tmp_path, start_new_session=True,
    )  # fmt: skip
    place = tmp_path / "run"
    wait_for(place.exists)
    os.killpg(started.pid, signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert (started.returncode, out) == (130, "")
    assert err == "Interrupted; the same command continues from run.\n"
    done = archive.read(place, module.FORMAT, 1).header["done"]
    assert done < Shards(sa.Model.load(adder_file), 14).count
    found = shell(*command)
    assert (found.returncode, found.stderr) == (0, "")
    assert "all 268,435,456 pairs of 14-bit operands (exhaustive)" in found.stdout
