// The page of one image: other sizes are shown in place, and what one may take along is copied at a press.

const LARGEST_PIXELATED = 64; // pixels a side: smaller pictures are shown pixel by pixel
const picture = document.querySelector("#picture");

function show(event) {
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  const size = event.target.closest("a.size");
  if (!size || modified || !picture) return;
  event.preventDefault();
  picture.src = size.href;
  picture.width = picture.height = size.dataset.side;
  picture.classList.toggle("fine", picture.width > LARGEST_PIXELATED);
  picture.closest("a").href = size.href;
  document.querySelector("a.size[aria-current]")?.removeAttribute("aria-current");
  size.setAttribute("aria-current", "true");
  const told = document.querySelector("#drawn-at");
  if (told) told.textContent = drawnAt(size.dataset.side, told.dataset.native);
}

function drawnAt(side, native) {
  return side === native ? ", as it is drawn here" : `; here it is drawn at ${side} × ${side}`;
}

// Of a line one sees the end first: the image itself.
function turnToTheEnd(line) {
  line.scrollLeft = line.scrollWidth;
}

function offerCopy(field) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => copy(field, button));
  field.after(button);
}

async function copy(field, button) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // not allowed here: it is selected, and the keyboard copies it
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

document.addEventListener("click", show);
document.querySelectorAll(".line").forEach(turnToTheEnd);
document.querySelectorAll(".sharing input, .sharing textarea").forEach(offerCopy);
