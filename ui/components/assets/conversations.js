// The reader's conversations beside the present one: by day, searched, renamed, deleted. A column where there is room
// for it, else a drawer over the page.

import { openDialog } from "./dialog.js";
import { button, element, icon, iconButton } from "./dom.js";
import { titleOf } from "./headline.js";
import { change, conversationPath, json, queried } from "./service.js";
import { problemCallout } from "./states.js";

const WIDE = matchMedia("(min-width: 68rem)");
const ROOM_FOR_THREE = matchMedia("(min-width: 84rem)");
const FOLDED = "assistant_conversations";
const PAUSE_MS = 250;

export class Conversations {
  /** `ask` opens conversations, begins new ones and is told of changes. */
  constructor(page, ask) {
    this.page = page;
    this.ask = ask;
    this.listed = null;
    this.sought = "";
    this.calls = 0;
    this.drawn = false;
    this.renaming = null;
    this.drawer = false;
    for (const query of [WIDE, ROOM_FOR_THREE]) query.addEventListener("change", () => this.arrange());
  }

  /** Bar and panel, to be put before the main content; both stay empty while conversations are not kept. */
  draw() {
    const { words } = this.page;
    this.drawer = false;
    this.bar = element("div", { class: "talks-bar", hidden: true, role: "region", "aria-label": words.say("conversations.title") });
    this.rows = element("div", { class: "talks-rows" });
    this.told = element("p", { class: "unseen", role: "status" });
    this.panel = element(
      "div",
      { class: "talks", id: "talks", hidden: true, "aria-label": words.say("conversations.title"), onkeydown: (event) => this.escape(event) },
      element(
        "div",
        { class: "talks-head" },
        element("h2", {}, words.say("conversations.title")),
        iconButton("close", words.say("conversations.fold"), () => this.fold(), { class: "icon-button talks-fold" }),
      ),
      button(words.say("conversations.fresh"), () => this.begin(), { drawing: "plus", kind: "plain talks-new" }),
      this.searchField(words),
      this.told,
      this.rows,
    );
    this.show();
    return [this.bar, this.panel];
  }

  searchField(words) {
    const says = words.say("conversations.search");
    const input = element("input", {
      type: "search", id: "talks-search", autocomplete: "off", dir: "auto", "aria-label": says, placeholder: words.say("conversations.find"),
      oninput: () => {
        clearTimeout(this.pause);
        this.pause = setTimeout(() => {
          this.sought = input.value.trim();
          this.load({ tell: true });
        }, PAUSE_MS);
      },
    });
    input.value = this.sought;
    return input;
  }

  /** Fetches the list. True when conversations are kept, false when this instance keeps none. Throws when it cannot be told. */
  async load({ tell = false } = {}) {
    const call = ++this.calls;
    try {
      const { conversations } = await json(queried("conversations", { q: this.sought }));
      if (call === this.calls) {
        this.listed = conversations;
        this.problem = null;
        if (this.drawn || this.panel) this.show();
        if (tell) this.told.textContent = this.page.words.say("conversations.found", { n: this.page.words.number(conversations.length) });
      }
      return true;
    } catch (error) {
      if (error.kind === "not_found" || error.kind === "conflict") return false;
      if (call === this.calls && this.listed) this.rows?.replaceChildren(problemCallout(error, this.page.words, () => this.load()));
      throw error;
    }
  }

  show() {
    if (!this.panel || !this.listed) return;
    const { words } = this.page;
    this.arrange();
    this.showBar();
    const focused = this.rows.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    if (!this.listed.length) {
      const says = words.say(this.sought ? "conversations.none" : "conversations.empty");
      return this.rows.replaceChildren(element("p", { class: "hint" }, says));
    }
    const days = Map.groupBy(this.listed, (each) => words.day(each.changed_at));
    this.rows.replaceChildren(
      ...[...days].map(([day, list]) =>
        element("section", {}, element("h3", {}, day), element("ul", {}, list.map((each) => this.line(each, words)))),
      ),
    );
    if (focused) this.rows.querySelector(`[data-part="${CSS.escape(focused)}"]`)?.focus();
  }

