// The time of a run: a slider over every generation moves the whole archive. Of a generation the browser fetches who held
// which class, and of the pictures only those that it has not seen: what changed since the generation that is shown comes
// as one sheet. Whoever slides faster than pictures arrive is shown the latest generation asked for, and none in between.

import { confidence } from "./wall.js";

const ACROSS = 32; // tiles in a row of a sheet, and of a wall
const ACROSS_NARROW = 16; // of a wall on a phone
const NARROW = 480; // pixels
const MOST_TILES = 16_000; // that are remembered, shown ones apart
const MOST_MOMENTS = 400;
const SHORT_HASH = 12;
const REST = 500; // milliseconds without a move, after which finer pictures are worth their weight
const FRAME = 80; // milliseconds that a picture of the film stands at least
const ONE_BY_ONE = 300;
const ADDRESS_EVERY = 400; // browsers allow no more
const LOOK_AFTER = 180; // milliseconds of pointing, until a larger picture is fetched
const LARGER = 128; // pixels a side
const STEPS = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (across) => -across, ArrowDown: (across) => across };

const story = JSON.parse(document.getElementById("time-story").textContent);
const controls = document.getElementById("time-controls");
const slider = document.getElementById("time-slider");
const number = document.getElementById("time-generation");
const beside = document.getElementById("time-with");
const playing = document.getElementById("time-play");
const seconds = document.getElementById("time-seconds");
const said = document.getElementById("time-said");

// Who held which class in a generation.
class Moment {
  constructor(told) {
    this.generation = told.generation;
    this.figures = told.figures;
    this.lost = told.lost.length;
    this.places = new Map(told.classes.map((index, place) => [index, place]));
    Object.assign(this, { classes: told.classes, numbers: told.numbers, confidences: told.confidences, since: told.since, hashes: told.hashes });
  }

  holder(index) {
    const place = this.places.get(index);
    if (place === undefined) return null;
    const hash = this.hashes.slice(place * SHORT_HASH, (place + 1) * SHORT_HASH);
    return { number: this.numbers[place], confidence: this.confidences[place], since: this.since[place], hash };
  }

  numberOf(index) {
    const place = this.places.get(index);
    return place === undefined ? -1 : this.numbers[place];
  }

  // The places of classes that another moment tells otherwise, in the order of a sheet.
  differingFrom(other) {
    return this.classes.map((index, place) => (other.numberOf(index) === this.numbers[place] ? -1 : place)).filter((place) => place >= 0);
  }
}

// Pictures that arrived, each a place on a sheet.
class Tiles {
  constructor() {
    this.sheets = new Set();
    this.tiles = new Map();
  }

  get(individual) {
    return this.tiles.get(individual);
  }

  add(bitmap, individuals, side) {
    const sheet = { bitmap, individuals };
    const across = Math.min(ACROSS, individuals.length);
    individuals.forEach((individual, place) => {
      const known = this.tiles.get(individual);
      if (known && known.side >= side) return;
      this.tiles.set(individual, { sheet, side, x: (place % across) * side, y: Math.floor(place / across) * side });
    });
    this.sheets.add(sheet);
    this.forget();
  }

  forget() {
    let kept = 0;
    for (const sheet of this.sheets) kept += sheet.individuals.length;
    for (const sheet of this.sheets) {
      if (kept <= MOST_TILES) return;
      kept -= sheet.individuals.length;
      this.sheets.delete(sheet);
      for (const individual of sheet.individuals) if (this.tiles.get(individual)?.sheet === sheet) this.tiles.delete(individual);
      sheet.bitmap.close();
    }
  }
}

const tiles = new Tiles();
const moments = new Map();

