// Which documents the instance's rules no longer keep. First the list, then the erasure of what somebody has agreed to in it.

import { openDialog } from "./dialog.js";
import { button, element, icon } from "./dom.js";
import { receiptLink } from "./keeping.js";
import { opener, paged, register, tick } from "./register.js";
import { change, json } from "./service.js";
import { note, problemCallout } from "./states.js";

/** Erased in one request, so that progress is seen and the work can be stopped. */
const BATCH = 10;
const MOST_NAMED = 8;
const RULE =
  /^(?:collection (?<collection>.+?))?(?:, )?(?:type (?<kind>.+?))?, kept (?<n>\d+) (?<unit>year|day)s? from (?<start>its date|the day it was handed in)$/;

export class Retention {
  constructor(page, open) {
    this.page = page;
    this.open = open;
    this.report = null;
    this.offset = 0;
    this.known = new Set();
    this.chosen = new Set();
    this.run = null;
    this.stay = (event) => this.run?.going && event.preventDefault();
    window.addEventListener("beforeunload", this.stay);
  }

  leave() {
    window.removeEventListener("beforeunload", this.stay);
  }

  draw() {
    const { words } = this.page;
    this.live = element("p", { class: "unseen", role: "status" });
    this.running = element("div", { class: "run" });
    this.list = element("div", {});
    this.showRun();
    if (this.report) this.show();
    if (!this.run?.going) this.load();
    return [element("p", { class: "part-lead" }, words.say("retention.lead")), this.live, this.running, this.list];
  }

  async load() {
    const list = this.list;
    try {
      this.take(await json("documents/retention"));
      if (list.isConnected) this.show();
    } catch (error) {
      if (list.isConnected) list.replaceChildren(problemCallout(error, this.page.words, () => this.load()));
    }
  }

  /** A new list. What comes new to it is ticked, what the reader has unticked stays so. */
  take(report) {
    const free = report.due.filter((each) => !each.held).map((each) => each.document_id);
    this.chosen = new Set(free.filter((id) => !this.known.has(id) || this.chosen.has(id)));
    this.known = new Set(free);
    this.report = report;
    if (this.offset >= report.due.length) this.offset = 0;
  }

  show() {
    const { words } = this.page;
    const { due, rules } = this.report;
    if (!rules.length) return this.list.replaceChildren(note(words.say("retention.no_rules")));
    const says = due.length ? words.say("retention.due", { documents: words.count("documents", due.length) }) : words.say("retention.none");
    this.list.replaceChildren(
      this.rules(rules, words),
      element("section", { "aria-labelledby": "due-title" }, element("h2", { id: "due-title" }, says), due.length ? this.due(due, words) : null),
    );
  }

  rules(rules, words) {
    return element(
      "section",
      { "aria-labelledby": "rules-title" },
      element("h2", { id: "rules-title" }, words.say("retention.rules")),
      element("ul", { class: "lines" }, rules.map((rule) => element("li", {}, ruleInWords(rule, words)))),
      element("p", { class: "hint" }, words.say("retention.rules_hint")),
    );
  }

  due(due, words) {
    const [shown, nav] = paged(due, this.offset, words, (offset) => {
      this.offset = offset;
      this.show();
    });
    const columns = ["chosen", "document", "rule", "since"].map((name) => words.say(`retention.${name}`));
    const rows = shown.map((each) => [
      each.held ? icon("lock") : tick(each.document_id, each.title, this.chosen, words, () => this.showChosen()),
      [opener(each.document_id, each.title, words, this.open), each.held ? element("span", { class: "held" }, words.say("retention.held")) : null],
      ruleInWords(each.rule, words),
      element("span", { class: "one-line" }, words.date(each.since)),
    ]);
    this.apply = button("", () => this.confirm(), { kind: "danger", drawing: "trash", id: "apply-retention" });
    this.all = button("", () => this.tickAll(), { kind: "small plain", id: "tick-all" });
    this.showChosen();
    return [
      element("p", { class: "hint" }, words.say("retention.due_hint")),
      element("div", { class: "register-tools" }, this.all),
      register(words.say("retention.caption"), columns, rows, { kind: "ticked", head: 1 }),
      nav,
      element("div", { class: "form-end" }, this.apply),
    ];
  }

  showChosen() {
    const { words } = this.page;
    const n = this.chosen.size;
    this.apply.lastChild.textContent = words.say("retention.apply", { documents: words.count("documents", n) });
    this.apply.ariaDisabled = n && !this.run?.going ? null : "true";
    this.all.textContent = words.say(n === this.known.size ? "retention.untick" : "retention.tick");
    this.all.hidden = this.known.size === 0;
  }

  tickAll() {
    this.chosen = this.chosen.size === this.known.size ? new Set() : new Set(this.known);
    this.show();
    this.list.querySelector("#tick-all").focus();
  }

