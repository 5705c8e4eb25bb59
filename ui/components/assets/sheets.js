// A document's pages: the image on one side, the extracted text on the other, and the text's correction.

import { button, element, icon, iconButton } from "./dom.js";
import { openGoldForm } from "./gold_form.js";
import { address, change, documentPath, json } from "./service.js";
import { isFinal, note, problemCallout } from "./states.js";

const ZOOMS = [1, 1.25, 1.5, 2, 2.5];
const IMAGE_WIDTHS = [800, 1200, 1600, 2000, 2400];
const PIECE = 30_000;

export class Sheets {
  constructor(page, dossier, number) {
    this.page = page;
    this.dossier = dossier;
    this.number = number;
    this.zoom = 0;
    this.side = "text";
    this.calls = 0;
    /** An earlier version that is being read instead of the present one, as the history names it. */
    this.older = null;
    this.forget();
  }

  /** What was fetched is no longer true. */
  forget() {
    this.sheet = null;
    this.draft = null;
  }

  /** Reads another version: an earlier one, or with null the present one again. */
  read(older) {
    if (!this.mayLeave()) return false;
    this.older = older;
    this.number = 1;
    this.forget();
    return true;
  }

  get version() {
    return this.older?.version ?? this.dossier.status.version;
  }

  /** Pages there are; what is being read again may count none for a moment. */
  get pages() {
    if (this.older) return this.older.pages;
    this.known = this.dossier.status.pages || this.known || 0;
    return this.known;
  }

  get paged() {
    return this.pages > 0;
  }

  draw() {
    this.tools = element("div", { class: "sheet-tools" });
    this.stage = element("div", { class: "stage", tabindex: "0", role: "group", "aria-label": this.page.words.say("sheets.image") });
    this.text = element("div", { class: "sheet-text" });
    const look = `sheets show-${this.side}${this.paged ? "" : " pageless"}`;
    this.node = element("div", { class: look }, this.older ? this.notice() : null, this.tools, this.paged ? this.stage : null, this.text);
    if (this.sheet?.number === this.number) this.show();
    else this.load();
    return this.node;
  }

  /** That what is read is not what answers rest on, and the way back. */
  notice() {
    const { words } = this.page;
    const back = () => {
      if (!this.read(null)) return;
      this.dossier.choose(this.dossier.hasText ? "sheets" : "story");
      this.page.root.querySelector('.tab[aria-selected="true"]').focus();
    };
    return element(
      "div",
      { class: "older-notice" },
      note(words.say("sheets.older", { at: words.moment(this.older.stored) }), { drawing: "clock", kind: "warn" }),
      button(words.say("sheets.present"), back, { kind: "small plain", id: "present-version" }),
    );
  }

  async load() {
    const call = ++this.calls;
    this.stage.classList.add("waiting");
    try {
      const sheet = this.paged ? await json(documentPath(this.dossier.id, `/pages/${this.number}`, { version: this.older?.version })) : await this.excerpt(0);
      if (call !== this.calls) return;
      this.sheet = sheet;
      if (this.node.isConnected) this.show();
    } catch (error) {
      if (call !== this.calls || !this.node.isConnected) return;
      this.text.replaceChildren(problemCallout(error, this.page.words, () => this.load()));
    } finally {
      this.stage.classList.remove("waiting");
    }
  }

  /** A format without pages: its text in pieces. */
  async excerpt(start) {
    const piece = await json(documentPath(this.dossier.id, "/text", { start, end: start, context: 20_000, version: this.older?.version }));
    return { number: 1, pages: 0, origin: "text layer", confidence: 1, text: piece.after, next: start + [...piece.after].length };
  }

  show() {
    this.drawTools();
    if (this.paged) this.drawImage();
    this.drawText();
  }

  turnTo(number) {
    const pages = this.sheet?.pages ?? this.pages;
    if (number < 1 || number > pages || number === this.number || !this.mayLeave()) return;
    this.number = number;
    this.draft = null;
    this.load();
  }

  get unsaved() {
    return this.draft !== null && this.draft !== this.sheet?.text;
  }

  /** Nothing typed is thrown away without a question. */
  mayLeave() {
    return !this.unsaved || window.confirm(this.page.words.say("sheets.discard"));
  }

  drawTools() {
    const { words } = this.page;
    const name = this.tools.contains(document.activeElement) ? document.activeElement.ariaLabel : null;
    this.tools.replaceChildren(...(this.paged ? [this.steps(words), this.doubtful(words), this.views(words)] : []).filter(Boolean));
    if (name) this.tools.querySelector(`[aria-label="${CSS.escape(name)}"]`)?.focus();
  }

