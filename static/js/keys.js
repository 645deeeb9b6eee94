// Arrow keys turn to the neighbour on the left or right, wherever a page links to one by rel.

const NEIGHBOUR = { ArrowLeft: "prev", ArrowRight: "next" };
const TAKES_ARROWS = "input, select, textarea, [contenteditable], [data-takes-arrows]";

function turn(event) {
  const rel = NEIGHBOUR[event.key];
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (!rel || modified || event.target.closest?.(TAKES_ARROWS)) return;
  document.querySelector(`a[rel=${rel}]`)?.click();
}

document.addEventListener("keydown", turn);