  /** Shows once more what goes and what stays; nothing is erased before the list is said to have been read. */
  confirm() {
    if (this.apply.ariaDisabled) return;
    const { words } = this.page;
    const going = this.report.due.filter((each) => this.chosen.has(each.document_id));
    const stays = this.report.due.length - going.length;
    const documents = words.count("documents", going.length);
    const rest = going.length - MOST_NAMED;
    openDialog(this.page, words.say("retention.confirm", { documents }), (close) => {
      const read = element("input", { type: "checkbox", id: "list-read", required: true, autofocus: true });
      const send = (event) => {
        event.preventDefault();
        close();
        this.erase(going);
      };
      return element(
        "form",
        { onsubmit: send },
        element("ul", { class: "lines" }, going.slice(0, MOST_NAMED).map((each) => element("li", {}, element("bdi", {}, each.title)))),
        rest > 0 ? element("p", {}, words.say("retention.rest", { documents: words.count("documents", rest) })) : null,
        stays ? element("p", {}, words.say("retention.stays", { documents: words.count("documents", stays) })) : null,
        element("p", { class: "note warn" }, icon("alert"), element("span", {}, words.say("retention.for_good"))),
        element("label", { class: "check" }, read, words.say("retention.list_read")),
        element(
          "div",
          { class: "form-end" },
          button(words.say("dossier.cancel"), close, { kind: "plain" }),
          element("button", { type: "submit", class: "button danger", id: "erase-due" }, words.say("keeping.erase_now")),
        ),
      );
    });
  }

  async erase(documents) {
    const run = { documents, erased: new Map(), tried: 0, going: true, problem: null };
    this.run = run;
    this.showRun();
    this.running.querySelector("h2").focus();
    if (this.list.isConnected) this.showChosen();
    try {
      while (run.going && run.tried < documents.length) {
        const ids = documents.slice(run.tried, run.tried + BATCH).map((each) => each.document_id);
        const { erased } = await change("POST", "documents/retention", { document_ids: ids });
        for (const each of erased) run.erased.set(each.document_id, each.receipt_id);
        run.tried += ids.length;
        this.showRun();
      }
    } catch (error) {
      run.problem = error;
    }
    run.going = false;
    this.showRun();
    this.load();
  }

  showRun() {
    const { run } = this;
    if (!run) return this.running.replaceChildren();
    const { words } = this.page;
    const documents = (n) => words.count("documents", n);
    const says = run.going
      ? words.say("retention.erasing", { n: words.number(run.tried), documents: documents(run.documents.length) })
      : words.say("retention.erased", { documents: documents(run.erased.size) });
    this.live.textContent = says;
    const focused = this.running.contains(document.activeElement);
    this.running.replaceChildren(
      element("h2", { tabindex: "-1" }, says),
      ...(run.going ? this.underway(run, words) : this.outcome(run, words)).filter(Boolean),
    );
    if (focused) this.running.querySelector("h2").focus({ preventScroll: true });
  }

  underway(run, words) {
    const stop = () => (run.going = false);
    return [
      element("progress", { max: run.documents.length, value: run.tried, "aria-label": words.say("retention.progress") }),
      button(words.say("retention.stop"), stop, { kind: "small plain", drawing: "close" }),
    ];
  }

  /** Each receipt beside the title that only this page still knows. */
  outcome(run, words) {
    const left = run.documents.slice(0, run.tried).filter((each) => !run.erased.has(each.document_id));
    const untried = run.documents.length - run.tried;
    const line = (each) =>
      element(
        "li",
        {},
        element("bdi", {}, each.title),
        receiptLink(run.erased.get(each.document_id), words, { title: each.title }),
      );
    const close = () => {
      this.run = null;
      this.showRun();
      this.list.querySelector("h2")?.scrollIntoView({ block: "nearest" });
    };
    return [
      run.problem ? problemCallout(run.problem, words) : null,
      run.erased.size ? element("p", { class: "hint" }, words.say("retention.receipts")) : null,
      element("ul", { class: "erased-lines" }, run.documents.filter((each) => run.erased.has(each.document_id)).map(line)),
      left.length ? note(words.say("retention.left", { titles: words.list(left.map((each) => each.title)) }), { drawing: "alert", kind: "warn" }) : null,
      untried ? note(words.say("retention.untried", { documents: words.count("documents", untried) })) : null,
      button(words.say("retention.close"), close, { kind: "small plain" }),
    ];
  }
}

/** A rule as the reader's language puts it; as it was recorded where its form is not known. */
function ruleInWords(rule, words) {
  const found = RULE.exec(rule)?.groups;
  if (!found) return element("span", { lang: "en", dir: "ltr" }, rule);
  const what = [
    found.collection ? words.say("retention.of_collection", { name: found.collection }) : null,
    found.kind ? words.say("retention.of_kind", { name: words.kind(found.kind) }) : null,
  ];
  const start = words.say(found.start === "its date" ? "retention.from_date" : "retention.from_receipt");
  return words.say("retention.rule_is", { what: capitalised(what.filter(Boolean).join(words.say("retention.and"))), time: words.span(Number(found.n), found.unit), start });
}

function capitalised(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
