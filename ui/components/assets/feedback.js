// What the reader thinks of an answer: a thumb, and for the lower one a reason and words of their own.

import { button, element, field, icon } from "./dom.js";
import { change, conversationPath } from "./service.js";
import { problemCallout } from "./states.js";

const REASONS = ["wrong", "incomplete", "not_found", "citation", "other"];
const LONGEST_COMMENT = 2000;

export class Feedback {
  constructor(page, conversation, turn) {
    this.page = page;
    this.turn = turn;
    this.path = conversationPath(conversation, `/turns/${turn.number}/feedback`);
    this.asking = false;
  }

  draw() {
    const { words } = this.page;
    this.thumbs = element("div", { class: "thumbs", role: "group", "aria-label": words.say("feedback.group") });
    this.told = element("span", { class: "tag", role: "status" });
    this.more = element("div", { class: "feedback-more" });
    this.show();
    return element("div", { class: "feedback" }, this.thumbs, this.told, this.more);
  }

  show() {
    const focused = this.thumbs.contains(document.activeElement) ? document.activeElement.dataset.rating : null;
    this.thumbs.replaceChildren(this.thumb("up"), this.thumb("down"));
    if (focused) this.thumbs.querySelector(`[data-rating="${focused}"]`).focus();
    this.more.replaceChildren(...(this.asking ? [this.form()] : []));
    if (this.asking) this.more.scrollIntoView({ block: "nearest" });
  }

  thumb(rating) {
    const says = this.page.words.say(`feedback.${rating}`);
    const pressed = this.turn.feedback?.rating === rating;
    return element(
      "button",
      {
        type: "button", class: "icon-button", "data-rating": rating, "aria-label": says, title: says,
        "aria-pressed": String(pressed), onclick: () => this.press(rating, pressed),
      },
      icon(rating),
    );
  }

  /** A thumb counts at once; the reason for the lower one is asked for afterwards. Pressed again, it is taken back. */
  async press(rating, pressed) {
    this.asking = rating === "down" && !pressed;
    const body = pressed ? undefined : { rating };
    await this.send(pressed ? "DELETE" : "PUT", body, pressed ? "feedback.withdrawn" : "feedback.thanks");
  }

  async send(method, body, says) {
    const { words } = this.page;
    const before = this.turn.feedback;
    this.turn.feedback = body ?? null;
    this.show();
    try {
      await change(method, this.path, body);
      this.told.textContent = words.say(says);
    } catch (error) {
      this.turn.feedback = before;
      this.asking = false;
      this.told.textContent = "";
      this.show();
      this.more.replaceChildren(problemCallout(error, words));
    }
  }

  form() {
    const { words } = this.page;
    const { key } = this.turn;
    const reasons = REASONS.map((reason) =>
      element(
        "label",
        { class: "check" },
        element("input", { type: "radio", name: `${key}-reason`, value: reason, checked: this.turn.feedback?.reason === reason }),
        words.say(`feedback.${reason}`),
      ),
    );
    const comment = element("textarea", { id: `${key}-comment`, rows: "2", maxlength: String(LONGEST_COMMENT), dir: "auto" });
    comment.value = this.turn.feedback?.comment ?? "";
    const send = async (event) => {
      event.preventDefault();
      const reason = form.querySelector("input:checked")?.value;
      this.asking = false;
      await this.send("PUT", { rating: "down", ...(reason ? { reason } : {}), ...(comment.value.trim() ? { comment: comment.value.trim() } : {}) }, "feedback.thanks");
      this.thumbs.querySelector('[data-rating="down"]').focus();
    };
    const leave = () => {
      this.asking = false;
      this.show();
      this.thumbs.querySelector('[data-rating="down"]').focus();
    };
    const form = element(
      "form",
      { class: "feedback-form", onsubmit: send },
      element("fieldset", {}, element("legend", {}, words.say("feedback.why")), element("div", { class: "checks" }, reasons)),
      field(words.say("feedback.comment"), comment, { hint: words.say("feedback.comment_hint") }),
      element(
        "div",
        { class: "form-end" },
        element("button", { type: "submit", class: "button small" }, words.say("feedback.send")),
        button(words.say("feedback.skip"), leave, { kind: "small plain" }),
      ),
    );
    return form;
  }
}
