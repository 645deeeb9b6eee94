// The heat map of a run: a column for each class, a row for each generation, the confidence in the class's champion as
// colour. What lies behind comes as bytes once; what follows comes with the page's other news, a row each time.

import { confidence, median } from "./wall.js";

const STEPS = 200; // a level is 1 + the confidence cut to half a per cent; 0: no champion yet
const HEIGHT = 400; // pixels; on the screen the canvas is stretched
const MOST_ROWS = 1000; // beyond it every other row is forgotten
const TOLD_ROWS = 7; // of the table in numbers
const LETTER = 6.5; // pixels that a letter of a branch's name below the map takes
const LINE = 10; // pixels that a name needs where it stands down from the map
const TICKS = 8; // beside the map, at most, and as many below one whose classes have no branches
// From dark blue by grey to light yellow: lightness rises evenly, and nothing depends on telling red from green.
const COLOURS = [
  [0, 12, 27, 71],
  [0.2, 33, 61, 107],
  [0.4, 84, 94, 113],
  [0.6, 134, 129, 116],
  [0.8, 195, 175, 98],
  [1, 255, 233, 110],
];

export function colourAt(share) {
  const after = Math.max(1, COLOURS.findIndex(([place]) => place >= share));
  const [start, ...low] = COLOURS[after - 1];
  const [end, ...high] = COLOURS[after];
  return low.map((value, channel) => Math.round(value + ((high[channel] - value) * (share - start)) / (end - start)));
}

const TABLE = new Uint32Array(256); // of pixels as a canvas keeps them; level 0 is transparent
for (let level = 1; level < 256; level += 1) {
  const [red, green, blue] = colourAt(Math.min(1, (level - 1) / STEPS));
  TABLE[level] = (255 << 24) | (blue << 16) | (green << 8) | red;
}

function levelOf(value) {
  return 1 + Math.floor(Number((value * STEPS).toFixed(6)));
}

function lowestOf(level) {
  return (level - 1) / STEPS;
}

export class HeatMap {
  constructor(section, run, classes, generations) {
    const part = (name) => section.querySelector(`#map${name}`);
    this.section = section;
    this.canvas = part("");
    this.cursor = part("-cursor");
    this.told = part("-told");
    this.ticks = part("-ticks");
    this.numbers = part("-numbers").tBodies[0];
    this.run = run;
    this.labels = classes.labels;
    this.branches = new Map(classes.branches.flatMap(({ title, classes: own }) => own.map((index) => [index, ` (${title})`])));
    this.generations = generations; // the last one wanted
    const sorted = classes.branches.flatMap((branch) => branch.classes);
    this.order = sorted.length === this.labels.length ? sorted : this.labels.map((_, index) => index);
    this.rows = []; // {generation, levels}, ascending
    this.place = { column: 0, share: 0 };
    this.spans = [part("-branches"), part("-areas")];
    nameSpans(this.spans[0], classes.branches.length ? classes.branches.map(({ title, classes: own }) => [title, own.length]) : numbered(this.labels.length));
    nameSpans(this.spans[1], lengthsOfAreas(classes.branches));
    new ResizeObserver(() => this.spans.forEach((names, row) => fitNames(names, row === 0))).observe(this.spans[0]);
    this.drawLegend(part("-legend"));
    this.listen(part("-download"));
  }

  get generation() {
    return this.rows.at(-1)?.generation ?? -1;
  }

  get width() {
    return this.rows[0]?.levels.length ?? this.order.length;
  }

  // The map of the past; what is newer than it is in `champions` already.
  async load(address, generation, champions) {
    const early = this.rows;
    const answer = await fetch(address);
    if (answer.ok) this.rows = this.unpacked(await answer.arrayBuffer());
    this.add(generation, champions.filter((champion) => champion.generation > this.generation));
    for (const row of early) if (row.generation > this.generation) this.rows.push(row);
    this.draw();
  }

  unpacked(buffer) {
    const [rows, width] = new Uint32Array(buffer, 0, 2);
    const generations = new Uint32Array(buffer, 8, rows);
    const start = 8 + 4 * rows;
    if (width !== this.order.length) this.order = Array.from({ length: width }, (_, index) => index);
    return Array.from(generations, (generation, row) => ({ generation, levels: new Uint8Array(buffer, start + row * width, width).slice() }));
  }

