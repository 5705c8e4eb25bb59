// Which documents are loaded and what became of each; adding more for those who may.

import { element } from "./dom.js";
import { json } from "./service.js";
import { stateKey, stateTag } from "./states.js";
import { UploadForm } from "./upload.js";

const MOST_ROWS = 200;
const STATES = ["done", "done with warnings", "in progress", "received", "quarantined", "rejected"];
const FORMATS = [
  [/pdf/, "pdf"],
  [/opendocument/, "opendocument"],
  [/word|officedocument/, "word"],
  [/html/, "html"],
  [/markdown/, "markdown"],
  [/rfc822|outlook|message/, "mail"],
  [/^image\//, "image"],
  [/^text\//, "text"],
];

export class LibraryView {
  constructor(page) {
    this.page = page;
    this.documents = null;
    this.wanted = "";
    this.state = "";
    this.upload = new UploadForm(page, () => this.refresh());
  }

  draw() {
    const { words, instance } = this.page;
    this.rows = element("div", { class: "rows" });
    this.found = element("p", { class: "found", role: "status" });
    if (this.documents) this.show();
    else this.rows.replaceChildren(element("div", { class: "skeleton", "aria-hidden": "true" }, skeletonLines()));
    this.refresh();
    return element(
      "div",
      { class: "column wide library" },
      element("h1", { tabindex: "-1" }, words.say("library.title")),
      element("p", { class: "lead" }, words.say("library.lead")),
      instance.principal.roles.includes("archivist") ? this.upload.draw() : null,
      element("div", { class: "filters" }, this.filterField(), this.stateField()),
      this.found,
      this.rows,
    );
  }

  filterField() {
    const { words } = this.page;
    const input = element("input", {
      type: "search",
      id: "filter",
      autocomplete: "off",
      dir: "auto",
      oninput: () => {
        this.wanted = input.value;
        this.show();
      },
    });
    input.value = this.wanted;
    return element("div", { class: "field grow" }, element("label", { for: "filter" }, words.say("library.filter")), input);
  }

  stateField() {
    const { words } = this.page;
    const select = element(
      "select",
      {
        id: "state",
        onchange: () => {
          this.state = select.value;
          this.show();
        },
      },
      element("option", { value: "" }, words.say("library.all")),
      STATES.map((state) =>
        element("option", { value: state, selected: state === this.state }, words.say(`state.${stateKey(state)}`)),
      ),
    );
    return element("div", { class: "field" }, element("label", { for: "state" }, words.say("library.state_filter")), select);
  }

  async refresh() {
    try {
      this.documents = (await json("documents")).documents;
      if (this.rows.isConnected) this.show();
    } catch (error) {
      const { words } = this.page;
      this.found.textContent = "";
      const retry = element(
        "button",
        { type: "button", class: "button plain", onclick: () => this.refresh() },
        words.say("error.retry"),
      );
      this.rows.replaceChildren(
        element("div", { class: "callout problem", role: "alert" }, element("p", {}, words.problem(error)), retry),
      );
    }
  }

  show() {
    const { words } = this.page;
    if (!this.documents) return;
    const shown = this.documents.filter((status) => this.matches(status));
    this.found.textContent = words.say("library.found", { documents: words.count("documents", shown.length) });
    if (!shown.length) {
      const empty = this.documents.length ? "library.none" : "library.empty";
      this.found.textContent = "";
      return this.rows.replaceChildren(element("p", { class: "nothing" }, words.say(empty)));
    }
    const columns = ["document", "type", "language", "date", "label", "state"];
    const head = columns.map((column) => element("th", { scope: "col" }, words.say(`library.${column}`)));
    this.rows.replaceChildren(
      element(
        "table",
        { class: "documents" },
        element("thead", {}, element("tr", {}, head)),
        element("tbody", {}, shown.slice(0, MOST_ROWS).map((status) => this.row(status))),
      ),
    );
  }

  matches(status) {
    if (this.state && status.state !== this.state) return false;
    const text = plain([status.title, status.file_name, status.date, this.page.words.date(status.date)].join(" "));
    return plain(this.wanted).split(/\s+/).every((word) => text.includes(word));
  }

  row(status) {
    const { words } = this.page;
    const cell = (column, ...content) => element("td", { "data-label": words.say(`library.${column}`) }, content);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, this.name(status)),
      cell("type", element("span", {}, words.say(`format.${formatOf(status.media_type)}`)), pagesOf(status, words)),
      cell("language", words.languageName(status.language)),
      cell("date", status.date ? element("span", { class: "one-line" }, words.date(status.date)) : words.say("library.undated")),
      cell("label", words.label(status.label)),
      cell("state", stateTag(status, words)),
    );
  }

  name(status) {
    const { words } = this.page;
    const title = status.title || status.file_name;
    const readable = status.state.startsWith("done");
    const key = `doc-${status.document_id}`;
    const open = () => this.page.source.open(asSource(status, title), `[data-document="${key}"]`);
    const shown = readable
      ? element(
          "button",
          { type: "button", class: "title-button", "data-document": key, onclick: open,
            "aria-label": words.say("library.open", { title }) },
          element("bdi", {}, title),
        )
      : element("span", { class: "title-plain" }, element("bdi", {}, title));
    return [shown, element("span", { class: "file-name" }, element("bdi", {}, status.file_name))];
  }
}

/** A document's first page in the shape that the source panel shows. */
function asSource(status, title) {
  return {
    ...status,
    title,
    page_number: status.pages > 0 ? 1 : null,
    span: { start: 0, end: 0 },
    quote: "",
    boxes: [],
    marker: null,
  };
}

/** Lower case without accents or Arabic vowel signs, for comparing what people type. */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{Mn}/gu, "").replace(/ـ/g, "").toLowerCase().trim();
}

function formatOf(mediaType) {
  return FORMATS.find(([pattern]) => pattern.test(mediaType ?? ""))?.[1] ?? "other";
}

function pagesOf(status, words) {
  if (!status.pages) return null;
  return element("span", { class: "minor" }, words.count("pages", status.pages));
}

function skeletonLines() {
  return [1, 2, 3].map((n) => element("span", { class: `skeleton-line skeleton-${n}` }));
}
