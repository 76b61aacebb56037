"use strict";
// The data of the page, and the current computation.

const data = JSON.parse(document.getElementById("data").textContent);
const { task, plane, extracted } = data;
const $ = (id) => document.getElementById(id);
const LETTERS = "abcdefghijklmnop";
const UNITS = 256;
const PACE = 800; // milliseconds per step during playback
const net = buildNetwork(data);
const original = Object.fromEntries(
  Object.entries(net.arrays).map(([name, array]) => [name, array.slice()]));
const proof = data.proof && readProof(data.proof);
let run = null, at = 0, changed = 0, pending = 0, playing = 0, wrongPair = null;

function readProof(stored) {
  const numbers = (text) => text && decodeArray(text, "float64");
  return { ...stored, centres: numbers(stored.centres), shapes: numbers(stored.shapes) };
}

const digit = (value) => value.toString(16);
const symbol = (value) => (task.symbols.length ? task.symbols[value] : digit(value));
const short = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));
const brief = (words) => (words.length > 90 ? `${words.slice(0, 42)} … ${words.slice(-42)}` : words);

function expression(operands) {
  const shown = operands.map((value, i) => (value < 0n && i ? `(${value})` : String(value)));
  return task.notation.replace(/\{\}/g, () => brief(shown.shift()));
}

function compute(operands, step = Infinity) {
  stopPlaying();
  run = traceSum(net, task, operands);
  run.way = proof && regionsOf(proof, run.letters);
  run.extracted = extracted && statesOf(extracted, run.letters);
  run.placed = plane && run.memories.map(placeInPlane);
  run.span = spanOf(run.memories);
  $("place").max = run.steps;
  show(Math.min(step, run.steps));
}

function statesOf(machine, letters) {
  const states = [machine.initial];
  for (const letter of letters) states.push(machine.next[states[states.length - 1]][letter]);
  return states;
}

// The smallest and largest value of a hidden unit, in this run and in random words.
function spanOf(memories) {
  let [low, high] = plane ? plane.span : [0, 0];
  for (const memory of memories) {
    for (let i = 0; i < net.hidden; i++) {
      low = Math.min(low, memory[i]);
      high = Math.max(high, memory[i]);
    }
  }
  return { low, high };
}

function placeInPlane(memory) {
  return plane.axes.map((axis) =>
    axis.reduce((sum, weight, i) => sum + weight * (memory[i] - plane.mean[i]), 0));
}

function computeTyped(step = Infinity) {
  const fields = [...document.querySelectorAll("#fields input")];
  try {
    compute(fields.map((field) => parseInteger(field.value)), step);
  } catch (error) {
    $("result").className = "result bad";
    $("result").textContent = error.message;
  }
}
