// A class: the socket's bell has htmx ask how it stands, and the clock runs between two answers.

const APART = 1000; // milliseconds between two questions, however often the bell rings
const TICK = 250; // milliseconds
const live = document.querySelector("#class-live");
let asked = 0;
let timer = null;
let end = null; // of the time, by this browser's own clock
let told = null; // the clock that was read last

function ask() {
  timer = null;
  asked = Date.now();
  window.htmx.trigger(live, "bell");
}

function hear(event) {
  if (!live || timer || !event.detail.message.includes("class-bell")) return;
  timer = setTimeout(ask, Math.max(0, asked + APART - Date.now()));
}

function tick() {
  const clock = document.querySelector(".class-clock");
  if (!clock) return;
  if (clock !== told) {
    told = clock;
    end = Date.now() + Number(clock.dataset.left) * 1000;
  }
  const left = Math.ceil((end - Date.now()) / 1000);
  const text = left > 0 ? inWords(left) : "Time is up";
  if (clock.textContent !== text) clock.textContent = text;
  if (left <= 0 && clock.dataset.left !== "0") {
    clock.dataset.left = "0";
    ask();
  }
}

function inWords(left) {
  const seconds = String(left % 60).padStart(2, "0");
  return `${Math.floor(left / 60)}:${seconds}`;
}

document.addEventListener("htmx:wsAfterMessage", hear);
if (live) setInterval(tick, TICK);
tick();
