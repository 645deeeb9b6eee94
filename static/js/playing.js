// The game: the digits 1 to 4 press the answer that stands there, and the link to a result can be copied at a press.

const TAKES_TEXT = "input, select, textarea, [contenteditable]";

function press(event) {
  const modified = event.altKey || event.ctrlKey || event.metaKey;
  if (modified || event.repeat || event.target.closest?.(TAKES_TEXT)) return;
  document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`)?.click();
}

// A second press, or a double click, would only be told that the first one stands.
function answerOnce(event) {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
}

// Whoever comes back by the browser's own button finds a page that was already answered: its form may be sent again.
function forget() {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
}

function offerCopy(field) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Copy link";
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
  setTimeout(() => (button.textContent = "Copy link"), 2000);
}

document.addEventListener("keydown", press);
document.addEventListener("submit", answerOnce);
window.addEventListener("pageshow", forget);
document.querySelectorAll("#permalink").forEach(offerCopy);
document.querySelector("#play-on")?.focus({ preventScroll: true }); // so that Enter goes on