async function ask(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status} of ${address}`);
  return answer;
}

async function momentAt(generation) {
  const known = moments.get(generation);
  if (known) return known;
  const moment = new Moment(await (await ask(`${story.run}time/${generation}.json`)).json());
  keep(moment);
  return moment;
}

function keep(moment) {
  moments.set(moment.generation, moment);
  if (moments.size > MOST_MOMENTS) moments.delete(moments.keys().next().value);
}

async function sheetOf(generation, side, known) {
  const answer = await ask(`${story.run}time/${generation}/${side}.jpg${known === null ? "" : `?known=${known}`}`);
  return answer.status === 204 ? null : createImageBitmap(await answer.blob());
}

// A wall of many classes: one canvas, with a cursor that pointer and arrow keys move.
class ManyWall {
  constructor(room, section) {
    this.room = room;
    this.told = section.querySelector("[data-told]");
    this.cursor = room.querySelector(".time-cursor");
    this.canvas = document.createElement("canvas");
    this.canvas.className = "time-canvas";
    this.canvas.setAttribute("aria-hidden", "true");
    this.context = this.canvas.getContext("2d");
    this.count = Math.max(story.labels.length, 1);
    this.side = story.sides[0];
    this.painted = new Map();
    this.at = -1;
    this.looking = null;
    room.querySelector("img")?.replaceWith(this.canvas) ?? room.prepend(this.canvas);
    new ResizeObserver(() => this.fit()).observe(room);
    this.fit();
    room.addEventListener("pointermove", (event) => this.point(event));
    room.addEventListener("pointerleave", () => document.activeElement !== room && this.look(-1));
    room.addEventListener("click", (event) => this.open(event));
    room.addEventListener("keydown", (event) => this.walk(event));
    room.addEventListener("focus", () => this.at < 0 && room.matches(":focus-visible") && this.look(0));
    room.addEventListener("blur", () => this.look(-1));
  }

  get wantsFine() {
    const { clientWidth } = this.room;
    return story.sides.length > 1 && clientWidth >= NARROW && (clientWidth / this.across) * devicePixelRatio > this.side * 1.25;
  }

  get unit() {
    return this.wantsFine ? story.sides[1] : this.side;
  }

  fit() {
    const across = this.room.clientWidth < NARROW ? ACROSS_NARROW : ACROSS;
    this.across = across;
    const state = `${across} ${this.wantsFine}`;
    if (state === this.state) return;
    this.state = state;
    this.canvas.width = across * this.unit;
    this.canvas.height = Math.ceil(this.count / across) * this.unit;
    this.context.imageSmoothingEnabled = !story.pixelated;
    this.painted.clear();
    if (this.moment) this.show(this.moment, this.marks);
  }

  show(moment, marks) {
    Object.assign(this, { moment, marks });
    const count = Math.max(this.count, 1 + moment.classes.reduce((most, index) => Math.max(most, index), 0));
    if (count > this.count) {
      this.count = count;
      this.state = "";
      this.fit();
      return;
    }
    for (let index = 0; index < this.count; index += 1) this.paint(index);
    if (this.at >= 0) this.tell();
  }

  paint(index) {
    const individual = this.moment.numberOf(index);
    const tile = tiles.get(individual);
    const marked = this.marks.has(index) && (this.marks.size > this.count / 4 ? "corner" : "frame");
    const wanted = `${tile ? individual : -1} ${tile?.side} ${marked}`;
    if (this.painted.get(index) === wanted) return;
    const { context, unit } = this;
    const [x, y] = [(index % this.across) * unit, Math.floor(index / this.across) * unit];
    context.clearRect(x, y, unit, unit);
    if (tile) context.drawImage(tile.sheet.bitmap, tile.x, tile.y, tile.side, tile.side, x, y, unit, unit);
    if (marked) this.mark(x, y);
    this.painted.set(index, wanted);
  }

  // A frame; where very many are marked only a corner, since frames would hide the pictures.
  mark(x, y) {
    const { context, unit } = this;
    const colour = getComputedStyle(this.room).getPropertyValue("--fresh");
    if (this.marks.size > this.count / 4) {
      context.fillStyle = colour;
      context.beginPath();
      for (const [right, down] of [[1, 0], [1, 0.3], [0.7, 0]]) context.lineTo(x + right * unit, y + down * unit);
      context.fill();
      return;
    }
    const width = Math.max(2, unit / 12);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.strokeRect(x + width / 2, y + width / 2, unit - width, unit - width);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const side = box.width / this.across;
    const column = Math.floor((event.clientX - box.left) / side);
    const index = Math.floor((event.clientY - box.top) / side) * this.across + column;
    this.look(column >= 0 && column < this.across && index >= 0 && index < this.count ? index : -1);
  }

  look(index) {
    if (index === this.at) return;
    this.at = index;
    this.cursor.hidden = index < 0;
    if (index < 0) return this.forget();
    const rows = Math.ceil(this.count / this.across);
    const style = this.cursor.style;
    style.left = `${((index % this.across) * 100) / this.across}%`;
    style.top = `${(Math.floor(index / this.across) * 100) / rows}%`;
    style.width = `${100 / this.across}%`;
    style.height = `${100 / rows}%`;
    this.tell();
  }

  tell() {
    clearTimeout(this.looking);
    const held = this.moment.holder(this.at);
    this.told.replaceChildren(this.preview(held), told(this.at, held));
  }

  forget() {
    clearTimeout(this.looking);
    this.told.replaceChildren();
  }

  // The small picture at once, and a larger one if the pointer stays.
  preview(held) {
    const tile = held && tiles.get(held.number);
    const canvas = document.createElement("canvas");
    canvas.className = "time-preview";
    canvas.width = canvas.height = LARGER;
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = !story.pixelated;
    if (tile) context.drawImage(tile.sheet.bitmap, tile.x, tile.y, tile.side, tile.side, 0, 0, LARGER, LARGER);
    if (tile && !story.pixelated) this.looking = setTimeout(() => larger(held, context), LOOK_AFTER);
    return canvas;
  }

  walk(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== this.room) return;
    if (event.key === "Enter" && this.at >= 0) return location.assign(addressOf(this.at, this.moment));
    const step = STEPS[event.key]?.(this.across);
    const ends = { Home: 0, End: this.count - 1 }[event.key];
    if (step === undefined && ends === undefined) return;
    event.preventDefault();
    const next = ends ?? this.at + step;
    if (next >= 0 && next < this.count) this.look(next);
    said.textContent = sentence(this.at, this.moment.holder(this.at));
  }

  // A finger that touches a picture is told of it first, and opens it when it touches it again.
  open(event) {
    const before = this.at;
    this.point(event);
    if (event.pointerType === "touch" && this.at !== before) return;
    if (this.at >= 0) location.assign(addressOf(this.at, this.moment));
  }
}

// A wall of a few classes: the figures that the page came with, each with a canvas in the place of its picture.
class FewWall {
  constructor(room) {
    this.cells = new Map([...room.querySelectorAll("[data-class]")].map((figure) => [Number(figure.dataset.class), figure]));
    this.side = story.sides[0];
    this.painted = new Map();
    this.wantsFine = false;
  }

  show(moment, marks) {
    for (const [index, figure] of this.cells) {
      figure.classList.toggle("is-marked", marks.has(index));
      this.paint(index, figure, moment);
    }
  }

  paint(index, figure, moment) {
    const held = moment.holder(index);
    const tile = held && tiles.get(held.number);
    const wanted = tile ? held.number : -1;
    if (this.painted.get(index) === wanted) return;
    this.painted.set(index, wanted);
    const link = figure.querySelector("a");
    const canvas = this.canvasOf(link);
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, this.side, this.side);
    if (tile) context.drawImage(tile.sheet.bitmap, tile.x, tile.y, this.side, this.side, 0, 0, this.side, this.side);
    canvas.classList.toggle("vacant", !tile);
    canvas.setAttribute("aria-label", held ? `evolved image, ${story.classifier} says ${labelOf(index)} with ${confidence(held.confidence)}` : "no image yet");
    link.href = addressOf(index, moment);
    figure.querySelector(".confidence").textContent = held ? confidence(held.confidence) : "–";
    figure.querySelector(".generation").textContent = held ? `since ${held.since.toLocaleString("en")}` : "no champion yet";
  }

  canvasOf(link) {
    const there = link.querySelector("canvas");
    if (there) return there;
    const canvas = document.createElement("canvas");
    canvas.className = `evolved${story.pixelated ? "" : " fine"}`;
    canvas.width = canvas.height = this.side;
    canvas.setAttribute("role", "img");
    link.replaceChildren(canvas);
    return canvas;
  }
}

async function larger(held, context) {
  const answer = await fetch(`${story.run}individuals/${held.number}/${held.hash}-${LARGER}.webp`).catch(() => null);
  if (!answer?.ok || !context.canvas.isConnected) return;
  context.drawImage(await createImageBitmap(await answer.blob()), 0, 0, LARGER, LARGER);
}

function labelOf(index) {
  return story.labels[index] ?? String(index);
}

function addressOf(index, moment) {
  const held = moment.holder(index);
  return held && story.image ? `${story.image.replace("/0/", `/${held.number}/`)}?class=${index}` : `${story.run}classes/${index}/`;
}

function sentence(index, held) {
  if (!held) return `${labelOf(index)}: no champion yet`;
  return `${labelOf(index)}: ${confidence(held.confidence)}, since generation ${held.since.toLocaleString("en")}`;
}

function told(index, held) {
  const words = document.createElement("span");
  words.textContent = held ? `${sentence(index, held)}, No. ${held.number.toLocaleString("en")}` : sentence(index, held);
  return words;
}

function plural(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

// One of the walls with its figures: the one that the slider moves, or the one beside it.
class Room {
  constructor(section) {
    this.section = section;
    this.wall = story.many ? new ManyWall(section.querySelector("[data-wall]"), section) : new FewWall(section.querySelector("[data-wall]"));
    this.moment = null;
    this.wanted = -1;
    this.busy = null;
    this.resting = null;
  }

  // Go to a generation; of many asked for meanwhile only the last is shown.
  go(generation) {
    this.wanted = generation;
    this.busy ??= this.follow().finally(() => (this.busy = null));
    return this.busy;
  }

  async follow() {
    while (!this.moment || this.moment.generation !== this.wanted) await this.fetch(this.wanted);
  }

  async fetch(generation) {
    clearTimeout(this.resting);
    const { side } = this.wall;
    const before = this.moment;
    const isNew = !moments.has(generation);
    const known = before?.generation ?? null;
    const early = isNew && known !== null ? sheetOf(generation, side, known) : null; // both at once
    early?.catch(() => {});
    const moment = await momentAt(generation);
    if (early) this.take(await early, moment, before, side);
    const missing = moment.numbers.filter((individual) => !tiles.get(individual));
    if (missing.length) await this.complete(moment, before, missing, side);
    this.moment = moment;
    if (this.wall.wantsFine) this.resting = setTimeout(() => this.refine(moment), REST);
    arrived();
  }

  async complete(moment, before, missing, side) {
    const places = before ? moment.differingFrom(before) : [];
    const coming = new Set(places.map((place) => moment.numbers[place]));
    const base = before && missing.every((individual) => coming.has(individual)) ? before : null;
    this.take(await sheetOf(moment.generation, side, base?.generation ?? null), moment, base, side);
  }

  take(sheet, moment, before, side) {
    if (!sheet) return;
    const places = before ? moment.differingFrom(before) : moment.classes.keys();
    tiles.add(sheet, Array.from(places, (place) => moment.numbers[place]), side);
  }

  async refine(moment) {
    const side = story.sides[1];
    if (moment.numbers.every((individual) => tiles.get(individual)?.side >= side)) return;
    const sheet = await sheetOf(moment.generation, side, null).catch(() => null);
    this.take(sheet, moment, null, side);
    if (sheet && this.moment === moment) paint();
  }

  figure(name, text) {
    const place = this.section.querySelector(`[data-figure=${name}]`);
    if (place.textContent !== text) place.textContent = text;
    return place;
  }

  write(changed) {
    const { moment } = this;
    this.figure("generation", moment.generation.toLocaleString("en"));
    for (const name of ["median", "mean", "max", "share_9999", "evaluations"]) this.figure(name, moment.figures[name] ?? "–");
    this.figure("changed", changed);
    const lost = moment.lost ? `${plural(moment.lost, "picture", "pictures")} shown grey: ${moment.lost === 1 ? "its genome was" : "their genomes were"} not kept.` : "";
    this.figure("lost", lost).hidden = !moment.lost;
  }
}

const rooms = [...document.querySelectorAll(".time-wall")].map((section) => new Room(section));

function paint() {
  const [main, other] = rooms;
  if (!main.moment || (other && !other.moment)) return;
  const marks = new Set(marked(main.moment, other?.moment));
  for (const room of rooms) {
    room.wall.show(room.moment, marks);
    room.write(other ? `${plural(marks.size, "class", "classes")} held by others than in the other generation` : `${plural(changes(main.moment), "class", "classes")} ${main.moment.generation ? "changed hands in it" : "held for the first time"}`);
  }
}

function changes(moment) {
  return moment.since.reduce((count, since) => count + (since === moment.generation), 0);
}

function marked(moment, other) {
  if (other) {
    const places = moment.differingFrom(other).map((place) => moment.classes[place]);
    return places.concat(other.differingFrom(moment).map((place) => other.classes[place]));
  }
  if (moment.generation === 0) return []; // all are new
  return moment.classes.filter((_, place) => moment.since[place] === moment.generation);
}

let frame = 0;

function arrived() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(paint);
}

let addressed = null;

function writeAddress() {
  addressed ??= setTimeout(() => {
    addressed = null;
    const other = rooms.length > 1 ? `&with=${rooms[1].wanted}` : "";
    history.replaceState(null, "", `?generation=${rooms[0].wanted}${other}`);
  }, ADDRESS_EVERY);
}

function within(value) {
  return Math.min(story.last, Math.max(0, Math.round(value)));
}

async function goTo(generation) {
  const wanted = within(generation);
  slider.value = wanted;
  slider.setAttribute("aria-valuetext", `generation ${wanted.toLocaleString("en")}`);
  if (document.activeElement !== number) number.value = wanted;
  writeAddress();
  await guarded(rooms[0].go(wanted));
}

async function guarded(work) {
  try {
    await work;
    said.textContent = "";
  } catch (error) {
    stop();
    said.textContent = "This generation could not be fetched. Try again.";
    said.classList.remove("visually-hidden");
    return false;
  }
  said.classList.add("visually-hidden");
  return true;
}

// The film: it goes by the clock, and leaves out what does not arrive in time.
let film = null;

function stop() {
  film = null;
  playing.textContent = "Play";
  playing.setAttribute("aria-pressed", "false");
}

function wait(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

async function play() {
  const mine = (film = {});
  playing.textContent = "Pause";
  playing.setAttribute("aria-pressed", "true");
  if (rooms[0].wanted >= story.last) await goTo(0);
  let began = performance.now();
  let from = rooms[0].wanted;
  let pace = seconds.value;
  while (film === mine && rooms[0].wanted < story.last) {
    if (pace !== seconds.value) [pace, began, from] = [seconds.value, performance.now(), rooms[0].wanted];
    const started = performance.now();
    const passed = ((started - began + FRAME) / 1000) * (story.last / Number(pace));
    const next = Number(pace) ? Math.max(rooms[0].wanted + 1, from + Math.floor(passed)) : rooms[0].wanted + 1;
    await goTo(next);
    await wait((Number(pace) ? FRAME : ONE_BY_ONE) - (performance.now() - started));
  }
  if (film === mine) stop();
}

function slide(event) {
  stop();
  goTo(Number(event.target.value));
}

function jump(event) {
  const tenth = { PageUp: 1, PageDown: -1 }[event.key];
  if (!tenth) return;
  event.preventDefault();
  stop();
  goTo(Number(slider.value) + tenth * Math.max(1, Math.round(story.last / 10)));
}

function typed() {
  if (number.value === "" || !Number.isFinite(Number(number.value))) return;
  stop();
  goTo(Number(number.value));
}

// A second wall comes from the server, and goes with its number; in between it moves here.
function compare() {
  if (rooms.length < 2 || beside.value === "") return controls.requestSubmit();
  const wanted = within(Number(beside.value));
  beside.value = wanted;
  writeAddress();
  guarded(rooms[1].go(wanted));
}

function submit(event) {
  if ((beside.value !== "") !== rooms.length > 1) return; // the page with another number of walls
  event.preventDefault();
  typed();
  if (rooms.length > 1) compare();
  number.value = within(Number(number.value));
}

for (const tool of [playing, document.getElementById("time-speed")]) tool.hidden = story.last < 1;
document.getElementById("time-show").classList.add("visually-hidden");
slider.addEventListener("input", slide);
slider.addEventListener("keydown", jump);
number.addEventListener("input", typed);
number.addEventListener("change", () => (number.value = slider.value));
beside.addEventListener("change", compare);
controls.addEventListener("submit", submit);
playing.addEventListener("click", () => (film ? stop() : play()));
story.moments.forEach((moment) => keep(new Moment(moment)));
rooms.forEach((room, place) => guarded(room.go(story.moments[place].generation)));
