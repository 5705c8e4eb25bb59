// Test questions: what archivists know the answer of, and whether the assistant finds and cites it.

import { button, choice, element, field, icon } from "./dom.js";
import { openDialog } from "./dialog.js";
import { openGoldForm } from "./gold_form.js";
import { opener, paged, register } from "./register.js";
import { change, json } from "./service.js";
import { note, problemCallout, recorded } from "./states.js";
import { LANGUAGES } from "./words.js";

const EVERY_MS = 1000;
const SHARES = [["right", "questions"], ["found", "answerable"], ["document", "answerable"], ["page", "paged"], ["words", "answerable"], ["abstained_rightly", "unanswerable"]];

export class Gold {
  constructor(page, open) {
    this.page = page;
    this.open = open;
    this.questions = null;
    this.run = null;
    this.offset = 0;
    this.wanted = { text: "", language: "", outcome: "" };
  }

  draw() {
    const { words } = this.page;
    this.live = element("p", { class: "unseen", role: "status" });
    this.tools = element("div", { class: "form-end" });
    this.running = element("div", { class: "run gold-run" });
    this.totals = element("div", {});
    this.filters = element("div", { class: "filters gold-filters" });
    this.list = element("div", {});
    if (this.questions) this.show();
    this.load();
    return [
      element("p", { class: "part-lead" }, words.say("gold.lead")),
      note(words.say("gold.how")),
      this.live,
      this.tools,
      this.running,
      this.totals,
      this.filters,
      this.list,
    ];
  }

  async load() {
    const list = this.list;
    try {
      const [{ questions }, { run }] = await Promise.all([json("gold"), json("gold/run")]);
      this.questions = questions;
      this.run = run;
      if (!list.isConnected) return;
      this.show();
      this.watch();
    } catch (error) {
      if (list.isConnected) list.replaceChildren(problemCallout(error, this.page.words, () => this.load()));
    }
  }

  get going() {
    return this.run !== null && !this.run.finished_at;
  }

  /** Asks how far the run is, for as long as it goes on and is looked at. */
  watch() {
    clearTimeout(this.timer);
    if (!this.going) return;
    const list = this.list;
    this.timer = setTimeout(async () => {
      if (!list.isConnected) return;
      try {
        this.run = (await json("gold/run")).run;
      } catch {
        return this.watch();
      }
      if (!list.isConnected) return;
      if (!this.going) this.ended();
      else this.showRun();
      this.watch();
    }, EVERY_MS);
  }

  ended() {
    this.show();
    this.live.textContent = this.verdict();
    if (document.activeElement === document.body) this.running.querySelector("h2")?.focus({ preventScroll: true });
  }

  show() {
    this.showTools();
    this.showRun();
    this.showTotals();
    this.showFilters();
    this.showList();
  }

  showTools() {
    const { words } = this.page;
    const none = !this.questions.length;
    const write = () => openGoldForm(this.page, {}, { kept: () => this.changed(words.say("gold.kept")) });
    this.tools.replaceChildren(
      button(words.say("gold.run"), () => this.start(null), { drawing: "target", id: "run-gold", "aria-disabled": (none || this.going) && "true" }),
      button(words.say("gold.add_unanswerable"), write, { kind: "plain", drawing: "plus", id: "add-unanswerable" }),
    );
  }

  async start(ids) {
    if (this.going || !this.questions.length) return;
    try {
      this.run = (await change("POST", "gold/run", ids ? { ids } : undefined)).run;
      this.show();
      this.running.querySelector("h2").focus({ preventScroll: true });
      this.live.textContent = this.page.words.say("gold.begun");
      this.watch();
    } catch (error) {
      this.running.replaceChildren(problemCallout(error, this.page.words));
    }
  }

  async stop() {
    try {
      await change("DELETE", "gold/run");
    } catch (error) {
      this.running.append(problemCallout(error, this.page.words));
    }
  }

  verdict() {
    const { words } = this.page;
    const [total] = this.run.totals;
    return words.say("gold.verdict", { right: words.number(total.right), questions: words.count("questions", total.questions) });
  }

