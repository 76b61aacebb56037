"use strict";
// Statements about the weights, and their withdrawal after a weight is changed.

const BEFORE = "Before the change: ";
const CHANGED = "Changed by hand: nothing is proved about this network";

// The badge of the page, and the prefix of all other statements about the weights.
function standing(stored, count) {
  return count ? { kind: "changed", badge: CHANGED, before: BEFORE } : { ...stored, before: "" };
}

const storedStanding = (badge) => ({ kind: badge.className.replace("badge ", ""), badge: badge.textContent });
const stored = storedStanding($("badge"));
const known = Array.from(document.querySelectorAll("dd.known"), (node) => [node, node.textContent]);

function showStanding() {
  const { kind, badge, before } = standing(stored, changed);
  $("badge").className = `badge ${kind}`;
  $("badge").textContent = badge;
  document.body.classList.toggle("changed", changed > 0);
  for (const node of document.querySelectorAll(".before")) node.hidden = !changed;
  $("machine-before").hidden = !changed || !extracted;
  for (const [node, words] of known) node.textContent = before + words;
  $("machine-note").textContent = extracted ? before + extracted.said : data.no_machine;
}
