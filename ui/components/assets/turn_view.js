// One exchange on the page: the question, the signs of life, the answer as it grows, how it ended, what can be done with it.

import { answerBody, clipboardText, leads } from "./answer.js";
import { changesList } from "./changes.js";
import { button, element, icon, viewLink } from "./dom.js";
import { exportMenu } from "./exports.js";
import { Feedback } from "./feedback.js";
import { copied } from "./clipboard.js";
import { headline } from "./headline.js";
import { conversationPath } from "./service.js";
import { note, signIn } from "./states.js";

export class TurnView {
  constructor(ask, turn) {
    this.ask = ask;
    this.page = ask.page;
    this.turn = turn;
    this.head = element("div", { class: "turn-head" });
    this.status = element("p", { class: "unseen", role: "status" });
    this.body = element("div", { class: "answer-body", "aria-live": "polite", "aria-relevant": "additions" });
    this.life = element("div", { class: "answer-life" });
    this.end = element("div", { class: "answer-end" });
    const parts = [this.head, this.status, this.body, this.life, this.end];
    this.node = element("article", { class: `turn turn-${turn.kind}`, id: turn.key, "aria-labelledby": `${turn.key}-title` }, parts);
    this.editing = false;
  }

  /** Draws what has changed. The sentences' element is kept, so that focus and reading survive. */
  show() {
    const { turn } = this;
    const { words } = this.page;
    const said = this.spoken(words);
    if (this.status.textContent !== said) this.status.textContent = said;
    this.node.classList.toggle("running", turn.running);
    this.showHead();
    if (turn.kind === "changes") this.showChanges();
    else answerBody(this.body, turn, this.page);
    this.showLife(words);
    // What the reader has opened below an answer stays open: nothing but a change of phase draws it anew.
    const shown = JSON.stringify([turn.phase, turn.number, turn.hidden, this.ask.isLast(turn)]);
    if (shown !== this.ended) {
      this.ended = shown;
      this.end.replaceChildren(...this.ending(words));
    }
    this.body.hidden = !this.body.childElementCount;
  }

  /** The question, with the ways to change it; drawn anew only when it looks different, for the focus. */
  showHead() {
    const { turn } = this;
    const shown = JSON.stringify([turn.question, turn.searched, turn.running, this.editing, turn.number]);
    if (shown === this.headed) return;
    const focused = this.head.contains(document.activeElement) && !this.editing ? document.activeElement.localName : null;
    this.headed = shown;
    this.head.replaceChildren(...(this.editing ? [this.editor()] : this.question()));
    if (focused) (this.head.querySelector(focused) ?? this.head.querySelector("h2"))?.focus({ preventScroll: true });
  }

  question() {
    const { turn, ask } = this;
    const { words } = this.page;
    const own = turn.kind === "question";
    const shown = own && !ask.conversing ? "question unseen" : "question";
    const title = element("h2", { class: shown, id: `${turn.key}-title`, dir: "auto", tabindex: "-1" }, headline(turn, words));
    if (!own || !ask.conversing) return [title, this.searched(words)].filter(Boolean);
    const edit = element(
      "button",
      { type: "button", class: "icon-button edit", "aria-label": words.say("turn.edit"), title: words.say("turn.edit"), onclick: () => this.edit(turn.question) },
      icon("pen"),
    );
    return [element("div", { class: "question-line" }, title, turn.running ? null : edit), this.searched(words)].filter(Boolean);
  }

  /** In a follow-up, the question that was searched in place of the reader's own words. */
  searched(words) {
    const { turn } = this;
    if (turn.kind !== "question" || !turn.rewritten) return null;
    const edit = { type: "button", class: "link-button", onclick: () => this.edit(turn.searched) };
    const change = turn.running || !this.ask.conversing ? null : element("button", edit, words.say("turn.edit_searched"));
    const says = element("span", {}, words.say("turn.searched"), " ", element("bdi", {}, turn.searched), " ", change);
    return element("p", { class: "searched" }, icon("search"), says);
  }

  edit(text) {
    this.editing = true;
    this.draft = text;
    this.showHead();
    const field = this.head.querySelector("textarea");
    field.focus();
    field.setSelectionRange(text.length, text.length);
  }

