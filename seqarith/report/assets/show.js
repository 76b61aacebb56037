"use strict";
// Shows a step: a sentence, hidden units, logits, region, pictures.

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
  const unknown = task.machine ? "" : " (this page cannot tell whether that is correct)";
  const verdict = run.expected === null ? unknown : right ? " ✓ correct" : `  ✗ wrong, expected ${brief(run.expected)}`;
  const wide = task.fixed && run.digits > task.fixed ? ` The operands have ${run.digits} digits; the network was trained for ${task.fixed}.` : "";
  $("result").className = right ? "result" : "result bad";
  $("result").textContent = `${expression(run.operands)} = ${brief(run.predicted)}${verdict}${wide}`;
}

function stateName(state) {
  return task.machine ? task.machine.names[state] : "";
}

function showStep() {
  $("place").value = at;
  $("place").setAttribute("aria-valuetext", at ? `step ${at} of ${run.steps}` : "before the first step");
  // aria-disabled, not disabled: a disabled button loses the keyboard focus.
  for (const id of ["first", "back"]) $(id).setAttribute("aria-disabled", at === 0);
  for (const id of ["next", "last"]) $(id).setAttribute("aria-disabled", at === run.steps);
  const say = $("say");
  if (at === 0) {
    const fixed = task.fixed ? ` This network is for operands of ${task.fixed} digits.` : "";
    say.textContent = `Before the first step. There are ${run.steps} steps, ${task.order} significant digit first.${fixed}`;
    say.classList.remove("wrong");
    return;
  }
  const t = at - 1, reads = letterDigits(task, run.letters[t]).map(digit).join(" and ");
  const carried = run.states ? ` with ${stateName(run.states[t])}` : "";
  const counted = t >= run.first;
  const verdict = !counted ? "which is ignored" : run.wrong[t] ? `which is wrong: expected ${symbol(run.expectedSymbols[t])}` : "which is correct";
  const leaves = run.states ? ` Now ${stateName(run.states[at])}.` : "";
  const judged = counted && !run.judged ? "" : `, ${verdict}`;
  const margin = counted ? `. Margin ${short(run.margins[t])}` : "";
  say.textContent = `Step ${at} of ${run.steps}: reads ${reads}${carried}; outputs ${symbol(run.emitted[t])}${judged}${margin}.${leaves}`;
  say.classList.toggle("wrong", run.wrong[t]);
}

function showUnits() {
  const hidden = run.memories[at].slice(0, net.hidden);
  const { low, high } = run.span, signed = low < 0, reach = Math.max(1, -low, high);
  const picked = pickedUnit();
  const lamps = Array.from(hidden.slice(0, UNITS), (value, i) => {
    const bar = element("i");
    const size = Math.min(1, Math.abs(value) / reach) * (signed ? 50 : 100);
    bar.style.height = `${size}%`;
    bar.style.bottom = `${signed ? (value >= 0 ? 50 : 50 - size) : 0}%`;
    const lamp = element("div", `unit ${value < 0 ? "low" : ""} ${i === picked ? "picked" : ""}`, bar);
    lamp.title = `unit ${i}: ${value.toFixed(3)}`;
    return lamp;
  });
  const more = net.hidden > UNITS ? [element("span", "", `and ${net.hidden - UNITS} more`)] : [];
  $("units").replaceChildren(...lamps, ...more);
  const list = Array.from(hidden.slice(0, UNITS), (value) => short(value));
  const which = net.layers > 1 ? "hidden units of the last layer" : "hidden units";
  $("units-title").textContent = which[0].toUpperCase() + which.slice(1);
  $("units").setAttribute("aria-label", `${net.hidden} ${which}: ${list.slice(0, 32).join(", ")}`);
  $("numbers").replaceChildren(...list.map((value) => element("li", "", value)));
}

function showLogits() {
  const logits = at ? run.logits[at - 1] : new Float64Array(net.outputs);
  const best = at ? emittedSymbol(logits) : -1;
  const scale = Math.max(1, ...run.logits.map((each) => Math.max(...each.map(Math.abs))));
  const above = net.threshold ? ` above the threshold ${Number(net.threshold.toPrecision(6))}` : "";
  $("logit-title").textContent = net.outputs === 1 ? `Logit${above}: the output is 1 if it is positive` : "Logits: the output is the largest";
  $("logits").replaceChildren(...Array.from(logits, (value, k) => {
    const bar = element("i"), size = (50 * Math.abs(value)) / scale;
    bar.style.left = `${value >= 0 ? 50 : 50 - size}%`;
    bar.style.width = `${size}%`;
    const says = net.outputs === 1 ? (at ? `output ${symbol(best)}` : "") : symbol(k);
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
    where.textContent = "A weight was changed: the proof belongs to the network before the change.";
  } else {
    const region = run.way[at], of = `region ${region + 1} of ${proof.states.length}`;
    const far = distanceIn(proof, region, run.memories[at]);
    const name = task.machine.names[proof.states[region]];
    const place = far === null ? `Not yet in ${of}` : far <= 1
      ? `In ${of}, ${Math.round(100 * far)} % of the way from its centre to its edge`
      : `Not yet in ${of}`;
    where.textContent = `${place}. This region stands for “${name}”; from it, the next digit is correct for every input.`;
  }
}

function showPictures() {
  if (plane) {
    const now = proof && !changed ? { ...proof, now: run.way[at] } : null;
    const names = task.machine ? task.machine.names : ["hidden vector"];
    $("plane-note").textContent = now
      ? "The outlines are the regions of the proof: the hidden vectors of every word return to them." : "";
    drawPlane($("plane"), plane, now, run.placed, at, names);
  } else {
    $("plane-note").textContent = "They are not shown: some numbers overflow.";
  }
  if (extracted) {
    const { before } = standing(stored, changed);
    const now = at && { from: run.extracted[at - 1], to: run.extracted[at] };
    // A changed network need not follow the old machine, so no current state is marked.
    drawMachine($("machine"), { ...extracted, said: before + extracted.said },
      changed ? null : now || { from: -1, to: extracted.initial });
  }
}
