// A genome while it is changed by hand: nodes with ids that stay, and edges between ids.
// Every deed returns another state and leaves the old one as it was; what cannot be done throws, and says why.

const FIRST = 4; // places that are inputs

// The names of inputs and outputs are those of the network that the page came with.
export function stateOf(genome, network) {
  const last = genome.functions.length - genome.outputs;
  const inputs = network.nodes.slice(0, FIRST).map(([role, name], place) => ({ id: `${place}`, role, name }));
  const names = network.nodes.slice(-genome.outputs).map(([, title]) => title.replace(/ \(.*$/, ""));
  const nodes = genome.functions.map((chosen, place) => ({
    id: `${place + FIRST}`,
    role: place < last ? "hidden" : "output",
    name: names[place - last],
    function: chosen,
  }));
  const edges = genome.connections.map(([source, target, weight]) => edgeOf(`${source}`, `${target}`, weight));
  return { nodes: [...inputs, ...nodes], edges, next: nodes.length + FIRST };
}

const edgeOf = (source, target, weight) => ({ id: `${source}-${target}`, source, target, weight });
export const nodeIn = (state, id) => state.nodes.find((node) => node.id === id);
export const edgeIn = (state, id) => state.edges.find((edge) => edge.id === id);

export function titleOf(node) {
  if (node.role === "input") return node.name;
  return node.role === "output" ? `${node.name} (${node.function})` : `${node.function} ${node.id}`;
}

export const edgeTitle = (state, { source, target }) =>
  `${titleOf(nodeIn(state, source))} → ${titleOf(nodeIn(state, target))}`;

export const DEEDS = {
  function: (state, id, chosen) => ({
    ...state,
    nodes: state.nodes.map((node) => (node.id === id ? { ...node, function: chosen } : node)),
  }),
  weight: (state, id, weight) => ({
    ...state,
    edges: state.edges.map((edge) => (edge.id === id ? { ...edge, weight } : edge)),
  }),
  connect,
  cut: (state, id) => ({ ...state, edges: state.edges.filter((edge) => edge.id !== id) }),
  insert,
  add: (state, chosen) => withNode(state, chosen),
  remove: (state, id) => ({
    ...state,
    nodes: state.nodes.filter((node) => node.id !== id),
    edges: state.edges.filter(({ source, target }) => source !== id && target !== id),
  }),
};

function connect(state, source, target, weight) {
  const [from, to] = [nodeIn(state, source), nodeIn(state, target)];
  if (from.role === "output") throw new Error(`No connection can begin at an output such as ${titleOf(from)}.`);
  if (to.role === "input") throw new Error(`No connection can end at an input such as ${titleOf(to)}.`);
  const named = `${titleOf(from)} → ${titleOf(to)}`;
  if (edgeIn(state, `${source}-${target}`)) throw new Error(`${named} is connected already.`);
  if (source === target || reaches(state, target, source)) throw new Error(`${named} would close a cycle.`);
  return { ...state, edges: [...state.edges, edgeOf(source, target, weight)] };
}

function insert(state, id, chosen) {
  const { source, target, weight } = edgeIn(state, id);
  const newcomer = `${state.next}`;
  const halves = [edgeOf(source, newcomer, weight), edgeOf(newcomer, target, weight)];
  const others = state.edges.filter((edge) => edge.id !== id);
  return { ...withNode(state, chosen), edges: [...others, ...halves] };
}

function withNode(state, chosen) {
  const at = state.nodes.findIndex((node) => node.role === "output");
  const newcomer = { id: `${state.next}`, role: "hidden", function: chosen };
  return { ...state, nodes: state.nodes.toSpliced(at, 0, newcomer), next: state.next + 1 };
}

function reaches(state, start, goal) {
  const [reached, waiting] = [new Set(), [start]];
  while (waiting.length) {
    const place = waiting.pop();
    for (const edge of state.edges) {
      if (edge.source !== place || reached.has(edge.target)) continue;
      reached.add(edge.target);
      waiting.push(edge.target);
    }
  }
  return reached.has(goal);
}

// Each node after all that feed it, and otherwise as they stand.
export function inOrder(state) {
  const [sources, order] = [new Map(), new Set()];
  for (const { source, target } of state.edges) sources.set(target, [...(sources.get(target) ?? []), source]);
  const visit = (id) => {
    if (order.has(id)) return;
    (sources.get(id) ?? []).forEach(visit);
    order.add(id);
  };
  state.nodes.filter((node) => node.role !== "output").forEach((node) => visit(node.id));
  state.nodes.filter((node) => node.role === "output").forEach((node) => visit(node.id));
  return [...order];
}

// Of the genome that it began with, all but nodes and connections stays.
export function genomeOf(state, base) {
  const order = inOrder(state);
  const places = new Map(order.map((id, place) => [id, place]));
  const connections = state.edges.map(({ source, target, weight }) => [places.get(source), places.get(target), weight]);
  connections.sort(([, one], [, other]) => one - other);
  return { ...base, functions: order.slice(FIRST).map((id) => nodeIn(state, id).function), connections };
}
