// A family of pictures as a tree on one canvas, linear or radial. Only some hundred members are laid out at first,
// around the centre; the others wait behind handles that say how many they are. Pictures are fetched where they are
// in sight and large enough to be seen, dots stand for the rest.

const DARK = matchMedia("(prefers-color-scheme: dark)");
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const SECRET = 0, EVOLVED = 2; // what a member is
const OPENED = [300, 180, 110, 70, 45, 30, 20]; // members around the centre: as many of these as can be told apart at first
const WIDE = 24; // children of one member that are shown at first, and as many more at a time
const LEAST = 3; // fewer of many children are not worth showing
const ABOVE = 5; // generations before the centre
const RAISED = 40; // as many more at a time
const SIDE = 40; // units of a picture; the distances below are from middle to middle
const ROW = 62, COLUMN = 132, RING = 118;
const PICTURED = 18; // pixels from which a picture says more than a dot
const NAMED = 0.75; // of full size, from which names stand under pictures
const LETTERS = 20;
const AT_ONCE = 6; // pictures that are fetched
const KEPT = 1500; // pictures in memory
const STEP = 60, ZOOM = 1.3, LARGEST = 3, READABLE = 0.5;
const HITS = 12;
const HUES = 8; // breeders with a colour of their own
const SURENESS = [[0.2, "below 20 %"], [0.5, "20 to 50 %"], [0.8, "50 to 80 %"], [0.95, "80 to 95 %"], [2, "95 % and more"]];

const byId = (id) => document.getElementById(id);
const room = byId("tree"), drawing = byId("tree-drawing"), canvas = byId("tree-canvas"), pen = canvas.getContext("2d");
const told = byId("tree-told"), panel = byId("tree-panel");

let family = null; // columns, with children, descendants and generations beside them
let layout = null; // d3's
let state = { shape: room.dataset.shape, colouring: "breeder", centre: 0, chosen: 0, top: 0 };
let shown = new Map(); // member -> how many of its children are laid out
let wanted = new Set(); // members that are laid out however many siblings they have
let placed = []; // what is laid out: { member, more, x, y, angle, parent }
let places = new Map(); // member -> what is laid out of it
let found = new Set(); // by the search
let view = { x: 0, y: 0, k: 1 };
let colours = null;

// ---- The family

async function open() {
  const [answer, library] = await Promise.all([
    fetch(room.dataset.tree, { credentials: "same-origin" }),
    import(room.dataset.library),
  ]);
  room.hidden = false;
  if (!answer.ok) return say("The tree cannot be drawn at the moment. Reload the page to try again.");
  layout = library;
  family = prepared(await answer.json());
  state.centre = state.chosen = family.centre;
  openAround(state.centre);
  listen();
  arrange();
  begin();
  choose(state.centre, { quietly: true });
  requestAnimationFrame(() => {
    room.dataset.opened = Math.round(performance.now()); // milliseconds since the page was asked for
  });
}

function prepared(columns) {
  const count = columns.parent.length;
  const children = Array.from({ length: count }, () => []);
  const below = new Int32Array(count), generation = new Int32Array(count);
  columns.parent.forEach((parent, member) => {
    if (parent >= 0) children[parent].push(member);
    generation[member] = (parent < 0 ? 0 : generation[parent]) + (columns.kind[member] === EVOLVED ? 0 : 1);
  });
  for (let member = count - 1; member > 0; member--) below[columns.parent[member]] += below[member] + 1;
  for (const some of children) some.sort((one, other) => below[other] - below[one] || one - other);
  const last = generation.reduce((most, one) => Math.max(most, one), 0);
  return { ...columns, run: columns.run.map(dashed), count, children, below, generation, last, ranks: ranked(columns.author) };
}

// Breeders by how much they bred; the first of them have colours.
function ranked(authors) {
  const counts = new Map();
  for (const author of authors) if (author >= 0) counts.set(author, (counts.get(author) ?? 0) + 1);
  const sorted = [...counts].sort((one, other) => other[1] - one[1] || one[0] - other[0]);
  return new Map(sorted.map(([author], rank) => [author, rank]));
}

function name(member) {
  if (family.kind[member] === SECRET) return "A picture that is not public";
  const label = family.labels[family.label[member]];
  return family.title[member] || (label ? `${label[0]} on ${label[1]}` : "Untitled");
}