  add(generation, champions) {
    if (generation < 0) return;
    const before = this.rows.at(-1);
    const levels = before ? before.levels.slice() : new Uint8Array(this.order.length);
    for (const champion of champions) levels[champion.index] = levelOf(champion.confidence);
    if (before?.generation === generation) before.levels = levels;
    else this.rows.push({ generation, levels });
    if (this.rows.length > MOST_ROWS) this.rows = this.rows.filter((_, row) => row % 2 === 0 || row === this.rows.length - 1);
    this.drawSoon();
  }

  // While the run goes on the map has room for what is to come, twice as much each time that it is full.
  get bottom() {
    let bottom = Math.max(1, this.generations);
    while (bottom / 2 >= Math.max(1, this.generation)) bottom /= 2;
    return this.isOver ? Math.max(1, this.generation) : Math.ceil(bottom);
  }

  end() {
    this.isOver = true;
    this.drawSoon();
  }

  drawSoon() {
    this.drawing ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.drawing = null;
    if (this.section.hidden || !this.rows.length) return;
    const context = this.canvas.getContext("2d");
    const pixels = this.pixels();
    this.canvas.width = pixels.width;
    this.canvas.height = pixels.height;
    context.putImageData(pixels, 0, 0);
    this.ticks.replaceChildren(...ticksTo(this.bottom).map((generation) => tick(generation, generation / this.bottom)));
    this.tellNumbers();
  }

  pixels() {
    const { width } = this;
    const words = new Uint32Array(width * HEIGHT);
    for (let y = 0; y < HEIGHT; y += 1) {
      const levels = this.rowAt(y / (HEIGHT - 1))?.levels;
      if (!levels) break;
      for (let x = 0; x < width; x += 1) words[y * width + x] = TABLE[levels[this.order[x]]];
    }
    return new ImageData(new Uint8ClampedArray(words.buffer), width, HEIGHT);
  }

  // The row that holds at a height from 0 to 1; none where the future lies.
  rowAt(share) {
    const generation = share * this.bottom;
    if (generation > this.generation + 0.5) return null;
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle].generation <= generation) low = middle;
      else high = middle - 1;
    }
    return this.rows[low];
  }

  drawLegend(canvas) {
    const row = new Uint32Array(canvas.width);
    for (let x = 0; x < row.length; x += 1) row[x] = TABLE[x + 1];
    canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(row.buffer), row.length, 1), 0, 0);
  }

  listen(download) {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("click", (event) => this.open(event));
    canvas.addEventListener("keydown", (event) => this.steer(event));
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && this.tell());
    download.addEventListener("click", () => this.download());
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.width);
    this.moveTo(column, (event.clientY - box.top) / box.height);
  }

  moveTo(column, share) {
    this.place = { column: Math.min(Math.max(column, 0), this.width - 1), share: Math.min(Math.max(share, 0), 1) };
    this.tell();
  }

  tell() {
    const { column, share } = this.place;
    const row = this.rowAt(share);
    const index = this.order[column];
    const level = row?.levels[index] ?? 0;
    const sure = level ? `at least ${(lowestOf(level) * 100).toFixed(1)}\u00a0%` : "no champion yet";
    this.told.textContent = row ? `${this.labels[index] ?? index}${this.branches.get(index) ?? ""}, generation ${row.generation.toLocaleString("en")}: ${sure}` : "still to come";
    this.cursor.hidden = false;
    this.cursor.style.left = `${((column + 0.5) / this.width) * 100}%`;
    this.cursor.style.top = `${share * 100}%`;
  }

  open(event) {
    this.point(event);
    this.openPlace();
  }

  openPlace() {
    location.assign(`${this.run}classes/${this.order[this.place.column]}/`);
  }

  steer(event) {
    const { column, share } = this.place;
    const columns = event.shiftKey ? 10 : 1;
    const rows = (event.shiftKey ? 10 : 1) / Math.min(this.bottom, 100);
    const moves = { ArrowLeft: [-columns, 0], ArrowRight: [columns, 0], ArrowUp: [0, -rows], ArrowDown: [0, rows] };
    if (event.key === "Enter") this.openPlace();
    if (!moves[event.key]) return;
    event.preventDefault();
    const [right, down] = moves[event.key];
    this.moveTo(column + right, share + down);
  }

  // For those who do not see colours: some generations, evenly chosen.
  tellNumbers() {
    const step = Math.max(1, (this.rows.length - 1) / (TOLD_ROWS - 1));
    const chosen = new Set();
    for (let row = 0; row < this.rows.length - 0.5; row += step) chosen.add(this.rows[Math.round(row)]);
    this.numbers.replaceChildren(...[...chosen, this.rows.at(-1)].filter((row, place, all) => all.indexOf(row) === place).map(numbersOf));
  }

  download() {
    this.draw();
    const margin = 40;
    const sheet = document.createElement("canvas");
    sheet.width = this.width + 2 * margin;
    sheet.height = HEIGHT + 3 * margin;
    const context = sheet.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.drawImage(this.canvas, margin, margin);
    context.drawImage(this.section.querySelector("#map-legend"), margin, HEIGHT + 1.75 * margin, 201, 12);
    context.fillStyle = "#191917";
    context.font = "13px sans-serif";
    context.fillText(document.title, margin, margin * 0.65);
    for (const number of ticksTo(this.bottom)) context.fillText(String(number), 4, margin + 4 + (number / this.bottom) * HEIGHT);
    context.fillText("0 %", margin, HEIGHT + 1.6 * margin);
    context.fillText("100 % confidence", margin + 172, HEIGHT + 1.6 * margin);
    context.fillText("columns: classes; rows: generations", margin, HEIGHT + 2.6 * margin);
    sheet.toBlob((blob) => save(blob, "heat-map.png"));
  }
}

