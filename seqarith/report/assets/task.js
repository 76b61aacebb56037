"use strict";
// Integers to words and back, the task's exact machine, and a computation step by step.

const MOST_STEPS = 20000;

function parseInteger(text) {
  const plain = text.trim().replace(/(?<=[0-9a-f])_(?=[0-9a-f])/gi, "");
  const match = /^([+-]?)(0x[0-9a-f]+|0b[01]+|[0-9]+)$/i.exec(plain);
  if (!match) throw new Error(`“${text.slice(0, 40)}” is not an integer; write 58, -58, 0x3a or 0b111010`);
  const value = BigInt(match[2]);
  return match[1] === "-" ? -value : value;
}

const countNatural = (value, base) => value.toString(base).length;

function countDigits(value, base, signed) {
  if (!signed && value >= 0n) return countNatural(value, base);
  return countNatural(value >= 0n ? 2n * value : -2n * value - 1n, base);
}

// Tasks without a machine, and their functions.
const FUNCTIONS = { mul: (a, b) => a * b, square: (a) => a * a };

function checkOperands(task, operands) {
  const negative = operands.find((value) => value < 0n);
  if (!task.negative && negative !== undefined) {
    throw new Error(`${negative}: this task takes naturals only`);
  }
}

// The number of steps for operands; beyond the table it grows linearly with their digits.
function layoutOf(task, operands) {
  const signed = operands.some((value) => value < 0n);
  const digits = Math.max(...operands.map((value) => countDigits(value, task.base, signed)));
  const table = signed ? task.layout.signed : task.layout.natural;
  const last = table.length;
  const [steps, signedResult] = table[Math.min(digits, last) - 1];
  const beyond = Math.max(0, digits - last);
  const slope = (table[last - 1][0] - table[last / 2 - 1][0]) / (last / 2);
  return { digits, steps: steps + slope * beyond, signed: signedResult };
}

function digitsOf(value, width, base) {
  const natural = value < 0n ? value + BigInt(base) ** BigInt(width) : value;
  const text = natural.toString(base).padStart(width, "0");
  return Array.from(text, (digit) => parseInt(digit, 16)).reverse();
}

function encode(task, operands, steps) {
  const letters = new Array(steps).fill(0);
  const room = task.order === "least" ? steps : steps - task.delay;
  let scale = 1;
  for (const value of operands) {
    const digits = digitsOf(value, room, task.base);
    if (task.order === "most") digits.reverse();
    digits.forEach((digit, t) => (letters[t] += scale * digit));
    scale *= task.base;
  }
  return letters;
}

function letterDigits(task, letter) {
  const digits = [];
  for (let i = 0; i < task.operands; i++, letter = Math.floor(letter / task.base)) {
    digits.push(letter % task.base);
  }
  return digits;
}

function letterVector(task, letter) {
  const digits = letterDigits(task, letter);
  if (task.base === 2) return Float64Array.from(digits);
  const vector = new Float64Array(task.operands * task.base);
  digits.forEach((digit, i) => (vector[i * task.base + digit] = 1));
  return vector;
}

function valueOf(digits, base) {
  // Divide and conquer: fast for thousands of digits.
  if (digits.length <= 32) {
    return digits.reduceRight((value, digit) => value * BigInt(base) + BigInt(digit), 0n);
  }
  const half = digits.length >> 1;
  const high = valueOf(digits.slice(half), base);
  return valueOf(digits.slice(0, half), base) + high * BigInt(base) ** BigInt(half);
}

function resultText(task, symbols, signed) {
  if (task.result === "symbol") return task.symbols[symbols[symbols.length - 1]];
  const digits = symbols.slice(task.delay);
  if (task.order === "most") digits.reverse();
  const value = valueOf(digits, task.base);
  const modulus = BigInt(task.base) ** BigInt(digits.length);
  return String(signed && 2n * value >= modulus ? value - modulus : value);
}

const firstResultStep = (task, steps) => (task.result === "symbol" ? steps - 1 : task.delay);

// Run a network on operands and keep every step.
function traceSum(net, task, operands) {
  checkOperands(task, operands);
  const layout = layoutOf(task, operands);
  if (layout.steps > MOST_STEPS) {
    throw new Error(`${layout.digits} digits: this page takes operands of up to about ${MOST_STEPS}`);
  }
  const letters = encode(task, operands, layout.steps);
  const first = firstResultStep(task, layout.steps);
  const memories = [startMemory(net)];
  const states = task.machine ? [task.machine.initial] : null;
  const value = task.function ? FUNCTIONS[task.function](...operands) : null;
  const digits = value === null ? null : expectedDigits(task, value, layout.steps);
  const logits = [], emitted = [], expectedSymbols = [], margins = [], wrong = [];
  letters.forEach((letter, t) => {
    memories.push(stepMemory(net, task, memories[t], letter));
    logits.push(readLogits(net, memories[t + 1]));
    emitted.push(emittedSymbol(logits[t]));
    expectedSymbols.push(states ? task.machine.output[states[t]][letter] : digits ? digits[t] : emitted[t]);
    if (states) states.push(task.machine.next[states[t]][letter]);
    margins.push(marginOf(logits[t], expectedSymbols[t]));
    wrong.push(t >= first && emitted[t] !== expectedSymbols[t]);
  });
  const predicted = resultText(task, emitted, layout.signed);
  const expected = states ? resultText(task, expectedSymbols, layout.signed) : value === null ? null : String(value);
  return {
    operands, digits: layout.digits, judged: expected !== null, letters, first, memories, states, logits, emitted, expectedSymbols, margins, wrong,
    predicted, expected, steps: letters.length,
  };
}

