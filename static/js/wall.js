// The wall of a run with many classes: a cell for each, built here from what the page carries. Pictures of a whole wall
// come as a few atlases; later only those that have changed and can be seen are fetched. What a person looks for, and in
// which order, stands in the address behind #/, so that it can be kept and shared.

const TILES = 20; // an atlas has as many columns, and as many rows
const PER_ATLAS = TILES * TILES;
const SIZE = 128; // pixels a side, of pictures that are fetched one by one
const MOST_AT_ONCE = 6; // such requests
const NARROWEST = 80; // pixels of a cell
const GAP = 10; // pixels between two cells
const ROWS = 4; // of a band: to watch each of 1,000 cells would cost more than all else
const ARRIVE_TOGETHER = 200; // milliseconds for which pictures wait for others: each change costs a frame
const FRESH_FOR = 3000; // milliseconds for which a cell that changed hands is framed
const SETTLE_AFTER = 3000; // before cells that changed are put in order again, and not under a moving pointer
const SURE = 0.99;
const STEPS = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (columns) => -columns, ArrowDown: (columns) => columns };

// Cut, never rounded up, as the site writes confidences: 0.99996 is "> 99.99 %", 0.00004 "< 0.01 %".
export function confidence(value) {
  const cut = Math.min(Math.floor(Number((value * 1e4).toFixed(6))), 9999) / 100;
  return cut === 0 && value > 0 ? "< 0.01 %" : `${value > 0.9999 ? "> " : ""}${cut.toFixed(2)} %`;
}

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Read "class:number:hash:confidence:generation ..." into champions.
export function championsIn(lines) {
  if (!lines) return [];
  return lines.split(" ").map((line) => {
    const [index, number, hash, sure, generation] = line.split(":");
    return { index: Number(index), number: Number(number), hash, confidence: Number(sure), generation: Number(generation) };
  });
}

function element(kind, name, parent) {
  const made = document.createElement(kind);
  made.className = name;
  parent?.append(made);
  return made;
}

class Cell {
  constructor(index, label, kind, run) {
    this.index = index;
    this.label = label;
    this.text = `${label} ${kind}`.toLowerCase();
    this.champion = null;
    this.shown = -1; // number of the individual whose picture is there
    this.band = null;
    this.link = element("a", "cell");
    this.link.id = `champion-${index}`;
    this.link.href = `${run}classes/${index}/`;
    this.link.tabIndex = -1;
    this.link.cell = this;
    this.picture = element("span", "evolved fine vacant", this.link);
    this.picture.setAttribute("role", "img");
    this.picture.setAttribute("aria-label", "no image yet:");
    element("span", "label", this.link).textContent = label;
    this.confidence = element("span", "confidence", this.link);
    this.confidence.textContent = "–";
    this.link.title = label;
  }

  get isVisible() {
    return this.band?.isVisible ?? false;
  }

  get sureness() {
    return this.champion?.confidence ?? 0;
  }

  get isStale() {
    return this.champion !== null && this.champion.number !== this.shown;
  }

  hold(champion) {
    this.champion = champion;
    this.confidence.textContent = confidence(champion.confidence);
  }

  show(number, address, place = null) {
    const style = this.picture.style;
    this.picture.classList.remove("vacant");
    this.picture.classList.toggle("tile", place !== null);
    style.backgroundImage = `url("${address}")`;
    style.backgroundPosition = place === null ? "" : `${((place % TILES) * 100) / (TILES - 1)}% ${(Math.floor(place / TILES) * 100) / (TILES - 1)}%`;
    this.picture.setAttribute("aria-label", "evolved image:");
    this.shown = number;
  }
}

// What each class is a kind of, as one text to search in; a kind's classes are told as from, to, from, to.
function kindsOf({ branches, kinds }) {
  const words = [];
  const add = (index, word) => (words[index] = `${words[index] ?? ""} ${word}`);
  for (const { title, classes } of branches) for (const index of classes) add(index, title);
  for (const [kind, pairs] of Object.entries(kinds)) {
    for (let pair = 0; pair < pairs.length; pair += 2) {
      for (let index = pairs[pair]; index <= pairs[pair + 1]; index += 1) add(index, kind);
    }
  }
  return words;
}