const address = (member) => `${family.run[member]}/${family.number[member]}`;
const author = (member) => family.authors[family.author[member]] ?? "";
const percent = (confidence) => {
  const thousandths = Math.floor(confidence * 1000 + 1e-6); // cut, never rounded up
  if (thousandths < 1) return "< 0.1 %";
  return confidence > 0.999 ? "> 99.9 %" : `${(thousandths / 10).toFixed(1)} %`;
};
const dashed = (run) => run && [run.slice(0, 8), run.slice(8, 12), run.slice(12, 16), run.slice(16, 20), run.slice(20)].join("-");
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

function by(member) {
  if (family.kind[member] === SECRET) return "";
  if (author(member)) return `by ${author(member)}`;
  return family.kind[member] === EVOLVED ? "evolved in a run" : "by somebody who left";
}

function said(member) {
  const label = family.labels[family.label[member]];
  const stars = family.stars[member] ? `${family.stars[member]} of 5 stars` : "";
  const opinion = label ? `${label[0]}: ${label[1]}, ${percent(family.confidence[member])}` : "";
  return [opinion, stars].filter(Boolean).join(" · ");
}

function standing(member) {
  const count = family.children[member].length;
  const branches = count ? `${count.toLocaleString("en")} branched from it` : "nobody branched from it";
  const below = family.below[member] > count ? `, ${plural(family.below[member], "descendant")}` : "";
  const generation = family.generation[member];
  return `${generation ? `Generation ${generation} of people` : "Before all people"}; ${branches}${below}.`;
}

// ---- What is expanded

// As many as can be told apart at a glance.
function openAround(centre) {
  for (const most of OPENED) {
    unfold(centre, most);
    lay();
    if (fitted().k >= READABLE) return;
  }
}

function unfold(centre, most) {
  shown = new Map();
  wanted = new Set();
  const line = [centre];
  while (line.length <= ABOVE && family.parent[line.at(-1)] >= 0) line.push(family.parent[line.at(-1)]);
  state.top = line.at(-1);
  const queue = [centre, ...line.slice(1)];
  let count = line.length;
  line.slice(0, -1).forEach((member) => wanted.add(member));
  for (const member of line.slice(1)) shown.set(member, 0); // the way up is there, whatever else is
  for (const member of queue) { // grows as it is walked: the nearest first
    const some = family.children[member].slice(0, Math.min(WIDE, most - count));
    if (some.length < Math.min(LEAST, family.children[member].length)) continue;
    if (!some.length) continue;
    shown.set(member, some.length);
    count += some.length;
    queue.push(...some.filter((child) => !wanted.has(child)));
  }
}

function expandAll() {
  const isAll = byId("tree-all").getAttribute("aria-pressed") === "true";
  if (isAll) {
    openAround(state.centre);
  } else {
    state.top = 0;
    family.children.forEach((some, member) => some.length && shown.set(member, some.length));
  }
  pressed(!isAll);
  arrange();
  if (isAll) begin();
  else fit();
}

function pressed(isAll) {
  byId("tree-all").setAttribute("aria-pressed", String(isAll));
  byId("tree-all").textContent = isAll ? "Fold up again" : "Expand all";
}

function toggle(member) {
  if (!family.children[member].length) return;
  const [x, y] = onScreen(places.get(member));
  if (isOpen(member)) {
    shown.delete(member);
    for (const child of family.children[member]) wanted.delete(child);
  } else {
    shown.set(member, Math.min(WIDE, family.children[member].length));
  }
  pressed(false);
  arrange();
  keep(member, x, y);
  choose(member);
}

function more(member) {
  const [x, y] = onScreen(places.get(member));
  shown.set(member, (shown.get(member) ?? 0) + WIDE);
  arrange();
  keep(member, x, y);
}

function upwards() {
  const [member, [x, y]] = [state.top, onScreen(places.get(state.top))];
  for (let step = 0; step < RAISED && family.parent[state.top] >= 0; step++) {
    wanted.add(state.top);
    state.top = family.parent[state.top];
    if (!shown.has(state.top)) shown.set(state.top, 0);
  }
  arrange();
  keep(member, x, y);
}

// Let a member be seen, with the way to it.
function reveal(member) {
  for (let one = member; !places.has(one) && one > 0; one = family.parent[one]) {
    wanted.add(one);
    const parent = family.parent[one];
    if (!shown.has(parent)) shown.set(parent, 0);
    if (parent === 0 && !places.has(0)) upToTheRoot();
  }
  arrange();
}

