"""The page in a real browser: it loads nothing, computes right, and can be used by keyboard."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqarith as sa
from seqarith.report import write_report

Open = Callable[..., Any]


class Visitor:
    """A page that was opened, and what it asked for and complained of."""

    def __init__(self, context: Any) -> None:
        self.page = context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Open]:
    contexts = []

    def opened(model: sa.Model, width: int = 1280, scheme: str = "light") -> Visitor:
        path = write_report(model, tmp_path / "report.html")
        contexts.append(
            browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        )
        visitor = Visitor(contexts[-1])
        visitor.page.goto(path.as_uri())
        if visitor.page.locator("#pairs").is_visible():
            visitor.page.locator("#count", has_text="smallest margin").wait_for()
        return visitor

    yield opened
    for context in contexts:
        context.close()


def compute(page: Any, *operands: str) -> str:
    for i, text in enumerate(operands):
        page.locator("#fields input").nth(i).fill(text)
    page.get_by_role("button", name="Compute", exact=True).click()
    return str(page.inner_text("#result"))


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_leaves_the_page(
    visit: Open, proved_adder: sa.Model, width: int, scheme: str
) -> None:
    visitor = visit(proved_adder, width, scheme)
    page = visitor.page
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Forward").click()
    page.get_by_role("button", name="Random").click()
    page.fill("#value", "3")
    page.locator("#count", has_text="smallest margin").wait_for()
    assert visitor.asked == [page.url]
    assert visitor.said == []
    wide, shown = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= shown, "nothing sticks out"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", background)[:3])) > 380
    assert light == (scheme == "light")


class Counter(BaseHTTPRequestHandler):
    hits = 0

    def do_GET(self) -> None:
        type(self).hits += 1
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_policy_holds_against_the_page_itself(visit: Open, proved_adder: sa.Model) -> None:
    server = HTTPServer(("127.0.0.1", 0), Counter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_port}"
    page = visit(proved_adder).page
    refused = page.evaluate("place => fetch(place).then(() => false, () => true)", place)
    loaded = page.evaluate(
        "place => new Promise(done => { const i = new Image(); i.onload = () => done(true);"
        " i.onerror = () => done(false); i.src = place + '/i.png'; })",
        place,
    )
    server.shutdown()
    server.server_close()
    assert (refused, loaded, Counter.hits) == (True, False, 0)


def test_it_computes_what_the_network_computes(visit: Open, proved_adder: sa.Model) -> None:
    page = visit(proved_adder).page
    assert compute(page, "37", "58") == "37 + 58 = 95 ✓ correct"
    for a, b in ((2**200, 3**99), (-(5**30), 17), (0, 0)):
        total = str(sa.Model.predict(proved_adder, a, b).predicted)
        said = compute(page, str(a), hex(b))
        shown = said.rsplit(" = ")[1].removesuffix(" ✓ correct")
        assert shown == total
    assert "is not an integer" in compute(page, "four", "1")


def test_it_opens_with_the_whole_computation_and_plays_it(
    visit: Open, proved_adder: sa.Model
) -> None:
    page = visit(proved_adder).page
    assert page.inner_text("#say").startswith("Step 7 of 7: ")
    assert page.locator("td.later").count() == 0
    compute(page, "1", "1")
    assert page.inner_text("#say").startswith("Step 2 of 2: ")
    play = page.locator("#play")
    play.click()
    assert page.inner_text("#say").startswith("Before the first step")
    assert play.inner_text() == "Pause"
    page.locator("#say", has_text="Step 2 of 2: ").wait_for()
    assert play.inner_text() == "Play"
    play.click()
    page.get_by_role("button", name="Forward").click()
    assert play.inner_text() == "Play", "who takes a step by hand stops the play"
    assert page.inner_text("#say").startswith("Step 1 of 2: ")


def test_weights_are_changed_beside_the_computation(visit: Open, proved_adder: sa.Model) -> None:
    page = visit(proved_adder).page
    titles = page.evaluate("[...document.querySelectorAll('h2')].map((h) => h.textContent)")
    assert titles[:3] == ["Try it", "Change a weight", "All pairs"]


def test_stepping_by_keyboard(visit: Open, proved_adder: sa.Model) -> None:
    page = visit(proved_adder).page
    trace = sa.trace(proved_adder, 37, 58)
    assert trace.states is not None
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Forward").focus()
    for step in range(1, trace.steps + 1):
        page.keyboard.press("ArrowRight" if step % 2 else "Enter")
        said = page.inner_text("#say")
        a, b = trace.digits[:, step - 1]
        before, after = trace.states[step - 1 : step + 1]
        assert f"Step {step} of {trace.steps}: reads {a} and {b} with carry {before};" in said
        assert f"outputs {trace.emitted[step - 1]}, which is correct." in said
        assert f"Margin {trace.margins[step - 1]:.2f}." in said
        assert said.endswith(f"Now carry {after}.")
        numbers = page.evaluate(
            "[...document.querySelectorAll('#numbers li')].map((li) => li.textContent)"
        )
        assert numbers == [f"{value:.2f}" for value in trace.hidden[step]]
        assert re.search(r"region \d+ of \d+.*“carry " + str(after), page.inner_text("#region"))
    page.keyboard.press("Home")
    assert page.inner_text("#say").startswith("Before the first step")


def test_everything_can_be_reached_and_is_named(visit: Open, proved_adder: sa.Model) -> None:
    page = visit(proved_adder).page
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Forward").click()
    unnamed = page.evaluate(
        """[...document.querySelectorAll('input, select, button, [role=img], canvas')]
        .filter((node) => node.getAttribute('aria-hidden') !== 'true')
        .filter((node) => !(node.labels?.length || node.getAttribute('aria-label')
                            || node.textContent.trim()))
        .map((node) => node.outerHTML)"""
    )
    assert unnamed == []
    heads = page.evaluate("[...document.querySelectorAll('table th')].map((th) => th.scope)")
    assert set(heads) == {"row", "col"}
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"random", "back", "next", "place", "array", "row", "column", "value"} <= reached


def test_changing_a_weight(visit: Open, proved_adder: sa.Model) -> None:
    page = visit(proved_adder).page
    assert page.inner_text("#count").startswith("0 of all 65,536 pairs are wrong")
    page.select_option("#array", "readout.weight")
    page.fill("#column", "2")
    page.fill("#value", "0")
    page.locator("#changed", has_text="1 changed").wait_for()
    page.get_by_role("button", name="Compute a wrong pair").wait_for()
    arrays = proved_adder.network.export(proved_adder.parameters)
    arrays["readout.weight"][0, 2] = 0
    broken = sa.Model(proved_adder.task, proved_adder.network, proved_adder.network.absorb(arrays))
    evaluation = sa.evaluate(broken, 8)
    wrong = evaluation.checked - evaluation.correct
    page.locator("#count", has_text=f"{wrong:,} of all 65,536 pairs are wrong").wait_for()
    assert "belongs to the network before the change" in page.inner_text("#region")
    page.get_by_role("button", name="Compute a wrong pair").click()
    said = page.inner_text("#result")
    a, b, told = map(int, re.findall(r"\d+", said)[:3])
    assert told == broken.predict(a, b).predicted != a + b
    assert "wrong" in said
    assert page.locator("td.wrong").count() > 0
    page.get_by_role("button", name="Reset all weights").click()
    page.locator("#count", has_text="0 of all 65,536 pairs are wrong").wait_for()
    assert "correct" in page.inner_text("#result")


CLAIMS = """() => {
  const shown = (node) => !node.closest('[hidden]') && node.textContent.trim();
  return {
    badge: document.getElementById('badge').textContent,
    kind: document.getElementById('badge').className,
    count: document.getElementById('count').textContent,
    region: document.getElementById('region').textContent,
    wrong: document.getElementById('wrong').disabled,
    machine: document.getElementById('machine-note').textContent,
    drawn: document.querySelector('#machine svg').getAttribute('aria-label'),
    now: document.querySelectorAll('#machine .now').length,
    map: document.getElementById('map').getAttribute('aria-label'),
    facts: [...document.querySelectorAll('dd.known')].map((node) => node.textContent),
    notes: [...document.querySelectorAll('.before')].filter(shown).length,
    dim: [...document.querySelectorAll('.stale')].map((node) => getComputedStyle(node).opacity),
  };
}"""
SET = """([value, claims]) => {
  const field = document.getElementById('value');
  field.value = value;
  field.dispatchEvent(new Event('input'));
  return new Function('return ' + claims)()();
}"""
BEFORE = "Before the change: "


def test_nothing_is_said_of_a_changed_network_at_any_moment(
    visit: Open, proved_adder: sa.Model
) -> None:
    """What is read in the very task that changes a weight, while the pairs wait, and after."""
    page = visit(proved_adder).page
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Forward").click()
    page.select_option("#array", "readout.bias")
    old = page.evaluate(CLAIMS)
    assert old["badge"] == "Proved right at every width"
    assert old["notes"] == 0
    assert set(old["dim"]) == {"1"}
    start = page.input_value("#value")
    for moment in ("at once", "when all is done"):
        if moment == "at once":
            new = page.evaluate(SET, ["-9.5", CLAIMS])
            assert new["count"] == "Running all 65,536 pairs …"
            assert new["map"] == "Map of all pairs: in progress"
            assert new["wrong"]
        else:
            page.locator("#count", has_text="smallest margin").wait_for()
            new = page.evaluate(CLAIMS)
        assert new["badge"] == "Changed by hand: nothing is proved about this network"
        assert new["kind"] == "badge changed"
        assert "proof belongs to the network before the change" in new["region"]
        assert new["machine"] == BEFORE + old["machine"]
        assert BEFORE in new["drawn"]
        assert new["now"] == 0
        assert new["facts"] == [BEFORE + fact for fact in old["facts"]]
        assert len(new["facts"]) == 3
        assert new["notes"] == 5
        assert set(new["dim"]) == {"0.4"}
    page.evaluate(SET, [start, CLAIMS])
    page.locator("#count", has_text="smallest margin").wait_for()
    assert page.evaluate(CLAIMS) == old, "the old value restores it"
    page.evaluate(SET, ["3", CLAIMS])
    page.get_by_role("button", name="Reset all weights").click()
    page.locator("#count", has_text="smallest margin").wait_for()
    assert page.evaluate(CLAIMS) == old


def test_a_task_without_a_machine(visit: Open) -> None:
    model = sa.train("mul", bits=3, seed=0).model
    visitor = visit(model)
    page = visitor.page
    assert page.inner_text("#badge") == "Correct on all 64 operands of 3 digits, a fixed width"
    assert page.inner_text("#result") == "5 * 2 = 10 ✓ correct"
    page.get_by_role("button", name="Start").click()
    assert "This network is for operands of 3 digits." in page.inner_text("#say")
    assert page.inner_text("#count").startswith("0 of all 64 pairs are wrong")
    assert "certify" not in page.inner_text("body")
    said = model.predict(37, 58)
    assert not said.correct
    assert compute(page, "37", "58") == (
        f"37 * 58 = {said.predicted} ✗ wrong, expected 2146 "
        "The operands have 6 digits; the network was trained for 3."
    )
    trace = sa.trace(model, 37, 58)
    assert page.locator("tr:not(.small) td.wrong").count() == int(trace.wrong.sum())
    assert "takes naturals only" in compute(page, "-1", "2")
    for _ in range(5):
        page.get_by_role("button", name="Random").click()
        assert page.inner_text("#result").endswith("✓ correct")
    assert visitor.said == []


def test_an_own_task_is_not_proved_as_the_registrys(visit: Open, proved_adder: sa.Model) -> None:
    task = replace(proved_adder.task, name="plus", own=True)
    page = visit(replace(proved_adder, task=task)).page
    badge = "Proved equal to the machine in this file, at every width"
    assert page.inner_text("#badge") == badge
    assert "right for operands of every width" not in page.inner_text("body")


def test_the_map_is_that_of_the_network(visit: Open, wrong_adder: sa.Model) -> None:
    page = visit(wrong_adder).page
    black = page.evaluate(
        """() => { const map = document.getElementById('map');
        const pixels = map.getContext('2d').getImageData(0, 0, 256, 256).data, found = [];
        for (let i = 0; i < pixels.length; i += 4) found.push(pixels[i] + pixels[i + 1] === 0);
        return found; }"""
    )
    pairs = [(a, b) for b in range(256) for a in range(256)]
    wrong = [not said.correct for said in wrong_adder.predict(*zip(*pairs, strict=True))]
    np.testing.assert_array_equal(
        np.reshape(black, (256, 256))[::-1], np.reshape(wrong, (256, 256))
    )
    page.locator("#map").click(position={"x": 200.5, "y": 10.5})
    shown = page.evaluate("[map.clientWidth, map.clientHeight]")
    a, b = (int(text) for text in re.findall(r"\d+", page.inner_text("#result"))[:2])
    assert abs(a - 200.5 * 256 / shown[0]) <= 1.5
    assert abs(b - (255 - 10.5 * 256 / shown[1])) <= 1.5


def test_other_tasks_and_no_proof(visit: Open, make_adder: Callable[..., sa.Model]) -> None:
    visitor = visit(make_adder(base=10, operands=3))
    page = visitor.page
    assert compute(page, "999", "2", "-1") == "999 + 2 + (-1) = 1000 ✓ correct"
    assert not page.locator("#pairs").is_visible()
    assert "contains no proof" in page.inner_text("#region")
    assert visitor.said == []


def layered() -> sa.Model:
    """Return an adder of random numbers in two layers, with input vectors of its own."""
    task, rng = sa.registry.TASKS["add"](), np.random.default_rng(1)
    network = sa.Network(
        sa.registry.CELLS["gru"](),
        3,
        4,
        1,
        "float64",
        layers=2,
        threshold=0.25,
        letters=task.letters,
    )
    arrays = {name: rng.normal(size=shape) for name, shape in network.exported_shapes().items()}
    return sa.Model(task, network, network.absorb(arrays))


def test_every_array_can_be_changed(visit: Open) -> None:
    model = layered()
    visitor = visit(model)
    page = visitor.page
    assert page.inner_text("h1") == "a + b, by a network of 2 layers of 4 hidden units"
    assert page.inner_text("#units-title") == "Hidden units of the last layer"
    assert page.inner_text("#logit-title").startswith("Logit above the threshold 0.25: ")
    assert page.input_value("#array") == "rnn.weight_hh_l0"
    names = page.evaluate("[...document.querySelectorAll('#array option')].map((o) => o.value)")
    assert names == list(model.network.exported_shapes())
    arrays = model.network.export(model.parameters)
    for name in names:
        page.select_option("#array", name)
        shape = (*arrays[name].shape, 1)[:2]
        at = [count - 1 for count in shape]
        page.fill("#row", str(at[0]))
        page.fill("#column", str(at[1]))
        assert page.input_value("#value") == f"{float(arrays[name].flat[-1]):.6g}"
        page.fill("#value", "0.75")
        arrays[name].flat[-1] = 0.75
        picked = page.evaluate("[...document.querySelectorAll('.unit')].findIndex("
                               "(unit) => unit.classList.contains('picked'))")  # fmt: skip
        assert picked == (3 if name.endswith("_l1") else -1)
        changed = sa.Model(model.task, model.network, model.network.absorb(arrays))
        shown = page.evaluate("run.memories.map((memory) => [...memory])")
        wanted = sa.trace(changed, 37, 58).memory
        np.testing.assert_allclose(shown, wanted, rtol=1e-12, atol=1e-12)
    assert page.inner_text("#changed") == f"{len(names)} changed"
    page.get_by_role("button", name="Reset all weights").click()
    shown = page.evaluate("run.memories.map((memory) => [...memory])")
    np.testing.assert_allclose(shown, sa.trace(model, 37, 58).memory, rtol=1e-12, atol=1e-12)
    assert visitor.said == []


def test_hidden_units_larger_than_1(visit: Open) -> None:
    network = sa.Network(sa.registry.CELLS["elman"](activation="relu"), 2, 2, 1, "float64")
    arrays = {name: np.ones(shape) for name, shape in network.exported_shapes().items()}
    arrays["rnn.weight_hh_l0"] = np.array([[0.0, 1.0], [0.5, 1.0]])
    model = sa.Model(sa.registry.TASKS["add"](), network, network.absorb(arrays))
    visitor = visit(model)
    heights = visitor.page.evaluate(
        "[...document.querySelectorAll('.unit i')].map((bar) => parseFloat(bar.style.height))"
    )
    hidden = sa.trace(model, 37, 58).hidden[-1]
    assert hidden.max() > 2
    assert heights[0] / heights[1] == pytest.approx(hidden[0] / hidden[1], rel=1e-3)
    assert max(heights) <= 100
    assert visitor.said == []


def test_hidden_units_that_overflow(visit: Open) -> None:
    network = sa.Network(sa.registry.CELLS["elman"](activation="relu"), 2, 2, 1, "float32")
    arrays = {name: np.full(shape, 1e30) for name, shape in network.exported_shapes().items()}
    visitor = visit(sa.Model(sa.registry.TASKS["add"](), network, network.absorb(arrays)))
    assert "some numbers overflow" in visitor.page.inner_text("#plane-note")
    assert visitor.said == []
