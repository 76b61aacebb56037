"""The page as a file: self-contained, small, safe whatever a model file says of itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.cells.recorded import RecordedCell
from seqarith.evaluation.fixed_width import fixed_width
from seqarith.network import Network
from seqarith.projection import Projection
from seqarith.registry import CELLS
from seqarith.report import write_report
from seqarith.report.facts import facts
from seqarith.report.page import page
from seqarith.report.regions import known, regions
from seqarith.tasks.custom.encoded import EncodedFunction
from seqarith.tasks.custom.origin import Asked

Shell = Callable[..., subprocess.CompletedProcess[str]]


class Reader(HTMLParser):
    """Collects elements, and the text within styles and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and data.strip():
            self.texts.append((*self.tags[-1], data))


def data_of(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="module")
def written(proved_adder: sa.Model) -> str:
    return page(proved_adder)


def test_the_policy_allows_its_own_program_and_style_alone(written: str) -> None:
    read = Reader(written)
    policy = next(
        attributes["content"]
        for tag, attributes in read.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    allowed = {}
    for part in str(policy).split("; "):
        name, _, value = part.partition(" ")
        allowed[name] = value
    assert allowed["default-src"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    for tag, attributes, text in read.texts:
        if tag == "style" or (tag == "script" and "type" not in attributes):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert allowed[f"{tag}-src"] == f"'sha256-{digest}'"
    assert set(allowed) == {"default-src", "style-src", "script-src", "base-uri", "form-action"}


def test_nothing_is_loaded_and_nothing_is_inline(written: str) -> None:
    for _, attributes in Reader(written).tags:
        assert not {"src", "href", "style", "srcset", "action"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert re.findall(r"https?://[^\"'` ]*", written) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in written
    assert "url(" not in re.sub(r"url\(#head\)", "", written)


def test_size_and_bytes(proved_adder: sa.Model, written: str, tmp_path: Path) -> None:
    path = write_report(proved_adder, tmp_path / "r.html")
    assert path.read_bytes() == written.encode()
    assert len(written) < 100_000
    shipped = sa.Model.shipped("sub")
    assert len(page(shipped)) < 150_000
    assert page(shipped) == page(shipped)


def test_the_largest_network_that_fits_in_200_kb() -> None:
    task = sa.registry.TASKS["add"](base=10)
    network = Network(sa.registry.CELLS["elman"](), task.inputs, 90, 10, "float64")
    kernels = network.initial(np.random.default_rng(0))
    model = sa.Model(task, network, network.unpack(kernels))
    assert network.size == 90 * (20 + 90 + 1) + 91 * 10
    assert len(page(model)) < 200_000


def test_what_a_model_file_says_is_only_text(proved_adder: sa.Model) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{script}}"
    model = sa.Model(
        proved_adder.task, proved_adder.network, proved_adder.parameters,
        {"note": evil, evil: 1}, {"correct": evil, "mode": evil},
    )  # fmt: skip
    plain, hostile = Reader(page(proved_adder)), Reader(page(model))
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert "&lt;/script&gt;" in page(model)


def test_the_weights_are_those_of_the_file(written: str, proved_adder: sa.Model) -> None:
    arrays = data_of(written)["arrays"]
    for name, array in proved_adder.network.export(proved_adder.parameters).items():
        numbers = np.frombuffer(base64.b64decode(arrays[name]["data"]), "<f8")
        assert numbers.reshape(arrays[name]["shape"]).tobytes() == array.tobytes()


def badge(model: sa.Model) -> str:
    found = re.search(r'class="badge (\w+)"[^>]*>(.*?)</p>', page(model))
    assert found
    return f"{found[1]}: {found[2]}"


def test_what_is_known(proved_adder: sa.Model, wrong_adder: sa.Model, adder: sa.Model) -> None:
    assert badge(proved_adder) == "good: Proved right at every width"
    assert badge(adder) == "open: Correct on all operands of 8 digits; not proved at every width"
    assert badge(wrong_adder) == "bad: Wrong on 1 of 16 operands of 2 digits"
    arrays = proved_adder.network.export(proved_adder.parameters)
    arrays["readout.bias"] = arrays["readout.bias"] + 1.0
    changed = sa.Model(
        proved_adder.task, proved_adder.network, proved_adder.network.absorb(arrays),
        certificate=proved_adder.certificate,
    )  # fmt: skip
    assert badge(changed) == "bad: Its certificate was rejected"
    assert data_of(page(changed))["proof"] is None
    assert "speaks of another program" in page(changed)


def named(adder: sa.Model, **changes: Any) -> sa.Model:
    """Return the adder as a model of an own task, whose machine is the adder's."""
    assert adder.task.machine is not None
    task = replace(adder.task, name="plus", own=True, **changes)
    return replace(adder, task=task)


def test_a_proof_of_an_own_machine_says_so(proved_adder: sa.Model) -> None:
    """The name and the notation of a task in a file are its writer's: the badge is not."""
    liar = named(proved_adder, notation="{} * {}")
    assert badge(liar) == "good: Proved equal to the machine in this file, at every width"
    assert liar.task.machine is not None
    digest = liar.task.machine.digest()[:12]
    said = page(liar)
    assert said.count(f"the machine in this file (2 states, digest {digest})") == 3
    assert "right for operands of every width" not in said
    assert "it is equal to the one in this file" in data_of(said)["extracted"]["said"]
    bare = replace(liar, certificate=None)
    equal = "Equal to the machine in this file on all operands of 8 digits"
    assert badge(bare) == f"open: {equal}; not proved at every width"
    asked = named(proved_adder, asked=Asked("sums:plus", 131072))
    assert "was found in sums:plus by asking 131,072 words" in page(asked)


def test_a_function_that_fails_is_on_the_badge(proved_adder: sa.Model) -> None:
    def fails(a: int, b: int) -> int:
        return a + b if a < 1 else a // 0

    model = named(proved_adder, function=EncodedFunction(fails, "fails"))
    assert badge(model).startswith("bad: Your function was not compared with its machine: fails(1,")


@pytest.fixture(scope="module")
def product() -> sa.Run:
    return sa.train("mul", bits=3, seed=0)


def test_a_task_without_a_machine_is_shown_at_its_own_width(product: sa.Run) -> None:
    model = product.model
    assert product.reached
    assert badge(model) == "open: Correct on all 64 operands of 3 digits, a fixed width"
    said = page(model)
    assert "certify" not in said
    data = data_of(said)
    assert [row[0] for row in data["widths"]] == [3]
    assert data["example"] == ["5", "2"]
    arrays = model.network.export(model.parameters)
    arrays["readout.bias"] = arrays["readout.bias"] + 1
    broken = sa.Model(model.task, model.network, model.network.absorb(arrays), model.training)
    found = sa.evaluate(broken, 3)
    errors = found.checked - found.correct
    assert errors > 0
    assert badge(broken) == f"bad: Wrong on {errors} of 64 operands of 3 digits"


def test_a_width_that_is_not_noted_is_8(product: sa.Run) -> None:
    for bits in (None, "3", -3, 4096, 2.5, True):
        model = replace(product.model, training={"bits": bits})
        assert fixed_width(model) == 8
    assert fixed_width(replace(product.model, training={"bits": 16})) == 16


def test_learning_curves(proved_adder: sa.Model) -> None:
    log = sa.RunLog(
        "run", np.arange(1, 1001) * 10,
        {"loss": np.linspace(1, 0.001, 1000), "accuracy": np.linspace(0, 1, 1000)},
    )  # fmt: skip
    curves = data_of(page(proved_adder, [log]))["curves"]
    assert [curve["label"] for curve in curves] == ["loss", "words correct (%)"]
    assert curves[0]["points"][0] == [10, 1.0]
    assert all(100 < len(curve["points"]) <= 300 for curve in curves)
    assert curves[1]["points"][-1][1] == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "sub"}, "task sub, not add"),
        ({"seed": 3}, "seed 3, not 0"),
        ({"bits": 9}, "bits 9, not 8"),
        ({"hidden": 3}, "hidden 3, not 16"),
    ],
)
def test_a_log_of_another_run(trained: sa.Run, change: dict[str, Any], message: str) -> None:
    run = {"task": "add", "base": 2, "bits": 8, "hidden": 16, "seed": 0}
    steps, values = np.array([50]), {"loss": np.array([0.5])}
    curves = data_of(page(trained.model, [sa.RunLog("r", steps, values, run)]))["curves"]
    assert [curve["name"] for curve in curves] == ["r"]
    with pytest.raises(
        sa.errors.LogError, match=f"log 'r' belongs to another run than the model: {message}"
    ):
        page(trained.model, [sa.RunLog("r", steps, values, run | change)])