function upToTheRoot() {
  for (let one = state.top; one > 0; one = family.parent[one]) {
    wanted.add(one);
    if (!shown.has(family.parent[one])) shown.set(family.parent[one], 0);
  }
  state.top = 0;
}

const isOpen = (member) => shown.has(member);

// ---- Where everything stands

function below(node) {
  if (node.more || !shown.has(node.member)) return null;
  const all = family.children[node.member];
  const count = shown.get(node.member);
  const some = all.filter((child, row) => row < count || wanted.has(child)).map((member) => ({ member }));
  const left = all.length - some.length;
  return left > 0 ? [...some, { member: node.member, more: left }] : some;
}

function arrange() {
  lay();
  if (!places.has(state.chosen)) state.chosen = state.top;
  draw();
}

function lay() {
  const root = layout.hierarchy({ member: state.top }, below);
  if (state.shape === "radial") radially(root);
  else linearly(root);
  placed = root.descendants().map((node) => {
    const { data, x, y } = node;
    return (node.there = { member: data.member, more: data.more ?? 0, x, y, angle: node.angle ?? 0, parent: null });
  });
  root.each((node) => node.parent && (node.there.parent = node.parent.there));
  places = new Map(placed.filter((there) => !there.more).map((there) => [there.member, there]));
  room.dataset.laid = placed.length;
}

function linearly(root) {
  layout.tree().nodeSize([ROW, COLUMN])(root);
  root.each((node) => ([node.x, node.y] = [node.y, node.x]));
}

function radially(root) {
  layout
    .tree()
    .size([2 * Math.PI, root.height || 1])
    .separation((one, other) => (one.parent === other.parent ? 1 : 1.5) / one.depth)(root);
  const ring = roomy(root);
  root.each((node) => {
    node.angle = node.x - Math.PI / 2;
    [node.x, node.y] = [node.depth * ring * Math.cos(node.angle), node.depth * ring * Math.sin(node.angle)];
  });
}

// The distance of rings at which no two neighbours on one of them touch.
function roomy(root) {
  const last = [];
  let least = Infinity;
  root.eachBefore((node) => {
    if (last[node.depth] !== undefined) least = Math.min(least, (node.x - last[node.depth]) * node.depth);
    last[node.depth] = node.x;
  });
  return Math.max(RING, (1.25 * SIDE) / least);
}

const width = () => drawing.clientWidth;
const height = () => drawing.clientHeight;
const onScreen = ({ x, y }) => [x * view.k + view.x, y * view.k + view.y];

function bounds() {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of placed) {
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  return [left - ROW, top - ROW, right + ROW, bottom + ROW];
}

function fitted() {
  const [left, top, right, bottom] = bounds();
  const k = Math.min(1.2, width() / (right - left), height() / (bottom - top));
  return { k, x: width() / 2 - (k * (left + right)) / 2, y: height() / 2 - (k * (top + bottom)) / 2 };
}

function fit() {
  view = fitted();
  draw();
}

// All of it where that can be read, else a part, large enough, with the centre in its middle.
function begin() {
  view = fitted();
  if (view.k < READABLE) {
    view.k = READABLE;
    look(state.centre);
  }
  draw();
}

function look(member) {
  const { x, y } = places.get(member);
  [view.x, view.y] = [width() / 2 - x * view.k, height() / 2 - y * view.k];
}

function keep(member, x, y) {
  const there = places.get(member);
  [view.x, view.y] = [x - there.x * view.k, y - there.y * view.k];
  draw();
}

// Move as little as shows a member whole.
function bringIn(member) {
  const [x, y] = onScreen(places.get(member));
  const rim = Math.min(60, width() / 4);
  view.x += Math.max(0, rim - x) - Math.max(0, x - width() + rim);
  view.y += Math.max(0, rim - y) - Math.max(0, y - height() + rim);
  draw();
}

function zoom(by, x = width() / 2, y = height() / 2) {
  const least = Math.min(fitted().k, READABLE);
  const k = Math.min(LARGEST, Math.max(least, view.k * by));
  view = { k, x: x - ((x - view.x) * k) / view.k, y: y - ((y - view.y) * k) / view.k };
  draw();
}

// ---- Drawing

