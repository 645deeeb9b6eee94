// The network of an image: drawn as a graph that one moves and zooms, and one of its weights swept at a time.
// The library that draws is fetched when the graph is there, so that a page without one never pays for it.

import { anchors, arrange, control, cutter, loaded, onScheme, opened, style } from "./network.js";

const SLOW_TO_TELL = 300; // milliseconds until the address follows the slider

let graph = null; // the drawing, once it is there

// ---- The drawing

async function draw(room) {
  const place = room.querySelector("#graph-drawing");
  const network = JSON.parse(document.querySelector("#graph-data").textContent);
  place.hidden = false;
  const known = loaded(room.dataset.sprite).then((sprite) => elements(network, sprite));
  graph = await opened(room, place, known, network.bound);
  graph.autoungrabify(true);
  arrange(graph, network.nodes.length, place);
  room.querySelector(".graph-tools").hidden = false;
  listen(room, place);
  if (room.dataset.chosen) mark(room.dataset.chosen);
}

function elements(network, sprite) {
  const cut = cutter(network, sprite);
  const nodes = network.nodes.map(([role, title], place) => ({
    data: { id: `${place}`, title, picture: cut(place) },
    classes: role,
  }));
  const edges = network.connections.map(([source, target, weight]) => ({
    data: { id: `${source}-${target}`, source: `${source}`, target: `${target}`, weight, size: Math.abs(weight) },
    classes: weight < 0 ? "negative" : "positive",
  }));
  const roles = network.nodes.map(([role], place) => [role, `${place}`]);
  return [...nodes, ...edges, ...whole(network, cut), ...anchors(roles)];
}

// The whole picture stands behind the outputs that make it up.
function whole(network, cut) {
  if (!network.hasPicture) return [];
  const last = network.nodes.length;
  const outputs = network.nodes.flatMap(([role], place) => (role === "output" ? [place] : []));
  return [
    { data: { id: "picture", title: "picture", picture: cut(last) }, classes: "output whole" },
    ...outputs.map((place) => ({ data: { source: `${place}`, target: "picture" }, classes: "reading" })),
  ];
}

function listen(room, place) {
  graph.on("tap", "edge", ({ target }) => !target.hasClass("reading") && choose(target.id()));
  graph.on("tap", "node", ({ target }) => follow(target));
  graph.on("tap", ({ target }) => target === graph && follow(null));
  graph.on("mouseover", "edge", () => (place.style.cursor = "pointer"));
  graph.on("mouseout", "edge", () => (place.style.cursor = ""));
  control(graph, room, place);
}

// Only what a node hears and what hears it stays bright.
function follow(node) {
  const told = document.querySelector(".graph-told");
  graph.edges().removeClass("aside");
  told.textContent = "";
  if (!node) return;
  graph.edges().not(node.connectedEdges()).addClass("aside");
  const [heard, hearing] = [node.incomers("edge").length, node.outgoers("edge").length];
  told.textContent = `${node.data("title")}: ${heard} in, ${hearing} out`;
}

function mark(edge) {
  document.querySelector("a[data-edge][aria-current]")?.removeAttribute("aria-current");
  document.querySelector(`a[data-edge="${edge}"]`)?.setAttribute("aria-current", "true");
  graph?.edges().removeClass("chosen");
  graph?.getElementById(edge).addClass("chosen");
}

// ---- One weight

async function choose(edge, value = null) {
  const { weights, light } = document.querySelector("#network").dataset;
  const query = new URLSearchParams(light);
  if (value !== null) query.set("value", value);
  await htmx.ajax("GET", `${weights}${edge}/?${query}`, { target: "#weight", swap: "outerHTML" }).catch(() => {});
  const weight = document.querySelector("#weight");
  if (weight.dataset.edge !== edge) {
    document.querySelector(".graph-told").textContent = "This connection cannot be shown at the moment.";
    return;
  }
  mark(edge);
  write({ edge, value });
  weight.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function prepare(weight) {
  const slider = weight.querySelector("#weight-value");
  if (!slider || weight.dataset.ready) return;
  weight.dataset.ready = "true";
  weight.querySelector(".weight-slider").hidden = false;
  slider.addEventListener("input", () => show(weight, Number(slider.value)));
  weight.querySelector("[data-deed=reset]").addEventListener("click", () => {
    show(weight, Number(slider.dataset.present));
    slider.focus();
  });
  weight.querySelector(".weight-strip").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-place]");
    if (!link || modified(event)) return;
    event.preventDefault();
    show(weight, Number(link.dataset.place));
  });
}

function show(weight, place) {
  const slider = weight.querySelector("#weight-value");
  const link = weight.querySelector(`a[data-place="${place}"]`);
  const words = link.querySelector(".weight-written").textContent;
  const picture = weight.querySelector(".weight-picture");
  slider.value = place;
  slider.setAttribute("aria-valuetext", words);
  weight.querySelector("output").textContent = words;
  picture.setAttribute("viewBox", link.dataset.box);
  picture.setAttribute("aria-label", `the picture with weight ${words}`);
  weight.querySelector(".weight-strip a[aria-current]")?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  const isPresent = place === Number(slider.dataset.present);
  weight.querySelector("[data-deed=reset]").disabled = isPresent;
  tell(place);
  write({ edge: weight.dataset.edge, value: isPresent ? null : link.dataset.value });
}

// What the classifier says of the picture that is shown, once it has said it.
function tell(place) {
  const said = document.querySelector("#weight-said");
  if (!said) return;
  const [x, words, remark] = JSON.parse(said.dataset.answers)[place];
  said.querySelector("strong").textContent = words;
  said.querySelector("span").textContent = remark;
  const curve = document.querySelector("#weight-mark");
  curve.setAttribute("d", curve.getAttribute("d").replace(/^M[-\d.]+/, `M${x}`));
}

let writing;

// Browsers allow an address to change only so often.
function write(changes) {
  clearTimeout(writing);
  writing = setTimeout(() => {
    const address = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) address.searchParams.delete(name);
      else address.searchParams.set(name, value);
    }
    history.replaceState(history.state, "", address);
  }, SLOW_TO_TELL);
}

const modified = (event) => event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0;

function pick(event) {
  const link = event.target.closest?.("a[data-edge]");
  if (!link || modified(event)) return;
  event.preventDefault();
  choose(link.dataset.edge).then(() => document.querySelector("#weight-value")?.focus({ preventScroll: true }));
}

// ---- Beginning

function begin() {
  const room = document.querySelector("#network");
  const weight = document.querySelector("#weight");
  if (weight) prepare(weight);
  if (room && !room.dataset.ready) {
    room.dataset.ready = "true";
    draw(room);
    takeUp(room);
  }
}

// As a part of another page the graph does not know what its address says.
function takeUp(room) {
  const told = new URLSearchParams(location.search);
  const edge = told.get("edge") ?? "";
  if (!room.dataset.chosen && document.getElementById(`edge-${edge}`)) choose(edge, told.get("value"));
}

// A curve that comes after the slider was moved begins where the slider is.
function catchUp(event) {
  const slider = document.querySelector("#weight-value");
  if (slider && event.target.id === "weight-answers") tell(Number(slider.value));
}

document.addEventListener("click", pick);
document.addEventListener("htmx:load", begin);
document.addEventListener("htmx:load", catchUp);
onScheme(() => {
  const network = document.querySelector("#graph-data");
  if (graph && network) graph.style(style(JSON.parse(network.textContent).bound));
});
begin();
