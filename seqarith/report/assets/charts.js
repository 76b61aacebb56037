"use strict";
// Charts as SVG. Colours are classes of the style sheet.

const SVG = "http://www.w3.org/2000/svg";
const MARKS = 6;

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function figure(host, label, width, height, ...children) {
  host.replaceChildren(
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, ...children));
}

const round = (value) => Number(value.toFixed(2));
const points = (list) => list.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");

// The mark of a class. Each class has its own shape, so that colour is not needed.
function mark(index, x, y, size, extra = "") {
  const kind = index % MARKS, name = `mark c${kind} ${extra}`;
  if (kind === 0) return svg("circle", { cx: round(x), cy: round(y), r: size, class: name });
  const turns = { 1: 3, 2: 4, 3: 4, 4: 3, 5: 5 }[kind], tilt = { 1: 0, 2: 0.125, 3: 0, 4: 0.5, 5: 0 }[kind];
  const corners = Array.from({ length: turns }, (_, i) => {
    const angle = 2 * Math.PI * (i / turns + tilt) - Math.PI / 2;
    return [x + 1.25 * size * Math.cos(angle), y + 1.25 * size * Math.sin(angle)];
  });
  return svg("polygon", { points: points(corners), class: name });
}

function text(x, y, words, anchor = "middle", name = "") {
  return svg("text", { x: round(x), y: round(y), "text-anchor": anchor, class: name }, String(words));
}

// Hidden vectors in the plane: points by state, outlines of regions, the run so far.
function drawPlane(host, plane, proof, run, step, names) {
  const width = 460, height = 360, pad = 34;
  const path = run.slice(0, step + 1);
  const all = [...plane.points, ...run, ...(proof ? proof.outlines.flatMap((o) => o.points) : [])];
  const low = [0, 1].map((i) => Math.min(...all.map((p) => p[i])));
  const high = [0, 1].map((i) => Math.max(...all.map((p) => p[i])));
  const spread = [0, 1].map((i) => high[i] - low[i] || 1);
  const place = ([x, y]) => [ // below the legend
    pad + ((x - low[0]) / spread[0]) * (width - 2 * pad),
    height - pad - ((y - low[1]) / spread[1]) * (height - 2 * pad),
  ];
  const cloud = plane.points.map((p) => mark(p[2], ...place(p), 2.6, "cloud"));
  const outlines = (proof?.outlines ?? []).map((outline) =>
    svg("polygon", {
      points: points(outline.points.map(place)),
      class: `region c${outline.state % MARKS} ${outline.region === proof.now ? "now" : ""}`,
    }));
  const trail = svg("polyline", { points: points(path.slice(-12).map(place)), class: "trail" });
  const here = place(path[path.length - 1]);
  const shown = names.slice(0, MARKS).map((name) => (name.length > 20 ? `${name.slice(0, 19)}…` : name));
  let x = 12, y = 12;
  const legend = shown.map((name, i) => {
    const wide = 28 + 6.6 * name.length;
    if (x > 12 && x + wide > width) [x, y] = [12, y + 16];
    x += wide;
    return svg("g", {}, mark(i, x - wide, y, 4), text(x - wide + 10, y + 4, name, "start"));
  });
  const shares = plane.explained.map((share) => `${Math.round(100 * share)} %`);
  figure(host, `Hidden vectors in two principal components (${shares.join(" and ")} of the variance)`,
    width, height, ...outlines, ...cloud, trail,
    svg("circle", { cx: round(here[0]), cy: round(here[1]), r: 8, class: "here" }), ...legend,
    text(width / 2, height - 8, `component 1: ${shares[0]} of the variance`),
    svg("g", { transform: `translate(12 ${height / 2}) rotate(-90)` },
      text(0, 0, `component 2: ${shares[1]}`)));
}

// Lines of text centred on a point, and a plate that hides the arrow below them.
function written([x, y], lines, name = "") {
  return lines.map((line, i) => text(x, y + 15 * (i - (lines.length - 1) / 2) + 4, line, "middle", name));
}

function plate([x, y], lines) {
  const wide = 6.6 * Math.max(...lines.map((line) => line.length)) + 6, high = 15 * lines.length + 2;
  return svg("rect", { x: round(x - wide / 2), y: round(y - high / 2), width: wide, height: high, class: "plate" });
}

