// The genome editor: a network is changed in its graph or in its tables, and the picture follows at once.
// What was changed is a list of deeds, done one after another to the genome that the page came with. Undoing goes
// back in the list; the tab remembers it, so that loading the page again loses nothing.

import { DEEDS, edgeIn, edgeTitle, genomeOf, inOrder, nodeIn, stateOf, titleOf } from "./genome.js";
import { anchors, arrange, control, cutter, loaded, onScheme, opened, style } from "./network.js";

const GAP = 120; // milliseconds between two pictures that are asked for: so many a minute are drawn for an address
const QUIET = 400; // milliseconds without a change until the pictures of the nodes follow
const TOGETHER = 700; // milliseconds within which changes of one weight are undone as one
const AGAIN = 5000; // milliseconds until a picture that could not be had is asked for again
const BELOW = 125; // units that a new node stands below the middle of those that it is connected with
const FINE = 2; // digits of a weight in words
const KEYS_OFF = "breeding-keys-off"; // as breed.js has it
const TAKES_KEYS = "input:not([type=range]), select, textarea, [contenteditable]";

const byId = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const form = byId("editor");
const network = form && JSON.parse(byId("graph-data").textContent);

// ---- What was done

let base; // the genome that the page came with
let states = []; // before the first deed, and after each
let deeds = [];
let at = 0; // how many of the deeds are done
let trial = null; // a state that is being tried, while a slider moves
let lastDone = 0;

const now = () => trial ?? states[at];

const done = (state, [name, ...words]) => (name === "reset" ? states[0] : DEEDS[name](state, ...words));

// Does a deed, or says why not.
function attempt(name, ...words) {
  trial = null;
  try {
    const state = done(states[at], [name, ...words]);
    if (isSameWeight(name, words[0])) at -= 1;
    states = [...states.slice(0, at + 1), state];
    deeds = [...deeds.slice(0, at), [name, ...words]];
  } catch (error) {
    complain(error.message);
    show();
    return false;
  }
  at += 1;
  lastDone = Date.now();
  complain("");
  remember();
  show();
  return true;
}

function isSameWeight(name, id) {
  const last = deeds[at - 1];
  return name === "weight" && last?.[0] === name && last[1] === id && Date.now() - lastDone < TOGETHER;
}

function go(by) {
  const there = at + by;
  if (there < 0 || there >= states.length) return;
  [trial, at, lastDone] = [null, there, 0];
  complain("");
  remember();
  show();
}

function remember() {
  try {
    sessionStorage.setItem(form.dataset.address, JSON.stringify({ base, deeds, at }));
  } catch {
    // full or forbidden: the page goes on without
  }
}

function recall() {
  base = JSON.parse(byId("genome").value);
  states = [stateOf(base, network)];
  try {
    const kept = JSON.parse(sessionStorage.getItem(form.dataset.address));
    if (!kept) return;
    const before = base;
    base = kept.base;
    states = [stateOf(base, network)];
    for (const deed of kept.deeds) states.push(done(states.at(-1), deed));
    [deeds, at] = [kept.deeds, kept.at];
    if (JSON.stringify(genomeOf(states[at], base)) === JSON.stringify(before)) drawn = states[at];
  } catch {
    base = JSON.parse(byId("genome").value);
    [states, deeds, at] = [[stateOf(base, network)], [], 0];
  }
}

// ---- The picture, and those of the nodes

let drawn = null; // the state of the picture that is shown
let isDrawing = false;
let quiet;
let pictures = new Map(); // of nodes, by id

async function asked(what, state) {
  const headers = { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) };
  const body = JSON.stringify(genomeOf(state, base));
  const answer = await fetch(`${form.dataset.address}${what}/`, { method: "POST", headers, body }).catch(() => null);
  if (!answer) throw new Error("The site cannot be reached. The picture follows as soon as it can.");
  if (!answer.ok) throw new Error(answer.status === 422 || answer.status === 429 ? await answer.text() : WRONG);
  return inline(await answer.blob());
}

