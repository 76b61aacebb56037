"use strict";
// Event handlers, and the charts that are drawn once.

function showOnce() {
  showStanding();
  const wrong = data.widths.filter((row) => row[4]).map((row) => `${row[4].toLocaleString("en")} of ${row[5].toLocaleString("en")} at ${row[0]} digits`);
  $("widths-wrong").textContent = wrong.length ? `Wrong: ${wrong.join(", ")}.` : "No wrong result was found.";
  const widths = data.widths.map(([bits, share, hollow]) => [bits, 100 * share, hollow]);
  const runs = data.widths.filter((row) => row[3] !== null).map((row) => [row[0], 100 * row[3], true]);
  drawLines($("widths"), "Correct results, in percent, by the number of digits",
    [{ name: "operands", points: widths }, ...(runs.length ? [{ name: "long runs", points: runs, dashed: true }] : [])],
    { x: "digits of an operand", y: "correct (%)", low: 0, high: 100, logX: true, ticks: data.widths.map((row) => row[0]) });
  for (const curve of data.curves) {
    const host = element("div");
    $("curves").append(host, element("p", "from", `From the log ${curve.name}.`));
    drawLines(host, `${curve.label} while training`, [{ name: curve.label, points: curve.points }],
      { x: "steps", y: curve.label, logY: curve.log, ...(curve.share ? { low: 0, high: 100 } : {}) });
  }
  if (!data.curves.length) {
    $("curves").append(element("p", "note", "There are no learning curves: the page was made without a log. Train with seqarith train --log run.jsonl, then make the page with seqarith report --log run.jsonl."));
  }
}

function listen() {
  $("operands").addEventListener("submit", (event) => { event.preventDefault(); computeTyped(); });
  $("random").addEventListener("click", () => {
    const size = BigInt(task.base) ** BigInt(task.fixed ? Math.min(task.fixed, 30) : 8);
    computeOperands(data.example.map(() => BigInt(Math.floor(Math.random() * 2 ** 30)) % size));
  });
  const go = { first: () => 0, back: () => at - 1, next: () => at + 1, last: () => run.steps };
  for (const [id, to] of Object.entries(go)) $(id).addEventListener("click", () => move(to()));
  $("play").addEventListener("click", togglePlaying);
  $("place").addEventListener("input", () => move(Number($("place").value)));
  $("compute").addEventListener("keydown", (event) => {
    if (event.target.matches("input, select")) return;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: run.steps }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  });
  for (const id of ["array", "row", "column"]) $(id).addEventListener("input", () => { showWeight(); showUnits(); });
  $("value").addEventListener("input", () => { setWeight($("value").valueAsNumber); $("slide").value = $("value").value; });
  $("slide").addEventListener("input", () => { setWeight($("slide").valueAsNumber); $("value").value = Number($("slide").valueAsNumber.toPrecision(6)); });
  $("reset").addEventListener("click", () => {
    for (const [name, array] of Object.entries(original)) net.arrays[name].set(array);
    weightsChanged();
    showWeight();
  });
  $("hinton").addEventListener("click", (event) => {
    const [rows, columns] = shapeOf($("array").value), box = event.currentTarget;
    $("column").value = Math.floor((event.offsetX / box.clientWidth) * columns);
    $("row").value = Math.floor((event.offsetY / box.clientHeight) * rows);
    showWeight();
    showUnits();
  });
  $("map").addEventListener("click", (event) => {
    const side = event.currentTarget.width, box = event.currentTarget;
    const a = Math.floor((event.offsetX / box.clientWidth) * side);
    const b = side - 1 - Math.floor((event.offsetY / box.clientHeight) * side);
    computePair([a, b].map((value) => Math.max(0, Math.min(side - 1, value))));
  });
  $("wrong").addEventListener("click", () => { computePair(wrongPair); $("compute").scrollIntoView(); });
  window.addEventListener("resize", () => showPaper());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawHinton);
}

function move(step) {
  stopPlaying();
  show(Math.max(0, Math.min(run.steps, step)));
}

function togglePlaying() {
  if (playing) return stopPlaying();
  if (at === run.steps) show(0);
  $("play").textContent = "Pause";
  playing = setInterval(() => {
    show(at + 1);
    if (at === run.steps) stopPlaying();
  }, PACE);
}

function stopPlaying() {
  clearInterval(playing);
  playing = 0;
  $("play").textContent = "Play";
}

function computeOperands(operands) {
  document.querySelectorAll("#fields input").forEach((field, i) => (field.value = String(operands[i])));
  computeTyped();
}

function start() {
  data.example.forEach((value, i) => {
    const field = element("input");
    Object.assign(field, { type: "text", value, inputMode: "text", spellcheck: false });
    field.setAttribute("aria-label", `operand ${LETTERS[i]}`);
    $("fields").append(element("label", "", LETTERS[i], field));
  });
  const names = Object.keys(net.arrays);
  $("array").append(...names.map((name) => new Option(name, name)));
  $("array").value = net.step.recurrent ?? names[0];
  listen();
  computeTyped();
  showWeight();
  showUnits();
  showOnce();
  scheduleMap(50);
}

start();
