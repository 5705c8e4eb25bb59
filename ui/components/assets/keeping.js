// How long a document stays: the legal hold that forbids erasing it, and erasing it, with a receipt as proof.

import { button, element, field, icon } from "./dom.js";
import { openDialog } from "./dialog.js";
import { formatOf } from "./finder.js";
import { address, change, documentPath, json } from "./service.js";
import { isFinal, problemCallout } from "./states.js";

/** Formats that carry other files, each a document of its own. */
const CARRIERS = new Set(["mail", "archive"]);

export class Keeping {
  constructor(page, dossier) {
    this.page = page;
    this.dossier = dossier;
  }

  draw() {
    const { words } = this.page;
    return element("div", { class: "keeping" }, this.hold(words), this.erase(words));
  }

  hold(words) {
    const { hold } = this.dossier.status;
    this.holdRefused = element("div", { class: "refused" });
    return element(
      "section",
      { "aria-labelledby": "hold-title" },
      element("h2", { id: "hold-title" }, icon("lock"), words.say("keeping.hold")),
      element("p", {}, words.say("keeping.hold_lead")),
      hold ? this.release(hold, words) : this.holdForm(words),
      this.holdRefused,
    );
  }

  release(hold, words) {
    return [
      element("p", { class: "note boxed" }, icon("lock"), element("span", {}, words.say("dossier.on_hold", { reason: hold }))),
      button(words.say("keeping.release"), () => this.change("DELETE", undefined, "keeping.released"), { kind: "plain", id: "release" }),
    ];
  }

  holdForm(words) {
    const input = element("input", { type: "text", id: "hold-reason", required: true, maxlength: "500", dir: "auto", autocomplete: "off" });
    const send = (event) => {
      event.preventDefault();
      if (input.value.trim()) this.change("PUT", { reason: input.value.trim() }, "keeping.is_held");
    };
    return element(
      "form",
      { class: "hold-form", onsubmit: send },
      field(words.say("keeping.reason"), input, { hint: words.say("keeping.reason_hint"), class: "field grow" }),
      element("button", { type: "submit", class: "button plain" }, words.say("keeping.set")),
    );
  }

  async change(method, body, says) {
    try {
      this.dossier.take(await change(method, documentPath(this.dossier.id, "/hold"), body));
      this.dossier.showBody();
      this.dossier.say(this.page.words.say(says));
      this.dossier.body.querySelector("#release, #hold-reason")?.focus();
    } catch (error) {
      this.holdRefused.replaceChildren(problemCallout(error, this.page.words));
    }
  }

  erase(words) {
    const { status } = this.dossier;
    const barred = Boolean(status.hold) || !isFinal(status);
    return element(
      "section",
      { class: "erase", "aria-labelledby": "erase-title" },
      element("h2", { id: "erase-title" }, icon("trash"), words.say("keeping.erase")),
      element("p", {}, words.say(status.hold ? "keeping.erase_held" : "keeping.erase_lead")),
      button(words.say("keeping.erase_open"), () => !barred && this.confirm(), { kind: "danger", id: "erase", "aria-disabled": barred && "true" }),
    );
  }

