// The run page while it lives. The server sends finished fragments and htmx puts them in their places; this module
// draws the chart, hands the champions of many classes to the wall and the heat map, asks for what changed while the socket is down, says when the run is no longer to be seen, keeps
// the focus where it was, and tells a screen reader the little it needs.

import { Chart } from "./chart.js";
import { HeatMap } from "./heatmap.js";
import { Wall, championsIn } from "./wall.js";

const ASK_EVERY = 3000; // milliseconds, while the socket is down
const LONGEST_RECONNECT = 5000;
const REFUSED = 4000; // from here on a socket's close code is the server's own: asking again would not help
const NOT_FOUND = 404;
const AFTER_CONTROLS = "control-clone"; // is there whatever the status
const UNFINISHED = ["pending", "queued", "running", "paused"];

const page = document.getElementById("run");
const lost = document.getElementById("connection-lost");
const refused = document.getElementById("connection-refused");
const summary = document.getElementById("summary");
const cells = document.getElementById("cells");
const chart = new Chart(document.getElementById("chart"), document.getElementById("legend"));
let since = -1;
let asking = null;
let told = { status: "", tenths: 0 };
let focused = "";
let wall = null;
let map = null;

function read(statistics) {
  chart.add(JSON.parse(statistics.dataset.columns));
  since = Math.max(since, Number(statistics.dataset.generation), chart.generation);
}

function tell(progress) {
  const { status, progress: share } = progress.dataset;
  const tenths = Math.floor(Number(share) * 10);
  if (told.status && (status !== told.status || tenths !== told.tenths)) {
    summary.textContent = `${status}, ${tenths * 10} % of the generations done`;
  }
  told = { status, tenths };
  if (!UNFINISHED.includes(status)) stopAsking();
  if (!UNFINISHED.includes(status)) map?.end();
}

function ask() {
  const answer = window.htmx.ajax("GET", `${page.dataset.advance}?since=${since}`, { source: page, swap: "none" });
  answer.catch(() => {}); // the server is still away; the next time will tell
}

function startAsking(event) {
  if (event.detail.event?.code >= REFUSED) refuse();
  if (asking || !refused.hidden || !UNFINISHED.includes(told.status)) return;
  lost.hidden = false;
  asking = setInterval(ask, ASK_EVERY);
}

function stopAsking() {
  clearInterval(asking);
  asking = null;
  lost.hidden = true;
}

function refuse() {
  stopAsking();
  refused.hidden = false;
}

function refuseWhatIsGone(event) {
  if (event.detail.xhr.status === NOT_FOUND) refuse();
}

// A socket that opens again asks from where this page stands, not from where it was loaded.
function openSocket(address) {
  const url = new URL(address);
  url.searchParams.set("since", since);
  return new WebSocket(url);
}

// A part that says the same as before stays, so that no button is replaced under a finger.
function keepUnchanged(event) {
  const { target, fragment } = event.detail;
  const state = target.dataset.state;
  if (state && state === fragment.firstElementChild?.dataset.state) event.detail.shouldSwap = false;
}

// The socket may replace a button before the button's own answer arrives, which then says nothing new.
function skipOldNews(event) {
  if (!event.detail.requestConfig.elt.isConnected) event.detail.shouldSwap = false;
}

// The old picture shows through until the new one has arrived, so that nothing flickers.
function keepPicture(event) {
  const before = event.detail.target.querySelector("img.evolved");
  const after = event.detail.fragment.querySelector("img.evolved");
  if (before && after) after.style.backgroundImage = `url("${before.src}")`;
}

function rememberFocus(event) {
  if (event.detail.target.contains(document.activeElement)) focused = document.activeElement.id;
}

function restoreFocus() {
  if (focused) (document.getElementById(focused) ?? document.getElementById(AFTER_CONTROLS)).focus({ preventScroll: true });
  focused = "";
}

// Runs of many classes carry their champions as numbers, of which this page makes the wall and the map.
function build() {
  const classes = JSON.parse(document.getElementById("classes").textContent);
  const room = document.getElementById("wall");
  const section = document.getElementById("view-map");
  wall = new Wall(room, document.getElementById("wall-tools"), document.getElementById("views"), classes);
  map = new HeatMap(section, wall.run, classes, Number(section.dataset.generations));
  const champions = championsIn(cells.dataset.lines);
  wall.take(champions, false);
  if (wall.milestone >= 0) map.load(`${wall.run}heatmap/${wall.milestone}.bin`, Number(cells.dataset.generation), champions);
  document.addEventListener("run:view", () => map.draw());
}

function hang(news) {
  const champions = championsIn(news.dataset.lines);
  wall.take(champions, true);
  map.add(Number(news.dataset.generation), champions);
}

function takeIn(part) {
  if (part.id === "cells") hang(part);
  if (part.id === "statistics") read(part);
  if (part.id === "progress") tell(part);
}

window.htmx.createWebSocket = openSocket;
window.htmx.config.wsReconnectDelay = (retries) => Math.random() * Math.min(LONGEST_RECONNECT, 500 * 2 ** retries);
window.htmx.onLoad(takeIn);
document.addEventListener("htmx:beforeSwap", skipOldNews);
document.addEventListener("htmx:oobBeforeSwap", keepUnchanged);
document.addEventListener("htmx:oobBeforeSwap", keepPicture);
document.addEventListener("htmx:oobBeforeSwap", rememberFocus);
document.addEventListener("htmx:oobAfterSwap", restoreFocus);
document.addEventListener("htmx:wsOpen", stopAsking);
document.addEventListener("htmx:wsClose", startAsking);
document.addEventListener("htmx:wsError", startAsking);
document.addEventListener("htmx:responseError", refuseWhatIsGone);
if (cells) build();
chart.offer(document.querySelectorAll("[name=chart-scale]"));
takeIn(document.getElementById("statistics"));
takeIn(document.getElementById("progress"));
