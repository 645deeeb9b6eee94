// The network of an image: drawn as a graph that one moves and zooms, and one of its weights swept at a time.
// The library that draws is fetched when the graph is there, so that a page without one never pays for it.

const DARK = matchMedia("(prefers-color-scheme: dark)");
const NARROW = 640; // pixels: the graph then runs from top to bottom
const MANY = 150; // nodes: more are arranged in plain columns, which is quick
const ACROSS = 170; // units between columns of many nodes, and between the nodes of one
const ALONG = 125;
const STEP = 60; // pixels that an arrow key moves the graph
const ZOOM = 1.3; // of a key or a button
const LEAST_FIT = 0.35; // below it pictures say nothing: rather a part of the graph, large enough
const SLOW_TO_TELL = 300; // milliseconds until the address follows the slider
const ARROWS = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

let graph = null; // the drawing, once it is there

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// ---- The drawing

async function draw(room) {
  const place = room.querySelector("#graph-drawing");
  const network = JSON.parse(document.querySelector("#graph-data").textContent);
  place.hidden = false;
  const [{ default: cytoscape }, { default: dagre }, sprite] = await Promise.all([
    import(room.dataset.library),
    import(room.dataset.layout),
    loaded(room.dataset.sprite),
  ]);
  if (!cytoscape.prototype.hasDagre) cytoscape.use(dagre);
  cytoscape.prototype.hasDagre = true;
  graph = cytoscape({
    container: place,
    elements: elements(network, sprite),
    style: style(network.bound),
    minZoom: 0.05,
    maxZoom: 4,
    boxSelectionEnabled: false,
    autoungrabify: true,
    autounselectify: true,
  });
  arrange(network.nodes.length, place);
  room.querySelector(".graph-tools").hidden = false;
  listen(room, place);
  if (room.dataset.chosen) mark(room.dataset.chosen);
}

function loaded(address) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null); // the names and the connections still tell much
    image.src = address;
  });
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
  return [...nodes, ...edges, ...whole(network, cut), ...anchors(network)];
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

// Helpers that keep inputs in the first rank and outputs in the last; they go as soon as all is arranged.
function anchors(network) {
  const tied = (role, place) =>
    role === "input"
      ? [{ data: { source: "begin", target: `${place}` }, classes: "anchor" }]
      : role === "output"
        ? [{ data: { source: `${place}`, target: "end" }, classes: "anchor" }]
        : [];
  return [
    { data: { id: "begin" }, classes: "anchor" },
    { data: { id: "end" }, classes: "anchor" },
    ...network.nodes.flatMap(([role], place) => tied(role, place)),
  ];
}

function cutter(network, sprite) {
  if (!sprite) return () => undefined;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = network.tile;
  const pen = canvas.getContext("2d");
  return (place) => {
    const x = (place % network.columns) * network.tile;
    const y = Math.floor(place / network.columns) * network.tile;
    pen.drawImage(sprite, x, y, network.tile, network.tile, 0, 0, network.tile, network.tile);
    return canvas.toDataURL();
  };
}

function style(bound) {
  const [ink, muted, edge, above, below, accent, wall] = [
    "--ink",
    "--muted",
    "--edge",
    "--median",
    "--share",
    "--accent",
    "--plinth",
  ].map(colour);
  return [
    {
      selector: "node",
      style: {
        shape: "rectangle",
        width: 80,
        height: 80,
        "background-color": edge,
        "border-width": 1,
        "border-color": edge,
        label: "data(title)",
        color: ink,
        "font-size": 18,
        "font-family": getComputedStyle(document.body).fontFamily,
        "text-valign": "bottom",
        "text-margin-y": 5,
        "text-background-color": wall,
        "text-background-opacity": 0.85,
        "text-background-padding": 2,
        "min-zoomed-font-size": 6,
        "overlay-opacity": 0,
      },
    },
    { selector: "node[picture]", style: { "background-image": "data(picture)", "background-fit": "cover" } },
    { selector: "node.input", style: { "border-width": 2, "border-color": muted } },
    { selector: "node.output", style: { "border-width": 3, "border-color": ink } },
    {
      selector: "edge",
      style: {
        width: 1.5,
        "line-color": above,
        "target-arrow-color": above,
        "target-arrow-shape": "triangle",
        "arrow-scale": 0.9,
        "curve-style": "straight",
        opacity: 0.75,
        "overlay-opacity": 0,
      },
    },
    { selector: "edge[size]", style: { width: `mapData(size, 0, ${bound}, 1.2, 8)` } },
    {
      selector: "edge[weights]",
      style: {
        "curve-style": "unbundled-bezier",
        "control-point-weights": "data(weights)",
        "control-point-distances": "data(distances)",
        "edge-distances": "intersection",
      },
    },
    {
      selector: "edge.negative",
      style: { "line-color": below, "target-arrow-color": below, "line-style": "dashed" },
    },
    {
      selector: "edge.reading",
      style: { "line-color": edge, "target-arrow-color": edge, "line-style": "dotted" },
    },
    { selector: "edge.aside", style: { opacity: 0.15 } },
    {
      selector: "edge.chosen",
      style: { opacity: 1, "underlay-color": accent, "underlay-opacity": 0.4, "underlay-padding": 6, "z-index": 9 },
    },
    { selector: ".anchor", style: { opacity: 0, events: "no", label: "" } },
  ];
}

