// A gallery in motion: more images as one comes near the end, the same place on the way back, arrows through the rows,
// and a show of one image after another. Without this script every page has its links, and all can be reached.

const AHEAD = "1200px"; // how near the end more images are asked for
const REST = 150; // milliseconds without scrolling, after which the place is written down
const STEPS = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: (columns) => -columns, ArrowDown: (columns) => columns };
const NEAR_THE_END = 4; // images of a show, before more are asked for

const isModified = (event) => event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;

class Wall {
  constructor(list) {
    this.list = list;
    this.current = null;
    this.isLeft = false; // for an image: from then on its place is kept, not that of the page
    this.ends = new IntersectionObserver((entries) => this.near(entries), { rootMargin: AHEAD });
    this.leftTop = false; // the way to earlier images was out of sight, so whoever sees it now came back up
    list.addEventListener("keydown", (event) => this.walk(event));
    list.addEventListener("focusin", (event) => this.makeCurrent(event.target.closest(".hung > a")));
    list.addEventListener("click", (event) => this.opened(event));
    list.addEventListener("htmx:beforeSwap", (event) => this.hold(event));
    document.body.addEventListener("htmx:afterRequest", (event) => ["earlier", "later"].includes(event.detail.requestConfig.elt.id) && this.grown());
    window.addEventListener("scroll", () => this.rest(), { passive: true });
    window.addEventListener("pageshow", () => (this.isLeft = false));
    this.grown();
  }

  get images() {
    return [...this.list.querySelectorAll(".hung > a")];
  }

  get columns() {
    return getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
  }

  // One image can be reached by Tab, the others from there by arrows.
  makeCurrent(link) {
    if (!link) return;
    if (this.current) this.current.tabIndex = -1;
    this.current = link;
    link.tabIndex = 0;
  }

  grown() {
    const images = this.images;
    for (const link of images) if (link !== this.current) link.tabIndex = -1;
    if (!this.current?.isConnected) this.makeCurrent(images[0]);
    this.ends.disconnect();
    for (const end of this.list.querySelectorAll(".turn > a")) this.ends.observe(end);
  }

  near(entries) {
    for (const { target, isIntersecting } of entries) {
      if (target.id === "later" && isIntersecting) this.load("later");
      if (target.id !== "earlier") continue;
      if (isIntersecting && this.leftTop) this.load("earlier");
      if (!isIntersecting) this.leftTop = true;
    }
  }

  // Ask for the page before or after; whether one came.
  load(end) {
    const link = document.getElementById(end);
    if (!link) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = (event) => {
        if (event.detail.elt !== link && event.detail.requestConfig?.elt !== link) return;
        document.body.removeEventListener("htmx:afterRequest", done);
        requestAnimationFrame(() => resolve(event.detail.successful));
      };
      document.body.addEventListener("htmx:afterRequest", done);
      htmx.trigger(link, "gallery:load");
    });
  }

  // What comes in above must not push away what is looked at.
  hold(event) {
    if (event.detail.requestConfig.elt.id !== "earlier") return;
    const seen = this.topmost();
    if (!seen) return;
    const before = seen.getBoundingClientRect().top;
    this.list.addEventListener("htmx:afterSwap", () => window.scrollBy(0, seen.getBoundingClientRect().top - before), { once: true });
  }

  topmost() {
    const hung = [...this.list.querySelectorAll(".hung")];
    return hung.find((one) => one.getBoundingClientRect().bottom > 0) ?? hung.at(-1);
  }

  walk(event) {
    const link = event.target.closest(".hung > a");
    const step = STEPS[event.key];
    if (!(link || event.target === this.list) || isModified(event) || !(step || event.key === "Home" || event.key === "End")) return;
    const images = this.images;
    const place = { Home: 0, End: images.length - 1 }[event.key] ?? images.indexOf(link) + step(this.columns);
    event.preventDefault();
    if (!link && step) return void this.topmost()?.querySelector("a").focus(); // whoever skipped to the wall stands before it
    images[place]?.focus();
  }

  // The page that is looked at stands in the address, the image and its height on the screen beside it.
  rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.isLeft || this.keep(this.topmost()), REST);
  }

  opened(event) {
    const hung = event.target.closest(".hung");
    if (!hung || isModified(event)) return;
    this.isLeft = true;
    this.keep(hung);
  }

  keep(hung) {
    if (!hung) return;
    const address = new URL(window.location.href);
    if (hung.dataset.page === "1") address.searchParams.delete("page");
    else address.searchParams.set("page", hung.dataset.page);
    const place = { id: hung.id, top: hung.getBoundingClientRect().top };
    history.replaceState({ ...history.state, place }, "", address);
  }

  async comeBack() {
    const place = history.state?.place;
    const hung = place && document.getElementById(place.id);
    if (!hung) return;
    const put = () => window.scrollBy({ top: hung.getBoundingClientRect().top - place.top, behavior: "instant" });
    put();
    this.makeCurrent(hung.querySelector("a"));
    if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") this.current.focus({ preventScroll: true });
    await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve)); // until htmx knows the links
    if (await this.load("earlier")) put();
  }
}

