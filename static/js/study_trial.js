// One trial, as a plugin of jsPsych: a cross, the image for its time, the mask, the options, and the answer with its
// time from the display frame that showed the image. It is answered by keyboard, mouse and touch.

import { drawNoise } from "./study_noise.js";

const KEYS = [..."123456789abcdefghijklmnopqrstuvwxyz"];
const HALF_A_FRAME = 8; // ms: a step ends at the frame that is nearest to its time
const MASK_SIDE = 128; // pixels of the noise, which is drawn before it is needed
const SIXTEEN = 16; // options, which stand four by four; a catch trial may have one more below
const NARROW = 9; // options, up to which they stand side by side with their keys

export class TrialPlugin {
  static info = {
    name: "foolbreeder-trial",
    version: "1.0.0",
    parameters: { trial: { type: "COMPLEX" }, session: { type: "COMPLEX" } },
    data: {},
  };

  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  trial(display, { trial, session }) {
    this.stage = new Stage(display, trial, session, (answer) => this.jsPsych.finishTrial({ answer }));
    this.stage.begin();
  }
}

class Stage {
  constructor(display, trial, session, onAnswer) {
    Object.assign(this, { display, trial, session, onAnswer, blurs: 0, pressed: null });
    this.keys = trial.options.length <= KEYS.length ? KEYS.slice(0, trial.options.length) : [];
    this.ends = new AbortController();
  }

  async begin() {
    this.build();
    if (!this.session.naming) this.layOut();
    const { fixation, exposure, window: limit } = this.session.timing;
    if (fixation) await this.showCross(fixation);
    if (this.session.naming) await this.ask();
    this.onset = await this.showImage();
    if (!this.section.isConnected) return;
    this.listen();
    if (limit) this.limit(limit);
    if (exposure) this.hideAfter(exposure);
  }

  build() {
    const section = document.querySelector("#trial-layout").content.cloneNode(true).firstElementChild;
    this.display.replaceChildren(section);
    this.section = section; // the trial keeps its parts, also where the page has put something else in its place
    this.part = (name) => section.querySelector(`[data-part=${name}]`);
    this.part("question").textContent = this.session.naming || this.trial.question;
    this.part("practice").hidden = !this.trial.practice;
    this.part("picture").hidden = !this.trial.image;
    if (this.trial.image) this.hang(this.part("image"), this.trial.image);
    if (this.session.timing.mask) drawNoise(this.part("mask"), MASK_SIDE);
    this.part("options").hidden = true;
  }

  // The options have their room from the beginning, unseen, so that the image comes where the cross was.
  layOut() {
    this.pictures = this.offer();
    this.part("options").hidden = false;
    this.part("options").classList.add("absent");
  }

  hang(image, { url, pixelated }) {
    image.src = url;
    image.classList.toggle("pixelated", pixelated);
  }

  async showCross(time) {
    this.part("cross").hidden = false;
    this.part("image").classList.add("absent");
    await shownFor(time);
    this.part("cross").hidden = true;
  }

