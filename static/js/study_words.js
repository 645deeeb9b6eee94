// Words that a person reads before going on, as a plugin of jsPsych: instructions, the end of practice, feedback.

export class WordsPlugin {
  static info = {
    name: "foolbreeder-words",
    version: "1.0.0",
    parameters: { title: { type: "STRING" }, text: { type: "STRING" }, button: { type: "STRING" } },
    data: {},
  };

  constructor(jsPsych) {
    this.jsPsych = jsPsych;
  }

  trial(display, { title, text, button }) {
    const box = document.createElement("section");
    box.className = "words-page";
    const heading = document.createElement("h1");
    heading.textContent = title;
    heading.tabIndex = -1;
    const paragraphs = text
      .split(/\n\s*\n/)
      .filter((part) => part.trim())
      .map((part) => {
        const paragraph = document.createElement("p");
        paragraph.textContent = part;
        return paragraph;
      });
    const on = document.createElement("button");
    on.type = "button";
    on.textContent = button;
    on.addEventListener("click", () => this.jsPsych.finishTrial({}), { once: true });
    box.append(heading, ...paragraphs, on);
    display.replaceChildren(box);
    on.focus({ preventScroll: true });
  }
}