const WRONG = "This picture cannot be drawn at the moment.";

function inline(blob) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
}

// One picture at a time is asked for; of those wanted meanwhile only the last.
async function draw() {
  if (isDrawing) return;
  isDrawing = true;
  while (drawn !== now()) {
    const state = now();
    const begun = performance.now();
    try {
      byId("picture").src = await asked("picture", state);
      drawn = state;
      clearTimeout(quiet);
      quiet = setTimeout(drawNodes, QUIET);
      await pause(GAP - (performance.now() - begun));
    } catch (error) {
      complain(error.message);
      await pause(AGAIN);
    }
  }
  isDrawing = false;
}

async function drawNodes() {
  const state = now();
  const sprite = await asked("nodes", state).then(loaded, () => null);
  if (!sprite) return;
  const cut = cutter({ tile: network.tile, columns: Math.ceil(Math.sqrt(state.nodes.length + 1)) }, sprite);
  pictures = new Map(inOrder(state).map((id, place) => [id, cut(place)]));
  for (const row of byId("nodes").rows) showPicture(row);
  graph?.nodes().forEach((node) => void (pictures.has(node.id()) && node.data("picture", pictures.get(node.id()))));
  showChosen();
}

function showPicture(row) {
  const picture = pictures.get(row.dataset.node);
  if (!picture) return;
  const shown = row.querySelector("img") ?? row.querySelector(".edit-picture").appendChild(new Image());
  shown.alt = "";
  shown.src = picture;
}

// ---- What the page shows

function complain(sentence) {
  byId("complaint").hidden = !sentence;
  byId("complaint").textContent = sentence;
}

function show() {
  const state = now();
  showRows(byId("nodes"), state.nodes, "node", (row, node) => fillNode(row, node));
  showRows(byId("connections"), state.edges, "edge", (row, edge) => fillEdge(row, state, edge));
  showChoices(state);
  showChosen();
  showGraph(state);
  byId("undo").disabled = at === 0;
  byId("redo").disabled = at === states.length - 1;
  byId("reset").disabled = states[at] === states[0];
  byId("keep").disabled = states[at] === states[0];
  byId("told").textContent = states[at] === states[0] ? "" : "Changed. “Keep” adds a litter with it.";
  byId("genome").value = JSON.stringify(genomeOf(states[at], base));
  requestAnimationFrame(draw);
}

// Rows are made and taken away as the parts of the genome are, and stay where they are otherwise.
function showRows(body, parts, kind, fill) {
  const rows = new Map([...body.rows].map((row) => [row.dataset[kind], row]));
  let last = null;
  for (const part of parts) {
    const row = rows.get(part.id) ?? newRow(kind, part.id);
    rows.delete(part.id);
    const follower = last ? last.nextElementSibling : body.firstElementChild;
    if (row !== follower) body.insertBefore(row, follower);
    fill(row, part);
    last = row;
  }
  for (const row of rows.values()) row.remove();
}

function newRow(kind, id) {
  const row = byId(kind === "node" ? "node-row" : "connection-row").content.querySelector("tr").cloneNode(true);
  row.dataset[kind] = id;
  return row;
}

function fillNode(row, node) {
  const title = titleOf(node);
  const select = row.querySelector("select");
  if (select && select.value !== node.function) select.value = node.function;
  if (row.dataset.title === title) return;
  row.dataset.title = title;
  row.querySelector("[data-title]").textContent = title;
  select?.setAttribute("aria-label", `Function of ${title}`);
  row.querySelector("button")?.setAttribute("aria-label", `Remove ${title}`);
  showPicture(row);
}

function fillEdge(row, state, edge) {
  const title = edgeTitle(state, edge);
  const field = row.querySelector("input");
  fillNumber(field, edge.weight);
  if (row.dataset.title === title) return;
  row.dataset.title = title;
  row.querySelector("[data-title]").textContent = title;
  field.setAttribute("aria-label", `Weight of ${title}`);
  row.querySelector("[data-deed=insert]").setAttribute("aria-label", `Insert a node into ${title}`);
  row.querySelector("[data-deed=remove-connection]").setAttribute("aria-label", `Remove ${title}`);
}

