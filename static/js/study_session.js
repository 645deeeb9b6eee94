// A session: the pictures are loaded first, then jsPsych leads through the trials, and each answer is stored at once.

import { Queue } from "./study_queue.js";
import { TrialPlugin } from "./study_trial.js";
import { WordsPlugin } from "./study_words.js";

const session = JSON.parse(document.querySelector("#session-data").textContent);
const pictures = JSON.parse(document.querySelector("#session-pictures").textContent);
const place = document.querySelector("#session");
const progress = document.querySelector("#progress");
const notice = document.querySelector("#connection");
const FEEDBACK_PATIENCE = 4000; // ms for which feedback is waited for
const told = new Map();
const late = new Set(); // trials whose time was over
let current = null;
let ended = false;
let running = false;

const queue = new Queue({
  id: session.id,
  address: session.answers,
  token: document.querySelector("meta[name=csrf-token]").content,
  next: session.next,
  onAway: (isAway) => {
    if (notice.hidden === isAway) queue.note({ kind: isAway ? "offline" : "online", trial: current });
    notice.hidden = !isAway;
  },
  onStored: (reply) => {
    for (const one of reply.told) told.set(one.number, one);
    progress.value = reply.next;
    if (reply.complete) finish();
  },
  onRefused: (reply) => stopWith(reply.message, reply.reason),
});

const jsPsych = initJsPsych({ display_element: "session", on_finish: waitForTheLast });

function finish() {
  ended = true;
  location.replace(session.done);
}

// What cannot be taken is said in the server's words; the page then begins where the server stands.
function stopWith(message, reason) {
  if (ended) return;
  ended = true;
  const box = document.createElement("section");
  box.className = "words-page";
  const words = document.createElement("p");
  words.textContent = message ?? "This session cannot go on.";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Go on where it stands";
  button.addEventListener("click", () => location.reload());
  box.append(words, ...(reason === "withdrawn" || reason === "not yours" ? [] : [button]));
  if (running) jsPsych.abortExperiment();
  place.replaceChildren(box);
}

function say(text) {
  document.querySelector("#said").textContent = text;
}

async function waitForTheLast() {
  if (ended) return;
  const words = document.createElement("p");
  words.textContent = "Storing your last answers. Keep this page open.";
  place.replaceChildren(words);
  await queue.flush();
  if (!ended && !queue.answers.length && queue.next >= session.total) finish();
}

function preload() {
  return new Promise((resolve) => {
    if (!pictures.length) return resolve();
    const bar = document.createElement("progress");
    bar.max = pictures.length;
    bar.value = 0;
    const words = document.createElement("p");
    words.textContent = "Loading the pictures…";
    place.replaceChildren(words, bar);
    const load = () =>
      jsPsych.pluginAPI.preloadImages(
        pictures,
        resolve,
        () => bar.value++,
        () => offerAgain(words, load),
      );
    load();
  });
}

function offerAgain(words, load) {
  if (words.querySelector("button")) return;
  words.textContent = "Not all pictures could be loaded. ";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try again";
  button.addEventListener("click", () => {
    words.textContent = "Loading the pictures…";
    load();
  });
  words.append(button);
}

function words(title, text, button, isWanted = () => true) {
  return {
    timeline: [{ type: WordsPlugin, title, text, button }],
    conditional_function: () => !ended && isWanted(),
  };
}

function trialOf(trial) {
  const isDue = () => !ended && trial.number >= Math.max(queue.reached, queue.next);
  return {
    timeline: [
      {
        type: TrialPlugin,
        trial,
        session,
        on_load: () => begin(trial),
        on_finish: (data) => store(data.answer),
      },
      ...(wantsFeedback(trial) ? [feedbackOn(trial)] : []),
    ],
    conditional_function: isDue,
  };
}

function begin(trial) {
  current = trial.number;
  say(`${trial.practice ? "Practice. " : ""}${trial.number + 1} of ${session.total}.`);
}

function store(answer) {
  if (!answer || ended) return;
  if (answer.answer === null) late.add(answer.number);
  progress.value = Math.max(progress.value, answer.number + 1);
  queue.add(answer);
}

function wantsFeedback(trial) {
  return session.feedback === "all" || (session.feedback === "practice" && trial.practice);
}