// The expected outputs of a task without a machine: 0 in the steps of the delay, then the digits.
function expectedDigits(task, value, steps) {
  const digits = digitsOf(value, steps - task.delay, task.base);
  if (task.order === "most") digits.reverse();
  return [...new Array(task.delay).fill(0), ...digits];
}

// The regions that the proof assigns to the memories of a run, before and after every step.
function regionsOf(proof, letters) {
  const way = [proof.start];
  for (const letter of letters) way.push(proof.successors[way[way.length - 1]][letter]);
  return way;
}

// The distance of a memory from a region's centre, at most 1 inside; null if not on the page.
function distanceIn(proof, region, memory) {
  if (!proof.centres) return null;
  const width = proof.width;
  const offset = Array.from({ length: width }, (_, i) => memory[i] - proof.centres[region * width + i]);
  if (proof.box) {
    return Math.max(...offset.map((d, i) => Math.abs(d) / proof.shapes[region * width + i]));
  }
  const at = region * width * width;
  const rows = Array.from({ length: width }, (_, j) =>
    [...Array.from({ length: width }, (_, i) => proof.shapes[at + i * width + j]), offset[j]]);
  return Math.max(...solve(rows).map(Math.abs));
}

// Gaussian elimination with pivoting, on rows [matrix | right-hand side].
function solve(rows) {
  const n = rows.length;
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let k = i + 1; k < n; k++) if (Math.abs(rows[k][i]) > Math.abs(rows[pivot][i])) pivot = k;
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const factor = rows[k][i] / rows[i][i];
      for (let j = i; j <= n; j++) rows[k][j] -= factor * rows[i][j];
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}

// Run all pairs of operands of a width; pairs with a common prefix share its memories. Yields now
// and then, so that the page stays responsive; calls tell(a, b, wrong digits, margin).
function* runPairs(net, task, digits, tell) {
  const side = task.base ** digits;
  const { steps } = layoutOf(task, [BigInt(side - 1), BigInt(side - 1)]);
  const first = firstResultStep(task, steps);
  const start = task.order === "least" ? 0 : steps - task.delay - digits;
  const memories = Array.from({ length: steps + 1 }, () => startMemory(net));
  const logits = new Float64Array(net.outputs);
  const every = Array.from({ length: task.base ** 2 }, (_, letter) => letter);
  const reads = (t) => (t >= start && t < start + digits ? every : [0]);
  // The memories after every letter of a step; their common part is computed once.
  const after = memories.slice(1).map((_, t) => reads(t).map(() => startMemory(net)));
  const worth = (t) => task.base ** (task.order === "least" ? t - start : start + digits - 1 - t);
  // Without a machine, only a complete pair can be checked; its memories are still available.
  const judge = (a, b) => {
    const expected = expectedDigits(task, FUNCTIONS[task.function](BigInt(a), BigInt(b)), steps);
    let wrong = 0, least = Infinity;
    for (let t = first; t < steps; t++) {
      readLogits(net, memories[t + 1], logits);
      if (emittedSymbol(logits) !== expected[t]) wrong++;
      least = Math.min(least, marginOf(logits, expected[t]));
    }
    tell(a, b, wrong, least);
  };
  function* visit(t, state, a, b, wrong, least) {
    if (t === steps) return task.machine ? tell(a, b, wrong, least) : judge(a, b);
    const read = reads(t);
    rememberMemory(net, memories[t]);
    for (const letter of read) readLetter(net, task, letter, after[t][letter]);
    for (const letter of read) {
      memories[t + 1] = after[t][letter];
      let bad = wrong, margin = least;
      if (task.machine && t >= first) {
        readLogits(net, memories[t + 1], logits);
        const expected = task.machine.output[state][letter];
        if (emittedSymbol(logits) !== expected) bad++;
        margin = Math.min(margin, marginOf(logits, expected));
      }
      const more = read.length > 1 ? worth(t) : 0;
      const [da, db] = [letter % task.base, Math.floor(letter / task.base)];
      yield* visit(t + 1, task.machine ? task.machine.next[state][letter] : 0, a + more * da, b + more * db, bad, margin);
      if (t === start + 1) yield;
    }
  }
  yield* visit(0, task.machine ? task.machine.initial : 0, 0, 0, 0, Infinity);
}