// A field in which somebody writes is left alone.
function fillNumber(field, weight) {
  if (trial && field === document.activeElement) return;
  field.removeAttribute("aria-invalid");
  if (field.valueAsNumber !== weight) field.value = weight;
}

function showChoices(state) {
  fillChoices(byId("new-source"), state.nodes.filter((node) => node.role !== "output"));
  fillChoices(byId("new-target"), state.nodes.filter((node) => node.role !== "input"));
}

function fillChoices(select, nodes) {
  const told = nodes.map((node) => `${node.id} ${titleOf(node)}`).join("\n");
  if (select.dataset.told === told) return;
  const chosen = select.value;
  select.dataset.told = told;
  select.replaceChildren(...nodes.map((node) => new Option(titleOf(node), node.id)));
  if (nodes.some((node) => node.id === chosen)) select.value = chosen;
}

// ---- What is chosen

let chosen = { node: null, edge: null };
let connecting = null; // { from: id or null } while a connection is being made

function choose(part) {
  chosen = { node: null, edge: null, ...part };
  graph?.elements().removeClass("chosen");
  graph?.getElementById(chosen.node ?? chosen.edge ?? "").addClass("chosen");
  for (const row of form.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
  rowOf(chosen)?.classList.add("chosen");
  showChosen();
}

const rowOf = ({ node, edge }) =>
  form.querySelector(node ? `tr[data-node="${node}"]` : edge ? `tr[data-edge="${edge}"]` : "tr.none");

function showChosen() {
  const state = now();
  const [node, edge] = [nodeIn(state, chosen.node), edgeIn(state, chosen.edge)];
  byId("chosen-none").hidden = Boolean(node || edge || connecting);
  byId("chosen-node").hidden = !node;
  byId("chosen-connection").hidden = !edge;
  if (node) showNode(node);
  if (edge) showEdge(state, edge);
}

function showNode(node) {
  const room = byId("chosen-node");
  byId("chosen-node-title").textContent = titleOf(node);
  byId("chosen-node-picture").hidden = !pictures.has(node.id);
  if (pictures.has(node.id)) byId("chosen-node-picture").src = pictures.get(node.id);
  room.querySelector(".chosen-function").hidden = node.role === "input";
  room.querySelector("select").value = node.function ?? "";
  room.querySelector("[data-deed=remove-node]").hidden = node.role !== "hidden";
  room.querySelector("[data-deed=connect-from]").hidden = node.role === "output";
}

function showEdge(state, edge) {
  byId("chosen-connection-title").textContent = edgeTitle(state, edge);
  fillNumber(byId("weight"), edge.weight);
  if (document.activeElement !== byId("slide") || !trial) byId("slide").value = edge.weight;
  byId("slide").setAttribute("aria-valuetext", edge.weight.toFixed(FINE));
}

// ---- What people press

function partOf(element) {
  const row = element.closest("tr");
  return row ? { node: row.dataset.node, edge: row.dataset.edge } : chosen;
}

const PRESSED = {
  "remove-node": ({ node }) => removed("remove", node),
  "remove-connection": ({ edge }) => removed("cut", edge),
  insert: ({ edge }) => attempt("insert", edge, byId("new-function").value) && chooseNewest(),
  "add-node": () => attempt("add", byId("new-function").value) && chooseNewest(),
  connect: () => connected(byId("new-source").value, byId("new-target").value, byId("new-weight").valueAsNumber),
  "connect-from": ({ node }) => beginConnecting(node),
};

const chooseNewest = () => choose({ node: `${now().next - 1}` });

function removed(deed, id) {
  if (attempt(deed, id)) choose({});
}

function connected(source, target, weight = 1) {
  if (!isWeight(weight)) return complain(told());
  if (attempt("connect", source, target, weight)) choose({ edge: `${source}-${target}` });
}

const isWeight = (weight) => Math.abs(weight) <= network.bound;
const told = () => `A weight is a number from −${network.bound} to ${network.bound}.`;

function press(event) {
  const button = event.target.closest("button");
  const deed = PRESSED[button?.dataset.deed];
  if (!deed) return;
  event.preventDefault();
  const row = button.closest("tr");
  const beside = row?.nextElementSibling ?? row?.previousElementSibling;
  deed(partOf(button));
  if (!button.isConnected) (rowOf(chosen) ?? beside)?.querySelector("select, input, button")?.focus();
  else if (button.closest("[hidden]")) (chosen.node ? byId("chosen-node").querySelector("select") : byId("graph-drawing")).focus();
}

// While a slider or a number moves its weight is tried; it is changed when it comes to rest.
function change(event) {
  const field = event.target;
  const { node, edge } = partOf(field);
  if (field.dataset.deed === "function" && event.type === "change") attempt("function", node, field.value);
  if (field.dataset.deed !== "weight") return;
  const weight = field.valueAsNumber;
  if (!isWeight(weight)) {
    field.setAttribute("aria-invalid", "true");
    if (event.type === "change") refuse(field, edge);
  } else if (event.type === "change") {
    if (edgeIn(states[at], edge).weight === weight) leave();
    else attempt("weight", edge, weight);
  } else {
    field.removeAttribute("aria-invalid");
    trial = DEEDS.weight(states[at], edge, weight);
    show();
  }
}

function refuse(field, edge) {
  complain(told());
  field.value = edgeIn(states[at], edge).weight;
  leave();
}

function leave() {
  trial = null;
  show();
}

function beginConnecting(from) {
  connecting = { from };
  byId("connect").setAttribute("aria-pressed", "true");
  const node = nodeIn(now(), from);
  byId("told").textContent = node
    ? `Choose in the graph where the connection from ${titleOf(node)} ends.`
    : "Choose in the graph where the connection begins.";
  byId("graph-drawing").classList.add("connecting");
}

function endConnecting() {
  connecting = null;
  byId("connect").setAttribute("aria-pressed", "false");
  byId("graph-drawing").classList.remove("connecting");
  show();
}

function tapNode(id) {
  if (!connecting) return choose({ node: id });
  const { from } = connecting;
  choose({ node: id });
  if (from === null) return beginConnecting(id);
  endConnecting();
  connected(from, id);
}

const KEYS = { u: () => go(-1), U: () => go(1), c: () => toggleConnecting(), Escape: () => connecting && endConnecting() };

function toggleConnecting() {
  if (connecting) endConnecting();
  else beginConnecting(null);
}

function key(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest?.(TAKES_KEYS)) return;
  if (event.key !== "Escape" && localStorage.getItem(KEYS_OFF)) return;
  const isRemoval = event.key === "Delete" && !event.target.closest?.("tr");
  if (!KEYS[event.key] && !isRemoval) return;
  event.preventDefault();
  if (isRemoval) remove();
  else KEYS[event.key]();
}