let asked = 0;

function draw() {
  asked ||= requestAnimationFrame(paint);
}

function paint() {
  asked = 0;
  colours ??= readColours();
  const side = SIDE * view.k;
  size();
  const inSight = placed.filter(isInSight);
  lines();
  const lacking = [];
  let pictures = 0;
  for (const there of inSight) pictures += drawOne(there, side, lacking);
  if (side >= PICTURED) inSight.forEach((there) => drawAround(there, side));
  drawTop();
  mark(side);
  request(lacking, side);
  Object.assign(room.dataset, { drawn: inSight.length, pictures, scale: view.k.toFixed(3) });
}

function size() {
  const dots = devicePixelRatio || 1;
  const [wide, high] = [Math.round(width() * dots), Math.round(height() * dots)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  pen.setTransform(dots, 0, 0, dots, 0, 0);
  pen.clearRect(0, 0, width(), height());
}

function isInSight(there) {
  const [x, y] = onScreen(there);
  const rim = SIDE * view.k + 4;
  return x > -rim && y > -rim && x < width() + rim && y < height() + rim;
}

function lines() {
  pen.beginPath();
  for (const there of placed) if (there.parent) line(there.parent, there);
  pen.strokeStyle = colours.edge;
  pen.lineWidth = Math.max(0.5, Math.min(1.5, view.k * 1.5));
  pen.stroke();
}

function line(parent, child) {
  const [x1, y1] = onScreen(parent), [x2, y2] = onScreen(child);
  if (Math.max(x1, x2) < 0 || Math.max(y1, y2) < 0 || Math.min(x1, x2) > width() || Math.min(y1, y2) > height()) return;
  pen.moveTo(x1, y1);
  if (state.shape === "linear") {
    const middle = (x1 + x2) / 2;
    pen.bezierCurveTo(middle, y1, middle, y2, x2, y2);
  } else {
    const far = Math.hypot(child.x, child.y) - RING / 2;
    const [x, y] = onScreen({ x: far * Math.cos(child.angle), y: far * Math.sin(child.angle) });
    pen.quadraticCurveTo(x, y, x2, y2);
  }
}

// Returns 1 where a picture was drawn.
function drawOne(there, side, lacking) {
  const [x, y] = onScreen(there);
  if (there.more) return pill(`+${there.more.toLocaleString("en")}`, x, y, side), 0;
  const { member } = there;
  const isSmall = side < PICTURED;
  const picture = isSmall || family.kind[member] === SECRET ? null : pictureOf(member, side, lacking);
  pen.fillStyle = colourOf(member);
  if (isSmall) {
    const dot = Math.max(2.5, side / 2);
    pen.fillRect(x - dot / 2, y - dot / 2, dot, dot);
    if (found.has(member)) ring(x, y, 5, colours.share, 2);
    return 0;
  }
  const rim = Math.max(2, side / 14);
  if (family.kind[member] === SECRET) {
    pen.fillStyle = colours.plinth;
    pen.fillRect(x - side / 2, y - side / 2, side, side);
    secretFrame(x, y, side);
    return 0;
  }
  pen.fillRect(x - side / 2 - rim, y - side / 2 - rim, side + 2 * rim, side + 2 * rim);
  if (picture) pen.drawImage(picture, x - side / 2, y - side / 2, side, side);
  if (found.has(member)) frame(x, y, side + 4 * rim, colours.share, 3);
  return picture ? 1 : 0;
}

function secretFrame(x, y, side) {
  pen.setLineDash([4, 3]);
  frame(x, y, side, colours.edge, 1.5);
  pen.setLineDash([]);
}

function frame(x, y, side, colour, thickness) {
  pen.strokeStyle = colour;
  pen.lineWidth = thickness;
  pen.strokeRect(x - side / 2, y - side / 2, side, side);
}

function ring(x, y, radius, colour, thickness) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.strokeStyle = colour;
  pen.lineWidth = thickness;
  pen.stroke();
}

// The handle with the number of those who are folded away, and the name.
function drawAround(there, side) {
  if (there.more) return;
  const { member } = there;
  const [x, y] = onScreen(there);
  if (family.children[member].length && (side >= 26 || !isOpen(member))) {
    const [hx, hy] = handle(there);
    pill(isOpen(member) ? "−" : count(member), hx, hy, side);
  }
  if (view.k < NAMED || state.shape === "radial") return;
  pen.fillStyle = colours.muted;
  pen.font = `11px ${colours.typeface}`;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  const words = family.title[member] || (family.labels[family.label[member]] ?? ["", ""])[1];
  pen.fillText(words.length > LETTERS ? `${words.slice(0, LETTERS - 1)}…` : words, x, y + side / 2 + 3);
}

