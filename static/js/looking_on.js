// The networks look on: asked once a litter is seen, heard by the socket, or by asking again where there is none.
// What is said of a litter that is no longer on the page is let pass; it is kept, and shown when one goes back there.

const CALM = 150; // milliseconds that a litter is seen before networks are asked
const TICK = 1000; // milliseconds
const SLOWLY = 5; // ticks between two questions while the socket is open: a bell may be lost
const AGAIN = 31; // ticks after which an answer counts as lost
const PATIENCE = 120; // ticks
const LONGEST_RECONNECT = 5000;
const UNFINISHED = ["waiting", "running"];

const byId = (id) => document.getElementById(id);
const tiles = () => byId("tiles");
const shown = () => tiles()?.dataset.number;

let calm = 0;
let ticks = 0;
let isOpen = false; // the socket
let watched = ""; // the attempt that this page saw going on

// Asking

function ask(method) {
  const litter = tiles();
  if (!litter) return;
  const address = `/breed/${litter.dataset.session}/${litter.dataset.number}/opinions/`;
  window.htmx.ajax(method, address, { source: byId("looking-on"), swap: "none" }).catch(() => {}); // the next time will tell
}

function askSoon() {
  const state = byId("looking-state");
  clearTimeout(calm);
  ticks = 0;
  if (state && state.dataset.litter !== shown()) {
    for (const part of state.querySelectorAll(".reached, .looking-waiting, .message")) part.remove();
    delete state.dataset.waiting;
  }
  calm = setTimeout(ask, CALM, "POST");
}

function tick() {
  const attempt = byId("attempt");
  if (!isOpen && UNFINISHED.includes(attempt?.dataset.status) && !document.hidden) askOfAttempt(attempt);
  const state = byId("looking-state");
  if (!state || !("waiting" in state.dataset)) return;
  ticks += 1;
  if (ticks === PATIENCE) giveUp(state);
  else if (!isOpen || ticks % SLOWLY === 0) ask(ticks % AGAIN === 0 ? "POST" : "GET");
}

function giveUp(state) {
  delete state.dataset.waiting;
  const waiting = state.querySelector(".looking-waiting");
  if (waiting) waiting.textContent = "No answer came within two minutes. The worker may be away; your pictures are not.";
}

function askOfAttempt(attempt) {
  window.htmx.ajax("GET", attempt.dataset.stateUrl, { source: attempt, target: attempt, swap: "outerHTML" }).catch(() => {});
}

// Hearing

function letPass(event) {
  const { fragment } = event.detail;
  const part = fragment.dataset ? fragment : fragment.firstElementChild;
  if (part?.dataset.litter && part.dataset.litter !== shown()) event.detail.shouldSwap = false;
}

// The choice of networks stays open while somebody makes it.
let isChoosing = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "looking-on") isChoosing = Boolean(byId("who")?.open);
});

function takeIn(part) {
  if (part.id === "networks" && isChoosing) byId("who").open = true;
  if (part.id === "looking-state") order(part);
  if (part.id === "networks") ask("POST");
  if (part.id === "attempt") follow(part);
}

// Whoever waits where the attempt began is shown what came of it; whoever went on stays there.
function follow(attempt) {
  const { status, result, from } = attempt.dataset;
  if (UNFINISHED.includes(status)) {
    watched = attempt.dataset.attempt;
    return;
  }
  const isNews = watched === attempt.dataset.attempt;
  watched = "";
  if (isNews && result && from === shown()) byId("attempt-result")?.click();
}

// Tiles stand by their confidence in the target, or by their places. What has the focus keeps it.
function order(state) {
  const litter = tiles();
  if (!litter || state.dataset.litter !== shown()) return;
  const before = [...litter.children];
  const after = [...before].sort("sorts" in state.dataset ? bySureness : byPlace);
  if (after.every((tile, index) => tile === before[index])) return;
  const focused = document.activeElement;
  litter.append(...after);
  if (litter.contains(focused)) focused.focus({ preventScroll: true });
  document.body.dispatchEvent(new CustomEvent("litter:sorted"));
}

const byPlace = (one, other) => one.dataset.place - other.dataset.place;
const sureness = (tile) => Number(tile.querySelector(".aim")?.dataset.confidence ?? -1);
const bySureness = (one, other) => sureness(other) - sureness(one) || byPlace(one, other);

// Choosing

async function offerLabels(event) {
  const list = byId("target-labels");
  if (event.target.id !== "target" || !list.dataset.labels) return;
  const address = list.dataset.labels;
  list.dataset.labels = "";
  const answer = await fetch(address).catch(() => null);
  if (answer?.ok) list.innerHTML = await answer.text();
  else list.dataset.labels = address;
}

// The button stands outside of what a step exchanges: its attempt begins at the litter that is seen.
function fromHere(event) {
  if (event.detail.elt.id !== "attempt-begin") return;
  event.detail.path = event.detail.path.replace(/\d+\/attempt\/$/, `${shown()}/attempt/`);
}

window.htmx.config.wsReconnectDelay = (retries) => Math.random() * Math.min(LONGEST_RECONNECT, 500 * 2 ** retries);
window.htmx.onLoad(takeIn);
setInterval(tick, TICK);
document.body.addEventListener("litter:shown", askSoon);
document.addEventListener("focusin", offerLabels);
document.addEventListener("htmx:configRequest", fromHere);
document.addEventListener("htmx:oobBeforeSwap", letPass);
document.addEventListener("htmx:wsOpen", () => {
  isOpen = true;
});
document.addEventListener("htmx:wsClose", () => {
  isOpen = false;
});
if (byId("attempt")) follow(byId("attempt"));
if (tiles()?.dataset.told) askSoon(); // it was shown before this script came