def test_a_log_that_goes_on_after_the_model(trained: sa.Run) -> None:
    late = np.array([50, trained.steps + 1])
    log = sa.RunLog("r", late, {"loss": np.array([0.5, 0.2])})
    with pytest.raises(
        sa.errors.LogError, match=f"reaches step {trained.steps + 1}, but the model"
    ):
        page(trained.model, [log])
    early = sa.RunLog("r", late - 1, {"loss": np.array([0.5, 0.2])})
    curve = data_of(page(trained.model, [early]))["curves"][0]
    assert curve["name"] == "r, which does not name its run"


def test_accuracy_is_rounded_down(proved_adder: sa.Model) -> None:
    almost = np.array([1 - 2**-24, 1.0])
    log = sa.RunLog("r", np.array([1, 2]), {"accuracy": almost})
    curve = data_of(page(proved_adder, [log]))["curves"][0]
    assert curve["points"] == [[1, 99.999], [2, 100.0]]


HIDDEN = "a\x1b[2J\nb\u202ec\u200bd\ud800"


def test_no_text_of_a_file_hides_anything(proved_adder: sa.Model) -> None:
    training = {"note": HIDDEN, HIDDEN: 1, "optimizer_options": {HIDDEN: HIDDEN}}
    evaluation = {"correct": 1, "checked": 1, "bits": 1, "mode": HIDDEN}
    asked = named(proved_adder, asked=Asked(HIDDEN, 5)).task
    model = replace(proved_adder, task=asked, training=training, evaluation=evaluation)
    log = sa.RunLog(HIDDEN, np.array([1]), {"loss": np.array([0.5])})
    said = page(model, [log])
    seen = "".join(character for character in said if character != "\n")
    assert seen.isprintable()
    assert "a\nb" not in said
    texts = json.dumps(data_of(said), ensure_ascii=False)
    assert texts.isprintable()
    assert r"a\x1b[2J\nb\u202ec\u200bd\ud800" in data_of(said)["curves"][0]["name"]