  /** Says what will be removed before it is; the first thing with the focus is the way out. */
  async confirm() {
    const { words } = this.page;
    const { status } = this.dossier;
    const versions = await json(documentPath(status.document_id, "/history")).then((history) => history.versions.length).catch(() => 1);
    const parts = [
      words.say("keeping.part_original", { name: status.file_name, versions: words.count("versions", Math.max(1, versions)) }),
      status.pages ? words.say("keeping.part_pages", { pages: words.count("pages", status.pages) }) : words.say("keeping.part_text"),
      status.passages ? words.say("keeping.part_passages", { passages: words.count("passages", status.passages) }) : null,
      words.say("keeping.part_description"),
    ].filter(Boolean);
    openDialog(this.page, words.say("keeping.confirm", { title: status.title || status.file_name }), (close) => {
      const refused = element("div", { class: "refused" });
      const carries = CARRIERS.has(formatOf(status.media_type));
      this.attached = element("input", { type: "checkbox", id: "erase-attached" });
      return [
        element("p", {}, words.say("keeping.will_go")),
        element("ul", { class: "lines" }, parts.map((part) => element("li", {}, element("bdi", {}, part)))),
        carries ? element("label", { class: "check" }, this.attached, words.say("keeping.attached")) : null,
        element("p", { class: "note warn" }, icon("alert"), element("span", {}, words.say("keeping.for_good"))),
        refused,
        element(
          "div",
          { class: "form-end" },
          button(words.say("dossier.cancel"), close, { kind: "plain", autofocus: true }),
          button(words.say("keeping.erase_now"), (event) => this.remove(event.currentTarget, close, refused), { kind: "danger", id: "erase-now" }),
        ),
      ];
    });
  }

  async remove(pressed, close, refused) {
    if (pressed.ariaDisabled === "true") return;
    pressed.ariaDisabled = "true";
    try {
      const receipt = await change("DELETE", documentPath(this.dossier.id, "", { with_attachments: this.attached.checked || null }));
      clearTimeout(this.dossier.timer);
      close();
      this.showReceipt(receipt);
    } catch (error) {
      pressed.ariaDisabled = null;
      refused.replaceChildren(problemCallout(error, this.page.words));
    }
  }

  showReceipt(receipt) {
    const { words } = this.page;
    const back = () => this.dossier.library.closeDossier();
    const content = (close) => [
      receiptOf(receipt, words),
      element("div", { class: "form-end" }, downloadOf(receipt, words), button(words.say("keeping.done"), close, { kind: "plain" })),
    ];
    openDialog(this.page, words.say("keeping.erased"), content, { closed: back });
  }
}

/** The receipt's facts in words; the file that is downloaded is what proves them. */
function receiptOf(receipt, words) {
  const left = receipt.attachments_left.length;
  return [
    element("p", {}, words.say("keeping.receipt_lead")),
    left ? element("p", {}, words.say("keeping.attached_left", { documents: words.count("documents", left) })) : null,
    receiptFacts(receipt, words),
  ];
}

/** What a receipt says, as a list of facts; with `document`, which document it speaks of as well. */
export function receiptFacts(receipt, words, { document: named = false } = {}) {
  const numbers = { versions: receipt.versions.length, pages: receipt.pages, passages: receipt.passages };
  const went = Object.entries(numbers).filter(([, n]) => n > 0).map(([noun, n]) => words.count(noun, n));
  const code = (text) => element("code", { dir: "ltr" }, text);
  const rows = [
    ["keeping.receipt_id", code(receipt.receipt_id)],
    named ? ["keeping.receipt_document", code(receipt.document_id)] : null,
    ["keeping.receipt_at", words.moment(receipt.erased_at)],
    ["keeping.receipt_by", element("bdi", {}, receipt.erased_by)],
    ["keeping.receipt_went", words.list(went)],
  ].filter(Boolean);
  return element("dl", { class: "facts" }, rows.map(([path, fact]) => element("div", {}, element("dt", {}, words.say(path)), element("dd", {}, fact))));
}

/** The receipt's file, byte for byte as it was signed. */
function downloadOf(receipt, words) {
  return element("a", { class: "button", ...fileOf(receipt.receipt_id), autofocus: true }, icon("download"), words.say("keeping.download"));
}

/** The same as a link in a list; `title` tells it from the others for those who hear it alone. */
export function receiptLink(id, words, { title, text = words.say("keeping.receipt_id") }) {
  const says = words.say("receipts.download_of", { title });
  return element("a", { class: "receipt-link", ...fileOf(id), "aria-label": says }, icon("download"), text);
}

function fileOf(id) {
  return { href: address(`receipts/${encodeURIComponent(id)}`), download: `receipt-${id}.json` };
}
