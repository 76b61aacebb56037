"use strict";
// The network of the model file, run in double precision. Its step is a list of operations,
// described in seqarith/cells/steps.py: value 0 is the input vector, value 1 the memory, each
// operation adds a value, and the last one is the next memory. Its first H numbers are the hidden
// vector. Every operation is bound once to the vectors that it reads and writes.

const LETTER = 1, MEMORY = 2;
const sigmoid = (x) => 0.5 * Math.tanh(0.5 * x) + 0.5;

// For each operation: the number of values it reads, and a function that binds its computation.
const OPERATIONS = {
  linear: [1, (out, x, weight) => () => { affine(weight, x, null, x.length, out); }],
  shift: [1, (out, x, b) => () => { for (let i = 0; i < out.length; i++) out[i] = x[i] + b[i]; }],
  scale: [1, (out, x, w) => () => { for (let i = 0; i < out.length; i++) out[i] = w[i] * x[i]; }],
  add: [2, (out, x, y) => () => { for (let i = 0; i < out.length; i++) out[i] = x[i] + y[i]; }],
  subtract: [2, (out, x, y) => () => { for (let i = 0; i < out.length; i++) out[i] = x[i] - y[i]; }],
  multiply: [2, (out, x, y) => () => { for (let i = 0; i < out.length; i++) out[i] = x[i] * y[i]; }],
  tanh: [1, (out, x) => () => { for (let i = 0; i < out.length; i++) out[i] = Math.tanh(x[i]); }],
  sigmoid: [1, (out, x) => () => { for (let i = 0; i < out.length; i++) out[i] = sigmoid(x[i]); }],
  relu: [1, (out, x) => () => { for (let i = 0; i < out.length; i++) out[i] = Math.max(x[i], 0); }],
  blend: [3, (out, z, h, n) => () => {
    for (let i = 0; i < out.length; i++) out[i] = n[i] + z[i] * (h[i] - n[i]);
  }],
  take: [1],
  join: [Infinity, (out, ...parts) => {
    let end = 0;
    const places = parts.map((part) => out.subarray(end, (end += part.length)));
    return () => { for (let k = 0; k < parts.length; k++) copyVector(parts[k], places[k]); };
  }],
};

function decodeArray(text, dtype) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  const size = dtype === "float32" ? 4 : 8;
  const numbers = new Float64Array(bytes.length / size);
  for (let i = 0; i < numbers.length; i++) {
    numbers[i] = size === 4 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
  }
  return numbers;
}

function buildNetwork(data) {
  const arrays = Object.fromEntries(Object.entries(data.arrays).map(
    ([name, array]) => [name, decodeArray(array.data, data.network.dtype)]));
  return { ...data.network, arrays, step: bindStep(data.network, arrays), fromLetter: new Map() };
}

// A value: its vector, the vector that contains it, and whether it depends on letter or memory.
function newValue(length, depends) {
  const vector = new Float64Array(length);
  return { vector, whole: vector, depends };
}

// The operations in three groups: those that depend on the letter only, on the memory only, and on
// both. Results of the first that the others read are kept for every letter. The recurrent array is
// the first one that multiplies the memory.
function bindStep({ operations, inputs, memory }, arrays) {
  const values = [newValue(inputs, LETTER), newValue(memory, MEMORY)];
  const runs = { [LETTER]: [], [MEMORY]: [], [LETTER | MEMORY]: [] };
  const kept = new Set();
  let recurrent;
  const keep = (value) => value.depends === LETTER && kept.add(value.whole);
  for (const [kind, ...rest] of operations) {
    const [count, bind] = OPERATIONS[kind];
    const read = rest.slice(0, count).map((number) => values[number]), more = rest.slice(count);
    const depends = read.reduce((found, value) => found | value.depends, 0);
    if (depends !== LETTER) read.forEach(keep);
    if (depends !== LETTER && kind === "linear") recurrent ??= more[0];
    if (kind === "take") {
      values.push({ ...read[0], vector: read[0].vector.subarray(...more) });
      continue;
    }
    const vectors = read.map((value) => value.vector), named = more.map((name) => arrays[name]);
    const out = newValue(widthOf(kind, vectors, ...named), depends);
    runs[depends].push(bind(out.vector, ...vectors, ...named));
    values.push(out);
  }
  const next = values[values.length - 1];
  keep(next);
  return {
    input: values[0].vector, memory: values[1].vector, next: next.vector, kept: [...kept], recurrent,
    ofLetter: runs[LETTER], ofMemory: runs[MEMORY], ofBoth: runs[LETTER | MEMORY],
  };
}

function widthOf(kind, read, array) {
  if (kind === "linear") return array.length / read[0].length;
  return kind === "join" ? read.reduce((sum, part) => sum + part.length, 0) : read[0].length;
}

// out = weight (rows, columns) @ vector + bias
function affine(weight, vector, bias, columns, out) {
  for (let i = 0, at = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++, at++) sum += weight[at] * vector[j];
    out[i] = bias ? sum + bias[i] : sum;
  }
  return out;
}

function copyVector(from, to) {
  for (let i = 0; i < to.length; i++) to[i] = from[i];
  return to;
}

function runAll(bound) {
  for (let k = 0; k < bound.length; k++) bound[k]();
}

const startMemory = (net) => new Float64Array(net.memory);

// The input vector of a letter: from the network's table, if it has one, else from the task.
function inputVector(net, task, letter) {
  const own = net.arrays["input.vectors"];
  return own ? own.subarray(letter * net.inputs, (letter + 1) * net.inputs) : letterVector(task, letter);
}

function projectLetter(net, task, letter) {
  let found = net.fromLetter.get(letter);
  if (!found) {
    copyVector(inputVector(net, task, letter), net.step.input);
    runAll(net.step.ofLetter);
    found = net.step.kept.map((vector) => vector.slice());
    net.fromLetter.set(letter, found);
  }
  return found;
}

// Compute what depends on the memory only: once for all letters that follow.
function rememberMemory(net, memory) {
  copyVector(memory, net.step.memory);
  runAll(net.step.ofMemory);
}

// The memory after a letter, starting from the memory of the last call of rememberMemory.
function readLetter(net, task, letter, out) {
  const { kept, ofBoth, next } = net.step, found = projectLetter(net, task, letter);
  for (let k = 0; k < kept.length; k++) copyVector(found[k], kept[k]);
  runAll(ofBoth);
  return copyVector(next, out);
}

function stepMemory(net, task, memory, letter, out = startMemory(net)) {
  rememberMemory(net, memory);
  return readLetter(net, task, letter, out);
}

// A single logit is measured from the threshold.
function readLogits(net, memory, out = new Float64Array(net.outputs)) {
  const { "readout.weight": weight, "readout.bias": bias } = net.arrays;
  affine(weight, memory, bias, net.hidden, out);
  if (net.threshold) out[0] -= net.threshold;
  return out;
}

function emittedSymbol(logits) {
  if (logits.length === 1) return logits[0] > 0 ? 1 : 0;
  let best = 0;
  for (let k = 1; k < logits.length; k++) if (logits[k] > logits[best]) best = k;
  return best;
}

// The margin of a symbol: its distance to the best other one; negative if another one wins.
function marginOf(logits, symbol) {
  if (logits.length === 1) return symbol === 1 ? logits[0] : -logits[0];
  let other = -Infinity;
  for (let k = 0; k < logits.length; k++) {
    if (k !== symbol && logits[k] > other) other = logits[k];
  }
  return logits[symbol] - other;
}