  editor() {
    const { turn, ask } = this;
    const { words } = this.page;
    const field = element("textarea", {
      id: `${turn.key}-edit`, rows: "2", maxlength: "2000", dir: "auto",
      oninput: () => (this.draft = field.value),
      onkeydown: (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
        if (event.key !== "Escape") return;
        event.preventDefault();
        leave();
      },
    });
    field.value = this.draft;
    const leave = () => {
      this.editing = false;
      this.showHead();
      this.head.querySelector(".edit")?.focus();
    };
    const send = (event) => {
      event.preventDefault();
      const question = field.value.trim();
      if (question) ask.ask(question, { instead: turn });
    };
    return element(
      "form",
      { class: "turn-editor", onsubmit: send },
      element("label", { for: field.id, id: `${turn.key}-title` }, words.say("turn.edit_label")),
      field,
      ask.isLast(turn) ? null : element("p", { class: "hint" }, words.say("turn.edit_drops")),
      element(
        "div",
        { class: "form-end" },
        element("button", { type: "submit", class: "button small" }, words.say("ask.submit")),
        button(words.say("dossier.cancel"), leave, { kind: "small plain" }),
      ),
    );
  }

  spoken(words) {
    const { turn } = this;
    if (turn.phase === "done") return turn.abstained ? "" : words.say("progress.done");
    if (turn.phase === "waiting") return words.say("progress.waiting", { place: words.number(turn.place) });
    return turn.phase === "searching" || turn.phase === "reading" ? this.activity(words) : "";
  }

  activity(words) {
    const { turn } = this;
    if (turn.kind === "changes") return words.say("progress.comparing");
    if (turn.phase === "waiting") return words.say("progress.waiting", { place: words.number(turn.place) });
    if (turn.phase === "writing") return words.say("progress.writing");
    if (turn.phase === "reading" && turn.evidence) {
      return words.say("progress.reading", {
        passages: words.count("passages", turn.evidence.passages),
        documents: words.count("documents", turn.evidence.documents),
      });
    }
    if (turn.kind === "summary") return words.say("progress.summing_up");
    return words.say("progress.searching", { documents: words.count("documents", this.page.instance.documents) });
  }

  /** Signs of life while it runs. The line is kept and only its words change: a button in it may have the focus. */
  showLife(words) {
    if (!this.turn.running) {
      if (this.life.contains(document.activeElement)) this.ask.composer.focus();
      return this.life.replaceChildren();
    }
    if (!this.life.firstElementChild) {
      this.activityText = element("span", { class: "activity-text" });
      const stop = button(words.say("ask.stop"), () => this.ask.halt(this.turn), { drawing: "stop", kind: "quiet stop" });
      stop.className = "quiet stop";
      this.life.append(
        element("div", { class: "activity" }, element("span", { class: "pulse", "aria-hidden": "true" }), this.activityText, stop),
      );
    }
    this.activityText.textContent = this.activity(words);
    if (this.turn.restarted && !this.life.querySelector(".note")) this.life.prepend(note(words.say("progress.restarted"), { drawing: "again" }));
  }

  showChanges() {
    if (this.turn.comparison && !this.body.childElementCount) this.body.append(...changesList(this.turn, this.page));
  }

  ending(words) {
    const { turn } = this;
    if (turn.running) return [];
    if (turn.phase === "failed") return [this.failure(words), this.hiddenNote(words)].filter(Boolean);
    if (turn.kind === "changes" && turn.phase === "stopped") return [note(words.say("progress.stopped"))];
    if (turn.kind === "changes") return [this.leftOut(words), this.hiddenNote(words), this.tools(words)].filter(Boolean);
    if (turn.phase === "stopped" || turn.phase === "cut") {
      const says = turn.phase === "stopped" && !turn.sentences.length ? "progress.stopped_early" : `progress.${turn.phase}`;
      return [note(words.say(says), { drawing: "stop" }), this.hiddenNote(words), this.tools(words)].filter(Boolean);
    }
    if (turn.abstained && turn.hidden) return [this.hiddenNote(words), this.tools(words)].filter(Boolean);
    if (turn.abstained) return [this.abstention(words), this.tools(words, { copy: false })].filter(Boolean);
    return [...this.remarks(words), this.tools(words)].filter(Boolean);
  }

  /** What the reader has to know of an answer that is there. */
  remarks(words) {
    const { turn } = this;
    const { answer } = turn;
    const composed = answer.model !== "quotes";
    const doubtful = composed && turn.sentences.some((sentence) => sentence.verdict === "partly supported");
    return [
      turn.restarted ? note(words.say("progress.was_restarted"), { drawing: "again" }) : null,
      answer.incomplete ? note(words.say("answer.incomplete"), { drawing: "alert" }) : null,
      answer.withheld ? this.withheld(words) : null,
      doubtful ? note(words.say("answer.partly_means")) : null,
      this.hiddenNote(words),
      ...answer.notes.map((text) => sourceNote(text, answer.language)),
      composed ? note(words.say("answer.ai_notice", { model: answer.model }), { kind: "ai-notice" }) : null,
    ];
  }