const count = (member) => `+${family.below[member].toLocaleString("en")}`;
const halfOf = (words) => Math.max(9, 3.5 * words.length + 5); // of the width of a handle

function handle(there) {
  const [x, y] = onScreen(there);
  const words = isOpen(there.member) ? "−" : count(there.member);
  const far = (SIDE * view.k) / 2 + 6 + (state.shape === "linear" ? halfOf(words) : 9);
  const angle = state.shape === "radial" && there.parent ? there.angle : 0;
  return [x + far * Math.cos(angle), y + far * Math.sin(angle)];
}

function pill(words, x, y, side) {
  if (side < 10) return;
  pen.font = `600 11px ${colours.typeface}`;
  const half = halfOf(words);
  pen.beginPath();
  pen.roundRect(x - half, y - 9, 2 * half, 18, 9);
  pen.fillStyle = colours.wall;
  pen.fill();
  pen.strokeStyle = colours.edge;
  pen.lineWidth = 1;
  pen.stroke();
  pen.fillStyle = colours.ink;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(words, x, y + 0.5);
}

function drawTop() {
  if (state.top === 0) return;
  pill(above(), ...topHandle(), SIDE);
}

const above = () => {
  let count = 0;
  for (let one = state.top; family.parent[one] >= 0; one = family.parent[one]) count++;
  return `${count.toLocaleString("en")} before`;
};

function topHandle() {
  const [x, y] = onScreen(places.get(state.top));
  return state.shape === "radial" ? [x, y - (SIDE * view.k) / 2 - 16] : [x - (SIDE * view.k) / 2 - 44, y];
}

function mark(side) {
  const around = Math.max(side, 6) + Math.max(10, side / 4);
  for (const [member, colour] of [[state.centre, colours.ink], [state.chosen, colours.accent]]) {
    const there = places.get(member);
    if (there) frame(...onScreen(there), around, colour, member === state.chosen ? 3 : 2);
  }
}

// ---- Colours

function readColours() {
  const style = getComputedStyle(drawing);
  const read = (name) => style.getPropertyValue(name).trim();
  const hues = Array.from({ length: HUES }, (_, hue) => read(`--breeder-${hue + 1}`));
  const steps = SURENESS.map((_, step) => read(`--sure-${step + 1}`));
  const [wall, plinth, ink, muted, edge, accent, share] = ["wall", "plinth", "ink", "muted", "edge", "accent", "share"].map(
    (name) => read(`--${name}`),
  );
  return { wall, plinth, ink, muted, edge, accent, share, hues, steps, typeface: style.fontFamily };
}

const first = () => family.generation[0];
const span = () => Math.max(1, Math.ceil((family.last - first() + 1) / SURENESS.length)); // generations of one colour

function colourOf(member) {
  if (family.kind[member] === SECRET) return colours.edge;
  if (state.colouring === "breeder") return colours.hues[family.ranks.get(family.author[member])] ?? colours.edge;
  if (state.colouring === "generation") return colours.steps[Math.floor((family.generation[member] - first()) / span())];
  if (family.label[member] < 0) return colours.edge;
  return colours.steps[SURENESS.findIndex(([bound]) => family.confidence[member] < bound)];
}

function legend() {
  byId("tree-legend").replaceChildren(
    ...legendLines().map(([colour, words]) => {
      const [line, swatch] = [document.createElement("li"), document.createElement("span")];
      swatch.className = "tree-swatch";
      swatch.style.background = colour;
      line.append(swatch, words);
      return line;
    }),
  );
}

