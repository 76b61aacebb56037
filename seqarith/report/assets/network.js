"use strict";
// A network as its model file holds it, run in double precision. Names, shapes and the order of
// gates are PyTorch's; the first H numbers of a memory are the hidden vector.

const sigmoid = (x) => 0.5 * Math.tanh(0.5 * x) + 0.5;

// What a cell makes of x (from the input) and h (from the hidden vector), both gate after gate.
const CELLS = {
  elman: {
    gates: 1,
    memory: 1,
    combine(net, x, h, memory, out) {
      const f = net.activation === "sigmoid" ? sigmoid : Math.tanh;
      for (let i = 0; i < net.hidden; i++) out[i] = f(x[i] + h[i]);
    },
  },
  gru: {
    gates: 3,
    memory: 1,
    combine(net, x, h, memory, out) {
      const n = net.hidden;
      for (let i = 0; i < n; i++) {
        const reset = sigmoid(x[i] + h[i]);
        const keep = sigmoid(x[n + i] + h[n + i]);
        const fresh = Math.tanh(x[2 * n + i] + reset * h[2 * n + i]);
        out[i] = (1 - keep) * fresh + keep * memory[i];
      }
    },
  },
  lstm: {
    gates: 4,
    memory: 2,
    combine(net, x, h, memory, out) {
      const n = net.hidden;
      for (let i = 0; i < n; i++) {
        const write = sigmoid(x[i] + h[i]);
        const keep = sigmoid(x[n + i] + h[n + i]);
        const fresh = Math.tanh(x[2 * n + i] + h[2 * n + i]);
        const show = sigmoid(x[3 * n + i] + h[3 * n + i]);
        out[n + i] = keep * memory[n + i] + write * fresh;
        out[i] = show * Math.tanh(out[n + i]);
      }
    },
  },
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
  const arrays = {};
  for (const [name, array] of Object.entries(data.arrays)) {
    arrays[name] = decodeArray(array.data, data.network.dtype);
  }
  const cell = CELLS[data.network.cell];
  return {
    ...data.network,
    cell,
    arrays,
    rows: cell.gates * data.network.hidden,
    inputs: data.arrays["rnn.weight_ih_l0"].shape[1],
    fromLetter: new Map(),
  };
}

// out = weight (rows, columns) @ vector + bias
function affine(weight, vector, bias, rows, columns, out) {
  for (let i = 0, at = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++, at++) sum += weight[at] * vector[j];
    out[i] = bias ? sum + bias[i] : sum;
  }
  return out;
}

const startMemory = (net) => new Float64Array(net.cell.memory * net.hidden);

function projectLetter(net, task, letter) {
  let found = net.fromLetter.get(letter);
  if (!found) {
    const { "rnn.weight_ih_l0": weight, "rnn.bias_ih_l0": bias } = net.arrays;
    const vector = letterVector(task, letter);
    found = affine(weight, vector, bias, net.rows, net.inputs, new Float64Array(net.rows));
    net.fromLetter.set(letter, found);
  }
  return found;
}

function stepMemory(net, task, memory, letter, out = startMemory(net)) {
  const { "rnn.weight_hh_l0": weight, "rnn.bias_hh_l0": bias } = net.arrays;
  const scratch = (net.scratch ??= new Float64Array(net.rows));
  const h = affine(weight, memory, bias, net.rows, net.hidden, scratch);
  net.cell.combine(net, projectLetter(net, task, letter), h, memory, out);
  return out;
}

function readLogits(net, memory, out = new Float64Array(net.outputs)) {
  const { "readout.weight": weight, "readout.bias": bias } = net.arrays;
  return affine(weight, memory, bias, net.outputs, net.hidden, out);
}

function emittedSymbol(logits) {
  if (logits.length === 1) return logits[0] > 0 ? 1 : 0;
  let best = 0;
  for (let k = 1; k < logits.length; k++) if (logits[k] > logits[best]) best = k;
  return best;
}

// By how much logits favour a symbol; negative where they do not.
function marginOf(logits, symbol) {
  if (logits.length === 1) return symbol === 1 ? logits[0] : -logits[0];
  let other = -Infinity;
  for (let k = 0; k < logits.length; k++) {
    if (k !== symbol && logits[k] > other) other = logits[k];
  }
  return logits[symbol] - other;
}
