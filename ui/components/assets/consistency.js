// Whether register, index and archive agree and nothing stored was changed: the check, and what it mended.

import { button, element, icon } from "./dom.js";
import { opener, paged, register } from "./register.js";
import { change, queried } from "./service.js";
import { problemCallout, recorded, stateKey } from "./states.js";

const SECOND_MS = 1000;

export class Consistency {
  constructor(page, open) {
    this.page = page;
    this.open = open;
    this.report = null;
    this.problem = null;
    this.since = null;
    this.offset = 0;
  }

  draw() {
    const { words } = this.page;
    this.tools = element("div", { class: "form-end check-tools" });
    this.result = element("div", { class: "check-result" });
    this.show();
    return [
      element("p", { class: "part-lead" }, words.say("consistency.lead")),
      element("ul", { class: "lines" }, words.say("consistency.what").map((line) => element("li", {}, line))),
      this.tools,
      this.result,
    ];
  }

  /** The service answers when it is done, however long that takes; who leaves this view finds the outcome on coming back. */
  async check(mend) {
    if (this.since) return;
    this.since = Date.now();
    this.report = this.problem = null;
    this.offset = 0;
    this.show();
    this.tools.querySelector("#checking")?.focus();
    try {
      this.report = { ...(await change("POST", queried("documents/verify", { mend: String(mend) }))), mend };
    } catch (error) {
      this.problem = error;
    }
    this.since = null;
    if (!this.result.isConnected) return;
    this.show();
    this.result.querySelector("h2")?.focus({ preventScroll: true });
  }

  show() {
    const { words } = this.page;
    if (this.since) this.showRunning(words);
    else {
      this.tools.replaceChildren(
        button(words.say("consistency.look"), () => this.check(false), { kind: "plain", drawing: "search", id: "check-only" }),
        button(words.say("consistency.mend"), () => this.check(true), { drawing: "shield", id: "check-mend" }),
      );
    }
    this.showResult(words);
  }

  showRunning(words) {
    const says = element("span", {}, "");
    const count = () => (says.textContent = words.say("consistency.running", { time: words.duration((Date.now() - this.since) / 1000) }));
    count();
    const timer = setInterval(() => (this.since && says.isConnected ? count() : clearInterval(timer)), SECOND_MS);
    this.tools.replaceChildren(
      element("p", { class: "checking", id: "checking", tabindex: "-1" }, element("span", { class: "pulse", "aria-hidden": "true" }), says),
      element("p", { class: "unseen", role: "status" }, words.say("consistency.begun")),
    );
  }

  showResult(words) {
    if (this.problem) return this.result.replaceChildren(this.refusal(words));
    if (!this.report) return this.result.replaceChildren();
    const { report } = this;
    const well = !report.problems && report.adds_up;
    const mended = !report.unmended && report.adds_up;
    const n = (number) => words.number(number);
    const kind = well ? "well" : mended ? "mended" : report.mend ? "unmended" : "found";
    const values = { problems: words.count("problems", report.problems), unmended: words.count("problems", report.unmended), mended: n(report.problems - report.unmended) };
    this.result.replaceChildren(
      element(
        "div",
        { class: `callout verdict ${mended ? "good" : "bad"}`, role: "status" },
        element("h2", { tabindex: "-1" }, icon(mended ? "check" : "alert"), words.say(`consistency.verdict_${kind}`, values)),
        report.adds_up ? null : element("p", {}, words.say("consistency.astray")),
        element("p", { class: "minor" }, words.say("consistency.when", { at: words.moment(report.at), time: words.duration(report.seconds) })),
      ),
      this.facts(report, words),
      ...(report.found.length ? this.found(report, words) : []),
    );
  }

  refusal(words) {
    const callout = problemCallout(this.problem, words);
    if (this.problem.kind === "forbidden") callout.querySelector("p").textContent = words.say("consistency.forbidden");
    return callout;
  }

  facts(report, words) {
    const states = Object.entries(report.states).filter(([, n]) => n > 0);
    const rows = [
      ["ledger", words.count("documents", report.received)],
      ["states", words.list(states.map(([state, n]) => `${words.say(`state.${stateKey(state)}`)} (${words.number(n)})`))],
      ["index", words.say("consistency.index_is", {
        passages: words.count("passages", report.passages_indexed), expected: words.number(report.passages_expected),
      })],
      ["texts", words.number(report.texts_archived)],
      ["originals", words.number(report.originals_archived)],
    ].filter(([, fact]) => fact);
    return element(
      "dl",
      { class: "facts" },
      rows.map(([name, fact]) => element("div", {}, element("dt", {}, words.say(`consistency.${name}`)), element("dd", {}, fact))),
    );
  }

  found(report, words) {
    const [shown, nav] = paged(report.found, this.offset, words, (offset) => {
      this.offset = offset;
      this.showResult(words);
    });
    const columns = ["problem", "document", "outcome"].map((name) => words.say(`consistency.${name}`));
    const rows = shown.map((each) => [
      [element("span", {}, kindOf(each.kind, words)), recorded([each.detail, each.mended], words)],
      each.document_id && !each.kind.startsWith("orphan") && each.kind !== "erasure not finished"
        ? opener(each.document_id, each.document_id.slice(0, 8), words, this.open)
        : "–",
      element("span", { class: each.mended ? "mended" : "field-error" }, words.say(each.mended ? "consistency.was_mended" : report.mend ? "consistency.not_mended" : "consistency.not_tried")),
    ]);
    return [register(words.say("consistency.caption"), columns, rows, { kind: "found-problems" }), nav].filter(Boolean);
  }
}

function kindOf(kind, words) {
  const path = `inconsistency.${kind.replaceAll(" ", "_")}`;
  return words.has(path) ? words.say(path) : kind;
}
