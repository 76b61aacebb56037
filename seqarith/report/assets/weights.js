"use strict";
// Changing a weight, and the drawing of its array.

const largest = (array) => array.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

// Rows and columns of an array; a vector has one column.
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

// The hidden unit of the picked row, or -1; arrays of the last layer are stacked blocks of units.
function pickedUnit() {
  const name = $("array").value, [rows] = shapeOf(name);
  const blocks = name.endsWith(`_l${net.layers - 1}`) && rows % net.hidden === 0;
  return blocks ? Number($("row").value) % net.hidden : -1;
}

function showWeight() {
  const { name, index } = pick();
  const value = net.arrays[name][index], reach = 2 * Math.max(1, largest(original[name]));
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
  showStanding();
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
  const most = largest(array) || 1;
  array.forEach((value, i) => {
    const size = Math.sqrt(Math.abs(value) / most) * (square - 2);
    const [x, y] = [(i % columns) + 0.5, Math.floor(i / columns) + 0.5].map((c) => c * square - size / 2);
    if (value > 0) pen.fillRect(x, y, size, size);
    else if (size > 1.5) pen.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
  });
  pen.strokeStyle = style.getPropertyValue("--accent");
  pen.lineWidth = 2;
  pen.strokeRect((index % columns) * square + 1, Math.floor(index / columns) * square + 1, square - 2, square - 2);
}