  // First in one's own words, with the image on the screen; then the options come.
  async ask() {
    await this.part("image").decode().catch(() => {});
    this.part("image").classList.remove("absent");
    const form = this.part("naming");
    const field = form.querySelector("input");
    const named = new Promise((resolve) => {
      const hint = this.part("nameless");
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const name = field.value.trim().slice(0, 200);
        if (name || hint.textContent) return resolve(name);
        hint.textContent = hint.dataset.says;
        field.focus({ preventScroll: true });
      });
    });
    form.hidden = false;
    await frame();
    field.focus({ preventScroll: true });
    this.name = await named;
    form.hidden = true;
    this.part("question").textContent = this.trial.question;
  }

  // The picture is laid out in one frame and stands on the screen with the next, whose time is the onset.
  async showImage() {
    const pictures = this.pictures ?? this.offer();
    await Promise.all([this.part("image"), ...pictures].map((image) => image.src && image.decode().catch(() => {})));
    await frame();
    this.part("image").classList.remove("absent");
    this.part("options").hidden = false;
    this.part("options").classList.remove("absent");
    const onset = await frame();
    this.display.dataset.shown = this.trial.number;
    this.part("question").focus({ preventScroll: true });
    return onset;
  }

  offer() {
    const list = this.part("options");
    const isGrid = this.trial.options.length > NARROW;
    list.classList.toggle("many", isGrid);
    list.classList.toggle("sixteen", [SIXTEEN, SIXTEEN + 1].includes(this.trial.options.length));
    list.classList.toggle("pictures", "url" in this.trial.options[0]);
    const buttons = this.trial.options.map((option, place) => this.button(option, place));
    list.replaceChildren(...buttons);
    if (isGrid && !this.keys.length) this.offerFilter(buttons);
    return buttons.flatMap((button) => [...button.querySelectorAll("img")]);
  }

  button(option, place) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.place = place;
    if (this.keys[place]) button.append(labelled("kbd", this.keys[place]));
    if (option.url) {
      const image = new Image();
      image.alt = `Image ${place + 1}`;
      this.hang(image, option);
      button.append(image);
    } else button.append(labelled("span", option.text));
    return button;
  }

  offerFilter(buttons) {
    const field = this.part("filter");
    field.parentElement.hidden = false;
    field.addEventListener("input", () => {
      const sought = field.value.trim().toLowerCase();
      for (const button of buttons) button.hidden = !button.textContent.toLowerCase().includes(sought);
    });
    field.addEventListener("keydown", (event) => {
      const left = buttons.filter((button) => !button.hidden);
      if (event.key === "Enter" && left.length === 1) this.choose(Number(left[0].dataset.place), event, "key");
    });
  }

  listen() {
    const heeding = { signal: this.ends.signal };
    document.addEventListener("keydown", (event) => this.press(event), heeding);
    window.addEventListener("blur", () => this.blurs++, heeding);
    this.part("options").addEventListener("pointerdown", (event) => (this.pressed = event), heeding);
    this.part("options").addEventListener("click", (event) => this.click(event), heeding);
  }

  press(event) {
    const typing = event.target.closest?.("input, dialog");
    if (event.repeat || event.altKey || event.ctrlKey || event.metaKey || typing || document.querySelector("dialog[open]")) return;
    const arrow = this.trial.options.length === 2 ? ["ArrowLeft", "ArrowRight"].indexOf(event.key) : -1;
    const place = arrow >= 0 ? arrow : this.keys.indexOf(event.key.toLowerCase());
    if (place < 0 || event.timeStamp < this.onset) return; // pressed before there was anything to see
    event.preventDefault();
    this.choose(place, event, "key");
  }

  click(event) {
    const button = event.target.closest("button[data-place]");
    if (!button) return;
    const began = this.pressed && button.contains(this.pressed.target) ? this.pressed : event;
    const by = { mouse: "mouse", touch: "touch", pen: "touch" }[event.pointerType] ?? "key";
    this.choose(Number(button.dataset.place), began, by);
  }

  limit(time) {
    this.timer = setTimeout(() => this.end({ answer: null, rt_ms: null }), time);
  }

  async hideAfter(time) {
    const end = this.onset + time - HALF_A_FRAME;
    let now = this.onset;
    while (now < end && !this.over) now = await frame();
    if (this.over) return;
    this.shown = now - this.onset;
    this.part("image").classList.add("absent");
    if (this.session.timing.mask) await this.showMask(this.session.timing.mask);
  }

  async showMask(time) {
    const mask = this.part("mask");
    mask.hidden = false;
    await shownFor(time);
    mask.hidden = true;
  }

  choose(place, event, by) {
    if (this.over) return;
    const time = Math.max(0, event.timeStamp - this.onset);
    this.end({ answer: place, rt_ms: time, by });
  }

  async end(answer) {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.ends.abort();
    const shown = this.shown ?? performance.now() - this.onset;
    for (const button of this.part("options").querySelectorAll("button")) {
      button.disabled = true;
      button.classList.toggle("chosen", Number(button.dataset.place) === answer.answer);
    }
    const sureness = this.session.sureness && answer.answer !== null ? await this.askSureness() : null;
    this.onAnswer({
      number: this.trial.number,
      by: "",
      ...answer,
      rt_ms: answer.rt_ms === null ? null : Math.round(answer.rt_ms * 100) / 100,
      sureness,
      name: this.name ?? "",
      shown_ms: Math.round(shown * 100) / 100,
      n_blurs: this.blurs,
      width: window.innerWidth,
      height: window.innerHeight,
    });
  }

  askSureness() {
    const form = this.part("sureness");
    form.hidden = false;
    form.querySelector("label").textContent = this.session.sureness;
    const slider = form.querySelector("input");
    const button = form.querySelector("button");
    const told = form.querySelector("output");
    slider.addEventListener("input", () => {
      button.disabled = false;
      told.textContent = `${slider.value} of 100`;
      slider.classList.add("moved");
    });
    slider.focus({ preventScroll: true });
    form.scrollIntoView({ block: "nearest" });
    return new Promise((resolve) => {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (!button.disabled) resolve(Number(slider.value));
      });
    });
  }
}

function labelled(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text;
  return element;
}

function frame() {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

// Wait, by the display's frames, as long as something shall stand on the screen.
async function shownFor(time) {
  await frame();
  const begun = await frame();
  let now = begun;
  while (now < begun + time - HALF_A_FRAME) now = await frame();
}
