"use strict";
// The map of all pairs, recomputed after every change of a weight.

function scheduleMap(delay = 0) {
  clearTimeout(pending);
  if (!pairDigits()) {
    $("pairs").hidden = true;
    return;
  }
  // The previous count is out of date from now on.
  wrongPair = null;
  $("wrong").disabled = true;
  $("count").textContent = `Running all ${(task.base ** (2 * pairDigits())).toLocaleString("en")} pairs …`;
  $("map").classList.add("pending");
  $("map").setAttribute("aria-label", "Map of all pairs: in progress");
  pending = setTimeout(startMap, delay);
}

// Digits per operand of the map: the fixed width, or the most for 256 operands; 0: no map.
function pairDigits() {
  if (task.operands !== 2 || !(task.machine || task.function)) return 0;
  if (task.fixed) return task.base ** task.fixed <= 256 ? task.fixed : 0;
  let digits = 1;
  while (task.base ** (digits + 1) <= 256) digits++;
  return digits;
}

function startMap() {
  const digits = pairDigits();
  const side = task.base ** digits, total = side * side;
  const margins = new Float64Array(total), bad = new Uint8Array(total);
  const tell = (a, b, wrong, least) => {
    margins[b * side + a] = least;
    bad[b * side + a] = wrong;
  };
  const work = runPairs(net, task, digits, tell);
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
  canvas.classList.remove("pending");
  canvas.setAttribute("aria-label", `Map of all pairs below ${side}: ${said}`);
}

function computePair(pair) {
  document.querySelectorAll("#fields input").forEach((field, i) => (field.value = String(pair[i])));
  computeTyped();
  show(run.wrong.includes(true) ? run.wrong.indexOf(true) + 1 : run.steps);
}
