// Curves of several runs in one chart, along generations or evaluations; a sweep is a line within a band from its
// lowest to its highest run. Runs are thinned each in its own way, so between its points a curve is read as straight.

import { SCALES, colour, confidence, remember, scaleFor } from "./chart.js";

const HEIGHT = 300; // pixels
const DASHES = [[], [9, 4], [2, 3], [9, 3, 2, 3], [5, 3], [14, 4], [4, 6], [12, 3, 2, 3, 2, 3]]; // colour is not all
const ALONG = { generation: "Generation", evaluations: "Evaluations" };
const element = document.getElementById("chart");
const curves = JSON.parse(document.getElementById("curves").textContent);
const along = { name: document.querySelector("[name=chart-along]:checked").value };
let scale = scaleFor(curves.flatMap((curve) => curve.median));
let places = []; // along the chart
let read = []; // of each curve: median, low and high at every place
let plot = null;

function readAt(xs, ys, x) {
  if (!xs.length || x < xs[0] || x > xs.at(-1)) return null;
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  if (xs[high] === xs[low]) return ys[low];
  return ys[low] + ((ys[high] - ys[low]) * (x - xs[low])) / (xs[high] - xs[low]);
}

function lay() {
  places = [...new Set(curves.flatMap((curve) => curve[along.name]))].sort((a, b) => a - b);
  read = curves.map((curve) => {
    const at = (name) => places.map((place) => readAt(curve[along.name], curve[name], place));
    const median = at("median");
    return curve.low ? { median, low: at("low"), high: at("high") } : { median, low: median, high: median };
  });
}

function heights() {
  const drawn = (values) => values.map((value) => (value === null ? null : scale.of(value)));
  return [places, ...read.flatMap(({ median, low, high }) => [drawn(high), drawn(low), drawn(median)])];
}

function tell(index) {
  const at = index ?? places.length - 1;
  if (at < 0) return;
  curves.forEach((curve, number) => {
    const value = read[number].median[at] ?? (index === null || index === undefined ? curve.median.at(-1) : null);
    document.querySelector(`[data-letter=${curve.letter}]`).textContent = value === null || value === undefined ? "–" : confidence(value);
  });
  document.getElementById("legend-along").textContent = ALONG[along.name];
  document.getElementById("legend-at").textContent = index === null || index === undefined ? "the last of each" : Math.round(places[at]).toLocaleString("en");
}

function options() {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("--muted"), font, ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  const ink = (curve) => colour(`--side-${curve.letter}`);
  return {
    width: element.clientWidth || 600,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: scale.range } },
    axes: [
      { ...axis, size: 36, gap: 9, grid: { show: false }, values: (_, splits) => splits.map((split) => split.toLocaleString("en")) },
      { ...axis, size: 72, splits: scale.splits, values: (_, splits) => splits.map(scale.said) },
    ],
    bands: curves.flatMap((curve, number) => (curve.low ? [{ series: [3 * number + 1, 3 * number + 2], fill: `color-mix(in srgb, ${ink(curve)} 18%, transparent)` }] : [])),
    series: [{}, ...curves.flatMap((curve, number) => [edge, edge, { stroke: ink(curve), width: 2, dash: DASHES[number], points: { show: false } }])],
    hooks: { setCursor: [(chart) => tell(chart.cursor.idx)] },
  };
}

function draw() {
  plot?.destroy();
  plot = new window.uPlot(options(), heights(), element);
  tell(null);
}

function tick() {
  for (const choice of document.querySelectorAll("[name=chart-scale]")) choice.checked = SCALES[choice.value] === scale;
}

function rescale(choice) {
  remember(choice);
  scale = SCALES[choice];
  draw();
  tick();
}

// The choice goes into the address, so that it can be shared.
function turnTo(name) {
  along.name = name;
  const address = new URL(location.href);
  if (name === "evaluations") address.searchParams.set("by", name);
  else address.searchParams.delete("by");
  history.replaceState(history.state, "", address);
  lay();
  draw();
}

function fit() {
  const width = element.clientWidth;
  if (width && width !== plot.width) plot.setSize({ width, height: HEIGHT });
}

lay();
draw();
tick();
for (const choice of document.querySelectorAll("[name=chart-scale]")) choice.addEventListener("change", () => rescale(choice.value));
for (const choice of document.querySelectorAll("[name=chart-along]")) choice.addEventListener("change", () => turnTo(choice.value));
new ResizeObserver(fit).observe(element);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