  withheld(words) {
    const says = words.say("answer.withheld", { sentences: words.count("sentences", this.turn.answer.withheld) });
    return element(
      "details",
      { class: "note withheld" },
      element("summary", {}, icon("shield"), element("span", {}, says)),
      element("p", {}, words.say("answer.withheld_means")),
    );
  }

  hiddenNote(words) {
    const { hidden, kind } = this.turn;
    if (!hidden) return null;
    const says = kind === "changes" ? words.say("turn.hidden_changes", { changes: words.count("changes", hidden) }) : words.say("turn.hidden", { sentences: words.count("sentences", hidden) });
    return note(says, { drawing: "lock" });
  }

  /** How many changes are not shown, because the two texts have too little in common. */
  leftOut(words) {
    const left = this.turn.comparison?.left_out;
    return left ? note(words.say("reading.left_out", { changes: words.count("changes", left) }), { drawing: "alert" }) : null;
  }

  tools(words, { copy = true } = {}) {
    const { turn, ask } = this;
    const kept = ask.conversing && turn.number !== null;
    const own = turn.kind === "question";
    const shows = turn.sentences.length || turn.comparison;
    const repeats = kept && (own || (ask.isLast(turn) && turn.documents.every(({ title }) => title)));
    const label = turn.answer?.label && turn.answer.label !== "public" ? turn.answer.label : null;
    const parts = [
      copy && turn.sentences.length ? this.copyButton(words) : null,
      kept && shows ? exportMenu(words, (format) => conversationPath(ask.conversation.id, "/export", { format, turn: turn.number })) : null,
      repeats ? button(words.say(own ? "turn.again" : "reading.again"), () => ask.again(turn), { drawing: "again", kind: "tool again" }) : null,
      kept && own && (turn.answer || turn.sentences.length) ? new Feedback(this.page, ask.conversation.id, turn).draw() : null,
      label ? element("span", { class: "tag" }, words.say("answer.label", { label: words.label(label) })) : null,
    ].filter(Boolean);
    return parts.length ? element("div", { class: "answer-tools" }, parts) : null;
  }

  copyButton(words) {
    const says = element("span", {}, words.say("answer.copy"));
    const told = element("span", { class: "unseen", role: "status" });
    const copy = async () => {
      const done = await copied(clipboardText(this.turn, this.page));
      told.textContent = words.say(done ? "answer.copied" : "answer.copy_failed");
      says.textContent = told.textContent;
      setTimeout(() => (says.textContent = words.say("answer.copy")), 2500);
    };
    return element("button", { type: "button", class: "button tool copy", onclick: copy }, icon("copy"), says, told);
  }

  failure(words) {
    const { turn, ask } = this;
    const again = button(words.say("error.retry"), () => ask.again(turn), { kind: "plain" });
    return element(
      "div",
      { class: "callout problem", role: "alert" },
      element("h3", {}, words.say("error.title")),
      element("p", {}, words.problem(turn.error)),
      element("div", { class: "form-end" }, signIn(turn.error, words), again),
    );
  }

  abstention(words) {
    const { turn } = this;
    const declined = turn.answer.outcome === "declined";
    const counts = turn.evidence?.passages && {
      passages: words.count("passages", turn.evidence.passages),
      documents: words.count("documents", turn.evidence.documents),
    };
    const searched = counts ? words.say("abstain.searched", counts) : words.say("abstain.searched_plain");
    const near = leads(turn, this.page);
    return element(
      "section",
      { class: "callout abstention" },
      element("h3", {}, words.say(declined ? "abstain.declined_title" : near ? "abstain.title_near" : "abstain.title")),
      near ?? element("p", {}, declined ? words.say("abstain.declined") : searched),
      element("p", { class: "callout-lead" }, words.say("abstain.try")),
      element(
        "ul",
        { class: "lines" },
        this.ask.scope.narrowed ? element("li", {}, words.say("abstain.scope")) : null,
        element("li", {}, words.say("abstain.words")),
        element("li", {}, words.say("abstain.single")),
        turn.answer.notes.map((text) => element("li", { lang: turn.answer.language, dir: "auto" }, text)),
        element("li", {}, viewLink("library", words.say("abstain.library"), this.page.go)),
      ),
    );
  }
}

/** What the reader must know of a source, in the answer's language and so in its direction. */
function sourceNote(text, language) {
  const direction = language === "ar" ? "rtl" : "ltr";
  return element("p", { class: "note source-note", lang: language, dir: direction }, icon("alert"), element("span", {}, text));
}
