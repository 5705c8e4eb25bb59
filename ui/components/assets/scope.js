// What a question is limited to: collections, kinds of documents, dates, single documents. Each limit is a chip to take away.

import { openDialog } from "./dialog.js";
import { button, element, field, icon } from "./dom.js";
import { documentPath, json, queried } from "./service.js";
import { problemCallout } from "./states.js";

const MOST_FOUND = 12;
const PAUSE_MS = 250;

const everything = () => ({ collections: [], date_from: null, date_to: null, document_types: [], documents: [] });

export class Scope {
  /** `changed` is called when the reader has chosen other limits. */
  constructor(page, changed) {
    this.page = page;
    this.changed = changed;
    this.limits = everything();
    this.titles = new Map();
    this.offered = null;
  }

  get narrowed() {
    return Object.values(this.limits).some((limit) => (Array.isArray(limit) ? limit.length : limit));
  }

  /** As the service takes it; null when nothing is limited. */
  get json() {
    return this.narrowed ? this.limits : null;
  }

  /** Takes over a conversation's limits, without telling anybody. */
  take(limits) {
    this.limits = { ...everything(), ...limits };
    this.show();
    this.nameDocuments();
  }

  draw() {
    this.row = element("div", { class: "scope", hidden: true });
    this.show();
    this.load();
    return this.row;
  }

  /** What can be chosen. Where the service has no such thing, the row stays away. */
  async load() {
    if (this.offered) return;
    try {
      this.offered = await json("scope");
      this.show();
    } catch {
      // Asking goes on without it; the next drawing tries again.
    }
  }

  show() {
    if (!this.row) return;
    const { words } = this.page;
    this.row.hidden = !this.offered;
    const held = this.row.contains(document.activeElement);
    const says = words.say(this.narrowed ? "scope.more" : "scope.open");
    this.row.replaceChildren(
      ...this.chips(words),
      element("button", { type: "button", class: "scope-open", onclick: () => this.choose() }, icon("filter"), says),
    );
    if (held) this.row.querySelector(".scope-open").focus();
  }

  chips(words) {
    const { limits } = this;
    const chips = [
      ...limits.collections.map((name) => [name, "scope.collection", () => this.without("collections", name)]),
      ...limits.document_types.map((name) => [words.kind(name), "scope.type", () => this.without("document_types", name)]),
      limits.date_from ? [words.date(limits.date_from), "scope.from", () => this.want({ date_from: null })] : null,
      limits.date_to ? [words.date(limits.date_to), "scope.to", () => this.want({ date_to: null })] : null,
      ...limits.documents.map((id) => [this.titles.get(id) ?? words.say("scope.unnamed"), "scope.document", () => this.without("documents", id)]),
    ].filter(Boolean);
    return chips.map(([name, kind, remove]) => {
      const text = words.say(kind, { name });
      const says = words.say("scope.remove", { name: text });
      return element(
        "span",
        { class: "scope-chip" },
        element("span", { class: "scope-name", dir: "auto", title: text }, text),
        element("button", { type: "button", "aria-label": says, title: says, onclick: remove }, icon("close")),
      );
    });
  }

  without(list, entry) {
    this.want({ [list]: this.limits[list].filter((each) => each !== entry) });
  }

  want(values) {
    this.limits = { ...this.limits, ...values };
    this.show();
    this.changed();
  }

  /** Limits the search to one document more. */
  add(id, title) {
    this.titles.set(id, title);
    if (!this.limits.documents.includes(id)) this.want({ documents: [...this.limits.documents, id] });
  }

  async nameDocuments() {
    const unknown = this.limits.documents.filter((id) => !this.titles.has(id));
    for (const id of unknown) {
      const status = await json(documentPath(id)).catch(() => null);
      if (status) this.titles.set(id, status.title || status.file_name);
    }
    if (unknown.length) this.show();
  }