function remove() {
  if (chosen.edge) PRESSED["remove-connection"](chosen);
  else if (nodeIn(now(), chosen.node)?.role === "hidden") PRESSED["remove-node"](chosen);
}

// ---- The graph

let graph = null;
const positions = new Map(); // of nodes that were there: undone, they come back where they were

const nodeElement = (node) => ({
  group: "nodes",
  data: { id: node.id, title: titleOf(node), picture: pictures.get(node.id) },
  classes: node.role,
});
const edgeElement = (edge) => ({
  group: "edges",
  data: { ...edge, size: Math.abs(edge.weight) },
  classes: edge.weight < 0 ? "negative" : "positive",
});

async function open() {
  const [room, place] = [byId("network"), byId("graph-drawing")];
  room.hidden = false;
  const state = now();
  const elements = [...state.nodes.map(nodeElement), ...state.edges.map(edgeElement), ...tied(state)];
  graph = await opened(room, place, elements, network.bound);
  arrange(graph, state.nodes.length, place);
  control(graph, room, place);
  graph.on("tap", "node", ({ target }) => tapNode(target.id()));
  graph.on("tap", "edge", ({ target }) => choose({ edge: target.id() }));
  graph.on("tap", ({ target }) => target === graph && choose({}));
  graph.on("drag", "node", ({ target }) => target.connectedEdges().removeData("weights distances"));
  graph.on("mouseover", "node, edge", () => (place.style.cursor = "pointer"));
  graph.on("mouseout", "node, edge", () => (place.style.cursor = ""));
  room.dataset.ready = "true";
  show();
  choose(chosen);
}