  steps(words) {
    const { number, pages } = this.sheet;
    const input = element("input", {
      type: "number", id: "page-number", min: "1", max: String(pages), value: String(number), inputmode: "numeric",
      "aria-label": words.say("sheets.go"), onchange: () => this.turnTo(Math.round(Number(input.value))),
    });
    return element(
      "div",
      { class: "steps" },
      iconButton("back", words.say("source.previous"), () => this.turnTo(number - 1), { turns: true, "aria-disabled": number <= 1 && "true" }),
      element("span", { class: "page-place" }, words.say("sheets.page"), input, words.say("sheets.of", { pages: words.number(pages) })),
      iconButton("forward", words.say("source.next"), () => this.turnTo(number + 1), { turns: true, "aria-disabled": number >= pages && "true" }),
    );
  }

  /** The next page that was read with little certainty, from here on. */
  doubtful(words) {
    const pages = this.older ? [] : (this.dossier.status.doubtful_pages ?? []);
    if (!pages.length) return null;
    const next = pages.find((n) => n > this.number) ?? pages[0];
    const here = pages.includes(this.number);
    if (here && pages.length === 1) return null;
    return button(words.say("sheets.next_doubtful", { n: words.number(next) }), () => this.turnTo(next), { kind: "small plain", drawing: "alert" });
  }

  views(words) {
    const side = (name) =>
      element(
        "button",
        { type: "button", class: "side", "data-side": name, "aria-pressed": String(this.side === name), onclick: () => this.turnSide(name) },
        words.say(`sheets.${name}`),
      );
    return element(
      "div",
      { class: "views" },
      element("div", { class: "sides", role: "group", "aria-label": words.say("sheets.sides") }, side("image"), side("text")),
      iconButton("minus", words.say("source.zoom_out"), () => this.magnify(-1), {
        "aria-disabled": this.zoom === 0 && "true", class: "icon-button zoom",
      }),
      iconButton("plus", words.say("source.zoom_in"), () => this.magnify(1), {
        "aria-disabled": this.zoom === ZOOMS.length - 1 && "true", class: "icon-button zoom",
      }),
    );
  }

  turnSide(name) {
    this.side = name;
    this.node.classList.toggle("show-image", name === "image");
    this.node.classList.toggle("show-text", name === "text");
    for (const each of this.tools.querySelectorAll(".side")) each.setAttribute("aria-pressed", String(each.dataset.side === name));
    if (name === "image" && !this.stage.querySelector(".ready")) this.drawImage();
  }

  magnify(step) {
    const zoom = Math.min(Math.max(this.zoom + step, 0), ZOOMS.length - 1);
    if (zoom === this.zoom) return;
    this.zoom = zoom;
    this.drawTools();
    this.drawImage();
  }

  drawImage() {
    const { words } = this.page;
    const { sheet } = this;
    const { status } = this.dossier;
    const undrawn = () => this.stage.replaceChildren(note(words.say("source.failed"), { drawing: "alert", kind: "warn" }));
    const image = element("img", {
      class: "page-image", src: this.imageAddress(sheet), width: String(Math.round(sheet.width)), height: String(Math.round(sheet.height)),
      alt: words.say("source.image_plain", { n: sheet.number, title: status.title || status.file_name }),
      onload: () => node.classList.add("ready"), onerror: undrawn,
    });
    const node = element("div", { class: "sheet", "data-page": String(sheet.number), dir: "ltr" }, image);
    node.style.width = `${ZOOMS[this.zoom] * 100}%`;
    this.stage.replaceChildren(node);
  }

  imageAddress(sheet) {
    const wanted = (this.stage.clientWidth || 600) * ZOOMS[this.zoom] * (window.devicePixelRatio || 1);
    const width = IMAGE_WIDTHS.find((offered) => offered >= wanted) ?? IMAGE_WIDTHS.at(-1);
    return address(documentPath(this.dossier.id, `/pages/${sheet.number}/image`, { width, version: this.version }));
  }

  drawText() {
    const { words } = this.page;
    const { sheet } = this;
    if (this.draft !== null) return this.drawEditor();
    const shown = sheet.text.trim() ? paragraphs(sheet.text, { lines: this.paged }) : element("p", { class: "minor" }, words.say("source.no_text"));
    const correctable = this.paged && !this.older && isFinal(this.dossier.status);
    const lang = this.dossier.status.language || null;
    const attributes = { class: "text-page", dir: "auto", lang, tabindex: "0", role: "group", "aria-label": words.say("sheets.text") };
    const head = element(
      "div",
      { class: "sheet-head" },
      this.originOf(sheet, words),
      element(
        "div",
        { class: "sheet-acts" },
        correctable ? button(words.say("sheets.correct"), () => this.edit(), { kind: "small plain", drawing: "pen", id: "correct" }) : null,
        isFinal(this.dossier.status) && !this.older && sheet.text.trim() ? this.goldButton(words) : null,
      ),
    );
    this.text.replaceChildren(
      head,
      (this.kept = element("div", { role: "status" })),
      element("div", attributes, shown),
      ...(this.sheet.pages === 0 && this.sheet.text ? [this.further(words)] : []),
    );
  }

