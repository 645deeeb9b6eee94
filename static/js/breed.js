// Breeding: pictures are picked and stepped on by key, and looked at alone; finer pictures follow once there is time.
// `litter:shown` tells other scripts which litter is on the page; `litter:sorted` tells this one that tiles changed places.

const COARSE = 140; // device pixels a side of a tile, above which the finer sheet is worth its bytes
const CALM = 350; // milliseconds without another litter, until the finer sheet is asked for
const HOLD = 500; // milliseconds of a touch that is not a tap
const KEYS_OFF = "breeding-keys-off";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TAKES_KEYS = "input:not([name=picked]), select, textarea, [contenteditable], dialog";
const STEPS = { x: "reroll", u: "back", U: "forward", m: "recolour" };

const byId = (id) => document.getElementById(id);
const tiles = () => [...document.querySelectorAll("#tiles .tile")];
const picker = (tile) => tile.querySelector("[name=picked]");
const keyOf = (tile) => tile.querySelector(".tile-key")?.textContent;

let calm = 0;
let shown = "";

// What is shown

function tellShown() {
  const litter = byId("tiles");
  if (!litter) return;
  const { session, number, fine } = litter.dataset;
  if (shown === `${session} ${number}` && litter.dataset.told) return;
  shown = `${session} ${number}`;
  litter.dataset.told = "yes";
  const detail = { session, number: Number(number) };
  document.body.dispatchEvent(new CustomEvent("litter:shown", { bubbles: true, detail }));
  showHere();
  clearTimeout(calm);
  if (fine) calm = setTimeout(() => refine(litter, fine), CALM);
}

async function refine(litter, address) {
  const pictures = [...litter.querySelectorAll(".cut img")];
  const side = (pictures[0]?.parentElement.clientWidth ?? 0) * devicePixelRatio;
  if (side <= COARSE) return;
  const sheet = new Image();
  sheet.src = address;
  try {
    await sheet.decode();
  } catch {
    return; // the coarser ones stay
  }
  if (!litter.isConnected) return;
  for (const picture of pictures) picture.src = address;
}

function showHere() {
  const steps = byId("way-steps");
  const here = steps?.querySelector("[aria-current]");
  if (here) steps.scrollLeft = here.offsetLeft - steps.offsetLeft - (steps.clientWidth - here.offsetWidth) / 2;
}

// Tiles that stand in another order are picked by the keys of their new places.
function relabel() {
  const keys = tiles().map((tile) => [tile, Number(tile.dataset.place)]);
  const inOrder = [...keys].sort(([, one], [, other]) => one - other).map(([tile]) => tile.dataset.key ?? keyOf(tile));
  for (const [tile] of keys) tile.dataset.key ??= keyOf(tile);
  keys.forEach(([tile], index) => (tile.querySelector(".tile-key").textContent = inOrder[index]));
}

// Keys

