// Asking: the question, the answer as it streams in, and every way in which it can end.

import { answerBody, clipboardText } from "./answer.js";
import { element, icon, viewLink } from "./dom.js";
import { answerEvents } from "./service.js";

const LONGEST_QUESTION = 2000;

export class AskView {
  constructor(page) {
    this.page = page;
    this.draft = "";
    this.turn = null;
  }

  draw() {
    const { words } = this.page;
    this.result = element("div", { class: "result" });
    this.status = element("p", { class: "unseen", role: "status" });
    const view = element(
      "div",
      { class: this.turn ? "column ask asked" : "column ask" },
      element("h1", { tabindex: "-1" }, words.say("ask.title")),
      element("p", { class: "lead" }, words.say("ask.lead")),
      this.form(),
      this.status,
      this.result,
    );
    this.view = view;
    this.show();
    return view;
  }

  form() {
    const { words } = this.page;
    this.input = element("textarea", {
      id: "question",
      rows: "1",
      maxlength: String(LONGEST_QUESTION),
      dir: "auto",
      "aria-describedby": "question-hint question-error",
      onkeydown: (event) => {
        // isComposing: Enter that ends an input method's word must not send.
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.send(event);
      },
      oninput: () => {
        this.draft = this.input.value;
        this.fit();
        this.complain("");
      },
    });
    this.input.value = this.draft;
    // The field is as high as its text; the text breaks elsewhere when the source panel takes some of the width.
    this.sizes?.disconnect();
    let width = 0;
    this.sizes = new ResizeObserver(([entry]) => {
      if (entry.contentRect.width !== width) this.fit();
      width = entry.contentRect.width;
    });
    this.sizes.observe(this.input);
    this.problem = element("p", { id: "question-error", class: "field-error", "aria-live": "polite" });
    return element(
      "form",
      { class: "question-form", onsubmit: (event) => this.send(event) },
      element("label", { for: "question" }, words.say("ask.label")),
      element(
        "div",
        { class: "question-row" },
        this.input,
        element("button", { type: "submit", class: "button" }, words.say("ask.submit")),
      ),
      element("p", { id: "question-hint", class: "hint" }, words.say("ask.hint")),
      this.problem,
    );
  }

  fit() {
    this.input.style.height = "auto";
    if (this.input.scrollHeight) this.input.style.height = `${this.input.scrollHeight}px`;
  }

  complain(text) {
    this.problem.textContent = text;
    this.input.toggleAttribute("aria-invalid", Boolean(text));
  }

  send(event) {
    event.preventDefault();
    const question = this.input.value.trim();
    if (question) return this.ask(question);
    this.complain(this.page.words.say("ask.empty"));
    this.input.focus();
  }

  /** Asks and shows what comes back as it comes. A new question ends the one under way. */
  async ask(question) {
    this.stop();
    this.page.source.close({ refocus: false });
    this.draft = this.input.value = question;
    const turn = { question, phase: "searching", sentences: [], citations: new Map(), stopper: new AbortController() };
    this.turn = turn;
    this.show();
    this.fit();
    try {
      for await (const { event, data } of answerEvents(question, turn.stopper.signal)) this.take(turn, event, data);
      if (turn.phase !== "done" && turn.phase !== "failed") turn.phase = "cut";
    } catch (error) {
      turn.phase = error.name === "AbortError" ? "stopped" : "failed";
      turn.error = error;
      if (turn.phase === "failed" && !error.kind) console.error(error);
    }
    if (turn === this.turn) this.show();
  }

  take(turn, event, data) {
    if (event === "evidence") {
      turn.evidence = data;
      turn.language = data.language;
      turn.phase = "reading";
    } else if (event === "sentence") {
      turn.sentences.push(data.sentence);
      for (const citation of data.citations) turn.citations.set(citation.marker, citation);
    } else if (event === "answer") {
      turn.answer = data;
      turn.language = data.language;
      turn.sentences = data.sentences;
      turn.citations = new Map(data.citations.map((citation) => [citation.marker, citation]));
      turn.phase = "done";
    } else if (event === "error") {
      turn.error = { kind: data.type === "service_unavailable" ? "unavailable" : "unknown" };
      turn.phase = "failed";
    }
    if (turn === this.turn) this.show();
  }

  stop() {
    this.turn?.stopper.abort();
  }

  /** Draws the turn. The answer's own element is kept while sentences arrive, so that focus and reading survive. */
  show() {
    const { turn } = this;
    const { words } = this.page;
    this.view.classList.toggle("asked", Boolean(turn));
    if (!turn) return this.result.replaceChildren(...this.welcome());
    if (this.shownTurn !== turn || !this.result.contains(this.body)) {
      this.shownTurn = turn;
      this.body = element("div", { class: "answer-body", "aria-live": "polite", "aria-relevant": "additions" });
      this.top = element("div", { class: "answer-top" });
      this.end = element("div", { class: "answer-end" });
      this.result.replaceChildren(
        element("h2", { class: "question unseen", dir: "auto" }, turn.question),
        this.top,
        this.body,
        this.end,
      );
    }
    this.status.textContent = this.spoken(turn, words);
    this.top.replaceChildren(...this.progress(turn, words));
    answerBody(this.body, turn, this.page);
    this.end.replaceChildren(...this.ending(turn, words));
  }

  spoken(turn, words) {
    if (turn.phase === "done") return abstained(turn) ? "" : words.say("progress.done");
    return turn.phase === "searching" || turn.phase === "reading" ? this.activity(turn, words) : "";
  }