  /** Where the page's words come from, and how certain they are. */
  originOf(sheet, words) {
    const pulse = element("span", { class: "pulse", "aria-hidden": "true" });
    if (sheet.indexing) return element("p", { class: "origin indexing" }, pulse, words.say("sheets.saved"));
    if (sheet.origin === "corrected") return element("p", { class: "origin" }, icon("pen"), words.say("sheets.corrected"));
    if (sheet.origin === "none") return element("p", { class: "origin warn" }, icon("alert"), words.say("source.no_text"));
    if (sheet.origin !== "ocr") return element("p", { class: "origin" }, icon("check"), words.say(this.paged ? "sheets.layer" : "sheets.file"));
    const weak = !this.older && (this.dossier.status.doubtful_pages ?? []).includes(sheet.number);
    const share = words.percent(sheet.confidence);
    return element(
      "p",
      { class: weak ? "origin warn" : "origin" },
      icon(weak ? "alert" : "info"),
      element("span", {}, words.say(weak ? "sheets.ocr_weak" : "sheets.ocr", { confidence: share })),
      element("meter", {
        min: 0, max: 1, low: 0.7, high: 0.85, optimum: 1, value: sheet.confidence,
        "aria-label": words.say("sheets.confidence", { confidence: share }),
      }),
    );
  }

  /** Writes a test question that the marked words answer. Pressing the button must not take the mark away. */
  goldButton(words) {
    const keepMark = (event) => event.preventDefault();
    const write = (event) => {
      const about = { document_id: this.dossier.id, title: this.dossier.status.title, words: markedIn(this.text), page: this.paged ? this.sheet.number : null };
      event.currentTarget.focus({ preventScroll: true });
      openGoldForm(this.page, about, { paged: this.paged, kept: () => this.showKept() });
    };
    return button(words.say("sheets.gold"), write, { kind: "small plain", drawing: "target", id: "write-gold", onmousedown: keepMark });
  }

  showKept() {
    const { words } = this.page;
    const see = () => {
      this.page.control.tab = "gold";
      this.page.go("control");
    };
    this.kept.replaceChildren(
      element("div", { class: "gold-kept" }, note(words.say("gold.kept"), { drawing: "check" }), button(words.say("gold.see"), see, { kind: "small plain", id: "see-gold" })),
    );
  }

  further(words) {
    const more = async () => {
      const piece = await this.excerpt(this.sheet.next).catch(() => null);
      if (!piece?.text) return node.remove();
      Object.assign(this.sheet, { text: this.sheet.text + piece.text, next: piece.next });
      this.drawText();
    };
    const node = button(words.say("sheets.further"), more, { kind: "small plain" });
    return [...this.sheet.text].length >= PIECE / 2 ? node : "";
  }

  edit() {
    this.draft = this.sheet.text;
    this.drawEditor();
    this.text.querySelector("textarea").focus();
  }

  drawEditor() {
    const { words } = this.page;
    const area = element("textarea", {
      id: "page-text", dir: "auto", spellcheck: "true", lang: this.dossier.status.language || null,
      "aria-describedby": "page-text-hint", oninput: () => (this.draft = area.value),
    });
    area.value = this.draft;
    const leave = () => {
      this.draft = null;
      this.drawText();
      this.text.querySelector("#correct").focus();
    };
    this.text.replaceChildren(
      element("label", { for: "page-text", class: "editor-label" }, words.say("sheets.editor", { n: words.number(this.sheet.number) })),
      element("p", { class: "hint", id: "page-text-hint" }, words.say("sheets.editor_hint")),
      area,
      (this.refused = element("div", { class: "refused" })),
      element(
        "div",
        { class: "form-end" },
        button(words.say("sheets.save"), () => this.save(), { id: "save-text" }),
        button(words.say("dossier.cancel"), leave, { kind: "plain" }),
      ),
    );
  }

  async save() {
    const save = this.text.querySelector("#save-text");
    if (save.ariaDisabled === "true") return;
    save.ariaDisabled = "true";
    try {
      const status = await change("PUT", documentPath(this.dossier.id, `/pages/${this.sheet.number}/text`), { text: this.draft });
      // What was typed is shown until the service has it in its place.
      Object.assign(this.sheet, { text: this.draft, indexing: true });
      this.draft = null;
      this.dossier.take(status);
      if (!isFinal(status)) this.drawText();
      this.dossier.say(this.page.words.say("sheets.saved"));
    } catch (error) {
      save.ariaDisabled = null;
      this.refused.replaceChildren(problemCallout(error, this.page.words));
    }
  }
}

/** Paragraphs; with `lines`, each line as it stands on the page, so that it can be found on the image. */
function paragraphs(text, { lines }) {
  const content = (part) => (lines ? part.split("\n").map((line) => element("span", { class: "line" }, line)) : part);
  return text.trim().split(/\n{2,}/).map((part) => element("p", { dir: "auto" }, content(part)));
}

/** The words that are marked in a part of the page, empty when there are none. */
function markedIn(node) {
  const marked = window.getSelection();
  return marked && !marked.isCollapsed && node.contains(marked.anchorNode) && node.contains(marked.focusNode) ? marked.toString().trim() : "";
}