const tied = (state) => anchors(state.nodes.map((node) => [node.role, node.id]));

function showGraph(state) {
  if (!graph) return;
  const wanted = new Set([...state.nodes, ...state.edges].map(({ id }) => id));
  graph.batch(() => {
    graph.nodes().forEach((node) => void positions.set(node.id(), { ...node.position() }));
    graph.elements().filter((element) => !wanted.has(element.id())).remove();
    state.nodes.forEach((node) => showInGraph(nodeElement(node), placeOf(state, node)));
    state.edges.forEach((edge) => showInGraph(edgeElement(edge)));
  });
}

function showInGraph(element, position) {
  const there = graph.getElementById(element.data.id);
  if (there.empty()) {
    graph.add({ ...element, position });
    return;
  }
  const { title, weight, size } = element.data;
  if (title !== undefined && there.data("title") !== title) there.data("title", title);
  if (weight === undefined || there.data("weight") === weight) return;
  there.data({ weight, size }).toggleClass("negative", weight < 0).toggleClass("positive", weight >= 0);
}

// A new node comes where it was, or beside the middle of those that it is connected with, or in the middle of sight.
function placeOf(state, { id }) {
  if (positions.has(id)) return positions.get(id);
  const beside = state.edges
    .filter(({ source, target }) => source === id || target === id)
    .map(({ source, target }) => positions.get(source === id ? target : source))
    .filter(Boolean);
  const { x1, x2, y1, y2 } = graph.extent();
  if (!beside.length) return { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
  const mean = (axis) => beside.reduce((sum, position) => sum + position[axis], 0) / beside.length;
  return { x: mean("x"), y: mean("y") + BELOW };
}

function rearrange() {
  const state = now();
  graph.edges().removeData("weights distances");
  graph.add(tied(state));
  arrange(graph, state.nodes.length, byId("graph-drawing"));
}

// ---- Beginning

function begin() {
  // The form sends the genome as it has become; its tables are for those without scripts.
  for (const field of form.querySelectorAll("[name]:not([type=hidden])")) field.removeAttribute("name");
  byId("show").hidden = true;
  for (const id of ["undo", "redo", "reset"]) byId(id).hidden = false;
  drawn = null;
  recall();
  if (at === 0 && !deeds.length) drawn = states[0];
  if (drawn) quiet = setTimeout(drawNodes, 0);
  form.addEventListener("click", press);
  form.addEventListener("input", change);
  form.addEventListener("change", change);
  form.addEventListener("focusin", ({ target }) => target.closest("tr[data-node], tr[data-edge]") && choose(partOf(target)));
  form.addEventListener("submit", (event) => event.submitter?.id !== "keep" && event.preventDefault());
  byId("undo").addEventListener("click", () => go(-1));
  byId("redo").addEventListener("click", () => go(1));
  byId("reset").addEventListener("click", () => attempt("reset"));
  byId("connect").addEventListener("click", toggleConnecting);
  byId("arrange").addEventListener("click", rearrange);
  document.addEventListener("keydown", key);
  onScheme(() => graph?.style(style(network.bound)));
  show();
  open();
}

if (form) begin();
