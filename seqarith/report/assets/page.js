"use strict";
// The page: what a reader does, and what is shown for it.

const data = JSON.parse(document.getElementById("data").textContent);
const { task, plane, extracted } = data;
const $ = (id) => document.getElementById(id);
const LETTERS = "abcdefghijklmnop";
const UNITS = 256;
const net = buildNetwork(data);
const original = Object.fromEntries(
  Object.entries(net.arrays).map(([name, array]) => [name, array.slice()]));
const proof = data.proof && readProof(data.proof);
let run = null, at = 0, changed = 0, pending = 0, wrongPair = null;

function readProof(stored) {
  const centres = stored.centres && decodeArray(stored.centres, "float32");
  return { ...stored, centres, shapes: stored.shapes && decodeArray(stored.shapes, "float32") };
}

const digit = (value) => value.toString(16);
const symbol = (value) => (task.symbols.length ? task.symbols[value] : digit(value));
const short = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));
const brief = (words) => (words.length > 90 ? `${words.slice(0, 42)} … ${words.slice(-42)}` : words);

function expression(operands) {
  const shown = operands.map((value, i) => (value < 0n && i ? `(${value})` : String(value)));
  return task.notation.replace(/\{\}/g, () => brief(shown.shift()));
}

// ---- the computation

function compute(operands, step = 0) {
  run = traceSum(net, task, operands);
  run.way = proof && regionsOf(proof, run.letters);
  run.extracted = extracted && statesOf(extracted, run.letters);
  run.placed = plane && run.memories.map(placeInPlane);
  $("place").max = run.steps;
  show(Math.min(step, run.steps));
}

function statesOf(machine, letters) {
  const states = [machine.initial];
  for (const letter of letters) states.push(machine.next[states[states.length - 1]][letter]);
  return states;
}

function placeInPlane(memory) {
  return plane.axes.map((axis) =>
    axis.reduce((sum, weight, i) => sum + weight * (memory[i] - plane.mean[i]), 0));
}

function computeTyped(step = 0) {
  const fields = [...document.querySelectorAll("#fields input")];
  try {
    compute(fields.map((field) => parseInteger(field.value)), step);
  } catch (error) {
    $("result").className = "result bad";
    $("result").textContent = error.message;
  }
}

function show(step) {
  at = step;
  showResult();
  showStep();
  showPaper();
  showUnits();
  showLogits();
  showRegion();
  showPictures();
}

function showResult() {
  const right = run.expected === null || run.predicted === run.expected;
  const verdict = run.expected === null ? "" : right ? " ✓ right" : `  ✗ wrong, ${brief(run.expected)} is right`;
  $("result").className = right ? "result" : "result bad";
  $("result").textContent = `${expression(run.operands)} = ${brief(run.predicted)}${verdict}`;
}

function stateName(state) {
  return task.machine ? task.machine.names[state] : "";
}

function showStep() {
  $("place").value = at;
  $("place").setAttribute("aria-valuetext", at ? `step ${at} of ${run.steps}` : "before the first step");
  // Not disabled: a button that is would drop the focus of the keyboard.
  for (const id of ["first", "back"]) $(id).setAttribute("aria-disabled", at === 0);
  for (const id of ["next", "last"]) $(id).setAttribute("aria-disabled", at === run.steps);
  const say = $("say");
  if (at === 0) {
    say.textContent = `Before the first step: nothing is remembered. ${run.steps} steps, ${task.order} significant digit first.`;
    return;
  }
  const t = at - 1, reads = letterDigits(task, run.letters[t]).map(digit).join(" and ");
  const carried = run.states ? ` with ${stateName(run.states[t])}` : "";
  const counted = t >= run.first;
  const verdict = !counted ? "which is thrown away" : run.wrong[t] ? `which is wrong: ${symbol(run.due[t])} is due` : "which is right";
  const leaves = run.states ? ` Now ${stateName(run.states[at])}.` : "";
  const judged = counted && !run.states ? "" : `, ${verdict}`;
  const margin = counted ? `. Margin ${short(run.margins[t])}` : "";
  say.textContent = `Step ${at} of ${run.steps}: reads ${reads}${carried}; says ${symbol(run.emitted[t])}${judged}${margin}.${leaves}`;
  say.classList.toggle("wrong", run.wrong[t]);
}

