// Whether register, index and archive agree and nothing stored was changed: the check, and what it mended.

import { button, element, icon } from "./dom.js";
import { opener, paged, register } from "./register.js";
import { change, json, queried } from "./service.js";
import { problemCallout, recorded, stateKey } from "./states.js";

const EVERY_MS = 1000;

export class Consistency {
  constructor(page, open) {
    this.page = page;
    this.open = open;
    /** The check that goes on, else the last one, as the service keeps it. */
    this.check = null;
    this.problem = null;
    this.offset = 0;
  }

  draw() {
    const { words } = this.page;
    this.tools = element("div", { class: "form-end check-tools" });
    this.result = element("div", { class: "check-result" });
    this.show();
    this.load();
    return [
      element("p", { class: "part-lead" }, words.say("consistency.lead")),
      element("ul", { class: "lines" }, words.say("consistency.what").map((line) => element("li", {}, line))),
      this.tools,
      this.result,
    ];
  }

  get going() {
    return this.check !== null && !this.check.finished_at;
  }

  get report() {
    return this.check?.report ?? null;
  }

  async load() {
    await this.ask(() => json("documents/verify"));
  }

  /** It goes on in the service; who leaves this view, or the page, finds the report on coming back. */
  async begin(mend) {
    if (this.going) return;
    this.offset = 0;
    await this.ask(() => change("POST", queried("documents/verify", { mend: String(mend) })));
    this.tools.querySelector("#checking")?.focus();
  }

  async ask(question) {
    const { result } = this;
    const before = this.going;
    try {
      this.check = (await question()).verification;
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
    if (!result.isConnected) return;
    const ended = before && !this.going && !this.problem;
    if (!(before && this.going)) this.show();
    if (ended) this.result.querySelector("h2")?.focus({ preventScroll: true });
    if (this.going) this.follow();
  }

  follow() {
    const { result } = this;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => result.isConnected && this.load(), EVERY_MS);
  }

  show() {
    const { words } = this.page;
    if (this.going) this.showRunning(words);
    else if (this.problem?.kind === "forbidden") this.tools.replaceChildren();
    else {
      this.tools.replaceChildren(
        button(words.say("consistency.look"), () => this.begin(false), { kind: "plain", drawing: "search", id: "check-only" }),
        button(words.say("consistency.mend"), () => this.begin(true), { drawing: "shield", id: "check-mend" }),
      );
    }
    this.showResult(words);
  }

  showRunning(words) {
    const says = element("span", {}, "");
    const since = Math.min(Date.parse(this.check.started_at), Date.now());
    const count = () => (says.textContent = words.say("consistency.running", { time: words.duration((Date.now() - since) / 1000) }));
    count();
    const timer = setInterval(() => (this.going && says.isConnected ? count() : clearInterval(timer)), EVERY_MS);
    this.tools.replaceChildren(
      element("p", { class: "checking", id: "checking", tabindex: "-1" }, element("span", { class: "pulse", "aria-hidden": "true" }), says),
      element("p", { class: "unseen", role: "status" }, words.say("consistency.begun")),
    );
  }

  showResult(words) {
    if (this.problem) return this.result.replaceChildren(this.refusal(words));
    if (this.check?.problem) return this.result.replaceChildren(this.broken(words));
    if (!this.report) return this.result.replaceChildren();
    const report = { ...this.report, mend: this.check.mend };
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
        element("p", { class: "minor" }, words.say("consistency.when", { at: words.moment(report.at), time: words.duration(report.seconds), by: this.check.by })),
      ),
      this.facts(report, words),
      ...(report.found.length ? this.found(report, words) : []),
    );
  }

  /** A check that broke off: when, by whom, and what the service says of it. */
  broken(words) {
    const { started_at: at, by, problem } = this.check;
    return element(
      "div",
      { class: "callout problem", role: "alert" },
      element("p", {}, words.say("consistency.broke_off", { at: words.moment(at), by })),
      recorded([problem], words),
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