  activity(turn, words) {
    if (turn.phase === "searching") {
      return words.say("progress.searching", { documents: words.count("documents", this.page.instance.documents) });
    }
    return words.say("progress.reading", {
      passages: words.count("passages", turn.evidence.passages),
      documents: words.count("documents", turn.evidence.documents),
    });
  }

  progress(turn, words) {
    if (turn.phase !== "searching" && turn.phase !== "reading") return [];
    const stop = () => {
      this.stop();
      this.input.focus();
    };
    return [
      element(
        "div",
        { class: "activity" },
        element("span", { class: "pulse", "aria-hidden": "true" }),
        element("span", { class: "activity-text" }, this.activity(turn, words)),
        element("button", { type: "button", class: "quiet", onclick: stop }, words.say("ask.stop")),
      ),
    ];
  }

  ending(turn, words) {
    if (turn.phase === "failed") return [this.failure(turn, words)];
    if (turn.phase === "stopped" || turn.phase === "cut") return [note(words.say(`progress.${turn.phase}`))];
    if (turn.phase !== "done") return [];
    if (abstained(turn)) return [this.abstention(turn, words)];
    const { answer } = turn;
    const withheld = { sentences: words.count("sentences", answer.withheld) };
    return [
      answer.withheld ? note(words.say("answer.withheld", withheld)) : null,
      ...answer.notes.map((text) => sourceNote(text, answer.language)),
      element(
        "div",
        { class: "answer-tools" },
        this.copyButton(turn, words),
        answer.label && answer.label !== "public"
          ? element("span", { class: "tag" }, words.say("answer.label", { label: words.label(answer.label) }))
          : null,
      ),
    ].filter(Boolean);
  }

  copyButton(turn, words) {
    const says = element("span", {}, words.say("answer.copy"));
    const told = element("span", { class: "unseen", role: "status" });
    const copy = async () => {
      const done = await copied(clipboardText(turn, words));
      told.textContent = words.say(done ? "answer.copied" : "answer.copy_failed");
      says.textContent = told.textContent;
      setTimeout(() => (says.textContent = words.say("answer.copy")), 2500);
    };
    return element("button", { type: "button", class: "button plain copy", onclick: copy }, icon("copy"), says, told);
  }

  failure(turn, words) {
    const signIn = turn.error.kind === "sign_in_required";
    const retry = element(
      "button",
      { type: "button", class: "button plain", onclick: () => this.ask(turn.question) },
      words.say("error.retry"),
    );
    return element(
      "div",
      { class: "callout problem", role: "alert" },
      element("h3", {}, words.say("error.title")),
      element("p", {}, words.problem(turn.error)),
      signIn ? null : retry,
    );
  }

  abstention(turn, words) {
    const declined = turn.answer.outcome === "declined";
    const counts = turn.evidence?.passages && {
      passages: words.count("passages", turn.evidence.passages),
      documents: words.count("documents", turn.evidence.documents),
    };
    const searched = counts ? words.say("abstain.searched", counts) : words.say("abstain.searched_plain");
    return element(
      "section",
      { class: "callout abstention" },
      element("h3", {}, words.say(declined ? "abstain.declined_title" : "abstain.title")),
      element("p", {}, declined ? words.say("abstain.declined") : searched),
      element("p", { class: "callout-lead" }, words.say("abstain.try")),
      element(
        "ul",
        { class: "lines" },
        element("li", {}, words.say("abstain.words")),
        element("li", {}, words.say("abstain.single")),
        ...turn.answer.notes.map((text) => element("li", { lang: turn.answer.language, dir: "auto" }, text)),
        element("li", {}, viewLink("library", words.say("abstain.library"), this.page.go)),
      ),
    );
  }

  /** Before the first question: examples, and what this instance is. */
  welcome() {
    const { words, instance } = this.page;
    const quotes = instance.generator === "quotes";
    const weak = (instance.weak_languages ?? []).includes(words.language);
    return [
      this.examples(),
      element(
        "div",
        { class: "notice" },
        icon("info"),
        element(
          "div",
          {},
          element("p", {}, words.say(quotes ? "ask.notice_quotes" : "ask.notice_model", { model: instance.generator })),
          weak ? element("p", {}, words.say("ask.weak")) : null,
          viewLink("about", words.say("ask.notice_link"), this.page.go),
        ),
      ),
    ].filter(Boolean);
  }

  examples() {
    const { words, instance } = this.page;
    const questions = instance.examples?.[words.language] ?? [];
    if (!questions.length) return null;
    return element(
      "section",
      { class: "examples" },
      element("h2", {}, words.say("ask.examples")),
      element(
        "ul",
        {},
        questions.map((question) =>
          element(
            "li",
            {},
            element(
              "button",
              { type: "button", class: "example", onclick: () => this.ask(question) },
              element("span", { dir: "auto" }, question),
              icon("forward", { turns: true }),
            ),
          ),
        ),
      ),
    );
  }
}

function abstained(turn) {
  return turn.answer?.outcome === "no_evidence" || turn.answer?.outcome === "declined";
}

function note(text) {
  return element("p", { class: "note" }, icon("info"), element("span", {}, text));
}

/** What the reader must know of a source, in the answer's language and so in its direction. */
function sourceNote(text, language) {
  const direction = language === "ar" ? "rtl" : "ltr";
  return element("p", { class: "note source-note", lang: language, dir: direction }, icon("alert"), element("span", {}, text));
}

/** True when the text reached the clipboard. Plain-HTTP hosts have no clipboard API, hence the second way. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element("textarea", { class: "unseen", "aria-hidden": "true" });
    field.value = text;
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    before?.focus();
    return done;
  }
}