function legendLines() {
  colours ??= readColours();
  if (state.colouring === "confidence") {
    const steps = SURENESS.map(([, words], step) => [colours.steps[step], words]);
    return family.label.includes(-1) ? [...steps, [colours.edge, "nothing said yet"]] : steps;
  }
  if (state.colouring === "generation") {
    const begun = (step) => first() + step * span();
    const steps = colours.steps.map((colour, step) => [colour, begun(step), Math.min(family.last, begun(step + 1) - 1)]);
    return steps
      .filter(([, from]) => from <= family.last)
      .map(([colour, from, to]) => [colour, from === to ? `generation ${from}` : `generations ${from} to ${to}`]);
  }
  const named = [...family.ranks].filter(([, rank]) => rank < HUES).map(([one, rank]) => [colours.hues[rank], family.authors[one]]);
  const isMixed = family.ranks.size > HUES || family.author.includes(-1);
  return isMixed ? [...named, [colours.edge, family.ranks.size > HUES ? `${plural(family.ranks.size - HUES, "more breeder")}, and all else` : "everything else"]] : named;
}

// ---- Pictures

const pictures = new Map(); // address -> picture, or null while it is fetched or where it could not be
let fetching = 0;

function pictureAddress(member, pixels) {
  return room.dataset.picture
    .replace("00000000-0000-0000-0000-000000000000", family.run[member])
    .replace("/0/", `/${family.number[member]}/`)
    .replace("HASH-64", `${family.hash[member]}-${pixels}`);
}

const pixelsFor = (side) => (side * (devicePixelRatio || 1) > 80 ? 128 : 64);

function pictureOf(member, side, lacking) {
  const address = pictureAddress(member, pixelsFor(side));
  if (!pictures.has(address)) lacking.push(member);
  return pictures.get(address) ?? pictures.get(pictureAddress(member, 64)) ?? null;
}

// Those in the middle come first; of what has left the sight nothing is asked any more.
function request(lacking, side) {
  const far = (member) => {
    const [x, y] = onScreen(places.get(member));
    return Math.hypot(x - width() / 2, y - height() / 2);
  };
  const nearest = lacking.map((member) => [far(member), member]).sort((one, other) => one[0] - other[0]);
  for (const [, member] of nearest) {
    if (fetching >= AT_ONCE) return;
    fetchPicture(pictureAddress(member, pixelsFor(side)));
  }
}

function fetchPicture(address) {
  const picture = new Image();
  const end = (result) => {
    fetching -= 1;
    pictures.set(address, result);
    draw();
  };
  if (pictures.size >= KEPT) pictures.delete(pictures.keys().next().value);
  pictures.set(address, null);
  fetching += 1;
  picture.onload = () => end(picture);
  picture.onerror = () => end(null);
  picture.src = address;
}

// ---- The chosen picture

function choose(member, { quietly = false } = {}) {
  state.chosen = member;
  room.dataset.chosen = member;
  fill(member);
  if (!quietly) say([name(member), by(member), said(member), standing(member)].filter(Boolean).join(", "));
  draw();
}

const say = (words) => (told.textContent = words);

function fill(member) {
  const field = (name) => panel.querySelector(`[data-field=${name}]`);
  const isSecret = family.kind[member] === SECRET;
  panel.classList.toggle("secret", isSecret);
  field("name").textContent = name(member);
  field("said").textContent = said(member);
  field("place").textContent = standing(member);
  breeder(field("by"), member);
  const count = family.children[member].length;
  const fold = panel.querySelector("[data-deed=toggle]");
  fold.textContent = isOpen(member) ? "Collapse" : `Expand (${family.below[member].toLocaleString("en")})`;
  fold.hidden = !count;
  panel.querySelector("[data-deed=centre]").hidden = isSecret || member === state.centre;
  for (const part of panel.querySelectorAll("a[data-field], form")) part.hidden = isSecret;
  if (isSecret) return;
  const page = pageOf(member);
  field("image").href = field("page").href = page;
  field("picture").src = pictureAddress(member, 256);
  field("image").setAttribute("aria-label", name(member));
  if (field("run")) [field("run").value, field("number").value] = [family.run[member], family.number[member]];
}

const pageOf = (member) =>
  room.dataset.image.replace("00000000-0000-0000-0000-000000000000", family.run[member]).replace("/0/", `/${family.number[member]}/`);

function breeder(place, member) {
  place.textContent = by(member);
  if (!author(member)) return;
  const link = document.createElement("a");
  link.href = room.dataset.person.replace("NAME", encodeURIComponent(author(member)));
  link.textContent = author(member);
  place.replaceChildren("by ", link);
}

