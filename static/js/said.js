// What people say of an image: forms that are refused show why, and a link to a comment finds it when it has come.

const SHOWN = [422]; // a form with what is wrong in it

function showRefusals(event) {
  const { xhr, target } = event.detail;
  if (!SHOWN.includes(xhr.status) || !target.id.startsWith("said-")) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
}

function focusWrong(event) {
  if (!event.target.id?.startsWith("said-")) return;
  const wrong = event.target.querySelector("[aria-invalid=true]");
  (wrong?.matches("fieldset") ? wrong.querySelector("input") : wrong)?.focus();
}

function goToNamed(event) {
  const named = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (event.target.matches?.(".said") && named) named.scrollIntoView();
}

document.addEventListener("htmx:beforeSwap", showRefusals);
document.addEventListener("htmx:load", focusWrong);
document.addEventListener("htmx:load", goToNamed);