function arrange(count, place) {
  const isNarrow = place.clientWidth < NARROW;
  if (count > MANY) inColumns(isNarrow);
  else byRanks(isNarrow);
  graph.remove(".anchor");
  fit();
}

function byRanks(isNarrow) {
  graph.layout({
    name: "dagre",
    rankDir: isNarrow ? "TB" : "LR",
    ranker: "network-simplex",
    nodeSep: 42,
    rankSep: 70,
    edgeSep: 12,
    edgeWeight: (edge) => (edge.hasClass("anchor") ? 100 : 1),
    fit: false,
    useDagreEdgeControlPoints: true,
    automaticDagreEdgeStyle: false,
  }).run();
  graph.edges().forEach(bend);
}

// Each node as many columns from the inputs as its longest way, near the height of what it hears.
function inColumns(isNarrow) {
  const [depths, heights, columns] = [new Map(), new Map(), []];
  const nodes = graph.nodes().not(".anchor");
  for (const node of nodes) { // in the genome's order: what a node hears comes before it
    const heard = node.incomers("node").not(".anchor").map((one) => depths.get(one.id()) + 1);
    depths.set(node.id(), Math.max(0, ...heard));
  }
  const last = Math.max(...depths.values());
  for (const node of nodes) {
    const depth = node.is(".output") && !node.is(".whole") ? last - nodes.is(".whole") : depths.get(node.id());
    (columns[depth] ??= []).push(node);
  }
  const heightOf = (node) => {
    const heard = node.incomers("node").not(".anchor").map((one) => heights.get(one.id()) ?? 0);
    return heard.length ? heard.reduce((sum, height) => sum + height) / heard.length : 0;
  };
  columns.forEach((column, depth) => {
    const placed = column.map((node) => [heightOf(node), node]).sort((one, other) => one[0] - other[0]);
    placed.forEach(([, node], row) => {
      const height = (row - (placed.length - 1) / 2) * ALONG;
      heights.set(node.id(), height);
      node.position(isNarrow ? { x: height, y: depth * ACROSS } : { x: depth * ACROSS, y: height });
    });
  });
}

// Where an edge passes by other nodes, dagre found it a way round them.
function bend(edge) {
  const weights = edge.scratch("controlPointWeights");
  const distances = edge.scratch("controlPointDistances");
  if (weights?.length) edge.data({ weights, distances });
}

function fit() {
  graph.fit(undefined, 24);
  if (graph.zoom() > 1.25) zoomTo(1.25);
  if (graph.zoom() >= LEAST_FIT) return;
  graph.zoom(LEAST_FIT); // the outputs, and what stands before them
  const { x2, y2 } = graph.elements().boundingBox();
  graph.pan({ x: graph.width() - 24 - x2 * LEAST_FIT, y: graph.height() - 24 - y2 * LEAST_FIT });
}

function zoomTo(level) {
  graph.zoom({ level, renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 } });
}

const DEEDS = {
  closer: () => zoomTo(graph.zoom() * ZOOM),
  farther: () => zoomTo(graph.zoom() / ZOOM),
  fit: () => graph.fit(undefined, 24),
};
const KEYS = { "+": "closer", "=": "closer", "-": "farther", 0: "fit" };

function listen(room, place) {
  graph.on("tap", "edge", ({ target }) => !target.hasClass("reading") && choose(target.id()));
  graph.on("tap", "node", ({ target }) => follow(target));
  graph.on("tap", ({ target }) => target === graph && follow(null));
  graph.on("mouseover", "edge", () => (place.style.cursor = "pointer"));
  graph.on("mouseout", "edge", () => (place.style.cursor = ""));
  place.addEventListener("keydown", steer);
  place.addEventListener("pointerdown", () => place.focus({ preventScroll: true, focusVisible: false }));
  // The wheel moves the page until a person has turned to the graph.
  place.addEventListener("wheel", (event) => needsFocus(event, place), { capture: true });
  room.querySelector(".graph-tools").addEventListener("click", (event) => {
    const deed = event.target.closest("button")?.dataset.deed;
    if (deed) DEEDS[deed]();
  });
  new ResizeObserver(() => graph?.resize()).observe(place);
}

function needsFocus(event, place) {
  if (document.activeElement !== place && !event.ctrlKey) event.stopPropagation();
}

function steer(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const [by, deed] = [ARROWS[event.key], KEYS[event.key]];
  if (!by && !deed) return;
  event.preventDefault();
  if (by) graph.panBy({ x: by[0], y: by[1] });
  else DEEDS[deed]();
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
DARK.addEventListener("change", () => {
  const network = document.querySelector("#graph-data");
  if (graph && network) graph.style(style(JSON.parse(network.textContent).bound));
});
begin();
