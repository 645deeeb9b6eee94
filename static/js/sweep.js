// A sweep's page: the chart of the median over its runs within the band from the lowest to the highest, and a question
// before all its runs are cancelled. What changes is asked for by htmx and comes as a finished fragment.

import { SCALES, colour, confidence, remember, scaleFor } from "./chart.js";

const HEIGHT = 260; // pixels
const element = document.getElementById("chart");
const legend = document.getElementById("legend");
let columns = { generation: [], median: [], low: [], high: [], runs: [] };
let scale = scaleFor([]);
let plot = null;

function heights() {
  const drawn = [columns.high, columns.low, columns.median].map((values) => values.map(scale.of));
  return [columns.generation, ...drawn];
}

function write(name, text) {
  legend.querySelector(`[data-series=${name}]`).textContent = text;
}

function tell(index) {
  const at = index ?? columns.generation.length - 1;
  if (at < 0) return;
  for (const name of ["median", "low", "high"]) write(name, confidence(columns[name][at]));
  write("runs", columns.runs[at]);
  write("generation", columns.generation[at].toLocaleString("en"));
}

function options() {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("--muted"), font, ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
  const edge = { stroke: "transparent", width: 0, points: { show: false } };
  return {
    width: element.clientWidth || 600,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: scale.range } },
    axes: [
      { ...axis, size: 36, gap: 9, grid: { show: false } },
      { ...axis, size: 72, splits: scale.splits, values: (_, splits) => splits.map(scale.said) },
    ],
    bands: [{ series: [1, 2], fill: `color-mix(in srgb, ${colour("--median")} 22%, transparent)` }],
    series: [{}, edge, edge, { stroke: colour("--median"), width: 2.5, points: { show: false } }],
    hooks: { setCursor: [(chart) => tell(chart.cursor.idx)] },
  };
}

function draw() {
  plot?.destroy();
  plot = new window.uPlot(options(), heights(), element);
}

function show(choice) {
  remember(choice);
  rescale(SCALES[choice]);
}

function rescale(wanted) {
  scale = wanted;
  if (plot) draw();
  tick();
}

function tick() {
  for (const choice of document.querySelectorAll("[name=chart-scale]")) choice.checked = SCALES[choice.value] === scale;
}

function takeIn(part) {
  if (part.id !== "sweep-progress") return;
  columns = JSON.parse(part.dataset.columns);
  const suiting = scaleFor(columns.median);
  if (suiting === scale) plot?.setData(heights());
  else rescale(suiting);
  tell();
}

// Controls that say the same as before stay, so that no button is replaced under a finger.
function keepUnchanged(event) {
  const { target, fragment } = event.detail;
  const state = target.dataset.state;
  if (state && state === fragment.firstElementChild?.dataset.state) event.detail.shouldSwap = false;
}

function askFirst(event) {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
}

function fit() {
  const width = element.clientWidth;
  if (width && width !== plot.width) plot.setSize({ width, height: HEIGHT });
}

document.addEventListener("submit", askFirst);
document.addEventListener("htmx:oobBeforeSwap", keepUnchanged);
if (element) {
  takeIn(document.getElementById("sweep-progress"));
  draw();
  tell();
  tick();
  for (const choice of document.querySelectorAll("[name=chart-scale]")) choice.addEventListener("change", () => show(choice.value));
  window.htmx.onLoad(takeIn);
  new ResizeObserver(fit).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
