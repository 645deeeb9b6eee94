// What people say of an image: forms that are refused show why, and a link to a comment finds it when it has come.

const SHOWN = [422]; // a form with what is wrong in it

function showRefusals(event) {
  const { xhr, target } = event.detail;
  if (!SHOWN.includes(xhr.status) || !target.closest(".said-part, .said")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
}

function focusWrong(event) {
  if (!event.target.id?.startsWith("said-")) return;
  const wrong = event.target.querySelector("[aria-invalid=true]");
  (wrong?.matches("fieldset") ? wrong.querySelector("input") : wrong)?.focus();
}

// A press on a star gives it, as Enter and Space do; arrows only move among the stars, so that nobody gives one on the way.
let isWalking = false;

function walk(event) {
  const star = event.target.closest?.(".star input");
  isWalking = Boolean(star) && event.key.startsWith("Arrow");
  if (!star || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  star.checked = true;
  if (!event.repeat) star.form.requestSubmit();
}

function press(event) {
  const star = event.target.closest?.(".star input");
  if (star && !isWalking) star.form.requestSubmit(); // a click that an arrow makes comes before its key is up
}

function goToNamed(event) {
  const named = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (event.target.matches?.(".said") && named) named.scrollIntoView();
}

document.addEventListener("htmx:beforeSwap", showRefusals);
document.addEventListener("htmx:load", focusWrong);
document.addEventListener("htmx:load", goToNamed);
document.addEventListener("keydown", walk);
document.addEventListener("keyup", () => (isWalking = false));
document.addEventListener("click", press);
