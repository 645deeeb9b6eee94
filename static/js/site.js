// What every page does: the first wrong field takes the focus, an open menu closes again, "3 minutes ago" ages, and a
// double click sends a form once.

const MINUTE = 60_000; // milliseconds
const HOUR = 60; // minutes
const DAY = 24 * HOUR;
const ONE_WISH = 5000; // milliseconds in which a form that is sent again was meant once

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

function ago(minutes) {
  if (minutes < HOUR) return minutes === 1 ? "a minute ago" : `${minutes} minutes ago`;
  const hours = Math.floor(minutes / HOUR);
  return hours === 1 ? "an hour ago" : `${hours} hours ago`;
}

function age() {
  for (const time of document.querySelectorAll("time.age")) {
    const minutes = Math.floor((Date.now() - new Date(time.dateTime)) / MINUTE);
    if (minutes >= 1 && minutes < DAY) time.textContent = ago(minutes);
  }
}

function sendOnce(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return; // others have taken it, or it changes nothing
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), ONE_WISH);
}

const sent = new Set();
setInterval(age, MINUTE);
window.addEventListener("pageshow", () => sent.clear()); // a page that one came back to may be sent again
window.addEventListener("submit", sendOnce); // after all others have heard of it
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("focusin", (event) => closeMenus(event.target));
document.addEventListener("keydown", closeMenuWithFocus);
focusFirstError();