  showRun() {
    const { run } = this;
    if (!run) return this.running.replaceChildren();
    const { words } = this.page;
    if (!this.going) return this.running.replaceChildren(...this.outcome(run, words));
    const says = words.say("gold.running", { n: words.number(run.done), questions: words.count("questions", run.of) });
    const bar = this.running.querySelector("progress");
    if (bar) {
      bar.value = run.done;
      bar.max = run.of;
      this.running.querySelector("h2").textContent = says;
      return;
    }
    this.running.replaceChildren(
      element("h2", { tabindex: "-1" }, says),
      element("progress", { max: run.of, value: run.done, "aria-label": words.say("gold.progress") }),
      element("p", { class: "hint" }, words.say("gold.meanwhile")),
      button(words.say("gold.stop"), () => this.stop(), { kind: "small plain", drawing: "close", id: "stop-gold" }),
    );
  }

  outcome(run, words) {
    return [
      element("h2", { tabindex: "-1" }, this.verdict()),
      element("p", { class: "minor" }, words.say("gold.when", { at: words.moment(run.finished_at) })),
      run.problem ? element("div", {}, note(words.say("gold.broke_off"), { drawing: "alert", kind: "warn" }), recorded([run.problem], words)) : null,
      run.stopped && !run.problem ? note(words.say("gold.stopped", { n: words.number(run.done), questions: words.count("questions", run.of) })) : null,
    ].filter(Boolean);
  }

  /** Shares of each language and of all, once everything is asked. */
  showTotals() {
    if (!this.run || this.going || !this.run.results.length) return this.totals.replaceChildren();
    const { words } = this.page;
    const columns = [words.say("gold.language"), ...SHARES.map(([name]) => words.say(`gold.share_${name}`)), words.say("gold.share_abstained_wrongly")];
    const share = (n, of) =>
      of ? [element("bdi", { class: "share" }, words.percent(n / of)), element("bdi", { class: "minor" }, words.say("gold.of", { n: words.number(n), of: words.number(of) }))] : "–";
    const groups = this.run.totals.length === 2 ? this.run.totals.slice(1) : this.run.totals;
    const rows = groups.map((total) => [
      total.language ? words.languageName(total.language) : words.say("gold.all"),
      ...SHARES.map(([name, of]) => share(total[name], total[of])),
      share(total.abstained_wrongly, total.answerable),
    ]);
    this.totals.replaceChildren(
      element("h2", {}, words.say("gold.totals")),
      register(words.say("gold.totals"), columns, rows, { kind: "gold-totals" }),
    );
  }

  showFilters() {
    const { words } = this.page;
    if (!this.questions.length) return this.filters.replaceChildren();
    if (this.filters.childElementCount) return;
    const changed = () => {
      this.offset = 0;
      this.showList();
    };
    const search = element("input", {
      type: "search", id: "gold-search", autocomplete: "off", dir: "auto",
      oninput: () => {
        this.wanted.text = search.value;
        changed();
      },
    });
    search.value = this.wanted.text;
    const pick = (id, name, pairs) =>
      field(words.say(`gold.${name}`), choice(id, pairs, this.wanted[name], (value) => {
        this.wanted[name] = value;
        changed();
      }));
    this.filters.replaceChildren(
      field(words.say("gold.search"), search, { class: "field grow" }),
      pick("gold-spoken", "language", [["", words.say("gold.all")], ...LANGUAGES.map((code) => [code, words.languageName(code)])]),
      pick("gold-outcome", "outcome", ["", "right", "wrong", "unasked", "unanswerable"].map((name) => [name, words.say(`gold.show_${name || "all"}`)])),
    );
  }

  get results() {
    return new Map((this.run?.results ?? []).map((result) => [result.id, result]));
  }

  /** The questions that fit what is looked for. */
  fitting(results) {
    const { text, language, outcome } = this.wanted;
    const parts = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    return this.questions.filter((each) => {
      const said = `${each.question} ${each.words} ${each.title} ${each.file_name}`.toLocaleLowerCase();
      const result = results.get(each.id);
      const fits = { "": true, right: result?.right, wrong: result && !result.right, unasked: !result, unanswerable: !each.document_id };
      return fits[outcome] && (!language || each.language === language) && parts.every((part) => said.includes(part));
    });
  }

