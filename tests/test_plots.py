"""Every picture shows the numbers that it should, and is the same byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.certification.adapter import from_stored
from seqarith.errors import MissingExtraError

pytest.importorskip("matplotlib")

from matplotlib.cbook import is_math_text
from matplotlib.text import Text

from seqarith import plots
from seqarith.plots.labels import label
from seqarith.plots.pairs import Pairs, run_pairs
from seqarith.plots.palette import COLOURS, colour, marker


@pytest.fixture
def axes() -> Any:
    return plots.new_figure()[1][0]


def labelled(axes: Any, label: str) -> Any:
    return next(line for line in axes.get_lines() if line.get_label() == label)


def log(name: str, steps: list[int], **values: list[float]) -> sa.RunLog:
    return sa.RunLog(name, np.array(steps), {key: np.array(v) for key, v in values.items()})


# ------------------------------------------------------------- learning


def test_one_run(axes: Any) -> None:
    run = log("r", [50, 100, 150], loss=[1, 0.1, 0.01], accuracy=[0.25, np.nan, 1])
    plots.learning_curve(axes, [run], "loss")
    line = labelled(axes, "r")
    assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == (
        [50, 100, 150], [1, 0.1, 0.01],
    )  # fmt: skip
    assert (axes.get_yscale(), axes.get_xlabel(), axes.get_ylabel()) == ("log", "steps", "loss")
    other = plots.new_figure()[1][0]
    plots.learning_curve(other, [run], "accuracy")
    line = labelled(other, "r")
    assert (line.get_xdata().tolist(), line.get_ydata().tolist()) == ([50, 150], [25, 100])
    assert other.get_ylabel() == "words correct (%)"


def test_several_runs(axes: Any) -> None:
    runs = [
        log("a", [0, 10, 20], loss=[8, 4, 2]),
        log("b", [0, 20], loss=[4, 0]),  # 2 at step 10, between the reports
        log("c", [0, 10, 20, 30], loss=[6, 9, 1, 1]),
    ]
    plots.learning_curve(axes, runs, "loss")
    median = labelled(axes, "median of 3 runs")
    assert median.get_xdata().tolist() == [0, 10, 20, 30]
    assert median.get_ydata().tolist() == [6, 4, 1, 1]
    assert axes.get_yscale() == "linear"  # a loss of 0 has no logarithm
    band = axes.collections[0].get_paths()[0].vertices
    for step, low, high in ((0, 4, 8), (10, 2, 9), (20, 0, 2), (30, 1, 1)):
        at = band[band[:, 0] == step][:, 1]
        assert (at.min(), at.max()) == (low, high)


def test_a_few_runs_are_named(axes: Any) -> None:
    plots.learning_curve(axes, [log(name, [0, 10], loss=[2, 1]) for name in ("a", "_b", "c")])
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["a", " _b", "c", "range", "median of 3 runs"]
    styles = {(line.get_color(), line.get_linestyle()) for line in axes.get_lines()[:-1:2]}
    assert len(styles) == 3
    many = plots.new_figure()[1][0]
    plots.learning_curve(many, [log(str(i), [0, 10], loss=[2, 1]) for i in range(9)])
    assert len(many.get_legend().get_texts()) == 2


def test_runs_of_different_tasks_are_not_mixed(axes: Any) -> None:
    def run(name: str, **of: str | int) -> sa.RunLog:
        return replace(log(name, [0, 10], loss=[2, 1]), run=of)

    plots.learning_curve(
        axes, [run("a", task="add", bits=8), run("b", task="add", bits=4), run("c")]
    )
    with pytest.raises(
        sa.errors.InvalidValueError, match="different tasks: a is of add, b of mul; draw"
    ):
        plots.learning_curve(axes, [run("a", task="add"), run("b", task="mul")])


HOSTILE = ["$", "$x$", r"$\frac{$", "_x", r"\$", "a\nb\x1b[2J\u202ec", "\udcff", "%s{}", "x" * 500]


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_is_drawn_as_itself(
    text: str, make_adder: Callable[..., sa.Model], tmp_path: Path
) -> None:
    """In every picture, wherever names of tasks, states, enclosures and logs may stand."""
    model = make_adder()
    machine = model.task.machine
    assert machine is not None
    named = sa.MealyMachine(
        machine.next_state, machine.output, machine.outputs, machine.initial, (text, f"{text} 1")
    )
    notation = text.replace("{", "").replace("}", "") + " {} + {}"  # braces stand for operands
    task = replace(model.task, name=text, notation=notation, machine=named)
    model = sa.Model(task, model.network, model.parameters)
    with plots.style():
        figure, grid = plots.new_figure(3, 3, (18, 12))
        plots.learning_curve(grid[0], [log(text, [0, 10], loss=[2, 1])])
        plots.learning_curve(grid[1], [log(text, [0, 10], loss=[2, 1]), log("b", [1], loss=[1])])
        plots.error_map(grid[2], model, 3)
        plots.margin_map(grid[3], model, 3)
        plots.accuracy_by_width(grid[4], [sa.evaluate(model, 3)])
        plots.accuracy_by_chain(grid[5], sa.evaluate(model, 3))
        plots.trajectories(grid[6], model, 4)
        plots.machine_diagram(grid[7], sa.extract(model), task)
        plots.save_figure(figure, tmp_path / "p.svg")
    for axes in grid[:2]:
        assert axes.get_legend().get_texts()[0].get_text().strip() == label(text).strip()
    for found in figure.findobj(Text):
        if "mathdefault" in found.get_text():  # a tick of matplotlib's own
            continue
        assert not is_math_text(found.get_text())
        assert "".join(found.get_text().split("\n")).isprintable()


def test_what_no_run_has_logged(axes: Any) -> None:
    run = log("r", [1], loss=[1])
    with pytest.raises(
        sa.errors.InvalidValueError, match="no log contains the margin; they contain loss"
    ):
        plots.learning_curve(axes, [run], "margin")
    with pytest.raises(sa.errors.InvalidValueError, match="quantity 'speed': expected loss"):
        plots.learning_curve(axes, [run], "speed")


# ------------------------------------------------------------- maps


def test_the_maps_are_of_every_pair(wrong_adder: sa.Model) -> None:
    pairs = [(a, b) for b in range(8) for a in range(8)]
    said = list(wrong_adder.predict(*zip(*pairs, strict=True), digits=3))
    wrong = [(p.predicted ^ p.expected).bit_count() for p in said]
    least = [p.min_margin for p in said]
    found = run_pairs(wrong_adder, 3)
    np.testing.assert_array_equal(found.wrong, np.reshape(wrong, (8, 8)))
    np.testing.assert_allclose(found.margins, np.reshape(least, (8, 8)))
    _, (errors, margins) = plots.new_figure(1, 2)
    plots.error_map(errors, wrong_adder, 3)
    np.testing.assert_array_equal(errors.get_images()[0].get_array(), found.wrong)
    assert f"{np.count_nonzero(wrong)} wrong of 64 pairs" in errors.get_title("left")
    plots.margin_map(margins, wrong_adder, 3)
    image = margins.get_images()[0]
    right = found.wrong == 0
    np.testing.assert_allclose(image.get_array()[right], found.margins[right])
    rgba = image.to_rgba(image.get_array())
    assert (rgba[~right][:, :3] == 0).all(), "wrong pairs are black"
    assert (rgba[right][:, :3].max(axis=1) > 0).all()
    assert (margins.get_xlabel(), margins.get_ylabel()) == ("a", "b")


def test_two_wrong_of_a_million_are_seen(monkeypatch: pytest.MonkeyPatch, adder: sa.Model) -> None:
    wrong = np.zeros((1024, 1024), np.intp)
    wrong[[3, 1000], [517, 8]] = 1
    margins = np.where(wrong, -0.5, 4.0)
    monkeypatch.setattr("seqarith.plots.pairs.run_pairs", lambda model, bits: Pairs(wrong, margins))
    for draw in (plots.error_map, plots.margin_map):
        axes = plots.new_figure()[1][0]
        draw(axes, adder, 10)
        assert "2 wrong of 1,048,576 pairs (ringed)" in axes.get_title("left")
        rings = axes.get_lines()[0]
        assert set(zip(rings.get_xdata(), rings.get_ydata(), strict=True)) == {(517, 3), (8, 1000)}
        image = axes.get_images()[0]
        colours = image.to_rgba(image.get_array())
        black = (colours[:, :, :3] < 0.1).all(axis=2)
        assert set(zip(*np.nonzero(black), strict=True)) == {(0, 129), (250, 2)}
        assert image.get_extent() == [-0.5, 1023.5, -0.5, 1023.5]


@pytest.mark.parametrize("side", [256, 257, 729, 1000])
def test_a_point_shows_the_worst_of_its_pairs(
    monkeypatch: pytest.MonkeyPatch, adder: sa.Model, side: int
) -> None:
    wrong = np.random.default_rng(side).integers(0, 9, (side, side))
    wrong[0, 0] = 8
    found = Pairs(wrong, np.where(wrong, -1.0, 1.0))
    monkeypatch.setattr("seqarith.plots.pairs.run_pairs", lambda model, bits: found)
    axes = plots.new_figure()[1][0]
    plots.error_map(axes, adder)
    shown = axes.get_images()[0].get_array()
    size = -(-side // 256)
    for row in range(0, len(shown), 17):
        for column in range(0, len(shown), 17):
            block = wrong[size * row : size * (row + 1), size * column : size * (column + 1)]
            assert shown[row, column] == block.max()
    assert axes.get_xlim() == (-0.5, side - 0.5)


def test_a_task_without_a_machine_is_drawn_at_its_width(
    make_random: Callable[..., sa.Model],
) -> None:
    model = make_random(sa.registry.TASKS["mul"](), 1)
    model = sa.Model(model.task, model.network, model.parameters, {"bits": 3})
    assert run_pairs(model).wrong.shape == (8, 8)


def test_the_map_of_other_bases_and_tasks(make_adder: Callable[..., sa.Model]) -> None:
    assert run_pairs(make_adder(base=10)).wrong.shape == (100, 100)
    assert run_pairs(make_adder()).wrong.shape == (256, 256)
    assert not run_pairs(make_adder(base=3), 2).wrong.any()
    with pytest.raises(sa.errors.TaskError, match="needs two operands; a \\+ b \\+ c takes 3"):
        run_pairs(make_adder(operands=3))
    with pytest.raises(sa.errors.TaskError, match="expected at most 1024"):
        run_pairs(make_adder(), 11)


# ------------------------------------------------------------- accuracy


def test_accuracy_by_width(axes: Any, wrong_adder: sa.Model) -> None:
    found = [sa.evaluate(wrong_adder, bits) for bits in (1, 2, 3)]
    found.append(sa.evaluate(wrong_adder, 16, samples=40))
    plots.accuracy_by_width(axes, found)
    every, drawn = labelled(axes, "all operands"), labelled(axes, "random operands")
    assert list(every.get_xdata()) == [1, 2, 3]
    assert list(every.get_ydata()) == [100 * each.accuracy for each in found[:3]]
    assert (*drawn.get_xdata(), *drawn.get_ydata()) == (16, 100 * found[3].accuracy)
    assert drawn.get_markerfacecolor() != every.get_markerfacecolor()
    runs = labelled(axes, "words with long runs")
    assert list(runs.get_ydata()) == [100 * found[3].directed_correct / found[3].directed]
    with pytest.raises(sa.errors.InvalidValueError, match="no evaluation"):
        plots.accuracy_by_width(axes, [])


def test_a_share_of_nearly_all_is_counted(axes: Any, adder: sa.Model) -> None:
    found = sa.evaluate(adder, 2)
    almost = replace(found, bits=10, checked=2**20, correct=2**20 - 2)
    plots.accuracy_by_width(axes, [found, almost])
    assert [text.get_text() for text in axes.texts] == ["2 wrong"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("add", "longest carry chain, in digits"),
        ("sub", "longest borrow chain, in digits"),
        ("increment", "longest run of steps in another state than 'carry 1', in digits"),
        ("max", "longest run of steps in another state than 'ahead: a b', in digits"),
    ],
)
def test_chains_are_named_by_what_is_remembered(
    axes: Any, make_random: Callable[..., sa.Model], name: str, said: str
) -> None:
    plots.accuracy_by_chain(axes, sa.evaluate(make_random(sa.registry.TASKS[name](), 1), 3))
    assert axes.get_xlabel() == said


@pytest.mark.parametrize("name", ["xor", "mul", "square"])
def test_no_chains_where_nothing_is_carried(
    axes: Any, make_random: Callable[..., sa.Model], name: str
) -> None:
    found = sa.evaluate(make_random(sa.registry.TASKS[name](), 1), 3)
    with pytest.raises(sa.errors.TaskError, match="nothing is carried from digit to digit"):
        plots.accuracy_by_chain(axes, found)


def test_accuracy_by_chain(axes: Any, wrong_adder: sa.Model) -> None:
    found = sa.evaluate(wrong_adder, 3)
    plots.accuracy_by_chain(axes, found)
    line = axes.get_lines()[0]
    assert list(line.get_xdata()) == [0, 1, 2, 3]
    shares = [100 * (1 - wrong / words) for words, wrong in found.by_chain.values()]
    assert list(line.get_ydata()) == shares
    bars = next(other for other in axes.figure.axes if other is not axes)
    heights = [patch.get_height() for patch in bars.patches]
    assert heights == [words for words, _ in found.by_chain.values()]


# ------------------------------------------------------------- inside the network


def test_trajectories(axes: Any) -> None:
    model = replace(sa.Model.shipped("add"), certificate=None)
    plots.trajectories(axes, model, bits=5, seed=1)
    zero, one = labelled(axes, "carry 0"), labelled(axes, "carry 1")
    assert len(zero.get_xdata()) + len(one.get_xdata()) == 6 * 96
    assert zero.get_marker() != one.get_marker()
    assert "% of variance" in axes.get_xlabel()
    assert "region" not in axes.get_title("left")


def proved_adder(make_adder: Callable[..., sa.Model]) -> sa.Model:
    model = make_adder(steepness=20.0)
    verdict = sa.certify(model, 10)
    assert isinstance(verdict, sa.Proved)
    return sa.attach(model, verdict.certificate)


def test_the_regions_of_a_proof(make_adder: Callable[..., sa.Model]) -> None:
    model = proved_adder(make_adder)
    count = from_stored(model.certificate).regions
    _, (plain, outlined, rejected) = plots.new_figure(1, 3)
    plots.trajectories(plain, sa.Model(model.task, model.network, model.parameters))
    plots.trajectories(outlined, model)
    assert len(outlined.get_lines()) - len(plain.get_lines()) == count
    assert f"the {count} regions of the proof" in outlined.get_title("left")
    arrays = model.network.export(model.parameters)
    arrays["readout.bias"] = arrays["readout.bias"] + 1
    changed = sa.Model(
        model.task, model.network, model.network.absorb(arrays), certificate=model.certificate
    )
    plots.trajectories(rejected, changed)
    assert "rejected" in rejected.get_title("left")
    assert len(rejected.get_lines()) == len(plain.get_lines())


def test_weights_are_squares(axes: Any, make_adder: Callable[..., sa.Model]) -> None:
    model = make_adder()
    arrays = model.network.export(model.parameters)
    table = np.array([[4.0, -1.0, 0.0], [2.0, 1.0, -4.0], [0.0, 1.0, 1.0]])
    arrays["rnn.weight_hh_l0"] = table
    changed = sa.Model(model.task, model.network, model.network.absorb(arrays))
    plots.weights(axes, changed, "rnn.weight_hh_l0")
    squares = axes.collections[0]
    assert len(squares.get_paths()) == np.count_nonzero(table)
    for path, face in zip(squares.get_paths(), squares.get_facecolors(), strict=True):
        low, high = path.vertices.min(axis=0), path.vertices.max(axis=0)
        column, row = np.round((low + high) / 2).astype(int)
        area = np.prod(high - low)
        assert area == pytest.approx(0.92**2 * abs(table[row, column]) / 4)
        assert (face[:3] == (1 if table[row, column] > 0 else 0)).all()
    with pytest.raises(sa.errors.InvalidValueError, match="array 'x': the model has rnn"):
        plots.weights(axes, model, "x")


@pytest.mark.parametrize("name", ["rnn.bias_hh_l0", "readout.bias", "readout.weight"])
def test_weights_of_every_shape(axes: Any, make_adder: Callable[..., sa.Model], name: str) -> None:
    model = make_adder(base=3)
    plots.weights(axes, model, name)
    array = model.network.export(model.parameters)[name]
    count = len(axes.collections[0].get_paths())
    assert count == np.count_nonzero(array)
    assert ("all 0" in axes.get_title()) == (count == 0)


def test_the_machine(axes: Any, make_adder: Callable[..., sa.Model]) -> None:
    from matplotlib.patches import FancyArrowPatch

    model = make_adder(operands=3)
    plots.machine_diagram(axes, sa.extract(model), model.task)
    texts = [text.get_text() for text in axes.texts]
    assert {"carry 0", "carry 1", "carry 2"} <= set(texts)
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    machine = model.task.machine
    assert machine is not None
    pairs = {(q, r) for q, row in enumerate(machine.next_state.tolist()) for r in row}
    assert len(arrows) == len(pairs)
    assert "111 / 0" in texts, "from carry 1 to carry 2"
    assert "hidden vectors; 100% move as it does" in axes.get_title("left")


def test_classes_differ_without_colour() -> None:
    assert len({marker(i) for i in range(len(COLOURS))}) == len(COLOURS)
    assert len({(colour(i), marker(i)) for i in range(40)}) == 40


def test_every_picture_has_a_title_and_names_its_axes(trained: sa.Run) -> None:
    model, runs = trained.model, [log("a", [1, 2], loss=[1.0, 0.5])]
    pictures: dict[str, Callable[[Any], None]] = {
        "learning_curve": lambda axes: plots.learning_curve(axes, runs, "loss"),
        "error_map": lambda axes: plots.error_map(axes, model, 4),
        "margin_map": lambda axes: plots.margin_map(axes, model, 4),
        "accuracy_by_width": lambda axes: plots.accuracy_by_width(axes, [sa.evaluate(model, 4)]),
        "accuracy_by_chain": lambda axes: plots.accuracy_by_chain(axes, sa.evaluate(model, 4)),
        "trajectories": lambda axes: plots.trajectories(axes, model, 4),
        "weights": lambda axes: plots.weights(axes, model, "rnn.weight_hh_l0"),
        "machine_diagram": lambda axes: plots.machine_diagram(axes, sa.extract(model), model.task),
    }
    frames = {"figure", "new_figure", "save_figure", "style"}
    assert set(pictures) == {
        name for name, value in vars(plots).items() if callable(value) and name not in frames
    }
    for name, draw in pictures.items():
        axes = plots.new_figure()[1][0]
        draw(axes)
        assert axes.get_title("center" if name == "weights" else "left"), name
        if name != "machine_diagram":  # it has no axes, but circles and arrows
            assert axes.get_xlabel(), name
            assert axes.get_ylabel(), name


# ------------------------------------------------------------- files

DRAW = """
import sys
import numpy as np
import seqarith as sa
from seqarith import plots
model = sa.Model.shipped("add")
steps = np.arange(1, 9)
runs = [sa.RunLog(str(i), steps[: 6 + i], {"loss": 1 / steps[: 6 + i] + i}) for i in range(3)]
with plots.style():
    figure, grid = plots.new_figure(2, 4, (18, 9))
    plots.margin_map(grid[0], model, 4)
    plots.trajectories(grid[1], model, 6)
    plots.weights(grid[2], model, "rnn.weight_hh_l0")
    plots.accuracy_by_chain(grid[3], sa.evaluate(model, 4))
    plots.accuracy_by_width(grid[4], [sa.evaluate(model, 4)])
    plots.machine_diagram(grid[5], sa.extract(model), model.task)
    plots.error_map(grid[6], model, 4)
    plots.learning_curve(grid[7], runs, "loss")
    for ending in ("png", "svg", "pdf"):
        plots.save_figure(figure, f"{sys.argv[1]}/p.{ending}")