  /** A dialog with everything that can be limited; nothing changes before it is applied. */
  choose() {
    const { words } = this.page;
    const wanted = structuredClone(this.limits);
    openDialog(this.page, words.say("scope.title"), (close) => {
      const apply = (event) => {
        event.preventDefault();
        close();
        this.want(wanted);
      };
      const clear = () => {
        close();
        this.want(everything());
      };
      return element(
        "form",
        { class: "scope-form", onsubmit: apply },
        element("p", { class: "hint" }, words.say("scope.lead")),
        this.ticks("collections", "scope.collections", wanted),
        this.ticks("document_types", "scope.types", wanted),
        element("div", { class: "scope-dates" }, this.day("date_from", "scope.date_from", wanted), this.day("date_to", "scope.date_to", wanted)),
        this.finder(wanted),
        element(
          "div",
          { class: "form-end" },
          element("button", { type: "submit", class: "button" }, words.say("scope.apply")),
          button(words.say("scope.clear"), clear, { kind: "plain" }),
        ),
      );
    });
  }

  ticks(list, path, wanted) {
    const names = [...new Set([...(this.offered[list] ?? []), ...wanted[list]])];
    if (!names.length) return null;
    const tick = (name) =>
      check(list === "document_types" ? this.page.words.kind(name) : name, wanted[list].includes(name), (on) => {
        wanted[list] = on ? [...wanted[list], name] : wanted[list].filter((each) => each !== name);
      });
    return element("fieldset", {}, element("legend", {}, this.page.words.say(path)), element("div", { class: "checks" }, names.map(tick)));
  }

  day(name, path, wanted) {
    const { from, to } = this.offered.dates ?? {};
    const input = element("input", { type: "date", id: `scope-${name}`, min: from, max: to, onchange: () => (wanted[name] = input.value || null) });
    input.value = wanted[name] ?? "";
    return field(this.page.words.say(path), input);
  }

  /** Single documents: those that are chosen, and those whose title has the words written. */
  finder(wanted) {
    const { words } = this.page;
    const found = element("div", { class: "scope-found" });
    let calls = 0;
    const list = async () => {
      const call = ++calls;
      const q = input.value.trim();
      try {
        const documents = q ? (await json(queried("documents", { q, limit: MOST_FOUND }))).documents : [];
        if (call === calls) this.listFound(found, documents, wanted, q);
      } catch (error) {
        if (call === calls) found.replaceChildren(problemCallout(error, words));
      }
    };
    let pause;
    const input = element("input", {
      type: "search", id: "scope-search", autocomplete: "off", dir: "auto",
      // Enter in here looks for documents; it does not send the form.
      onkeydown: (event) => event.key === "Enter" && event.preventDefault(),
      oninput: () => {
        clearTimeout(pause);
        pause = setTimeout(list, PAUSE_MS);
      },
    });
    this.listFound(found, [], wanted, "");
    return element("div", { class: "scope-finder" }, field(words.say("scope.documents"), input, { hint: words.say("scope.documents_hint") }), found);
  }

  listFound(place, documents, wanted, q) {
    const { words } = this.page;
    const readable = documents.filter((status) => status.state.startsWith("done"));
    for (const status of readable) this.titles.set(status.document_id, status.title || status.file_name);
    const ids = [...new Set([...wanted.documents, ...readable.map((status) => status.document_id)])];
    const rows = ids.map((id) =>
      check(this.titles.get(id) ?? words.say("scope.unnamed"), wanted.documents.includes(id), (on) => {
        wanted.documents = on ? [...wanted.documents, id] : wanted.documents.filter((each) => each !== id);
      }),
    );
    place.replaceChildren(...(rows.length || !q ? rows : [element("p", { class: "hint", role: "status" }, words.say("library.none"))]));
  }
}

function check(text, on, tell) {
  const box = element("input", { type: "checkbox", onchange: () => tell(box.checked) });
  box.checked = on;
  return element("label", { class: "check" }, box, element("bdi", {}, text));
}
