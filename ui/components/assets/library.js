// Which documents are loaded and what became of each. For archivists also the way to add and to look after them.

import { Activity } from "./activity.js";
import { Dossier } from "./dossier.js";
import { button, element } from "./dom.js";
import { Finder } from "./finder.js";
import { Retries } from "./retries.js";
import { json, queried } from "./service.js";
import { isReadable, problemCallout } from "./states.js";
import { documentsTable, pager, ROWS } from "./table.js";
import { UploadForm } from "./upload.js";

const ADDRESS = /^#document=([\w.-]+)$/;
const AGAIN_MS = 1500;

export class LibraryView {
  constructor(page) {
    this.page = page;
    this.listing = null;
    this.offset = 0;
    this.calls = 0;
    this.opened = openedIn(location);
    /** The page at which the next dossier opens. */
    this.number = null;
    this.follow = () => this.sync();
    window.addEventListener("popstate", this.follow);
    this.stay = (event) => this.dossier?.unsaved && event.preventDefault();
    window.addEventListener("beforeunload", this.stay);
  }

  leave() {
    window.removeEventListener("popstate", this.follow);
    window.removeEventListener("beforeunload", this.stay);
    clearTimeout(this.later);
    this.upload?.leave();
    this.activity?.leave();
    this.retries?.stop();
  }

  get archivist() {
    return this.page.instance.principal.roles.includes("archivist");
  }

  /** Made when it is known who is here. */
  prepare() {
    if (this.finder) return;
    this.finder = new Finder(this.page, this.archivist, () => this.show({ offset: 0 }));
    if (!this.archivist) return;
    this.upload = new UploadForm(this.page, () => this.activity.soon() || this.refresh(), (id) => this.openDossier(id));
    this.activity = new Activity(this.page, () => this.soon());
    this.retries = new Retries(this.page, this.finder, () => this.activity.soon() || this.refresh());
  }

  draw() {
    this.prepare();
    const id = this.archivist ? this.opened : null;
    if (id && this.dossier?.id !== id) this.dossier = new Dossier(this.page, id, this, this.number ?? 1);
    this.number = null;
    if (!id) this.dossier = null;
    return this.dossier ? this.dossier.draw() : this.list();
  }

  list() {
    const { words } = this.page;
    this.rows = element("div", { class: "rows" });
    this.found = element("p", { class: "found", role: "status" });
    const retries = this.retries?.draw();
    if (this.listing) this.fill();
    else this.rows.replaceChildren(element("div", { class: "skeleton", "aria-hidden": "true" }, skeletonLines()));
    this.refresh();
    return element(
      "div",
      { class: "column widest library" },
      element("h1", { tabindex: "-1" }, words.say("library.title")),
      element("p", { class: "lead" }, words.say("library.lead")),
      this.archivist ? [this.upload.draw(), this.activity.draw()] : null,
      this.finder.draw(),
      element("div", { class: "found-line" }, this.found, retries),
      this.rows,
    );
  }

  /** Another part of the list. */
  show({ offset }) {
    this.offset = offset;
    return this.refresh();
  }

  /** Asks again before long; many calls make one request. */
  soon() {
    if (this.later) return;
    this.later = setTimeout(() => {
      this.later = null;
      this.refresh();
    }, AGAIN_MS);
  }

  async refresh() {
    const call = ++this.calls;
    try {
      const listing = await json(queried("documents", { ...this.finder.wanted, limit: ROWS, offset: this.offset }));
      if (call !== this.calls) return;
      const same = JSON.stringify(listing) === JSON.stringify(this.listing);
      this.listing = listing;
      // The last page of a list that has become shorter.
      if (!listing.documents.length && this.offset) return this.show({ offset: 0 });
      if (this.rows?.isConnected && !(same && this.rows.querySelector(".documents"))) this.fill();
    } catch (error) {
      if (call !== this.calls || !this.rows?.isConnected) return;
      this.found.textContent = "";
      this.rows.replaceChildren(problemCallout(error, this.page.words, () => this.refresh()));
    }
  }

