// The walls of the entrance: pointing at a picture names its class, pressing it opens the class.

const COLUMNS = 20; // of an atlas
const labels = JSON.parse(document.getElementById("mosaic-labels").textContent);

function placeAt(atlas, event) {
  const box = atlas.getBoundingClientRect();
  const side = box.width / COLUMNS;
  const column = Math.min(COLUMNS - 1, Math.max(0, Math.floor((event.clientX - box.left) / side)));
  const row = Math.max(0, Math.floor((event.clientY - box.top) / side));
  const index = Number(atlas.dataset.first) + row * COLUMNS + column;
  return index < labels.length ? { column, row, index, side } : null;
}

function mark(atlas, place) {
  const marked = atlas.querySelector(".marked") ?? atlas.appendChild(Object.assign(document.createElement("span"), { className: "marked" }));
  marked.hidden = !place;
  if (!place) return;
  marked.style.left = `${place.column * place.side}px`;
  marked.style.top = `${place.row * place.side}px`;
}

function point(event) {
  const atlas = event.currentTarget;
  const place = placeAt(atlas, event);
  mark(atlas, place);
  if (place) atlas.closest(".mosaic").querySelector(".mosaic-told").textContent = `${labels[place.index]}: of all pictures so far, the one that the network is surest of`;
}

function open(event) {
  const atlas = event.currentTarget;
  const place = placeAt(atlas, event);
  if (!place || event.metaKey || event.ctrlKey || event.shiftKey || !event.detail) return; // the keyboard opens the run
  event.preventDefault();
  window.location.assign(`${atlas.closest(".mosaic").dataset.run}classes/${place.index}/`);
}

for (const atlas of document.querySelectorAll(".atlas")) {
  atlas.addEventListener("pointermove", point);
  atlas.addEventListener("pointerleave", () => mark(atlas, null));
  atlas.addEventListener("click", open);
}