// Branches of one area follow each other.
function lengthsOfAreas(branches) {
  const lengths = new Map();
  for (const { area, classes } of branches) lengths.set(area, (lengths.get(area) ?? 0) + classes.length);
  return [...lengths];
}

// Round numbers from 0 to a last one, which is told too.
export function ticksTo(last) {
  const least = last / TICKS;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= least);
  const round = Array.from({ length: Math.ceil(last / step) }, (_, place) => place * step);
  return [...round.filter((number) => last - number > step / 2), last];
}

function tick(number, share) {
  const mark = document.createElement("span");
  mark.className = "generation";
  mark.style.top = `${share * 100}%`;
  mark.textContent = number.toLocaleString("en");
  return mark;
}

// Classes without branches are told by their numbers.
function numbered(count) {
  const starts = ticksTo(count);
  return starts.slice(0, -1).map((start, place) => [String(start), starts[place + 1] - start]);
}

// Marks below the map where something begins, with its name.
function nameSpans(element, spans) {
  const whole = spans.reduce((sum, [, length]) => sum + length, 0);
  let before = 0;
  for (const [title, length] of spans) {
    const name = document.createElement("span");
    name.style.left = `${(before / whole) * 100}%`;
    name.style.width = `${(length / whole) * 100}%`;
    name.title = title;
    element.append(name);
    before += length;
  }
  element.hidden = !spans.length;
}

// A name stands along the map where there is room, else down from it, and is left out where not even that fits.
function fitNames(element, mayTurn) {
  for (const name of element.children) {
    const width = name.clientWidth;
    const isWide = width > (name.title.length + 1) * LETTER;
    name.classList.toggle("down", !isWide && mayTurn);
    name.textContent = isWide || (mayTurn && width >= LINE) ? name.title : "";
  }
}

function numbersOf({ generation, levels }) {
  const row = document.createElement("tr");
  const sure = Array.from(levels, (level) => (level ? lowestOf(level) : 0));
  const share = (least) => sure.filter((value) => value >= least).length.toLocaleString("en");
  const texts = [generation.toLocaleString("en"), `at least ${confidence(median(sure)).replace("> ", "")}`, share(0.5), share(0.99)];
  texts.forEach((text) => (row.insertCell().textContent = text));
  return row;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