  fill() {
    const { words } = this.page;
    const { documents, total, counts } = this.listing;
    this.finder.showCounts(counts);
    this.retries?.offer(total);
    if (!documents.length) {
      this.found.textContent = "";
      const says = words.say(this.finder.narrowed ? "library.none" : "library.empty");
      const clear = this.finder.narrowed ? button(words.say("library.clear"), () => this.finder.clear(), { kind: "plain" }) : null;
      return this.rows.replaceChildren(element("p", { class: "nothing" }, says), ...(clear ? [clear] : []));
    }
    const says = words.say("library.found", { documents: words.count("documents", total) });
    if (this.found.textContent !== says) this.found.textContent = says;
    const focused = this.rows.contains(document.activeElement) ? keyOf(document.activeElement) : null;
    const nav = pager({ offset: this.offset, shown: documents.length, total }, words, (offset) => this.turn(offset));
    this.rows.replaceChildren(documentsTable(documents, words, (status) => this.opener(status)), ...(nav ? [nav] : []));
    if (focused) this.rows.querySelector(focused)?.focus({ preventScroll: true });
  }

  async turn(offset) {
    await this.show({ offset });
    this.rows.querySelector(".documents")?.scrollIntoView({ block: "start" });
  }

  /** Archivists open the dossier of any document; readers the first page of what can be read. */
  opener(status) {
    if (this.archivist) return () => this.openDossier(status.document_id);
    if (!isReadable(status)) return null;
    return () => this.page.source.open(asSource(status), `[data-document="doc-${status.document_id}"]`);
  }

  openDossier(id) {
    this.scrolled = window.scrollY;
    this.opened = id;
    this.reflect();
    this.redraw();
  }

  /** Writes the open document into the address, once Streamlit has written the view's, which it does a moment late. */
  reflect() {
    if (this.page.view !== "library" || !this.opened || this.page.wanted !== undefined || openedIn(location) === this.opened) return;
    history.pushState(history.state, "", `#document=${this.opened}`);
  }

  /** Back to the list; where one was in it is where one is again. */
  closeDossier() {
    if (!this.dossier?.mayLeave()) return;
    const { id } = this.dossier;
    this.opened = null;
    if (location.hash) history.pushState(history.state, "", location.pathname + location.search);
    this.redraw();
    window.scrollTo(0, this.scrolled ?? 0);
    this.page.root.querySelector(`[data-document="doc-${id}"]`)?.focus({ preventScroll: true });
  }

  /** The list of the files that came in an archive or mailbox. */
  showInside(archive) {
    this.finder.reset();
    Object.assign(this.finder.wanted, { q: `${archive.source.slice(-400)}!/` });
    this.offset = 0;
    this.listing = null;
    this.closeDossier();
  }

  /** Another view comes: leaves the dossier, unless something typed there would be lost and the reader stays. */
  mayForget() {
    if (this.dossier && !this.dossier.mayLeave()) return false;
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
    this.dossier = this.opened = null;
    return true;
  }

  /** Follows the browser's own way back and forward. */
  sync() {
    if (this.page.view !== "library" || !this.page.instance) return;
    const id = openedIn(location);
    if (id === this.opened) return;
    if (this.dossier && !this.dossier.mayLeave()) return this.reflect();
    this.opened = id;
    this.redraw();
  }

  redraw() {
    this.page.draw();
    this.page.arrive();
  }
}

/** The document that an address names, or null. */
function openedIn({ hash }) {
  return ADDRESS.exec(hash)?.[1] ?? null;
}

/** A document's first page in the shape that the source panel shows. */
function asSource(status) {
  return {
    ...status,
    title: status.title || status.file_name,
    page_number: status.pages > 0 ? 1 : null,
    span: { start: 0, end: 0 },
    quote: "",
    boxes: [],
    marker: null,
  };
}

/** Finds the same control again after the rows were drawn anew. */
function keyOf(node) {
  if (node.dataset.document) return `[data-document="${node.dataset.document}"]`;
  return node.ariaLabel ? `[aria-label="${CSS.escape(node.ariaLabel)}"]` : node.id ? `#${node.id}` : null;
}

function skeletonLines() {
  return [1, 2, 3].map((n) => element("span", { class: `skeleton-line skeleton-${n}` }));
}
