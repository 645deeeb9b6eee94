// A student's session: the class's clock runs along, and once the class has moved on the page goes back to the seat.

const TICK = 250; // milliseconds
const SLOWLY = 15_000; // milliseconds between two questions though no bell rings: one may be lost
const LAST_WORD = 1_500; // milliseconds for the last answer to arrive once time is up
const clock = document.querySelector("#class-clock");
const end = clock.dataset.left === "" ? null : Date.now() + Number(clock.dataset.left) * 1000;
let isLeaving = false;

function leave() {
  if (isLeaving) return;
  isLeaving = true;
  setTimeout(() => location.assign(clock.dataset.seat), LAST_WORD);
}

function tick() {
  const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
  const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  if (clock.textContent !== text) clock.textContent = text;
  if (left === 0) leave();
}

// The seat's page leads back here as long as the class is at work.
async function ask() {
  try {
    const answer = await fetch(`${clock.dataset.seat}part/?status=session`);
    const where = answer.headers.get("HX-Redirect");
    if (where && where !== location.pathname) leave();
  } catch {
    // The connection is away; the next bell or question comes.
  }
}

function listen() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  new WebSocket(`${scheme}//${location.host}${clock.dataset.socket}`).addEventListener("message", ask);
}

if (end !== null) setInterval(tick, TICK);
setInterval(ask, SLOWLY);
listen();
