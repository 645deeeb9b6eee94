// The game: the digits 1 to 4 press the answer that stands there, and the link to a result can be copied at a press.

const TAKES_TEXT = "input, select, textarea, [contenteditable]";

function press(event) {
  const modified = event.altKey || event.ctrlKey || event.metaKey;
  if (modified || event.repeat || event.target.closest?.(TAKES_TEXT)) return;
  document.querySelector(`button[data-key="${CSS.escape(event.key)}"]`)?.click();
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
document.querySelectorAll("#permalink").forEach(offerCopy);
document.querySelector("#play-on")?.focus({ preventScroll: true }); // so that Enter goes on
