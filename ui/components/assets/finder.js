// Which documents are wanted: states with their numbers to press, words to look for, and further conditions.

import { choice, element, field, icon } from "./dom.js";
import { stateKey } from "./states.js";

export const STATES = ["received", "in progress", "done", "done with warnings", "quarantined", "rejected"];
const LEVELS = ["public", "internal", "restricted", "secret"];
const PAUSE_MS = 250;

const OPEN_XML = "application/vnd.openxmlformats-officedocument.";
const OPEN_DOCUMENT = "application/vnd.oasis.opendocument.";

/** The media types of each format that people have a name for. */
const FORMATS = {
  pdf: ["application/pdf"],
  word: [`${OPEN_XML}wordprocessingml.document`, "application/msword", "application/rtf", "application/x-ole-storage"],
  opendocument: [`${OPEN_DOCUMENT}text`, `${OPEN_DOCUMENT}text-template`, "application/vnd.sun.xml.writer"],
  spreadsheet: [
    `${OPEN_XML}spreadsheetml.sheet`, "application/vnd.ms-excel", `${OPEN_DOCUMENT}spreadsheet`,
    `${OPEN_DOCUMENT}spreadsheet-template`, "application/vnd.sun.xml.calc", "text/csv",
  ],
  slides: [
    `${OPEN_XML}presentationml.presentation`, "application/vnd.ms-powerpoint", `${OPEN_DOCUMENT}presentation`,
    `${OPEN_DOCUMENT}presentation-template`, "application/vnd.sun.xml.impress",
  ],
  html: ["text/html", "multipart/related", "application/x-mimearchive"],
  text: ["text/plain"],
  markdown: ["text/markdown"],
  mail: ["message/rfc822", "application/vnd.ms-outlook", "application/ms-tnef", "application/mbox"],
  image: ["image/png", "image/jpeg", "image/tiff", "image/jp2", "image/bmp", "image/gif", "image/webp"],
  archive: ["application/zip", "application/x-tar", "application/gzip", "application/x-7z-compressed", "application/x-bzip2", "application/x-xz"],
  book: ["application/epub+zip"],
  xml: ["application/xml"],
};

export function formatOf(mediaType) {
  return Object.keys(FORMATS).find((name) => FORMATS[name].includes(mediaType)) ?? "other";
}

/** A document's format in words; before it has been read, what its name ends in. */
export function formatName(status, words) {
  if (status.media_type) return words.say(`format.${formatOf(status.media_type)}`);
  return /\.(\w{1,5})$/.exec(status.file_name)?.[1].toUpperCase() ?? "–";
}

export function levelsOf(instance) {
  const highest = LEVELS.indexOf(instance.principal.clearance.split("/")[0]);
  return LEVELS.slice(0, highest + 1);
}

export class Finder {
  /** `changed` is called when other documents are wanted; `archivist` shows what only archivists need. */
  constructor(page, archivist, changed) {
    this.page = page;
    this.archivist = archivist;
    this.changed = changed;
    this.counts = null;
    this.open = false;
    this.reset();
  }

  reset() {
    this.wanted = { state: "", q: "", category: "", media_type: "", label: "", language: "", date_from: "", date_to: "" };
  }

  get narrowed() {
    return Object.values(this.wanted).some(Boolean);
  }

  draw() {
    const { words } = this.page;
    this.chips = this.archivist
      ? element("div", { class: "chips", role: "group", "aria-label": words.say("library.state_filter") })
      : null;
    this.showCounts(this.counts);
    const filters = element("div", { class: "filters" }, this.wordsField(), this.moreButton());
    return element("search", { class: "finder" }, this.chips, filters, this.more());
  }

  /** The numbers on the chips. They count all documents, so that a filter never hides a problem. */
  showCounts(counts) {
    this.counts = counts;
    if (!this.chips) return;
    const all = counts ? Object.values(counts).reduce((sum, n) => sum + n, 0) : null;
    const focused = this.chips.contains(document.activeElement) ? document.activeElement.dataset.state : null;
    this.chips.replaceChildren(this.chip("", all), ...STATES.map((state) => this.chip(state, counts?.[state] ?? null)));
    if (focused !== null) this.chips.querySelector(`[data-state="${focused}"]`)?.focus();
  }

  chip(state, n) {
    const { words } = this.page;
    const key = state ? stateKey(state) : "all";
    const text = state ? words.say(`state.${key}`) : words.say("library.all");
    return element(
      "button",
      {
        type: "button",
        class: `chip ${key}${n === 0 ? " none" : ""}`,
        "data-state": state,
        "aria-pressed": String(this.wanted.state === state),
        onclick: () => {
          this.want({ state });
          this.showCounts(this.counts);
        },
      },
      state ? element("span", { class: `dot-state ${key}`, "aria-hidden": "true" }) : null,
      element("span", {}, text),
      n === null ? null : element("span", { class: "chip-count" }, words.number(n)),
    );
  }

  want(values) {
    Object.assign(this.wanted, values);
    this.changed();
  }

  wordsField() {
    const { words } = this.page;
    const input = element("input", {
      type: "search",
      id: "filter",
      autocomplete: "off",
      dir: "auto",
      oninput: () => {
        clearTimeout(this.pause);
        this.pause = setTimeout(() => this.want({ q: input.value.trim() }), PAUSE_MS);
      },
    });
    input.value = this.wanted.q;
    return field(words.say("library.filter"), input, { class: "field grow" });
  }

  moreButton() {
    const { words } = this.page;
    const toggle = () => {
      this.open = !this.open;
      this.panel.hidden = !this.open;
      button.setAttribute("aria-expanded", String(this.open));
    };
    const button = element(
      "button",
      { type: "button", class: "button plain more", "aria-expanded": String(this.open), "aria-controls": "more-filters", onclick: toggle },
      icon("filter"),
      words.say("library.more"),
    );
    return button;
  }

  more() {
    const { words, instance } = this.page;
    const all = ["", words.say("library.all")];
    const select = (name, pairs) => choice(`filter-${name}`, [all, ...pairs], this.wanted[name], (value) => this.want({ [name]: value }));
    const day = (name) => {
      const input = element("input", { type: "date", id: `filter-${name}`, onchange: () => this.want({ [name]: input.value }) });
      input.value = this.wanted[name];
      return input;
    };
    const reasons = words.names("category").map((category) => [category, words.say(`category.${category}`)]);
    const formats = Object.entries(FORMATS).map(([name, types]) => [types.join(), words.say(`format.${name}`)]);
    this.panel = element(
      "div",
      { class: "more-filters", id: "more-filters", hidden: !this.open },
      this.archivist ? field(words.say("library.reason"), select("category", reasons)) : null,
      field(words.say("library.type"), select("media_type", formats)),
      field(words.say("library.label"), select("label", levelsOf(instance).map((level) => [level, words.say(`label.${level}`)]))),
      field(words.say("library.language"), select("language", words.names("language").map((code) => [code, words.languageName(code)]))),
      field(words.say("library.from"), day("date_from")),
      field(words.say("library.to"), day("date_to")),
      element("button", { type: "button", class: "quiet", onclick: () => this.clear() }, words.say("library.clear")),
    );
    return this.panel;
  }

  clear() {
    this.reset();
    this.page.root.querySelector(".finder").replaceWith(this.draw());
    this.page.root.querySelector(".finder .more")?.focus();
    this.changed();
  }
}