def test_what_a_file_notes_is_told_as_a_note(trained: sa.Run) -> None:
    rows = dict(facts(trained.model, known(trained.model)))
    for name in ("Training", "Evaluation"):
        assert rows[name].startswith("as noted in the file, not checked here: ")
    assert not rows["Proof"].startswith("noted")


def test_a_large_proof_is_shown_with_less(proved_adder: sa.Model) -> None:
    found = known(proved_adder)
    certificate = found.certificate
    assert certificate is not None
    plane = Projection.fit(np.random.default_rng(0).normal(size=(9, 3)))
    whole = regions(found, plane, 10**6)
    assert whole is not None
    assert len(whole["outlines"]) == certificate.regions
    shape = base64.b64decode(whole["shapes"])
    assert shape == certificate.shapes.astype("<f8").tobytes()
    sizes = [len(json.dumps(whole))]
    for room in range(sizes[0] + 100, 0, -40):
        shown = regions(found, plane, room)
        assert len(json.dumps(shown)) <= room + 200  # the names of the parts
        sizes.append(len(json.dumps(shown)))
    assert len(set(sizes)) == 4, "whole, without outlines, without the test, not at all"
    assert sizes == sorted(sizes, reverse=True)


def random_network(cell: Any, **options: Any) -> sa.Model:
    task, rng = sa.registry.TASKS["add"](), np.random.default_rng(0)
    options = {"inputs": task.inputs, "outputs": 1, "dtype": "float64"} | options
    network = Network(cell, **options)
    arrays = {name: rng.normal(size=shape) for name, shape in network.exported_shapes().items()}
    return sa.Model(task, network, network.absorb(arrays))


def words(model: sa.Model) -> tuple[str, str, str]:
    """Return the title of a page, what stands below it, and the fact about the network."""
    text = page(model)
    parts = (r"<h1>(.*?)</h1>", r'<p class="lead">(.*?)</p>', r"<dt>Network</dt><dd>(.*?)</dd>")
    title, lead, fact = (re.search(part, text) for part in parts)
    assert title
    assert lead
    assert fact
    return title[1], lead[1], fact[1]