function showPaper() {
  const room = Math.max(5, Math.floor(($("paper").parentElement.clientWidth - 90) / 42));
  const from = Math.max(0, Math.min(at - 1 - (room >> 1), run.steps - room));
  const shown = Array.from({ length: Math.min(room, run.steps) }, (_, i) => from + i);
  if (task.order === "least") shown.reverse();
  const digits = run.letters.map((letter) => letterDigits(task, letter));
  const gone = (t) => (t < run.first ? "gone" : "");
  const later = (t) => (t >= at ? "later" : "");
  const rows = [];
  if (run.states) rows.push([task.machine.label, (t) => task.machine.short[run.states[t]], (t) => (t > at ? "later" : ""), "small"]);
  for (let i = 0; i < task.operands; i++) rows.push([LETTERS[i], (t) => digit(digits[t][i]), () => "", ""]);
  if (run.states) rows.push(["right", (t) => (gone(t) ? "·" : symbol(run.due[t])), gone, "rule"]);
  rows.push(["network", (t) => (gone(t) ? "·" : symbol(run.emitted[t])), (t) => later(t) || gone(t) || (run.wrong[t] ? "wrong" : ""), run.states ? "" : "rule"]);
  rows.push(["margin", (t) => (gone(t) ? "·" : short(run.margins[t])), (t) => later(t) || (run.wrong[t] ? "wrong" : ""), "small"]);
  $("paper").replaceChildren(caption(shown), tableHead(shown), tableBody(rows, shown, later));
}

function element(tag, name, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
}

function caption(shown) {
  const part = shown.length < run.steps ? `, ${shown.length} of ${run.steps} steps` : "";
  return element("caption", "hidden", `The computation on paper${part}; what comes after the step shown is left empty`);
}

function tableHead(shown) {
  const row = element("tr", "", rowHead("step"));
  for (const t of shown) {
    const head = element("th", t === at - 1 ? "now" : "", String(t + 1));
    head.scope = "col";
    row.append(head);
  }
  return element("thead", "", row);
}

function tableBody(rows, shown, later) {
  const body = element("tbody");
  for (const [label, cell, mark, kind] of rows) {
    const row = element("tr", kind, rowHead(label));
    for (const t of shown) {
      const name = [mark(t), t === at - 1 ? "now" : ""].join(" ").trim();
      const hidden = name.includes("later");
      const node = element("td", name, hidden ? "\u00a0" : cell(t));
      node.addEventListener("click", () => show(t + 1));
      row.append(node);
    }
    body.append(row);
  }
  return body;
}

function rowHead(label) {
  const head = element("th", "", label);
  head.scope = "row";
  return head;
}

function showUnits() {
  const hidden = run.memories[at].slice(0, net.hidden);
  const signed = net.cell.gates > 1 || net.activation !== "sigmoid";
  const picked = pickedUnit();
  const lamps = Array.from(hidden.slice(0, UNITS), (value, i) => {
    const bar = element("i");
    const size = Math.min(1, Math.abs(value)) * (signed ? 50 : 100);
    bar.style.height = `${size}%`;
    bar.style.bottom = `${signed ? (value >= 0 ? 50 : 50 - size) : 0}%`;
    const lamp = element("div", `unit ${value < 0 ? "low" : ""} ${i === picked ? "picked" : ""}`, bar);
    lamp.title = `unit ${i}: ${value.toFixed(3)}`;
    return lamp;
  });
  const more = net.hidden > UNITS ? [element("span", "", `and ${net.hidden - UNITS} more`)] : [];
  $("units").replaceChildren(...lamps, ...more);
  const list = Array.from(hidden.slice(0, UNITS), (value) => short(value));
  $("units").setAttribute("aria-label", `${net.hidden} hidden units: ${list.slice(0, 32).join(", ")}`);
  $("numbers").replaceChildren(...list.map((value) => element("li", "", value)));
}

function showLogits() {
  const logits = at ? run.logits[at - 1] : new Float64Array(net.outputs);
  const best = at ? emittedSymbol(logits) : -1;
  const scale = Math.max(1, ...run.logits.map((each) => Math.max(...each.map(Math.abs))));
  $("logit-title").textContent = net.outputs === 1 ? "Logit: right of the middle says 1" : "Logits: the largest speaks";
  $("logits").replaceChildren(...Array.from(logits, (value, k) => {
    const bar = element("i"), size = (50 * Math.abs(value)) / scale;
    bar.style.left = `${value >= 0 ? 50 : 50 - size}%`;
    bar.style.width = `${size}%`;
    const says = net.outputs === 1 ? (at ? `says ${symbol(best)}` : "") : symbol(k);
    const chosen = at && (net.outputs === 1 || k === best) ? "best" : "";
    return element("div", `logit ${chosen}`, bar, element("b"), element("span", "", says), element("em", "", at ? value.toFixed(3) : ""));
  }));
  $("logits").setAttribute("aria-label", at ? `logits ${Array.from(logits, (v) => v.toFixed(3)).join(", ")}` : "no logit yet");
}

