// The diagram of takeovers: the square under the pointer, or chosen by the arrow keys, is told in words, and its line
// and its column are marked. Every square that was seen is a link already.

const diagram = document.getElementById("diagram");
const told = document.getElementById("told");

function start() {
  const svg = diagram.querySelector("svg");
  const [side, left, top] = ["side", "left", "top"].map((name) => Number(svg.dataset[name]));
  const titles = [...svg.querySelectorAll(".giver")].map((name) => name.textContent);
  const cells = new Map([...svg.querySelectorAll("[data-at]")].map((cell) => [cell.dataset.at, cell]));
  const [along, down] = svg.querySelectorAll(".cross rect");
  const cursor = svg.querySelector("#cursor");
  let place = null; // [giver, taker]

  function moveTo(giver, taker) {
    const within = (number) => Math.min(Math.max(number, 0), titles.length - 1);
    place = [within(giver), within(taker)];
    mark();
    const count = Number(cells.get(place.join(" "))?.dataset.count ?? 0);
    told.textContent = `${titles[place[0]]} → ${titles[place[1]]}: ${count.toLocaleString("en")}`;
  }

  function mark() {
    const [giver, taker] = place.map((number) => number * side);
    set(along, { y: giver, width: side * titles.length, height: side });
    set(down, { x: taker, width: side, height: side * titles.length });
    set(cursor, { x: taker, y: giver, visibility: "visible" });
    set(along.parentElement, { visibility: "visible" });
    for (const name of svg.querySelectorAll(".giver, .taker")) {
      const own = place[name.classList.contains("giver") ? 0 : 1];
      name.classList.toggle("is-pointed", Number(name.dataset.place) === own);
    }
  }

  function point(event) {
    const box = svg.getBoundingClientRect();
    const taker = Math.floor((event.clientX - box.left - left) / side);
    const giver = Math.floor((event.clientY - box.top - top) / side);
    if (Math.min(giver, taker) >= 0 && Math.max(giver, taker) < titles.length) moveTo(giver, taker);
  }

  function steer(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key === "Enter" && place) open(cells.get(place.join(" ")));
    if (!moves[event.key] || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [giver, taker] = place ?? [-moves[event.key][0], -moves[event.key][1]];
    moveTo(giver + moves[event.key][0], taker + moves[event.key][1]);
    cursor.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  svg.addEventListener("pointermove", point);
  diagram.addEventListener("keydown", steer);
  const chosen = new URLSearchParams(location.search);
  const opened = [...cells.values()].find((cell) => isOf(cell, chosen));
  if (opened) moveTo(...opened.dataset.at.split(" ").map(Number));
}

function open(cell) {
  if (cell) location.assign(cell.getAttribute("href"));
}

function isOf(cell, chosen) {
  const own = new URL(cell.getAttribute("href"), location.href).searchParams;
  return chosen.has("from") && own.get("from") === chosen.get("from") && own.get("to") === chosen.get("to");
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

if (diagram) start();