  showList() {
    const { words } = this.page;
    if (!this.questions.length) return this.list.replaceChildren(element("p", { class: "nothing", role: "status" }, words.say("gold.none")));
    const results = this.results;
    const fitting = this.fitting(results);
    if (this.offset >= fitting.length) this.offset = 0;
    const [shown, nav] = paged(fitting, this.offset, words, (offset) => {
      this.offset = offset;
      this.showList();
    });
    const says = fitting.length === this.questions.length
      ? words.count("questions", fitting.length)
      : words.say("gold.found", { n: words.number(fitting.length), questions: words.count("questions", this.questions.length) });
    const columns = ["question", "place", "outcome", "decision"].map((name) => words.say(`gold.${name}`));
    const rows = shown.map((each) => [this.asked(each, words), this.placeOf(each, words), this.outcomeOf(each, results.get(each.id), words), this.decisions(each, words)]);
    this.list.replaceChildren(
      element("h2", { tabindex: "-1", role: "status" }, says),
      ...(shown.length ? [register(words.say("gold.caption"), columns, rows, { kind: "gold-questions" })] : []),
      ...(nav ? [nav] : []),
    );
  }

  asked({ question, language }, words) {
    return [
      element("span", { class: "gold-asked", dir: "auto", lang: language }, question),
      element("span", { class: "minor" }, words.languageName(language)),
    ];
  }

  placeOf(each, words) {
    if (!each.document_id) return element("span", { class: "gold-nowhere" }, icon("minus"), words.say("gold.unanswerable"));
    return [
      opener(each.document_id, each.title || each.file_name, words, (id) => this.open(id, each.page)),
      each.page ? element("span", { class: "minor" }, words.say("gold.on_page", { n: words.number(each.page) })) : null,
      element("q", { class: "gold-words", dir: "auto", lang: each.language }, each.words),
    ].filter(Boolean);
  }

  /** What came of it, in words and with a sign; colour only repeats it. */
  outcomeOf(each, result, words) {
    if (!result) return element("span", { class: "minor" }, words.say("gold.unasked"));
    const sign = (good, says) => element("span", { class: `gold-sign ${good ? "good" : "bad"}` }, icon(good ? "check" : "close"), says);
    if (!result.answerable) return [sign(result.right, words.say(result.right ? "gold.said_so" : "gold.answered_anyway")), this.cited(result, words)].filter(Boolean);
    const lines = [
      sign(result.rank !== null, result.rank === null ? words.say("gold.not_found") : words.say("gold.found_at", { n: words.number(result.rank) })),
      ...["document", "page", "words"].filter((name) => result[name] !== null).map((name) => sign(result[name], words.say(`gold.${name}_${result[name] ? "yes" : "no"}`))),
    ];
    if (result.abstained) lines.push(note(words.say("gold.abstained"), { drawing: "alert", kind: "warn" }));
    return [...lines, result.right ? null : this.cited(result, words)].filter(Boolean);
  }

  /** Where the answer led instead. */
  cited({ cited }, words) {
    if (!cited.length) return null;
    const place = ({ title, page }) =>
      element("li", {}, element("bdi", {}, title), page ? `, ${words.say("gold.on_page", { n: words.number(page) })}` : null);
    return element(
      "details",
      { class: "recorded" },
      element("summary", {}, words.say("gold.cited")),
      element("ul", { class: "gold-cited" }, cited.map(place)),
    );
  }

  decisions(each, words) {
    const named = (name) => ({ "aria-label": words.say(`gold.${name}_of`, { question: each.question }) });
    const edit = () => openGoldForm(this.page, each, { paged: each.page !== null, kept: () => this.changed(words.say("gold.kept")) });
    return element(
      "div",
      { class: "gold-decisions" },
      button(words.say("gold.ask_one"), () => this.start([each.id]), { kind: "small plain", ...named("ask_one") }),
      button(words.say("gold.edit"), edit, { kind: "small plain", ...named("edit") }),
      button(words.say("gold.remove"), () => this.confirm(each), { kind: "small plain", ...named("remove") }),
    );
  }

  confirm(each) {
    const { words } = this.page;
    openDialog(this.page, words.say("gold.confirm"), (close) => {
      const refused = element("div", { class: "refused" });
      const remove = async () => {
        try {
          await change("DELETE", `gold/${each.id}`);
          close();
          await this.changed(words.say("gold.removed"));
        } catch (error) {
          refused.replaceChildren(problemCallout(error, words));
        }
      };
      return [
        element("p", { dir: "auto" }, each.question),
        refused,
        element(
          "div",
          { class: "form-end" },
          button(words.say("dossier.cancel"), close, { kind: "plain", autofocus: true }),
          button(words.say("gold.remove"), remove, { kind: "danger", id: "remove-gold" }),
        ),
      ];
    });
  }

  async changed(says) {
    await this.load();
    this.live.textContent = says;
    this.list.querySelector("h2")?.focus({ preventScroll: true });
  }
}