function showRegion() {
  const where = $("region");
  if (!proof) {
    where.textContent = data.no_proof;
  } else if (changed) {
    where.textContent = "A weight was changed: the proof speaks of the network as it was.";
  } else {
    const region = run.way[at], of = `region ${region + 1} of ${proof.states.length}`;
    const far = distanceIn(proof, region, run.memories[at]);
    const name = task.machine.names[proof.states[region]];
    const place = far === null ? `On its way to ${of}` : far <= 1
      ? `In ${of}, at ${Math.round(100 * far)} % of the way from its middle to its edge`
      : `On its way to ${of}`;
    where.textContent = `${place}: there the network remembers “${name}”, and whatever it reads next, its digit is right.`;
  }
}

function showPictures() {
  if (plane) {
    const now = proof && !changed ? { ...proof, now: run.way[at] } : null;
    const names = task.machine ? task.machine.names : ["hidden vector"];
    $("plane-note").textContent = now
      ? "The outlines are the regions of the proof: no word of any length leaves them for good." : "";
    drawPlane($("plane"), plane, now, run.placed, at, names);
  }
  if (extracted) {
    const now = at && { from: run.extracted[at - 1], to: run.extracted[at] };
    drawMachine($("machine"), extracted, now || { from: -1, to: extracted.initial });
  }
}

// ---- changing a weight

function shapeOf(name) {
  const shape = data.arrays[name].shape;
  return shape.length === 2 ? shape : [shape[0], 1];
}

function pick() {
  const name = $("array").value, [rows, columns] = shapeOf(name);
  const limit = (field, count) => {
    field.max = count - 1;
    field.value = Math.max(0, Math.min(count - 1, Math.trunc(Number(field.value)) || 0));
    return Number(field.value);
  };
  return { name, columns, index: limit($("row"), rows) * columns + limit($("column"), columns) };
}

function pickedUnit() {
  return $("array").value.startsWith("readout") ? -1 : Number($("row").value) % net.hidden;
}

function showWeight() {
  const { name, index } = pick();
  const value = net.arrays[name][index], reach = 2 * Math.max(1, ...original[name].map(Math.abs));
  $("value").value = Number(value.toPrecision(6));
  Object.assign($("slide"), { min: -reach, max: reach });
  $("slide").value = value;
  drawHinton();
}

function setWeight(value) {
  if (!Number.isFinite(value)) return;
  const { name, index } = pick();
  net.arrays[name][index] = value;
  weightsChanged();
}

function weightsChanged() {
  net.fromLetter.clear();
  changed = Object.keys(original).reduce((count, name) =>
    count + original[name].reduce((sum, value, i) => sum + (value !== net.arrays[name][i]), 0), 0);
  $("changed").textContent = changed ? `${changed} changed` : "";
  $("reset").disabled = !changed;
  compute(run.operands, at);
  drawHinton();
  scheduleMap(200);
}

function drawHinton() {
  const { name, index, columns } = pick();
  const array = net.arrays[name], [rows] = shapeOf(name);
  const square = Math.max(3, Math.min(22, Math.floor(420 / Math.max(rows, columns))));
  const canvas = $("hinton"), ratio = window.devicePixelRatio || 1;
  Object.assign(canvas, { width: columns * square * ratio, height: rows * square * ratio });
  canvas.style.width = `${columns * square}px`;
  const pen = canvas.getContext("2d"), style = getComputedStyle(document.body);
  pen.scale(ratio, ratio);
  pen.fillStyle = pen.strokeStyle = style.color;
  const largest = Math.max(...array.map(Math.abs)) || 1;
  array.forEach((value, i) => {
    const size = Math.sqrt(Math.abs(value) / largest) * (square - 2);
    const [x, y] = [(i % columns) + 0.5, Math.floor(i / columns) + 0.5].map((c) => c * square - size / 2);
    if (value > 0) pen.fillRect(x, y, size, size);
    else if (size > 1.5) pen.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
  });
  pen.strokeStyle = style.getPropertyValue("--accent");
  pen.lineWidth = 2;
  pen.strokeRect((index % columns) * square + 1, Math.floor(index / columns) * square + 1, square - 2, square - 2);
}