// The machine: a circle per state, and arrows with digits read and output; the layout is given.
function drawMachine(host, machine, now) {
  const { size: [width, height], radius } = machine;
  const is = (from, to) => (now && now.from === from && now.to === to ? "now" : "");
  const arrows = machine.arrows.map(({ from, to, curve: [start, bend, end] }) =>
    svg("path", { d: `M${start} Q${bend} ${end}`, class: `arrow ${is(from, to)}`, "marker-end": "url(#head)" }));
  const labels = machine.arrows.filter(({ lines }) => lines.length).map(({ from, to, at, lines }) =>
    svg("g", {}, plate(at, lines), ...written(at, lines, `read ${is(from, to)}`)));
  const circles = machine.places.flatMap(([cx, cy], i) => {
    const here = now && now.to === i ? "now" : "";
    const ring = svg("circle", { cx, cy, r: radius - 4, class: "ring" });
    return [svg("circle", { cx, cy, r: radius, class: `node ${here}` }),
      ...(i === machine.initial ? [ring] : []), ...written([cx, cy], machine.lines[i])];
  });
  const head = svg("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9,
    markerHeight: 9, orient: "auto", markerUnits: "userSpaceOnUse" }, svg("path", { d: "M0,0 L8,4 L0,8 z", class: "head" }));
  figure(host, `A machine of ${machine.names.length} states: ${machine.said}`, width, height, svg("defs", {}, head),
    ...arrows, ...circles, ...labels);
  host.firstChild.style.maxWidth = `${width}px`;
}

// Line charts over steps or widths; a series is {name, points, dashed}, a point [x, y, hollow].
function drawLines(host, label, series, options) {
  const width = 460, height = 240, left = 56, right = 12, top = 26, bottom = 40;
  const [fx, fy] = [options.logX ? Math.log2 : Number, options.logY ? Math.log10 : Number];
  const all = series.flatMap((line) => line.points);
  const [low, high] = [Math.min, Math.max].map((f) => f(...all.map((p) => fx(p[0]))));
  const under = options.low ?? Math.min(...all.map((p) => fy(p[1])));
  const over = options.high ?? Math.max(...all.map((p) => fy(p[1])));
  const place = ([x, y]) => [
    left + ((fx(x) - low) / (high - low || 1)) * (width - left - right),
    height - bottom - ((fy(y) - under) / (over - under || 1)) * (height - top - bottom),
  ];
  const quarters = [0, 0.25, 0.5, 0.75, 1];
  const decades = Array.from({ length: 40 }, (_, i) => i - 30).filter((d) => d >= under && d <= over);
  const levels = options.logY && decades.length > 1 ? decades : quarters.map((share) => under + share * (over - under));
  const ticks = levels.map((value) => {
    const y = height - bottom - ((value - under) / (over - under || 1)) * (height - top - bottom);
    const shown = options.logY ? Number((10 ** value).toPrecision(2)) : Number(value.toPrecision(3));
    return svg("g", {}, svg("line", { x1: left, x2: width - right, y1: y, y2: y, class: "grid" }),
      text(left - 6, y + 4, shown, "end"));
  });
  const steps = all.map((p) => p[0]), ends = [Math.min(...steps), Math.max(...steps)];
  const bars = (options.ticks ?? [...new Set([ends[0], Math.round((ends[0] + ends[1]) / 2), ends[1]])]).map((x, i, every) =>
    text(place([x, 1])[0], height - bottom + 19, x, i > 0 && i === every.length - 1 ? "end" : "middle"));
  const drawn = series.flatMap((line, i) => [
    svg("polyline", { points: points(line.points.map(place)), class: `line c${i} ${line.dashed ? "dashed" : ""}` }),
    ...(line.points.length > 40 ? [] : line.points.map((p) => mark(i, ...place(p), 3.2, p[2] ? "hollow" : ""))),
  ]);
  const legend = series.length < 2 ? [] : series.map((line, i) =>
    svg("g", {}, mark(i, left + 8 + i * 190, 10, 3.5), text(left + 18 + i * 190, 14, line.name, "start")));
  figure(host, label, width, height, ...ticks, ...bars, ...drawn, ...legend,
    text((left + width - right) / 2, height - 6, options.x),
    svg("g", { transform: `translate(13 ${(height - bottom + top) / 2}) rotate(-90)` }, text(0, 0, options.y)));
}
