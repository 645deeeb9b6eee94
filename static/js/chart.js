// A live chart of a run's statistics: one point for each generation, confidences and shares as percentages.
// Its legend is an ordinary list in the page, which carries the values at the pointer or else the latest.
// Confidences are drawn by their nines, a step up for 90, 99, 99.9 ... %, or evenly, which is flat where nearly all of
// them lie. Until a person chooses, a run is drawn evenly, and by nines from where its median passes the first of them. The share of classes that are fooled has an axis of its own on the right.

const LINES = {
  share_9999: { colour: "--share", width: 1.5, dash: [2, 3] },
  max: { colour: "--max", width: 1.5, dash: [9, 4] },
  mean: { colour: "--mean", width: 1.5, dash: [5, 3] },
  median: { colour: "--median", width: 2.5, dash: [] },
};
const DRAWN = Object.keys(LINES); // the last lies on top
const HEIGHT = 220; // pixels
const REMEMBERED_AS = "chart-scale"; // the choice holds for every run, on this browser
const MOST_NINES = 6; // float32 tells no more apart
export const EVEN = {
  range: [0, 100],
  of: (value) => value * 100,
  splits: [0, 20, 40, 60, 80, 100],
  said: (split) => `${split} %`,
};
export const NINES = {
  range: [0, MOST_NINES],
  of: (value) => Math.min(MOST_NINES, -Math.log10(Math.max(1 - value, 1e-9))),
  splits: [0, 1, 2, 3, 4, 5, 6],
  said: (split) => ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"][split],
};
const FIRST_NINE = 0.9;
export const SCALES = { even: EVEN, nines: NINES };

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Cut, never rounded up, and with four decimals, as the site writes what is looked at closely.
export function confidence(value) {
  const cut = Math.min(Math.floor(value * 1e6 + 1e-6), 999_999) / 1e4;
  return cut === 0 && value > 0 ? "< 0.0001 %" : `${value > 0.999999 ? "> " : ""}${cut.toFixed(4)} %`;
}

function share(value) {
  return `${(value * 100).toFixed(0)} %`;
}

let chosen = null; // on this page

export function remembered() {
  try {
    return chosen ?? localStorage.getItem(REMEMBERED_AS);
  } catch {
    return null; // a browser may forbid it
  }
}

// The scale that was chosen, or else the one in which these medians can be told apart.
export function scaleFor(medians) {
  return SCALES[remembered()] ?? (medians.some((median) => median >= FIRST_NINE) ? NINES : EVEN);
}

export function remember(choice) {
  chosen = choice;
  try {
    localStorage.setItem(REMEMBERED_AS, choice);
  } catch {
    // then it holds for this page
  }
}

function pointsOf(columns) {
  const names = Object.keys(columns);
  return columns.generation.map((_, index) => Object.fromEntries(names.map((name) => [name, columns[name][index]])));
}

export class Chart {
  constructor(element, legend) {
    this.element = element;
    this.legend = legend;
    this.points = new Map();
    this.ordered = [];
    this.choices = [];
    this.scale = scaleFor([]);
    this.draw();
    new ResizeObserver(() => this.fit()).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  get generation() {
    return this.ordered.at(-1)?.generation ?? -1;
  }

  add(columns) {
    for (const point of pointsOf(columns)) this.points.set(point.generation, point);
    this.ordered = [...this.points.values()].sort((a, b) => a.generation - b.generation);
    this.plot?.setData(this.columns());
    this.suit();
    this.tell();
  }

  offer(choices) {
    this.choices = [...choices];
    for (const choice of this.choices) choice.addEventListener("change", () => this.show(choice.value));
    this.tick();
  }

  tick() {
    for (const choice of this.choices) choice.checked = SCALES[choice.value] === this.scale;
  }

  suit() {
    const suiting = scaleFor(this.ordered.map((point) => point.median));
    if (suiting === this.scale) return;
    this.scale = suiting;
    this.draw();
    this.tick();
  }

  show(choice) {
    remember(choice);
    this.scale = SCALES[choice];
    this.draw();
  }

  columns() {
    const points = this.ordered;
    const height = (name) => (name === "share_9999" ? EVEN.of : this.scale.of);
    const heights = DRAWN.map((name) => points.map((point) => height(name)(point[name])));
    return [points.map((point) => point.generation), ...heights];
  }

  draw() {
    this.plot?.destroy();
    this.plot = new window.uPlot(this.options(), this.columns(), this.element);
  }

  fit() {
    const width = this.element.clientWidth;
    if (width && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  tell(index = null) {
    const point = this.ordered.at(index ?? -1);
    if (!point) return;
    for (const name of ["median", "mean", "max"]) this.write(name, confidence(point[name]));
    this.write("share_9999", share(point.share_9999));
    this.write("generation", point.generation.toLocaleString("en"));
  }

  write(name, text) {
    this.legend.querySelector(`[data-series=${name}]`).textContent = text;
  }

  options() {
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const axis = { stroke: colour("--muted"), font, ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
    const scale = (name) => (name === "share_9999" ? "share" : "y");
    const line = (name) => ({ ...LINES[name], scale: scale(name), stroke: colour(LINES[name].colour), points: { show: false } });
    return {
      width: this.element.clientWidth || 600,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
      scales: { x: { time: false }, y: { range: this.scale.range }, share: { range: EVEN.range } },
      axes: [
        { ...axis, size: 36, gap: 9, incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000], grid: { show: false } },
        { ...axis, size: 72, splits: this.scale.splits, values: (_, splits) => splits.map(this.scale.said) },
        { ...axis, size: 48, side: 1, scale: "share", stroke: colour("--share"), grid: { show: false }, splits: EVEN.splits, values: (_, splits) => splits.map(EVEN.said) },
      ],
      series: [{}, ...DRAWN.map(line)],
      hooks: { setCursor: [(plot) => this.tell(plot.cursor.idx)] },
    };
  }
}
