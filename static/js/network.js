// A network as a drawing: opened, arranged, and moved by keys, buttons and the wheel.
// The library that draws is fetched when it is asked for, so that a page without a graph never pays for it.

const DARK = matchMedia("(prefers-color-scheme: dark)");
const NARROW = 640; // pixels: the graph then runs from top to bottom
const MANY = 150; // nodes: more are arranged in plain columns, which is quick
const ACROSS = 170; // units between columns of many nodes, and between the nodes of one
const ALONG = 125;
const STEP = 60; // pixels that an arrow key moves the graph
const ZOOM = 1.3; // of a key or a button
const LEAST_FIT = 0.35; // below it pictures say nothing: rather a part of the graph, large enough
const ARROWS = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The elements may be on their way.
export async function opened(room, place, elements, bound) {
  const [{ default: cytoscape }, { default: dagre }, known] = await Promise.all([
    import(room.dataset.library),
    import(room.dataset.layout),
    elements,
  ]);
  if (!cytoscape.prototype.hasDagre) cytoscape.use(dagre);
  cytoscape.prototype.hasDagre = true;
  return cytoscape({
    container: place,
    elements: known,
    style: style(bound),
    minZoom: 0.05,
    maxZoom: 4,
    boxSelectionEnabled: false,
    autounselectify: true,
  });
}

export function loaded(address) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null); // the names and the connections still tell much
    image.src = address;
  });
}

// Helpers that keep inputs in the first rank and outputs in the last; they go as soon as all is arranged.
export function anchors(nodes) {
  const tied = ([role, id]) =>
    role === "input"
      ? [{ data: { source: "begin", target: id }, classes: "anchor" }]
      : role === "output"
        ? [{ data: { source: id, target: "end" }, classes: "anchor" }]
        : [];
  return [
    { data: { id: "begin" }, classes: "anchor" },
    { data: { id: "end" }, classes: "anchor" },
    ...nodes.flatMap(tied),
  ];
}

export function cutter(network, sprite) {
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

export function style(bound) {
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
    {
      selector: "node.chosen",
      style: { "underlay-color": accent, "underlay-opacity": 0.5, "underlay-padding": 8, "z-index": 9 },
    },
    { selector: ".anchor", style: { opacity: 0, events: "no", label: "" } },
  ];
}

// Takes the anchors away again.
export function arrange(graph, count, place) {
  const isNarrow = place.clientWidth < NARROW;
  if (count > MANY) inColumns(graph, isNarrow);
  else byRanks(graph, isNarrow);
  graph.remove(".anchor");
  fit(graph);
}

function byRanks(graph, isNarrow) {
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
function inColumns(graph, isNarrow) {
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

function fit(graph) {
  graph.fit(undefined, 24);
  if (graph.zoom() > 1.25) zoomTo(graph, 1.25);
  if (graph.zoom() >= LEAST_FIT) return;
  graph.zoom(LEAST_FIT); // the outputs, and what stands before them
  const { x2, y2 } = graph.elements().boundingBox();
  graph.pan({ x: graph.width() - 24 - x2 * LEAST_FIT, y: graph.height() - 24 - y2 * LEAST_FIT });
}

function zoomTo(graph, level) {
  graph.zoom({ level, renderedPosition: { x: graph.width() / 2, y: graph.height() / 2 } });
}

const DEEDS = {
  closer: (graph) => zoomTo(graph, graph.zoom() * ZOOM),
  farther: (graph) => zoomTo(graph, graph.zoom() / ZOOM),
  fit: (graph) => graph.fit(undefined, 24),
};
const KEYS = { "+": "closer", "=": "closer", "-": "farther", 0: "fit" };

export function control(graph, room, place) {
  place.addEventListener("keydown", (event) => steer(graph, event));
  place.addEventListener("pointerdown", () => place.focus({ preventScroll: true, focusVisible: false }));
  // The wheel moves the page until a person has turned to the graph.
  place.addEventListener("wheel", (event) => needsFocus(event, place), { capture: true });
  room.querySelector(".graph-tools").addEventListener("click", (event) => {
    const deed = DEEDS[event.target.closest("button")?.dataset.deed];
    if (deed) deed(graph);
  });
  new ResizeObserver(() => graph.resize()).observe(place);
}

function needsFocus(event, place) {
  if (document.activeElement !== place && !event.ctrlKey) event.stopPropagation();
}

function steer(graph, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const [by, deed] = [ARROWS[event.key], KEYS[event.key]];
  if (!by && !deed) return;
  event.preventDefault();
  if (by) graph.panBy({ x: by[0], y: by[1] });
  else DEEDS[deed](graph);
}

export function onScheme(happened) {
  DARK.addEventListener("change", happened);
}