def test_what_it_says_of_a_network(adder: sa.Model) -> None:
    title, lead, _ = words(adder)
    assert title == "a + b, by a network of 3 hidden units"
    assert lead.startswith("A recurrent network (Elman, 22 parameters) reads one digit of ")
    title, lead, fact = words(random_network(CELLS["gru"](), hidden=4, layers=2, threshold=0.5))
    assert title == "a + b, by a network of 2 layers of 4 hidden units"
    assert "(GRU, 2 layers of 4 units, 221 parameters)" in lead
    assert "layers=2 threshold=0.5; " in fact


def test_an_own_cell(proved_adder: sa.Model) -> None:
    """Its name, and those of its arrays, are its writer's: only text, and nothing hidden."""
    decay = "rnn.decay\u202e<b>_l0"
    named: tuple[tuple[Any, ...], ...] = (("linear", 0, "rnn.weight_ih_l0"), ("scale", 1, decay))
    plain = RecordedCell(
        name="plain\u202e<b>",
        options={"note": "x" * 5000},
        operations=(*named, ("add", 2, 3), ("tanh", 4)),
        arrays={"rnn.weight_ih_l0": (4, 2), decay: (4,)},
        memory=4,
    )
    model = random_network(plain, hidden=4)
    said = page(model)
    assert "\u202e" not in said
    _, lead, fact = words(model)
    assert r"(cell plain\u202e&lt;b&gt;, " in lead
    assert "its step, as the file records it, has 4 operations" in fact
    assert len(fact) < 500
    builtin, own = Reader(page(proved_adder)), Reader(said)
    assert [tag for tag, _ in own.tags] == [tag for tag, _ in builtin.tags]
    data = data_of(said)
    assert data["network"]["operations"][1] == ["scale", 1, r"rnn.decay\u202e<b>_l0"]
    assert r"rnn.decay\u202e<b>_l0" in data["arrays"]


def test_hidden_vectors_that_overflow() -> None:
    model = random_network(sa.registry.CELLS["elman"](activation="relu"), hidden=4, dtype="float32")
    arrays = model.network.export(model.parameters)
    arrays["rnn.weight_hh_l0"] = np.full((4, 4), 1e30)
    arrays["rnn.bias_hh_l0"] = np.ones(4)
    data = data_of(page(replace(model, parameters=model.network.absorb(arrays))))
    assert data["plane"] is data["extracted"] is None
    assert "the hidden vectors of random words overflow" in data["no_machine"]


def test_a_machine_too_large(make_random: Callable[..., sa.Model]) -> None:
    with pytest.raises(sa.errors.TaskError, match="too large for the page"):
        page(make_random(sa.registry.TASKS["add"](base=13, operands=4), 0))


def test_the_command(shell: Shell, adder_file: Path, tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text('{"step": 50, "loss": 0.5}\n{"step": 100, "loss": 0.25}\n')
    found = shell("report", str(adder_file), "-o", "r.html", "--log", "run.jsonl")
    assert (found.returncode, found.stdout) == (0, "")
    assert re.fullmatch(r"saved r\.html \(\d+ kB\)\n", found.stderr)
    curves = data_of((tmp_path / "r.html").read_text())["curves"]
    assert curves[0]["points"] == [[50, 0.5], [100, 0.25]]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("none.npz",), 1, "none.npz: no such file"),
        (("-o", "no/r.html"), 1, "there is no folder"),
        (("--log", "none.jsonl"), 1, "none.jsonl: cannot be read"),
        (("a", "b"), 2, "unexpected extra argument"),
    ],
)
def test_mistakes(
    shell: Shell, adder: sa.Model, tmp_path: Path, arguments: tuple[str, ...], code: int,
    message: str,
) -> None:  # fmt: skip
    adder.save(tmp_path / "model.npz")
    found = shell("report", *arguments)
    assert (found.returncode, found.stdout) == (code, "")
    assert message in found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("*.html"))


def test_a_machine_that_is_not_the_networks(make_adder: Callable[..., sa.Model]) -> None:
    """What was observed of five operands is too little to tell carries apart."""
    model = make_adder(operands=5)
    assert sa.extract(model).agreement < 1
    found = data_of(page(model))
    assert found["extracted"] is None
    assert "of random words follow the observed machine" in found["no_machine"]
    assert data_of(page(make_adder(operands=3)))["extracted"]["names"] == [
        "carry 0", "carry 1", "carry 2",
    ]  # fmt: skip