// The right option comes with the server's reply, which is waited for only a little while.
function feedbackOn(trial) {
  return {
    timeline: [
      {
        type: WordsPlugin,
        title: () => verdict(trial.number),
        text: () => nameOf(trial.options[told.get(trial.number).key], told.get(trial.number).key),
        button: "Go on",
      },
    ],
    conditional_function: () => !ended && told.has(trial.number),
  };
}

function verdict(number) {
  if (told.get(number).right) return "That counts as right";
  return late.has(number) ? "That was too late; this counts as right" : "Something else counts as right";
}

function nameOf(option, number) {
  return option.text ? `“${option.text}”` : `Image ${number + 1}`;
}

// jsPsych goes on without waiting; so feedback waits in a step of its own.
class PausePlugin {
  static info = { name: "foolbreeder-pause", version: "1.0.0", parameters: { number: { type: "INT" } }, data: {} };

  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  async trial(display, { number }) {
    const end = performance.now() + FEEDBACK_PATIENCE;
    while (!told.has(number) && queue.answers.length && !queue.away && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 30));
    this.jsPsych.finishTrial({});
  }
}

function withFeedback(node, trial) {
  if (!wantsFeedback(trial)) return node;
  const [shown, feedback] = node.timeline;
  return { ...node, timeline: [shown, { type: PausePlugin, number: trial.number }, feedback] };
}

function timeline() {
  const practice = session.trials.filter((trial) => trial.practice);
  const main = session.trials.filter((trial) => !trial.practice);
  const isAtTheBeginning = session.next === 0;
  return [
    words(isAtTheBeginning ? "What you do" : "Welcome back", session.instructions, "Go on", () => session.trials.length > 0),
    ...(session.screen === "no" ? [] : [fullScreen()]),
    ...practice.map((trial) => withFeedback(trialOf(trial), trial)),
    words("Practice is over", "From now on every answer counts.", "Begin", () => practice.length > 0 && main.length > 0),
    ...main.map((trial) => withFeedback(trialOf(trial), trial)),
  ];
}

class FullScreenPlugin {
  static info = { name: "foolbreeder-full-screen", version: "1.0.0", parameters: {}, data: {} };

  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  trial(display) {
    const box = document.createElement("section");
    box.className = "words-page";
    const text = document.createElement("p");
    text.textContent = "Use the whole screen, so that nothing else distracts you. Escape ends it at any time.";
    const choose = (label, isQuiet, deed) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.classList.toggle("quiet", isQuiet);
      button.addEventListener("click", async () => {
        await deed();
        this.jsPsych.finishTrial({});
      });
      return button;
    };
    const whole = choose("Use the whole screen", false, () => document.documentElement.requestFullscreen().catch(() => {}));
    const without = choose("Go on without", true, () => {});
    box.append(text, whole, ...(session.screen === "asked" && document.fullscreenEnabled ? [] : [without]));
    display.replaceChildren(box);
    whole.focus({ preventScroll: true });
  }
}

function fullScreen() {
  return { type: FullScreenPlugin };
}

function watch() {
  const note = (kind, detail = "") => queue.note({ kind, trial: current, detail });
  window.addEventListener("blur", () => note("blur"));
  window.addEventListener("focus", () => note("focus"));
  document.addEventListener("visibilitychange", () => note(document.hidden ? "hidden" : "visible"));
  document.addEventListener("fullscreenchange", () => note(document.fullscreenElement ? "full screen" : "window"));
  let resizing;
  window.addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => note("resize", `${window.innerWidth} x ${window.innerHeight}`), 300);
  });
}

// How long a frame of this display lasts, in ms: the median of some.
async function frameTime(count = 20) {
  const times = [];
  for (let number = 0; number <= count; number++) times.push(await new Promise(requestAnimationFrame));
  const steps = times.slice(1).map((time, index) => time - times[index]);
  return steps.sort((one, other) => one - other)[count >> 1];
}

async function describeBrowser() {
  queue.browser = {
    width: window.innerWidth,
    height: window.innerHeight,
    pixel_ratio: window.devicePixelRatio,
    frame_ms: await frameTime(),
    touch: navigator.maxTouchPoints > 0 ? 1 : 0,
  };
}

function offerToStop() {
  const dialog = document.querySelector("#stopping");
  document.querySelector("#stop").addEventListener("click", () => dialog.showModal());
}

async function run() {
  watch();
  offerToStop();
  await Promise.all([describeBrowser(), preload()]);
  await queue.flush();
  if (ended) return;
  running = true;
  place.replaceChildren();
  jsPsych.run(timeline());
}

run();