export class Wall {
  constructor(room, tools, views, classes) {
    this.room = room;
    this.tools = tools;
    this.views = views;
    this.run = room.dataset.run;
    this.milestone = Number(room.dataset.milestone);
    this.branches = classes.branches;
    this.closed = new Set();
    this.cells = [];
    this.waiting = new Set(); // cells whose picture is to be fetched
    this.fetching = 0;
    this.fresh = [];
    this.arranged = [];
    this.touched = 0; // when a pointer last moved over the wall
    this.kinds = kindsOf(classes);
    this.climbed = new Set(classes.climbed); // of a gradient ascent: only these are worth a look, and hang first
    this.arrived = [];
    this.seen = new IntersectionObserver((entries) => this.look(entries), { rootMargin: "300px" });
    this.columns = 1;
    this.fit();
    new ResizeObserver(() => this.fit() && this.arrange()).observe(room);
    classes.labels.forEach((_, index) => this.cellOf(index, classes.labels));
    this.listen();
  }

  cellOf(index, labels = []) {
    while (this.cells.length <= index) {
      const next = this.cells.length;
      const cell = new Cell(next, labels[next] ?? String(next), this.kinds[next] ?? "", this.run);
      this.cells.push(cell);
    }
    return this.cells[index];
  }

  listen() {
    this.tools.addEventListener("input", () => this.choose());
    this.tools.addEventListener("submit", (event) => this.enter(event));
    this.tools.addEventListener("keydown", (event) => event.key === "ArrowDown" && event.target.type === "search" && this.enter(event));
    this.room.addEventListener("keydown", (event) => this.walk(event));
    this.room.addEventListener("focusin", (event) => event.target.cell && this.makeCurrent(event.target.cell));
    this.room.addEventListener("toggle", (event) => this.remember(event.target), true);
    this.room.addEventListener("pointermove", () => (this.touched = Date.now()), { passive: true });
    this.views.addEventListener("click", (event) => this.turnTo(event));
    addEventListener("hashchange", () => this.readAddress());
    document.addEventListener("keydown", (event) => this.jump(event));
  }

  // What the page carries, or what came since.
  take(champions, isNews) {
    for (const champion of champions) {
      const cell = this.cellOf(champion.index);
      cell.hold(champion);
      if (!isNews && this.milestone >= 0) this.hang(cell);
      if (isNews) this.frame(cell);
      if (cell.isVisible && cell.isStale) this.waiting.add(cell);
    }
    this.fetch();
    if (!isNews) return this.readAddress();
    if (champions.length) this.settle();
  }

  // Who has taken the class since the milestone is shown by the one before, until its own picture is here.
  hang(cell) {
    const atlas = `${this.run}atlas/${this.milestone}/${Math.floor(cell.index / PER_ATLAS)}.webp`;
    cell.show(cell.champion.generation > this.milestone ? -1 : cell.champion.number, atlas, cell.index % PER_ATLAS);
  }

  // One timer for all that changed together; a frame that stands still costs no frames.
  frame(cell) {
    if (!cell.isVisible) return;
    cell.link.classList.add("is-fresh");
    this.fresh.push(cell);
    this.unframing ??= setTimeout(() => this.unframe(), FRESH_FOR);
  }

  unframe() {
    this.unframing = null;
    for (const cell of this.fresh.splice(0)) cell.link.classList.remove("is-fresh");
  }

  look(entries) {
    for (const { target, isIntersecting } of entries) {
      target.isVisible = isIntersecting;
      for (const cell of target.cells) {
        if (isIntersecting && cell.isStale) this.waiting.add(cell);
        else this.waiting.delete(cell);
      }
    }
    this.fetch();
  }

  fetch() {
    for (const cell of this.waiting) {
      if (this.fetching >= MOST_AT_ONCE) return;
      this.waiting.delete(cell);
      this.fetchOne(cell);
    }
  }

  // The picture before stays until the new one has arrived, so that nothing flickers.
  async fetchOne(cell) {
    const { number, hash } = cell.champion;
    const image = new Image();
    image.src = `${this.run}individuals/${number}/${hash}-${SIZE}.webp`;
    this.fetching += 1;
    try {
      await image.decode();
      this.arrive(cell, number, image.src);
    } catch {
      // dropped from the history before it was asked for, or the site is away: the next change brings another
    }
    this.fetching -= 1;
    this.fetch();
  }