function press(event) {
  const modified = event.altKey || event.ctrlKey || event.metaKey;
  if (modified || event.defaultPrevented || event.target.closest?.(TAKES_KEYS) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") return openKeys();
  if (localStorage.getItem(KEYS_OFF)) return;
  if (does(event)) event.preventDefault();
}

function does(event) {
  const { key, target } = event;
  const tile = target.closest?.(".tile");
  const onPicker = target.matches?.("[name=picked]");
  if (ARROWS[key]) return (onPicker || target === document.body || target.matches?.("#main")) && walk(tile, ARROWS[key]);
  if (key === "Enter") return onPicker && toggle(tile);
  if (key === " ") return (onPicker || !target.closest?.("a, button, summary, [tabindex='0']")) && space(event, tile);
  if (event.repeat) return false;
  if (STEPS[key]) return step(STEPS[key]);
  if (key === "v") return look(tile ?? tiles().find((one) => picker(one).checked) ?? tiles()[0]);
  const keyed = tiles().find((one) => keyOf(one) === key);
  return keyed ? toggle(keyed) : false;
}

function space(event, tile) {
  if (event.repeat) return true;
  if (tile && !tiles().some((one) => picker(one).checked)) return toggle(tile);
  return step("evolve");
}

function toggle(tile) {
  const box = picker(tile);
  box.checked = !box.checked;
  box.focus({ preventScroll: true, focusVisible: false });
  box.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

function step(name) {
  const button = byId(name);
  if (button && !button.disabled) button.click();
  return true;
}

function walk(tile, [across, down]) {
  const all = tiles();
  const columns = getComputedStyle(byId("tiles")).gridTemplateColumns.split(" ").length;
  const next = tile ? all.indexOf(tile) + across + down * columns : 0;
  if (all[next]) picker(all[next]).focus({ focusVisible: true });
  return true;
}

function openKeys() {
  byId("keys-on").checked = !localStorage.getItem(KEYS_OFF);
  byId("keys").showModal();
}

function switchKeys(event) {
  if (event.target.id !== "keys-on") return;
  if (event.target.checked) localStorage.removeItem(KEYS_OFF);
  else localStorage.setItem(KEYS_OFF, "yes");
}

// One picture alone

function look(tile) {
  if (!tile) return false;
  const number = Number(tile.dataset.place) + 1;
  const ways = [...tile.querySelectorAll(".tile-menu a:not(.look)")];
  byId("large-title").textContent = `Picture ${number}`;
  byId("large-picture").src = tile.dataset.large;
  byId("large-picture").alt = `picture ${number} of litter ${byId("tiles").dataset.number}, large`;
  byId("large-picture").classList.toggle("fine", !byId("tiles").classList.contains("pixelated"));
  byId("large-ways").replaceChildren(...ways.map((way) => way.cloneNode(true)));
  tile.querySelector(".tile-menu").open = false;
  byId("large").showModal();
  return true;
}

function click(event) {
  if (event.target.id === "keys-way") return openKeys();
  if (event.target.matches("dialog")) return event.target.close(); // its backdrop
  const way = event.target.closest("a.look");
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!way || modified) return;
  event.preventDefault();
  look(way.closest(".tile"));
}

let held = 0;
let wasHeld = false;

function touch(event) {
  const tile = event.target.closest?.(".tile-pick")?.closest(".tile");
  wasHeld = false;
  if (!tile || event.pointerType !== "touch") return;
  held = setTimeout(() => (wasHeld = look(tile)), HOLD);
}

function letGo() {
  clearTimeout(held);
}

// A long touch looks at a picture, and does not pick it as well.
function keepUnpicked(event) {
  if (!wasHeld) return;
  wasHeld = false;
  event.preventDefault();
  event.stopPropagation();
}

// What the server says

const TOLD = {
  403: "This session is not yours any more in this browser: load the page again, or sign in.",
  404: "This litter is not here any more: load the page again.",
};

function showRefusal(event) {
  const { xhr } = event.detail;
  if (!xhr.getResponseHeader("HX-Retarget")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
}

// What was said of a step that could not be taken is over once something is picked.
function forgive(event) {
  const complaint = byId("complaint");
  if (event.target.name === "picked" && event.target.checked && complaint) complaint.hidden = true;
}

function complain(event) {
  const complaint = byId("complaint");
  const status = event.detail.xhr?.status;
  if (!event.detail.elt.closest("#step, #way") || !complaint) return;
  complaint.textContent = TOLD[status] ?? "The site does not answer. Your pictures are kept; try again in a moment.";
  complaint.className = "message error";
  complaint.hidden = false;
}

document.addEventListener("change", forgive);
document.addEventListener("DOMContentLoaded", () => {
  byId("keys-way").hidden = false;
  tellShown();
});
document.addEventListener("keydown", press);
document.addEventListener("change", switchKeys);
document.addEventListener("click", keepUnpicked, true);
document.addEventListener("click", click);
document.addEventListener("dblclick", (event) => look(event.target.closest(".tile-pick")?.closest(".tile")));
document.addEventListener("pointerdown", touch);
for (const name of ["pointerup", "pointercancel", "pointermove"]) document.addEventListener(name, letGo);
document.addEventListener("contextmenu", (event) => wasHeld && event.preventDefault());
document.addEventListener("htmx:afterSettle", tellShown);
document.addEventListener("htmx:historyRestore", tellShown);
document.addEventListener("htmx:beforeSwap", showRefusal);
document.addEventListener("htmx:responseError", complain);
document.addEventListener("htmx:sendError", complain);
document.body.addEventListener("litter:sorted", relabel);