function centre(member, { isReturning = false } = {}) {
  if (family.kind[member] === SECRET) return;
  state.centre = member;
  openAround(member);
  pressed(false);
  arrange();
  begin();
  choose(member);
  byId("tree-of").textContent = name(member);
  document.title = `The family of ${name(member)} · Foolbreeder`;
  if (!isReturning) write("pushState");
  for (const link of document.querySelectorAll(".tree-shapes a")) link.href = link.search.replace(/centre=[^&]*/, `centre=${address(member)}`);
  htmx.ajax("GET", `${room.dataset.page}?${query()}`, { target: "#family-near", swap: "outerHTML" }).catch(() => {});
}

const query = () => `centre=${address(state.centre)}&shape=${state.shape}`;
const write = (how) => history[how](null, "", `${room.dataset.page}?${query()}`);

function shape(value) {
  state.shape = value;
  room.dataset.shape = value;
  for (const link of document.querySelectorAll(".tree-shapes a")) {
    if (link.dataset.shape === value) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  arrange();
  begin();
}

function goBack() {
  const asked = new URLSearchParams(location.search);
  const wantedShape = asked.get("shape") ?? "linear";
  if (wantedShape !== state.shape) shape(wantedShape);
  const member = memberAt(asked.get("centre"));
  if (member >= 0 && member !== state.centre) centre(member, { isReturning: true });
}

const memberAt = (wantedAddress) => family.run.findIndex((_, member) => address(member) === wantedAddress);

// ---- Searching

function search(words) {
  const sought = words.trim().toLowerCase();
  const hits = byId("tree-hits");
  const matches = (member) =>
    family.kind[member] !== SECRET && `${name(member)}\n${author(member)}`.toLowerCase().includes(sought);
  const all = sought ? family.parent.map((_, member) => member).filter(matches) : [];
  found = new Set(all);
  hits.replaceChildren();
  if (sought) {
    const count = document.createElement("p");
    const rest = all.length > HITS ? `; the first ${HITS} are listed, all are marked` : "";
    count.textContent = all.length ? `${plural(all.length, "picture")} found${rest}.` : `Nothing here is called “${words.trim()}”.`;
    hits.append(count, ...all.slice(0, HITS).map(hit));
  }
  draw();
}

function hit(member) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.dataset.member = member;
  button.textContent = `${name(member)} ${by(member)}`;
  return button;
}

function show(member) {
  reveal(member);
  if (view.k < READABLE) view.k = READABLE;
  look(member);
  choose(member);
}

// ---- Hands and keys

const DEEDS = {
  closer: () => zoom(ZOOM),
  farther: () => zoom(1 / ZOOM),
  fit,
  all: expandAll,
  centre: () => centre(state.chosen),
  toggle: () => toggle(state.chosen),
};
const MOVES = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
const KEYS = { "+": "closer", "=": "closer", "-": "farther", 0: "fit", c: "centre", C: "centre", " ": "toggle" };

function steer(event) {
  if (event.target !== drawing || event.altKey || event.ctrlKey || event.metaKey) return;
  const [move, deed] = [MOVES[event.key], KEYS[event.key]];
  if (!move && !deed && event.key !== "Enter") return;
  event.preventDefault();
  if (deed) return DEEDS[deed]();
  if (event.key === "Enter") return family.kind[state.chosen] !== SECRET && location.assign(pageOf(state.chosen));
  if (event.shiftKey) return pan(...move);
  walk(event.key);
}

function pan(x, y) {
  view.x += x;
  view.y += y;
  draw();
}

function walk(key) {
  const next = neighbour(key);
  if (next === undefined || next < 0) return say(key === "ArrowRight" ? "Nothing was branched from this." : "Nothing further there.");
  if (!places.has(next)) reveal(next);
  choose(next);
  bringIn(next);
}

function neighbour(key) {
  const member = state.chosen;
  if (key === "ArrowLeft") return family.parent[member];
  if (key === "ArrowRight") {
    if (!isOpen(member) && family.children[member].length) toggle(member);
    return family.children[member].find((child) => places.has(child));
  }
  const row = placed.filter((there) => !there.more && depth(there) === depth(places.get(member)));
  row.sort(state.shape === "linear" ? (one, other) => one.y - other.y : (one, other) => one.angle - other.angle);
  const at = row.findIndex((there) => there.member === member);
  return row[at + (key === "ArrowDown" ? 1 : -1)]?.member;
}

function depth(there) {
  let count = 0;
  for (let one = there; one.parent; one = one.parent) count++;
  return count;
}

