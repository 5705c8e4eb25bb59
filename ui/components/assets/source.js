// The source panel: the page of a document as it looks, with the quoted words highlighted.
// Beside the answer on wide screens, over it on narrow ones; Escape closes it and brings the reader back.

import { dotted, element, icon, iconButton } from "./dom.js";
import { documentActs } from "./reading.js";
import { address, documentPath, json } from "./service.js";

const NARROW = matchMedia("(max-width: 67.99rem)");
const PHONE = matchMedia("(max-width: 36rem)");
const ZOOMS = [1, 1.25, 1.5, 2, 2.5];
const UNDRAWN = { kind: "undrawn" };
/** Of the panel's width, the share that quoted lines may take. */
const SEEN = 0.97;
const IMAGE_WIDTHS = [800, 1200, 1600, 2000, 2400];

export class SourcePanel {
  constructor(page) {
    this.page = page;
    this.shown = null;
    this.zoom = 0;
    this.reading = false;
    this.calls = 0;
    NARROW.addEventListener("change", () => this.arrange());
  }

  /** Shows a citation, or anything shaped like one with `boxes` empty; `opener` selects where focus returns to. */
  open(citation, opener) {
    this.shown = { citation, opener, number: citation.page_number };
    this.zoom = null;
    this.reading = false;
    this.fill();
    this.title.focus({ preventScroll: true });
    this.load({ reveal: true });
  }

  close({ refocus = true } = {}) {
    const opener = this.shown?.opener;
    this.shown = null;
    this.calls += 1;
    this.panel.replaceChildren();
    this.arrange();
    this.markOpen();
    if (refocus && opener) this.page.root.querySelector(opener)?.focus();
  }

  /** The panel's element, drawn anew in the present language. */
  draw() {
    this.panel = element("div", { class: "source", id: "source", "aria-labelledby": "source-title" });
    if (this.shown) {
      this.fill();
      this.load({ reveal: true });
    }
    return this.panel;
  }

  /** Beside the answer or over it; over it, the rest of the page cannot be reached. */
  arrange() {
    const open = this.shown !== null;
    const { over } = this;
    this.panel.hidden = !open;
    this.panel.setAttribute("role", over ? "dialog" : "complementary");
    this.panel.toggleAttribute("aria-modal", over);
    if (over) this.panel.setAttribute("aria-modal", "true");
    this.page.layout.classList.toggle("with-source", open);
    this.page.ask.conversations.arrange();
    this.page.cover();
  }

  /** True while it lies over the page. */
  get over() {
    return this.shown !== null && NARROW.matches;
  }

  /** Says at each marker whether its source is open. */
  markOpen() {
    const key = this.shown?.citation.key;
    for (const button of this.page.root.querySelectorAll(".marker")) {
      button.setAttribute("aria-expanded", String(button.dataset.cite === key));
    }
    for (const block of this.page.root.querySelectorAll("[data-cites]")) {
      block.classList.toggle("is-open", block.dataset.cites.split(" ").includes(key));
    }
  }

  fill() {
    const { words } = this.page;
    const { citation } = this.shown;
    this.title = element("h2", { id: "source-title", tabindex: "-1" }, element("bdi", {}, citation.title));
    this.tools = element("div", { class: "source-tools" });
    this.message = element("div", { class: "source-message" });
    this.stage = element("div", { class: "stage", tabindex: "0", role: "group", "aria-labelledby": "source-title" });
    this.panel.replaceChildren(
      element(
        "div",
        { class: "source-head" },
        element("div", { class: "source-name" }, this.title, this.facts(citation)),
        iconButton("close", words.say("source.close"), () => this.close(), { class: "icon-button close" }),
      ),
      this.tools,
      documentActs(this.page, citation),
      this.message,
      this.stage,
    );
    this.arrange();
    this.markOpen();
  }

  facts(citation) {
    const { words } = this.page;
    return element(
      "p",
      { class: "source-facts" },
      dotted([
        citation.marker ? element("span", { dir: "ltr" }, `[${citation.marker}]`) : null,
        citation.date ? element("time", { datetime: citation.date }, words.date(citation.date)) : null,
        citation.label ? words.label(citation.label) : null,
        element("bdi", { class: "file-name" }, citation.file_name),
      ]),
    );
  }

  /** Fetches what is to be shown. An answer that arrives after the reader has moved on is dropped. */
  async load({ reveal }) {
    const call = ++this.calls;
    const { citation, number } = this.shown;
    const wait = setTimeout(() => this.stage.classList.add("waiting"), 80);
    try {
      if (number) {
        const path = documentPath(citation.document_id, `/pages/${number}`, { version: citation.version });
        const sheet = await json(path);
        if (call === this.calls) this.showPage(sheet, reveal);
      } else {
        const { start, end } = citation.span;
        const values = { start, end, context: 1200, version: citation.version };
        const excerpt = await json(documentPath(citation.document_id, "/text", values));
        if (call === this.calls) this.showText(excerpt);
      }
    } catch (error) {
      if (call === this.calls) this.showProblem(error);
    } finally {
      clearTimeout(wait);
      if (call === this.calls) this.stage.classList.remove("waiting");
    }
  }