class Show {
  constructor(dialog, wall) {
    this.dialog = dialog;
    this.stage = dialog.querySelector(".show-stage");
    this.picture = dialog.querySelector("#show-picture");
    this.interval = dialog.querySelector("#show-interval");
    this.told = dialog.querySelector("#show-told");
    this.play = dialog.querySelector("[data-show=play]");
    this.wall = wall;
    this.place = 0;
    this.timer = null;
    this.deeds = {
      previous: () => this.step(-1),
      next: () => this.step(1),
      play: () => this.toggle(),
      whole: () => this.fillScreen(),
      close: () => this.dialog.close(),
    };
    dialog.addEventListener("click", (event) => this.deeds[event.target.closest("[data-show]")?.dataset.show]?.());
    dialog.addEventListener("keydown", (event) => this.press(event));
    dialog.addEventListener("close", () => this.leave());
    this.interval.addEventListener("change", () => this.timer && this.run());
    document.addEventListener("fullscreenchange", () => this.named());
    document.addEventListener("visibilitychange", () => document.hidden && this.rest());
    dialog.querySelector("[data-show=whole]").hidden = !document.fullscreenEnabled;
  }

  open() {
    const images = this.wall.images;
    const first = this.wall.topmost()?.querySelector("a");
    const current = this.wall.current?.matches(":focus") ? this.wall.current : first;
    this.place = Math.max(0, images.indexOf(current));
    this.dialog.showModal();
    this.play.focus();
    this.show();
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) this.rest();
    else this.run();
  }

  show() {
    const link = this.wall.images[this.place];
    const small = link.querySelector("img");
    const text = (name) => link.querySelector(`.${name}`).textContent;
    this.picture.src = link.dataset.large;
    this.picture.alt = small.alt;
    this.picture.classList.toggle("fine", small.classList.contains("fine"));
    for (const name of ["label", "confidence", "network"]) this.dialog.querySelector(`#show-${name}`).textContent = text(name);
    const number = Number(link.parentElement.id.replace("at-", "")) + 1;
    this.dialog.querySelector("#show-place").textContent = `${number.toLocaleString("en")} of ${Number(this.wall.list.dataset.total).toLocaleString("en")}`;
    this.dialog.querySelector("#show-link").href = link.href;
    const next = this.wall.images[this.place + 1];
    if (next) new Image().src = next.dataset.large;
    if (this.wall.images.length - this.place <= NEAR_THE_END) this.wall.load("later");
  }

  async step(by) {
    const before = this.wall.images[this.place];
    if (!this.wall.images[this.place + by]) await this.wall.load(by > 0 ? "later" : "earlier");
    const images = this.wall.images;
    const place = images.indexOf(before) + by;
    this.place = (place + images.length) % images.length;
    if (this.dialog.open) this.show();
    if (this.timer) this.run();
  }

  toggle() {
    if (this.timer) this.rest();
    else this.run();
  }

  run() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.step(1), Number(this.interval.value) * 1000);
    this.say(true);
  }

  rest() {
    clearTimeout(this.timer);
    this.timer = null;
    this.say(false);
  }

  say(isPlaying) {
    this.play.textContent = isPlaying ? "Pause" : "Play";
    this.told.setAttribute("aria-live", isPlaying ? "off" : "polite");
  }

  press(event) {
    if (isModified(event) || event.target === this.interval) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const isOnButton = event.target.closest("button, a");
    if (step) this.step(step);
    else if (event.key === " " && !isOnButton) this.toggle();
    else if (event.key === "f") this.fillScreen();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // A dialog cannot fill the screen itself; what it holds can.
  async fillScreen() {
    if (!document.fullscreenElement) return void this.stage.requestFullscreen?.().catch(() => {});
    this.staysOpen = true;
    await document.exitFullscreen();
  }

  named() {
    const isWhole = document.fullscreenElement === this.stage;
    this.dialog.querySelector("[data-show=whole]").textContent = isWhole ? "Leave full screen" : "Full screen";
    if (!isWhole && !this.staysOpen) this.dialog.close();
    this.staysOpen = false;
  }

  leave() {
    this.rest();
    if (document.fullscreenElement) document.exitFullscreen();
    const link = this.wall.images[this.place];
    link.scrollIntoView({ block: "nearest" });
    link.focus();
  }
}

// Folded filters stay folded from view to view.
function rememberFolds() {
  for (const facet of document.querySelectorAll(".facet")) {
    const name = `gallery-${facet.dataset.facet}`;
    const kept = sessionStorage.getItem(name);
    if (kept !== null && !facet.querySelector("[aria-current]")) facet.open = kept === "1";
    facet.querySelector("summary").addEventListener("click", () => sessionStorage.setItem(name, facet.open ? "0" : "1"));
  }
}

function leaveFilters(event) {
  if (event.key === "Escape" && window.location.hash === "#filters") window.location.hash = "#wall";
}

// "/" leads to the search from wherever nothing is being written.
function jump(event) {
  if (event.key !== "/" || isModified(event) || event.target.closest?.("input, select, textarea, dialog")) return;
  event.preventDefault();
  document.getElementById("gallery-text").select();
}

const tools = document.getElementById("gallery-tools");
const list = document.querySelector("ol#wall");
tools?.elements.sort.addEventListener("change", () => tools.requestSubmit());
document.addEventListener("keydown", leaveFilters);
document.addEventListener("keydown", jump);
rememberFolds();
if (list) {
  history.scrollRestoration = "manual";
  document.documentElement.style.overflowAnchor = "none"; // else the end of the page is held in place, and fetches without end
  const wall = new Wall(list);
  const show = new Show(document.getElementById("show"), wall);
  const start = document.getElementById("start-show");
  start.hidden = false;
  start.addEventListener("click", () => show.open());
  wall.comeBack();
}