// ---- all pairs

function scheduleMap(delay = 0) {
  clearTimeout(pending);
  if (task.machine && task.operands === 2) pending = setTimeout(startMap, delay);
  else $("pairs").hidden = true;
}

function startMap() {
  let digits = 1;
  while (task.base ** (digits + 1) <= 256) digits++;
  const side = task.base ** digits, total = side * side;
  const margins = new Float64Array(total), bad = new Uint8Array(total);
  wrongPair = null;
  const tell = (a, b, wrong, least) => {
    margins[b * side + a] = least;
    bad[b * side + a] = wrong;
  };
  const work = runPairs(net, task, digits, tell);
  $("count").textContent = `Running all ${total.toLocaleString("en")} pairs …`;
  const go = () => {
    const until = performance.now() + 12;
    while (performance.now() < until) {
      if (work.next().done) return showMap(margins, bad, side);
    }
    pending = setTimeout(go);
  };
  go();
}

function showMap(margins, bad, side) {
  const canvas = $("map");
  Object.assign(canvas, { width: side, height: side });
  const pen = canvas.getContext("2d"), image = pen.createImageData(side, side);
  let wrong = 0, least = Infinity, most = 1e-9;
  margins.forEach((value) => { least = Math.min(least, value); most = Math.max(most, value); });
  margins.forEach((value, i) => {
    const row = side - 1 - Math.floor(i / side), pixel = 4 * (row * side + (i % side));
    const share = Math.max(0, Math.min(1, value / most));
    const colour = bad[i] ? [0, 0, 0] : [64 + 190 * share, 84 + 150 * share, 150 - 60 * share];
    image.data.set([...colour.map(Math.round), 255], pixel);
    if (bad[i] && !wrong++) wrongPair = [i % side, Math.floor(i / side)];
  });
  pen.putImageData(image, 0, 0);
  const said = `${wrong.toLocaleString("en")} of all ${margins.length.toLocaleString("en")} pairs are wrong; the smallest margin is ${short(least)}.`;
  $("count").textContent = said;
  $("wrong").disabled = !wrongPair;
  canvas.setAttribute("aria-label", `Map of all pairs below ${side}: ${said}`);
}

function computePair(pair) {
  document.querySelectorAll("#fields input").forEach((field, i) => (field.value = String(pair[i])));
  computeTyped();
  show(run.wrong.includes(true) ? run.wrong.indexOf(true) + 1 : run.steps);
}

// ---- once

function showOnce() {
  $("machine-note").textContent = extracted ? extracted.said : data.no_machine;
  const widths = data.widths.map(([bits, share, hollow]) => [bits, 100 * share, hollow]);
  const runs = data.widths.filter((row) => row[3] !== null).map((row) => [row[0], 100 * row[3], true]);
  drawLines($("widths"), "Operands right, in percent, by their digits",
    [{ name: "operands", points: widths }, ...(runs.length ? [{ name: "long runs", points: runs, dashed: true }] : [])],
    { x: "digits of an operand", y: "right (%)", low: 0, high: 100, logX: true, ticks: data.widths.map((row) => row[0]) });
  for (const curve of data.curves) {
    const host = element("div");
    $("curves").append(host);
    drawLines(host, `${curve.label} while training`, [{ name: curve.label, points: curve.points }],
      { x: "steps", y: curve.label, logY: curve.log, ...(curve.share ? { low: 0, high: 100 } : {}) });
  }
  if (!data.curves.length) {
    $("curves").append(element("p", "note", "No log of the training was given: seqarith train --log run.jsonl, then seqarith report --log run.jsonl."));
  }
}

function listen() {
  $("operands").addEventListener("submit", (event) => { event.preventDefault(); computeTyped(); });
  $("random").addEventListener("click", () => {
    const size = BigInt(task.base) ** 8n;
    computeOperands(data.example.map(() => BigInt(Math.floor(Math.random() * 2 ** 30)) % size));
  });
  const go = { first: () => 0, back: () => at - 1, next: () => at + 1, last: () => run.steps };
  for (const [id, to] of Object.entries(go)) $(id).addEventListener("click", () => move(to()));
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
  show(Math.max(0, Math.min(run.steps, step)));
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
  for (const name of Object.keys(data.arrays)) {
    if (name in original) $("array").append(new Option(name, name));
  }
  $("array").value = "rnn.weight_hh_l0";
  listen();
  computeTyped();
  showWeight();
  showUnits();
  showOnce();
  scheduleMap(50);
}

start();