  showProblem(error) {
    const { words } = this.page;
    const texts = { not_found: "source.gone", undrawn: "source.failed" };
    const text = texts[error.kind] ? words.say(texts[error.kind]) : words.problem(error);
    const retry = element(
      "button",
      { type: "button", class: "button plain", onclick: () => this.load({ reveal: true }) },
      words.say("error.retry"),
    );
    this.tools.replaceChildren();
    this.stage.replaceChildren(
      element("div", { class: "callout problem", role: "alert" }, element("p", {}, text), error.kind === "not_found" ? null : retry),
    );
  }

  showPage(sheet, reveal) {
    this.sheet = sheet;
    const { words } = this.page;
    const { citation } = this.shown;
    const boxes = citation.boxes.filter(([number]) => number === sheet.number).map(([, box]) => box);
    this.zoom ??= PHONE.matches && boxes.length ? fitting(boxes) : 0;
    this.drawTools();
    this.drawMessage();
    if (this.reading) return this.drawPageText();
    const overlay = element("div", { class: "boxes", "aria-hidden": "true" }, boxes.map(highlight));
    const image = element("img", {
      class: "page-image",
      src: this.imageAddress(sheet),
      width: String(Math.round(sheet.width)),
      height: String(Math.round(sheet.height)),
      alt: words.say(boxes.length ? "source.image" : "source.image_plain", { n: sheet.number, title: citation.title }),
      onload: () => sheetNode.classList.add("ready"),
      onerror: () => this.showProblem(UNDRAWN),
    });
    const sheetNode = element("div", { class: "sheet", "data-page": String(sheet.number), dir: "ltr" }, image, overlay);
    this.stage.replaceChildren(sheetNode);
    this.applyZoom();
    if (reveal) this.reveal();
    else this.stage.scrollTop = 0;
  }

  imageAddress(sheet) {
    const wanted = this.stage.clientWidth * ZOOMS[this.zoom] * (window.devicePixelRatio || 1);
    const width = IMAGE_WIDTHS.find((offered) => offered >= wanted) ?? IMAGE_WIDTHS.at(-1);
    const { document_id: id, version } = this.shown.citation;
    return address(documentPath(id, `/pages/${sheet.number}/image`, { width, version }));
  }

  /** Brings the first quoted line into the upper third of the panel, and all of them into its middle if they are no wider. */
  reveal() {
    const boxes = [...this.stage.querySelectorAll(".highlight")].map((node) => node.getBoundingClientRect());
    if (!boxes.length) return (this.stage.scrollTop = 0);
    const frame = this.stage.getBoundingClientRect();
    let { left, right } = extent(boxes);
    if (right - left > frame.width) ({ left, right } = boxes[0]);
    this.stage.scrollTop += boxes[0].top - frame.top - frame.height * 0.3;
    this.stage.scrollLeft += (left + right) / 2 - frame.left - frame.width / 2;
  }

  drawTools() {
    const { words } = this.page;
    const { number, pages } = this.sheet;
    const { citation } = this.shown;
    const steps = element(
      "div",
      { class: "steps" },
      iconButton("back", words.say("source.previous"), () => this.turn(-1), { turns: true, "aria-disabled": number <= 1 && "true" }),
      element("span", { class: "page-number", role: "status" }, words.say("source.page_of", { n: number, pages })),
      iconButton("forward", words.say("source.next"), () => this.turn(1), { turns: true, "aria-disabled": number >= pages && "true" }),
    );
    const away = citation.page_number !== number;
    const reading = words.say(this.reading ? "source.text_hide" : "source.text_show");
    const zooms = [
      iconButton("minus", words.say("source.zoom_out"), () => this.magnify(-1), { "aria-disabled": this.zoom === 0 && "true" }),
      iconButton("plus", words.say("source.zoom_in"), () => this.magnify(1), {
        "aria-disabled": this.zoom === ZOOMS.length - 1 && "true",
      }),
    ];
    const name = document.activeElement?.closest?.(".source-tools") ? document.activeElement.ariaLabel : null;
    this.tools.replaceChildren(
      steps,
      element(
        "div",
        { class: "views" },
        away && citation.marker ? iconButton("target", words.say("source.back"), () => this.turnTo(citation.page_number, true)) : null,
        this.reading ? null : zooms,
        iconButton("text", reading, () => this.toggleText(), { "aria-pressed": String(this.reading) }),
        this.download(words),
      ),
    );
    if (name) this.refocus(name);
  }

