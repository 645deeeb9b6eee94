// The plane of images, people's recognition against the classifier's confidence. The server draws the dots; here the
// image next to the pointer, the finger or the focus of the keyboard is shown beside it, with a way to its page.

const NEAR = 24; // pixels from a dot at which a pointer means it
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
let chosen = null; // the number of the image that is shown; it stays when the section is replaced

class Plane {
  constructor(frame) {
    this.frame = frame;
    this.dots = JSON.parse(document.getElementById("plane-dots").textContent);
    this.ring = frame.querySelector(".plane-ring");
    this.card = document.getElementById("plane-card");
    frame.addEventListener("pointermove", (event) => this.point(event));
    frame.addEventListener("pointerdown", (event) => this.point(event));
    frame.addEventListener("click", (event) => this.open(event));
    frame.addEventListener("focus", () => this.show(this.current() ?? this.dots[0]));
    frame.addEventListener("keydown", (event) => this.step(event));
    if (this.current()) this.show(this.current());
  }

  current() {
    return this.dots.find((dot) => dot.number === chosen);
  }

  place(dot) {
    const { width, height } = this.frame.getBoundingClientRect();
    return [dot.x * width, (1 - dot.y) * height];
  }

  nearest(event) {
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    let best = null;
    let least = NEAR * NEAR;
    for (const dot of this.dots) {
      const distance = (dot.x * width + left - event.clientX) ** 2 + ((1 - dot.y) * height + top - event.clientY) ** 2;
      if (distance < least) [best, least] = [dot, distance];
    }
    return best;
  }

  point(event) {
    const dot = this.nearest(event);
    this.frame.classList.toggle("on-dot", Boolean(dot));
    if (dot && dot.number !== chosen) this.show(dot);
  }

  // A finger has no way to look before it presses: its first touch shows, and the card leads on.
  open(event) {
    const dot = this.nearest(event);
    if (dot?.url && event.pointerType === "mouse") window.location.assign(dot.url);
  }

  step(event) {
    if (event.key === "Enter" && this.current()?.url) window.location.assign(this.current().url);
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const next = this.towards(step);
    if (next) this.show(next);
  }

  // The next dot in a direction: little aside, and not far; of dots in one place, each in turn.
  towards([right, up]) {
    const from = this.current() ?? this.dots[0];
    const order = this.dots.indexOf(from);
    let best = null;
    let least = Infinity;
    this.dots.forEach((dot, index) => {
      if (dot === from) return;
      const ahead = (dot.x - from.x) * right + (dot.y - from.y) * up;
      const aside = Math.abs((dot.x - from.x) * up) + Math.abs((dot.y - from.y) * right);
      const same = ahead === 0 && aside === 0;
      if (same ? (index - order) * (right + up) <= 0 : ahead <= 0) return;
      const distance = same ? Math.abs(index - order) * 1e-9 : ahead + 3 * aside;
      if (distance < least) [best, least] = [dot, distance];
    });
    return best;
  }

  show(dot) {
    if (!dot) return;
    chosen = dot.number;
    const [x, y] = this.place(dot);
    this.ring.hidden = false;
    this.ring.style.transform = `translate(${x}px, ${y}px)`;
    this.fill(dot);
  }

  fill(dot) {
    const picture = this.card.querySelector("img");
    if (picture.getAttribute("src") !== dot.picture) picture.src = dot.picture;
    picture.alt = `image ${dot.number}, ${dot.label}`;
    for (const field of this.card.querySelectorAll("[data-of]")) field.textContent = dot[field.dataset.of] ?? "–";
    const way = this.card.querySelector("a");
    way.hidden = !dot.url;
    if (dot.url) way.href = dot.url;
    this.card.hidden = false;
  }
}

function begin() {
  const frame = document.getElementById("plane");
  if (!frame || frame.dataset.begun) return;
  frame.dataset.begun = "yes";
  const plane = new Plane(frame);
  new ResizeObserver(() => plane.current() && plane.show(plane.current())).observe(frame);
}

document.addEventListener("htmx:oobAfterSwap", begin);
begin();