  line(each, words) {
    if (this.renaming === each.id) return element("li", { class: "talk" }, this.renameForm(each, words));
    const open = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.close();
      this.ask.open(each.id);
    };
    const current = this.ask.conversation?.id === each.id;
    const title = titleOf(each, words);
    const act = (name, path, does) => iconButton(name, words.say(path, { title }), does, { "data-part": `${name}-${each.id}` });
    return element(
      "li",
      { class: current ? "talk current" : "talk" },
      element("a", { href: `./?c=${encodeURIComponent(each.id)}`, "aria-current": current ? "true" : null, onclick: open, title, "data-part": `open-${each.id}` }, element("span", { class: "talk-name", dir: "auto" }, title)),
      element("span", { class: "talk-acts" }, act("pen", "conversations.rename", () => this.rename(each)), act("trash", "conversations.remove", () => this.confirm(each))),
    );
  }

  rename(each) {
    this.renaming = each.id;
    this.show();
    this.rows.querySelector(".talk-title").select();
  }

  renameForm(each, words) {
    const input = element("input", { type: "text", class: "talk-title", maxlength: "200", required: true, dir: "auto", "aria-label": words.say("conversations.new_title"), autocomplete: "off" });
    input.value = each.title;
    // Taking the field away takes the focus from it, which comes back here: once is enough.
    let over = false;
    const leave = () => {
      over = true;
      this.renaming = null;
      this.show();
      this.rows.querySelector(`[data-part="pen-${CSS.escape(each.id)}"]`)?.focus();
    };
    const send = async (event) => {
      event.preventDefault();
      if (over) return;
      over = true;
      const title = input.value.trim();
      if (title && title !== each.title) await this.tried(() => this.retitle(each, title));
      leave();
    };
    input.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      leave();
    };
    input.onblur = send;
    return element("form", { onsubmit: send }, input);
  }

  async retitle(each, title) {
    await change("PATCH", conversationPath(each.id), { title });
    this.renaming = null;
    each.title = title;
    this.ask.renamed(each.id, title);
  }

  async tried(act) {
    try {
      await act();
    } catch (error) {
      this.page.root.querySelector(".talks-refused")?.remove();
      this.rows.before(element("div", { class: "talks-refused" }, problemCallout(error, this.page.words)));
    }
  }

  confirm(each) {
    const { words } = this.page;
    openDialog(this.page, words.say("conversations.confirm"), (close) => {
      const refused = element("div", { class: "refused" });
      const remove = async () => {
        try {
          await change("DELETE", conversationPath(each.id));
          close();
          this.ask.removed(each.id);
          await this.load();
          this.told.textContent = words.say("conversations.removed");
          this.panel.querySelector(".talks-new").focus();
        } catch (error) {
          refused.replaceChildren(problemCallout(error, words));
        }
      };
      return [
        element("p", {}, element("bdi", {}, each.title || words.say("conversations.untitled"))),
        element("p", { class: "note" }, icon("alert"), element("span", {}, words.say("conversations.for_good"))),
        refused,
        element(
          "div",
          { class: "form-end" },
          button(words.say("dossier.cancel"), close, { kind: "plain", autofocus: true }),
          button(words.say("conversations.remove_now"), remove, { kind: "danger", id: "remove-conversation" }),
        ),
      ];
    });
  }

  begin() {
    this.close({ refocus: false });
    this.ask.fresh();
  }

  /** In place of the column: what opens it, the present title, a new conversation. */
  showBar() {
    const { words } = this.page;
    const open = iconButton("talks", words.say("conversations.unfold"), () => this.unfold(), {
      class: "icon-button talks-open", "aria-controls": "talks", "aria-expanded": String(this.drawer),
    });
    this.bar.replaceChildren(
      open,
      element("span", { class: "talks-present", dir: "auto" }, this.ask.conversation?.title ?? ""),
      iconButton("plus", words.say("conversations.fresh"), () => this.begin(), { class: "icon-button talks-begin" }),
    );
  }

  get folded() {
    return localStorage.getItem(FOLDED) === "folded";
  }

  /** A column, a drawer, or only the bar. */
  arrange() {
    if (!this.panel || !this.listed) return;
    const shown = this.page.view === "ask";
    const room = WIDE.matches && (!this.page.source.shown || ROOM_FOR_THREE.matches);
    const column = shown && room && !this.folded;
    if (column || !shown) this.drawer = false;
    this.panel.hidden = !column && !this.drawer;
    this.bar.hidden = column || !shown;
    this.panel.classList.toggle("drawer", this.drawer);
    this.panel.setAttribute("role", this.drawer ? "dialog" : "complementary");
    this.page.layout?.classList.toggle("with-talks", column);
    this.page.cover();
  }

  fold() {
    if (this.drawer) return this.close();
    localStorage.setItem(FOLDED, "folded");
    this.arrange();
    this.bar.querySelector(".talks-open").focus();
  }

  unfold() {
    localStorage.removeItem(FOLDED);
    this.drawer = true;
    this.arrange();
    this.panel.querySelector(this.drawer ? ".talks-fold" : ".talks-new").focus();
  }

  close({ refocus = true } = {}) {
    if (!this.drawer) return;
    this.drawer = false;
    this.arrange();
    if (refocus) this.bar.querySelector(".talks-open")?.focus();
  }

  escape(event) {
    if (event.key !== "Escape" || !this.drawer || event.defaultPrevented) return;
    event.preventDefault();
    this.close();
  }
}
