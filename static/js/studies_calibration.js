// Calibration of people and of the classifier: how often each was right where it said that it was so sure.

import { colour } from "./chart.js";

const HEIGHT = 280; // pixels
const MARGIN = 0.02;
let plot = null;

function line(name, width, dash) {
  return { stroke: colour(name), width, dash, spanGaps: true, points: { show: true, size: 7, fill: colour(name) } };
}

function options(element) {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("--muted"), font, ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
  const percent = (_, splits) => splits.map((split) => `${Math.round(split * 100)} %`);
  const range = [-MARGIN, 1 + MARGIN];
  return {
    width: element.clientWidth || 600,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range }, y: { range } },
    axes: [
      { ...axis, size: 36, gap: 9, splits: [0, 0.2, 0.4, 0.6, 0.8, 1], values: percent },
      { ...axis, size: 60, splits: [0, 0.2, 0.4, 0.6, 0.8, 1], values: percent },
    ],
    series: [
      {},
      { stroke: colour("--edge"), width: 1, dash: [2, 4], spanGaps: true, points: { show: false } },
      line("--share", 2.5, []),
      line("--median", 2, [8, 4]),
    ],
  };
}

function draw() {
  const element = document.getElementById("calibration");
  plot?.destroy();
  plot = null;
  if (!element) return;
  plot = new window.uPlot(options(element), JSON.parse(document.getElementById("calibration-columns").textContent), element);
}

function fit() {
  const width = document.getElementById("calibration")?.clientWidth;
  if (plot && width && width !== plot.width) plot.setSize({ width, height: HEIGHT });
}

document.addEventListener("htmx:oobAfterSwap", (event) => event.detail.target.id === "results-machine" && draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
window.addEventListener("resize", fit);
window.addEventListener("load", draw);
if (document.readyState === "complete") draw();
