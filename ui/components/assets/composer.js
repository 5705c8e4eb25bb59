// The box in which a question is written, with what the search is limited to.

import { element } from "./dom.js";

const LONGEST_QUESTION = 2000;

export class Composer {
  /** `send(question)` is called with what was written. */
  constructor(page, scope, send) {
    this.page = page;
    this.scope = scope;
    this.send = send;
    this.draft = "";
    this.following = false;
  }

  draw() {
    const { words } = this.page;
    this.input = this.textarea();
    this.label = element("label", { for: "question" });
    this.problem = element("p", { id: "question-error", class: "field-error", "aria-live": "polite" });
    this.form = element(
      "form",
      { class: "question-form", onsubmit: (event) => this.submit(event) },
      this.label,
      element(
        "div",
        { class: "question-row" },
        this.input,
        element("button", { type: "submit", class: "button" }, words.say("ask.submit")),
      ),
      element("p", { id: "question-hint", class: "hint" }, words.say("ask.hint")),
      this.problem,
      this.scope.draw(),
    );
    this.watch();
    this.follows(this.following);
    return this.form;
  }

  /** After an answer the box takes the next question. */
  follows(following) {
    this.following = following;
    this.label.textContent = this.page.words.say(following ? "ask.follow_up" : "ask.label");
    this.label.classList.toggle("unseen", following);
    if (following) this.input.placeholder = this.page.words.say("ask.follow_up");
    else this.input.removeAttribute("placeholder");
  }

  textarea() {
    const input = element("textarea", {
      id: "question",
      rows: "1",
      maxlength: String(LONGEST_QUESTION),
      dir: "auto",
      "aria-describedby": "question-hint question-error",
      onkeydown: (event) => {
        // isComposing: Enter that ends an input method's word must not send.
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.submit(event);
      },
      oninput: () => {
        this.draft = input.value;
        this.fit();
        this.complain("");
      },
    });
    input.value = this.draft;
    return input;
  }

  /** The field is as high as its text; the text breaks elsewhere when the source panel takes some of the width. */
  watch() {
    this.sizes?.disconnect();
    let width = 0;
    this.sizes = new ResizeObserver(([entry]) => {
      if (entry.contentRect.width !== width) this.fit();
      width = entry.contentRect.width;
    });
    this.sizes.observe(this.input);
  }

  fit() {
    this.input.style.height = "auto";
    if (this.input.scrollHeight) this.input.style.height = `${this.input.scrollHeight}px`;
  }

  fill(text) {
    this.draft = this.input.value = text;
    this.fit();
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  complain(text) {
    this.problem.textContent = text;
    this.input.ariaInvalid = text ? "true" : null;
  }

  submit(event) {
    event.preventDefault();
    const question = this.input.value.trim();
    if (question) return this.send(question);
    this.complain(this.page.words.say("ask.empty"));
    this.input.focus();
  }
}