  /** Focus stays on the tool that was used although the tools are drawn anew. */
  refocus(name) {
    const buttons = [...this.tools.querySelectorAll("button")];
    (buttons.find((button) => button.ariaLabel === name) ?? buttons[0]).focus();
  }

  download(words) {
    const { document_id: id, file_name: name } = this.shown.citation;
    const label = words.say("source.original");
    const link = { class: "icon-button", href: address(documentPath(id, "/original")), download: name, "aria-label": label };
    return element("a", { ...link, title: label }, icon("download"));
  }

  drawMessage() {
    const { words } = this.page;
    const { citation } = this.shown;
    const { sheet } = this;
    const notes = [];
    if (sheet.origin === "ocr") notes.push(words.say("source.ocr", { confidence: words.percent(sheet.confidence) }));
    const next = citation.boxes.find(([number]) => number > sheet.number);
    if (next && citation.page_number === sheet.number) notes.push(words.say("source.several", { n: next[0] }));
    this.message.replaceChildren(...notes.map((text) => element("p", { class: "note" }, icon("info"), element("span", {}, text))));
  }

  turn(step) {
    const number = this.sheet.number + step;
    if (number < 1 || number > this.sheet.pages) return;
    this.turnTo(number, number === this.shown.citation.page_number);
  }

  turnTo(number, reveal) {
    this.shown.number = number;
    this.load({ reveal });
  }

  magnify(step) {
    const zoom = Math.min(Math.max(this.zoom + step, 0), ZOOMS.length - 1);
    if (zoom === this.zoom) return;
    this.zoom = zoom;
    this.drawTools();
    this.applyZoom();
    const image = this.stage.querySelector("img");
    const sharper = this.imageAddress(this.sheet);
    if (image.getAttribute("src") !== sharper) image.src = sharper;
    this.reveal();
  }

  applyZoom() {
    this.stage.firstElementChild.style.width = `${ZOOMS[this.zoom] * 100}%`;
  }

  toggleText() {
    this.reading = !this.reading;
    this.showPage(this.sheet, true);
  }

  /** The page's words as text, for those who cannot read an image. The quoted ones are marked where they stand. */
  drawPageText() {
    const { words } = this.page;
    const { text, span } = this.sheet;
    const { start, end } = this.shown.citation.span;
    const shown = text.trim() ? paragraphs(text, start - span.start, end - span.start) : element("p", {}, words.say("source.no_text"));
    this.stage.replaceChildren(element("div", { class: "text-page", dir: "auto" }, shown));
    this.reveal();
  }

  showText(excerpt) {
    const { words } = this.page;
    this.tools.replaceChildren(element("div", { class: "views" }, this.download(words)));
    this.message.replaceChildren(element("p", { class: "note" }, icon("info"), element("span", {}, words.say("source.no_pages"))));
    const headings = excerpt.headings ?? this.shown.citation.headings ?? [];
    const path = headings.length ? element("p", { class: "path" }, dotted(headings)) : null;
    const mark = excerpt.quote ? element("mark", { class: "highlight" }, excerpt.quote) : null;
    const body = element("p", { class: "excerpt" }, excerpt.before, mark, excerpt.after);
    const attributes = { class: "text-page", dir: excerpt.direction, lang: excerpt.language || null };
    this.stage.replaceChildren(element("div", attributes, path, body));
    this.reveal();
  }
}

/** From the outermost left to the outermost right of boxes. */
function extent(boxes) {
  return { left: Math.min(...boxes.map((box) => box.left)), right: Math.max(...boxes.map((box) => box.right)) };
}

/** On a phone a whole page is too small to read: the largest zoom at which the quoted lines are seen from end to end. */
function fitting(boxes) {
  const { left, right } = extent(boxes);
  return Math.max(0, ZOOMS.findLastIndex((zoom) => zoom <= 2 && zoom * (right - left) <= SEEN));
}

function highlight(box) {
  const node = element("div", { class: "highlight" });
  const percent = (share) => `${share * 100}%`;
  Object.assign(node.style, {
    left: percent(box.left),
    top: percent(box.top),
    width: percent(box.right - box.left),
    height: percent(box.bottom - box.top),
  });
  return node;
}

/** A page's text in paragraphs, marked from `start` to `end`, which the service counts in code points. */
function paragraphs(text, start, end) {
  const points = [...text];
  const [from, to] = [start, end].map((place) => points.slice(0, Math.max(place, 0)).join("").length);
  return [...text.matchAll(/\S[^]*?(?=\n{2,}|\s*$)/g)].map(({ 0: part, index }) => {
    const [one, other] = [from, to].map((place) => Math.min(Math.max(place - index, 0), part.length));
    const quoted = other > one ? element("mark", { class: "highlight" }, part.slice(one, other)) : null;
    return element("p", {}, part.slice(0, one), quoted, part.slice(other));
  });
}
