// What was erased, as the signed receipts say it; and whether a receipt that somebody holds is genuine.

import { button, element, field, icon } from "./dom.js";
import { receiptFacts, receiptLink } from "./keeping.js";
import { register } from "./register.js";
import { address, json, post, queried } from "./service.js";
import { problemCallout, recorded } from "./states.js";
import { pager, ROWS } from "./table.js";

const PAUSE_MS = 250;

export class Receipts {
  constructor(page) {
    this.page = page;
    this.listing = null;
    this.sought = "";
    this.offset = 0;
    this.calls = 0;
    this.checked = null;
  }

  draw() {
    const { words } = this.page;
    const search = element("input", {
      type: "search", id: "receipt-search", autocomplete: "off", dir: "ltr",
      oninput: () => {
        clearTimeout(this.pause);
        this.pause = setTimeout(() => {
          this.sought = search.value.trim();
          this.offset = 0;
          this.load();
        }, PAUSE_MS);
      },
    });
    search.value = this.sought;
    this.list = element("div", {});
    if (this.listing) this.show();
    this.load();
    return [
      element("p", { class: "part-lead" }, words.say("receipts.lead")),
      this.checking(words),
      element(
        "section",
        { "aria-labelledby": "receipts-title" },
        element("h2", { id: "receipts-title" }, words.say("receipts.issued")),
        field(words.say("receipts.search"), search, { hint: words.say("receipts.search_hint"), class: "field receipt-search" }),
        this.list,
      ),
    ];
  }

  async load() {
    const call = ++this.calls;
    const list = this.list;
    try {
      const listing = await json(queried("receipts", { q: this.sought, limit: ROWS, offset: this.offset }));
      if (call !== this.calls) return;
      this.listing = listing;
      if (list.isConnected) this.show();
    } catch (error) {
      if (call === this.calls && list.isConnected) list.replaceChildren(problemCallout(error, this.page.words, () => this.load()));
    }
  }

  show() {
    const { words } = this.page;
    const { receipts, total, purges } = this.listing;
    if (!total) {
      const says = words.say(this.sought ? "receipts.none" : "receipts.empty");
      return this.list.replaceChildren(element("p", { class: "nothing", role: "status" }, says));
    }
    const columns = ["number", "at", "by", "document", "went", "file", "purged"].map((name) => words.say(`receipts.${name}`));
    const rows = receipts.map((receipt) => [
      words.say("receipts.nth", { n: words.number(receipt.number) }),
      element("time", { datetime: receipt.erased_at }, words.moment(receipt.erased_at)),
      element("bdi", {}, receipt.erased_by),
      element("code", { dir: "ltr" }, receipt.document_id),
      wentOf(receipt, words),
      receiptLink(receipt.receipt_id, words, { title: words.number(receipt.number) }),
      purgeOf(purges[receipt.receipt_id], words),
    ]);
    const nav = pager({ offset: this.offset, shown: receipts.length, total }, words, (offset) => {
      this.offset = offset;
      this.load();
    });
    this.list.replaceChildren(register(words.say("receipts.issued"), columns, rows, { kind: "receipts" }), ...(nav ? [nav] : []));
  }

  checking(words) {
    const input = element("input", {
      type: "file", id: "receipt-file", class: "unseen", accept: ".json,application/json",
      onchange: () => {
        if (input.files.length) this.check(input.files[0]);
        input.value = "";
      },
    });
    const over = (event) => {
      event.preventDefault();
      zone.classList.toggle("over", event.type === "dragover");
      if (event.type === "drop" && event.dataTransfer.files.length) this.check(event.dataTransfer.files[0]);
    };
    this.verdict = element("div", { class: "verdict-place", role: "status" });
    this.showVerdict();
    const zone = element(
      "div",
      { class: "drop check-drop", ondragover: over, ondragleave: over, ondrop: over },
      element("div", { class: "drop-sign", "aria-hidden": "true" }, icon("shield")),
      element(
        "div",
        { class: "drop-words" },
        element("h2", { id: "check-title" }, words.say("receipts.check")),
        element("p", { class: "hint" }, words.say("receipts.check_lead")),
      ),
      element(
        "div",
        { class: "drop-tools" },
        input,
        element("label", { for: "receipt-file", class: "button" }, words.say("receipts.choose")),
        element("a", { class: "button plain", href: address("receipts/public-key"), download: "receipt-key.pem" }, icon("download"), words.say("receipts.key")),
      ),
    );
    return element("section", { "aria-labelledby": "check-title" }, zone, this.verdict);
  }

  async check(file) {
    const form = new FormData();
    form.append("file", file, file.name);
    const told = { sent: () => {}, signal: new AbortController().signal };
    this.checked = { name: file.name, result: null, problem: null };
    this.showVerdict();
    try {
      this.checked.result = await post("receipts/verify/file", form, told);
    } catch (error) {
      this.checked.problem = error;
    }
    this.showVerdict();
  }

  showVerdict() {
    if (!this.checked) return this.verdict.replaceChildren();
    const { words } = this.page;
    const { name, result, problem } = this.checked;
    if (problem) return this.verdict.replaceChildren(problemCallout(problem, words));
    if (!result) return this.verdict.replaceChildren(element("p", { class: "minor" }, words.say("receipts.checking")));
    const says = words.say(result.valid ? "receipts.genuine" : "receipts.false");
    const close = () => {
      this.checked = null;
      this.showVerdict();
      this.page.root.querySelector("#receipt-file")?.focus();
    };
    this.verdict.replaceChildren(
      element(
        "div",
        { class: `callout verdict ${result.valid ? "good" : "bad"}` },
        element("h3", {}, icon(result.valid ? "check" : "alert"), says),
        element("p", {}, element("bdi", { class: "file-name" }, name)),
        result.valid ? checkedFacts(result.receipt, words) : element("p", {}, words.say("receipts.false_lead")),
        result.valid ? null : recorded([result.reason], words),
        button(words.say("dossier.dismiss"), close, { kind: "small plain" }),
      ),
    );
  }
}

/** What a genuine record says: a receipt of an erasure, or the later record that its traces were purged. */
function checkedFacts(receipt, words) {
  if (receipt.erased_at) return receiptFacts(receipt, words, { document: true });
  return element("p", {}, words.say("receipts.purge", { at: words.moment(receipt.purged_at), receipts: words.number(receipt.covers.length) }));
}

function wentOf(receipt, words) {
  const numbers = { versions: receipt.versions.length, pages: receipt.pages, passages: receipt.passages };
  return words.list(Object.entries(numbers).filter(([, n]) => n > 0).map(([noun, n]) => words.count(noun, n)));
}

/** When what was left in the index's storage was purged, with the signed record of it; nothing while that is not told. */
function purgeOf(record, words) {
  if (!record) return "–";
  const at = words.moment(record.purged_at);
  return receiptLink(record.receipt_id, words, { title: `${words.say("receipts.purged")} ${at}`, text: at });
}
