"use strict";
// The computation in long hand: a column per step, as many as fit.

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
  if (run.judged) rows.push(["expected", (t) => (gone(t) ? "·" : symbol(run.expectedSymbols[t])), gone, "rule"]);
  rows.push(["network", (t) => (gone(t) ? "·" : symbol(run.emitted[t])), (t) => later(t) || gone(t) || (run.wrong[t] ? "wrong" : ""), run.judged ? "" : "rule"]);
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
  return element("caption", "hidden", `The computation in long hand${part}; later steps are left empty`);
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