"""


def test_pictures_are_the_same_byte_for_byte(tmp_path: Path, environment: dict[str, str]) -> None:
    contents = []
    # Neither the hash seed nor a display nor the user's own settings nor the time matter.
    for name, seed, more in (
        ("one", "1", {}),
        ("two", "2", {"SOURCE_DATE_EPOCH": "1", "MATPLOTLIBRC": str(tmp_path / "rc")}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (tmp_path / "rc").write_text("font.size: 20\naxes.grid: True\n")
        env = {**environment, "PYTHONHASHSEED": seed, **more}
        env.pop("DISPLAY", None)
        subprocess.run([sys.executable, "-c", DRAW, str(folder)], env=env, check=True, cwd=folder)
        contents.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert list(contents[0]) == ["p.pdf", "p.png", "p.svg"]
    assert contents[0] == contents[1]
    for name, magic in (("p.pdf", b"%PDF"), ("p.png", b"\x89PNG"), ("p.svg", b"<?xml")):
        assert contents[0][name].startswith(magic)


def test_no_file_and_no_other_ending(tmp_path: Path) -> None:
    figure, _ = plots.new_figure()
    with pytest.raises(sa.errors.InvalidValueError, match=r"picture as '.jpg'; expected .png"):
        plots.save_figure(figure, tmp_path / "p.jpg")
    with pytest.raises(sa.errors.OutputError, match="there is no folder"):
        plots.save_figure(figure, tmp_path / "none" / "p.png")
    assert os.listdir(tmp_path) == []


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'seqarith\[plot\]'"):
        plots.new_figure()