// What lies under a point: a handle before a picture.
function at(x, y) {
  const side = SIDE * view.k;
  const near = ([px, py], far) => Math.abs(px - x) <= far && Math.abs(py - y) <= far;
  if (state.top > 0 && Math.abs(topHandle()[0] - x) < 40 && Math.abs(topHandle()[1] - y) < 14) return { deed: upwards };
  for (const there of placed) {
    if (there.more && near(onScreen(there), 16)) return { deed: () => more(there.member) };
    const hasHandle = side >= PICTURED && !there.more && family.children[there.member].length && (side >= 26 || !isOpen(there.member));
    if (hasHandle && near(handle(there), 13)) return { deed: () => toggle(there.member) };
  }
  const hit = placed.find((there) => !there.more && near(onScreen(there), Math.max(side / 2, 7)));
  return hit ? { member: hit.member, deed: () => choose(hit.member) } : null;
}

const fingers = new Map();
let moved = 0;

function press(event) {
  if (event.target.closest("button")) return;
  drawing.focus({ preventScroll: true, focusVisible: false });
  drawing.setPointerCapture(event.pointerId);
  if (!fingers.size) moved = 0;
  fingers.set(event.pointerId, point(event));
}

function drag(event) {
  const before = fingers.get(event.pointerId);
  const now = point(event);
  if (!before) return void (drawing.style.cursor = family && at(...now) ? "pointer" : "");
  const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, where]) => where);
  fingers.set(event.pointerId, now);
  moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
  if (!others.length) return moved > 6 && pan(now[0] - before[0], now[1] - before[1]);
  const [x, y] = others[0];
  const by = Math.hypot(now[0] - x, now[1] - y) / Math.max(1, Math.hypot(before[0] - x, before[1] - y));
  zoom(by, (now[0] + x) / 2, (now[1] + y) / 2);
}

function lift(event) {
  const wasPressed = fingers.delete(event.pointerId);
  if (!wasPressed || fingers.size || moved > 6 || event.type === "pointercancel") return;
  at(...point(event))?.deed();
}

function point(event) {
  const { left, top } = canvas.getBoundingClientRect();
  return [event.clientX - left, event.clientY - top];
}

function doubled(event) {
  const member = at(...point(event))?.member;
  if (member !== undefined) centre(member);
}

// The wheel moves the page until a person has turned to the drawing.
function wheel(event) {
  if (document.activeElement !== drawing && !event.ctrlKey) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), ...point(event));
}

function listen() {
  drawing.addEventListener("keydown", steer);
  drawing.addEventListener("pointerdown", press);
  drawing.addEventListener("pointermove", drag);
  drawing.addEventListener("pointerup", lift);
  drawing.addEventListener("pointercancel", lift);
  drawing.addEventListener("dblclick", doubled);
  drawing.addEventListener("wheel", wheel, { passive: false });
  room.addEventListener("click", (event) => {
    const deed = event.target.closest("button")?.dataset.deed;
    if (deed) DEEDS[deed]();
    const hit = event.target.closest("button")?.dataset.member;
    if (hit) show(Number(hit));
    followShape(event);
  });
  document.addEventListener("click", followCentre);
  byId("tree-search").addEventListener("input", (event) => search(event.target.value));
  byId("tree-search").addEventListener("keydown", (event) => event.key === "Enter" && found.size && show([...found][0]));
  byId("tree-colouring").addEventListener("change", (event) => {
    state.colouring = event.target.value;
    legend();
    draw();
  });
  addEventListener("popstate", goBack);
  DARK.addEventListener("change", recolour);
  new ResizeObserver(draw).observe(drawing);
  legend();
}

function recolour() {
  colours = null;
  legend();
  draw();
}

const modified = (event) => event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0;

function followShape(event) {
  const link = event.target.closest("a[data-shape]");
  if (!link || modified(event)) return;
  event.preventDefault();
  shape(link.dataset.shape);
  write("pushState");
}

function followCentre(event) {
  const link = event.target.closest("a[data-centre]");
  const member = link && !modified(event) ? memberAt(link.dataset.centre) : -1;
  if (member < 0) return;
  event.preventDefault();
  centre(member);
  room.scrollIntoView({ block: "start", behavior: CALM.matches ? "auto" : "smooth" });
  drawing.focus({ preventScroll: true });
}

open();
