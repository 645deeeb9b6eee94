// Results of a study: the socket's bell has htmx ask for what changed, and sections that say the same as before stay.

const live = document.getElementById("results-live");
const APART = 2000; // milliseconds between two questions, however often the bell rings
const PATIENCE = 5; // and so many times what the last answer took, so that a large study is not counted all the time
let asked = 0;
let apart = APART;
let timer = null;

function ask() {
  timer = null;
  window.htmx.trigger(live, "bell");
}

function begin(event) {
  if (event.detail.elt === live) asked = Date.now();
}

function end(event) {
  if (event.detail.elt === live) apart = Math.max(APART, PATIENCE * (Date.now() - asked));
}

function hear(event) {
  if (!event.detail.message.includes("results-bell") || timer) return;
  timer = setTimeout(ask, Math.max(0, asked + apart - Date.now()));
}

function keepUnchanged(event) {
  const { target, fragment } = event.detail;
  const mark = target.dataset.mark;
  const next = fragment.firstElementChild;
  if (!mark || !next) return;
  if (mark === next.dataset.mark) event.detail.shouldSwap = false;
  else for (const folded of target.querySelectorAll("details[id]")) unfold(next, folded);
}

function unfold(section, folded) {
  const same = section.querySelector(`#${folded.id}`);
  if (same) same.open = folded.open;
}

document.addEventListener("htmx:beforeRequest", begin);
document.addEventListener("htmx:afterRequest", end);
document.addEventListener("htmx:wsAfterMessage", hear);
document.addEventListener("htmx:oobBeforeSwap", keepUnchanged);
