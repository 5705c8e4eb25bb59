// Which documents may not be erased, who said so and why; and the way to say so of several at once.

import { openDialog } from "./dialog.js";
import { button, element, field, icon } from "./dom.js";
import { opener, paged, register, tick } from "./register.js";
import { change, documentPath, json, queried } from "./service.js";
import { note, problemCallout } from "./states.js";

const MOST_FOUND = 20;
const PAUSE_MS = 250;

export class Holds {
  constructor(page, open) {
    this.page = page;
    this.open = open;
    this.holds = null;
    this.offset = 0;
    this.sought = "";
    this.reason = "";
    this.found = null;
    this.chosen = new Set();
    this.calls = 0;
  }

  draw() {
    const { words } = this.page;
    this.live = element("p", { class: "unseen", role: "status" });
    this.list = element("div", {});
    if (this.holds) this.show();
    this.load();
    return [element("p", { class: "part-lead" }, words.say("holds.lead")), this.live, this.list, this.setting(words)];
  }

  async load() {
    const list = this.list;
    try {
      this.holds = (await json("documents/holds")).holds;
      if (list.isConnected) this.show();
    } catch (error) {
      if (list.isConnected) list.replaceChildren(problemCallout(error, this.page.words, () => this.load()));
    }
  }

  show() {
    const { words } = this.page;
    const n = this.holds.length;
    const says = n ? words.say("holds.held", { documents: words.count("documents", n) }) : words.say("holds.none");
    if (this.offset >= n) this.offset = 0;
    const [shown, nav] = paged(this.holds, this.offset, words, (offset) => {
      this.offset = offset;
      this.show();
    });
    const columns = ["document", "reason", "by", "since", "change"].map((name) => words.say(`holds.${name}`));
    const rows = shown.map((hold) => [
      opener(hold.document_id, hold.title || hold.file_name, words, this.open),
      element("bdi", {}, hold.reason),
      hold.by ? element("bdi", {}, hold.by) : "–",
      hold.since ? words.moment(hold.since) : "–",
      button(words.say("keeping.release"), () => this.confirm(hold), {
        kind: "small plain", "aria-label": words.say("holds.release_of", { title: hold.title || hold.file_name }),
      }),
    ]);
    this.list.replaceChildren(
      element("h2", { tabindex: "-1" }, says),
      ...(n ? [register(words.say("holds.caption"), columns, rows), nav].filter(Boolean) : []),
    );
  }

  /** A hold protects evidence: lifting it is asked about, with the reason for which it was set. */
  confirm(hold) {
    const { words } = this.page;
    const title = hold.title || hold.file_name;
    openDialog(this.page, words.say("holds.confirm", { title }), (close) => {
      const refused = element("div", { class: "refused" });
      const release = async () => {
        try {
          await change("DELETE", documentPath(hold.document_id, "/hold"));
          close();
          await this.changed(words.say("keeping.released"));
        } catch (error) {
          refused.replaceChildren(problemCallout(error, words));
        }
      };
      return [
        element("p", {}, words.say("holds.was_for", { reason: hold.reason })),
        element("p", { class: "note warn" }, icon("alert"), element("span", {}, words.say("holds.then"))),
        refused,
        element(
          "div",
          { class: "form-end" },
          button(words.say("dossier.cancel"), close, { kind: "plain", autofocus: true }),
          button(words.say("keeping.release"), release, { kind: "danger", id: "release-now" }),
        ),
      ];
    });
  }

  async changed(says) {
    await this.load();
    this.live.textContent = says;
    this.list.querySelector("h2")?.focus({ preventScroll: true });
  }

  setting(words) {
    const search = element("input", {
      type: "search", id: "hold-search", autocomplete: "off", dir: "auto",
      oninput: () => {
        this.sought = search.value.trim();
        clearTimeout(this.pause);
        this.pause = setTimeout(() => this.search(), PAUSE_MS);
      },
    });
    search.value = this.sought;
    const reason = element("input", {
      type: "text", id: "holds-reason", required: true, maxlength: "500", dir: "auto", autocomplete: "off",
      oninput: () => (this.reason = reason.value),
    });
    reason.value = this.reason;
    this.results = element("div", { class: "hold-results" });
    this.refused = element("div", { class: "refused" });
    this.place = element("button", { type: "submit", class: "button", id: "place-holds" });
    this.showResults();
    const send = (event) => {
      event.preventDefault();
      this.hold();
    };
    return element(
      "section",
      { "aria-labelledby": "set-holds" },
      element("h2", { id: "set-holds" }, words.say("holds.set")),
      element(
        "form",
        { class: "holds-form", onsubmit: send },
        field(words.say("holds.search"), search, { hint: words.say("holds.search_hint") }),
        this.results,
        field(words.say("keeping.reason"), reason, { hint: words.say("keeping.reason_hint") }),
        this.refused,
        element("div", { class: "form-end" }, this.place),
      ),
    );
  }

  async search() {
    const call = ++this.calls;
    if (!this.sought) {
      this.found = null;
      this.chosen.clear();
      return this.showResults();
    }
    try {
      const found = await json(queried("documents", { q: this.sought, limit: MOST_FOUND }));
      if (call !== this.calls) return;
      this.found = found;
      this.chosen = new Set(this.free.map((status) => status.document_id).filter((id) => this.chosen.has(id)));
      if (this.results.isConnected) this.showResults();
    } catch (error) {
      if (call === this.calls && this.results.isConnected) this.results.replaceChildren(problemCallout(error, this.page.words, () => this.search()));
    }
  }

  /** Those found that are not on hold already. */
  get free() {
    return this.found?.documents.filter((status) => !status.hold) ?? [];
  }

  showResults() {
    const { words } = this.page;
    this.showChosen();
    if (!this.found) return this.results.replaceChildren();
    const { documents, total } = this.found;
    if (!total) return this.results.replaceChildren(element("p", { class: "minor", role: "status" }, words.say("library.none")));
    const line = (status) => {
      const title = status.title || status.file_name;
      return element(
        "li",
        {},
        element(
          "label",
          { class: "check" },
          status.hold ? icon("lock") : tick(status.document_id, title, this.chosen, words, () => this.showChosen()),
          element("span", {}, element("bdi", {}, title), element("bdi", { class: "file-name" }, status.hold ? words.say("library.held") : status.file_name)),
        ),
      );
    };
    this.results.replaceChildren(
      element("ul", { class: "hold-found", "aria-label": words.say("holds.found") }, documents.map(line)),
      ...(total > documents.length ? [note(words.say("holds.more", { documents: words.count("documents", total) }))] : []),
    );
  }

  showChosen() {
    const { words } = this.page;
    const n = this.chosen.size;
    this.place.textContent = n ? words.say("holds.place", { documents: words.count("documents", n) }) : words.say("holds.place_none");
    this.place.ariaDisabled = n ? null : "true";
  }

  async hold() {
    const { words } = this.page;
    const reason = this.reason.trim();
    if (!this.chosen.size || !reason || this.busy) return;
    this.busy = true;
    const held = this.chosen.size;
    try {
      for (const id of [...this.chosen]) {
        await change("PUT", documentPath(id, "/hold"), { reason });
        this.chosen.delete(id);
      }
      this.sought = this.reason = "";
      this.found = null;
      this.page.control.showBody();
      await this.changed(words.say("holds.are_held", { documents: words.count("documents", held) }));
    } catch (error) {
      this.refused.replaceChildren(problemCallout(error, words));
      this.showResults();
      this.load();
    } finally {
      this.busy = false;
    }
  }
}