  arrive(cell, number, address) {
    this.arrived.push({ cell, number, address });
    this.arriving ??= setTimeout(() => {
      this.arriving = null;
      for (const one of this.arrived.splice(0)) if (one.cell.champion.number === one.number) one.cell.show(one.number, one.address);
    }, ARRIVE_TOGETHER);
  }

  // The address tells what is shown; forms and links change the address.
  readAddress() {
    const wanted = new URLSearchParams(location.hash.replace(/^#\/?/, ""));
    for (const field of this.tools.elements) {
      if (field.type === "checkbox") field.checked = wanted.get(field.name) === field.value;
      else if (field.name && field !== document.activeElement) field.value = wanted.get(field.name) ?? "";
    }
    this.view = wanted.get("view") ?? "wall";
    this.show();
    this.arrange();
  }

  choose() {
    const wanted = new URLSearchParams();
    for (const [name, value] of new FormData(this.tools)) if (value) wanted.set(name, value);
    if (this.view !== "wall") wanted.set("view", this.view);
    history.replaceState(history.state, "", `#/${wanted}`);
    this.arrange();
  }

  turnTo(event) {
    const view = event.target.closest("[data-view]")?.dataset.view;
    if (!view) return;
    event.preventDefault();
    this.view = view;
    this.choose();
    this.show();
  }

  show() {
    for (const link of this.views.querySelectorAll("[data-view]")) {
      const isShown = link.dataset.view === this.view;
      if (isShown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      document.getElementById(`view-${link.dataset.view}`).hidden = !isShown;
    }
    document.dispatchEvent(new CustomEvent("run:view", { detail: this.view }));
  }

  settle() {
    const { sort, sure } = this.tools.elements;
    if (this.tools.elements.grouped.checked) this.tellMedians();
    if (!sort.value && !sure.checked) return this.count();
    this.settling ??= setTimeout(() => this.settleNow(), SETTLE_AFTER);
  }

  settleNow() {
    this.settling = null;
    const isInUse = Date.now() - this.touched < SETTLE_AFTER || this.room.contains(document.activeElement);
    if (isInUse) this.settling = setTimeout(() => this.settleNow(), SETTLE_AFTER);
    else this.arrange();
  }

  arrange() {
    const { q, sort, grouped, sure } = this.tools.elements;
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    let cells = this.ofInterest.filter((cell) => words.every((word) => cell.text.includes(word)));
    if (sure.checked) cells = cells.filter((cell) => cell.sureness > SURE);
    if (sort.value === "surest") cells.sort((a, b) => b.sureness - a.sureness || a.index - b.index);
    if (sort.value === "newest") cells.sort((a, b) => (b.champion?.generation ?? -1) - (a.champion?.generation ?? -1) || a.index - b.index);
    this.matching = cells;
    this.sections = grouped.checked && this.branches.length ? this.parted(cells) : [{ cells }];
    if (sort.value === "surest") this.sections.sort((a, b) => median(b.cells.map((cell) => cell.sureness)) - median(a.cells.map((cell) => cell.sureness)));
    this.arranged = this.sections.flatMap((section) => section.cells);
    this.hangSections();
    this.count();
    this.makeCurrent(this.arranged.includes(this.current) ? this.current : this.arranged[0]);
  }

  get ofInterest() {
    return this.hidesSome ? this.cells.filter((cell) => this.climbed.has(cell.index)) : this.cells;
  }

  get hidesSome() {
    return this.climbed.size > 0 && !this.tools.elements.every.checked;
  }

  // How many columns there is room for; whether that has changed.
  fit() {
    const before = this.columns;
    if (this.room.clientWidth) this.columns = Math.max(1, Math.floor((this.room.clientWidth + GAP) / (NARROWEST + GAP)));
    this.room.style.setProperty("--columns", this.columns);
    return this.columns !== before;
  }

  parted(cells) {
    const among = new Set(cells);
    const sections = this.branches.map((branch) => ({ title: branch.title, cells: branch.classes.map((index) => this.cells[index]).filter((cell) => among.has(cell)) }));
    const order = new Map(cells.map((cell, place) => [cell, place]));
    for (const section of sections) section.cells.sort((a, b) => order.get(a) - order.get(b));
    return sections.filter((section) => section.cells.length);
  }

  hangSections() {
    const focused = this.room.contains(document.activeElement) ? document.activeElement : null;
    this.seen.disconnect();
    const hung = this.arranged.length ? this.sections.flatMap((section) => this.hung(section)) : [this.nothing()];
    this.room.replaceChildren(...hung);
    this.tellMedians();
    focused?.focus({ preventScroll: true });
  }

  // Says why the wall is bare, with the way back.
  nothing() {
    const { q, sure, every } = this.tools.elements;
    const called = q.value.trim() ? ` called “${q.value.trim()}”` : "";
    const ofThese = this.hidesSome ? " that was climbed" : "";
    const room = element("div", "empty");
    const told = element("p", "", room);
    told.textContent = sure.checked ? `No class${ofThese}${called} is above 99\u00a0%. ` : `No class${ofThese} is${called}. `;
    const back = element("a", "", told);
    back.textContent = this.hidesSome && called ? "Look among all classes" : "Show all classes";
    back.href = "#/";
    back.addEventListener("click", (event) => {
      event.preventDefault();
      if (this.hidesSome && called) every.checked = true;
      else q.value = "";
      sure.checked = false;
      this.choose();
      q.focus();
    });
    return room;
  }

  hung(section) {
    const bands = [];
    const size = this.columns * ROWS;
    for (let first = 0; first < section.cells.length; first += size) bands.push(this.banded(section.cells.slice(first, first + size)));
    if (!section.title) return bands;
    const branch = element("details", "branch");
    branch.dataset.title = section.title;
    branch.open = !this.closed.has(section.title);
    const summary = element("summary", "", branch);
    element("h3", "", summary).textContent = section.title;
    section.told = element("span", "caption", summary);
    branch.append(...bands);
    return branch;
  }

  banded(cells) {
    const band = element("div", "wall-cells band");
    band.append(...cells.map((cell) => cell.link));
    band.cells = cells;
    band.isVisible = false;
    for (const cell of cells) cell.band = band;
    this.seen.observe(band);
    return band;
  }

  tellMedians() {
    for (const { told, cells } of this.sections) {
      if (told) told.textContent = `${cells.length} ${cells.length === 1 ? "class" : "classes"}, median ${confidence(median(cells.map((cell) => cell.sureness)))}`;
    }
  }

  count() {
    const all = this.cells.length.toLocaleString("en");
    const number = this.matching.length;
    const some = number === this.cells.length ? all : `${number.toLocaleString("en")} of ${all}`;
    const middle = number ? `, median ${confidence(median(this.matching.map((cell) => cell.sureness)))}` : "";
    const said = `${some} classes${middle}`;
    const told = document.getElementById("wall-count");
    if (told.textContent !== said) told.textContent = said;
  }

  remember(branch) {
    const title = branch.dataset?.title;
    if (!title) return;
    if (branch.open) this.closed.delete(title);
    else this.closed.add(title);
  }

  // One cell can be reached by Tab, the others from there by arrows.
  makeCurrent(cell) {
    if (this.current) this.current.link.tabIndex = -1;
    this.current = cell;
    if (cell) cell.link.tabIndex = 0;
  }

  walk(event) {
    const cell = event.target.cell;
    const step = STEPS[event.key];
    const isModified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (!cell || isModified || !(step || event.key === "Home" || event.key === "End")) return;
    const reachable = this.arranged.filter((other) => other.link.closest("details")?.open !== false);
    const place = { Home: 0, End: reachable.length - 1 }[event.key] ?? reachable.indexOf(cell) + step(this.columns);
    event.preventDefault();
    reachable[place]?.link.focus();
  }

  enter(event) {
    event.preventDefault();
    this.arranged[0]?.link.focus();
  }

  // "/" leads to the search from wherever nothing is being written.
  jump(event) {
    if (event.key !== "/" || event.target.closest?.("input, select, textarea")) return;
    event.preventDefault();
    this.view = "wall";
    this.show();
    this.tools.elements.q.select();
    this.tools.elements.q.focus();
  }
}
