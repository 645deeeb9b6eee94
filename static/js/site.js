// What every page does: the first wrong field takes the focus, and an open menu closes again.

function focusFirstError() {
  const wrong = document.querySelector("[aria-invalid=true]");
  if (!wrong) return;
  const field = wrong.matches("fieldset") ? wrong.querySelector("input") : wrong;
  field?.focus();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

function closeMenuWithFocus(event) {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", closeMenuWithFocus);
focusFirstError();
