// Having many documents read again at once: those that are set aside or of no use, as the list shows them now.

import { button, element } from "./dom.js";
import { change, documentPath, json, queried } from "./service.js";
import { problemCallout } from "./states.js";

const FAILED = ["quarantined", "rejected"];
const MOST = 1000;
/** After these the rest would fail as well. */
const LASTING = ["network", "sign_in_required", "forbidden", "unavailable"];

export class Retries {
  /** `finder` says which documents are wanted; `changed` is called once some have been put back in the queue. */
  constructor(page, finder, changed) {
    this.page = page;
    this.finder = finder;
    this.changed = changed;
    this.total = 0;
    this.run = null;
  }

  stop() {
    if (this.run) this.run.stopped = true;
  }

  draw() {
    this.node = element("div", { class: "retries" });
    this.show();
    return this.node;
  }

  /** So many documents are in the list now. */
  offer(total) {
    this.total = Math.min(total, MOST);
    if (this.run?.over && this.run.state !== this.finder.wanted.state) this.run = null;
    this.show();
  }

  get phase() {
    if (this.run) return this.run.over ? "over" : "running";
    return FAILED.includes(this.finder.wanted.state) && this.total > 1 ? "offered" : "none";
  }

  /** The buttons are drawn anew only when others are needed: one of them may have the focus. */
  show() {
    const { words } = this.page;
    const { phase } = this;
    if (this.node.dataset.phase !== phase) {
      this.node.dataset.phase = phase;
      this.text = element("span", phase === "offered" ? {} : { role: "status", tabindex: "-1" });
      const act =
        phase === "offered"
          ? button(this.text, () => this.all(), { kind: "small plain", drawing: "again" })
          : button(words.say("retries.stop"), () => this.stop(), { kind: "small plain" });
      const problem = phase === "over" && this.run.problem ? problemCallout(this.run.problem, words) : null;
      const shown = { offered: [act], running: [this.text, act], over: [this.text, problem], none: [] }[phase];
      this.node.replaceChildren(...shown.filter(Boolean));
    }
    this.text.textContent = this.said(words);
  }

  said(words) {
    if (!this.run) return words.say("retries.all", { documents: words.count("documents", this.total) });
    const { done, refused, of, over } = this.run;
    if (!over) return words.say("retries.progress", { n: words.number(done + refused), documents: words.count("documents", of) });
    const values = { documents: words.count("documents", done), refused: words.number(refused) };
    return words.say(refused ? "retries.done_but" : "retries.done", values);
  }

  async all() {
    const run = { state: this.finder.wanted.state, done: 0, refused: 0, of: this.total, over: false, stopped: false };
    this.run = run;
    this.show();
    this.text.focus();
    try {
      const { documents } = await json(queried("documents", { ...this.finder.wanted, limit: MOST }));
      run.of = documents.length;
      for (const { document_id: id } of documents) {
        if (run.stopped) break;
        await this.retry(id, run);
        this.show();
      }
    } catch (error) {
      run.problem = error;
    }
    run.over = true;
    this.show();
    this.changed();
  }

  async retry(id, run) {
    try {
      await change("POST", documentPath(id, "/retry"), {});
      run.done += 1;
    } catch (error) {
      if (LASTING.includes(error.kind)) throw error;
      run.refused += 1;
    }
  }
}
