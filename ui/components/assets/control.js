// What archivists answer for over all documents: how long they are kept, what may not be erased, what was erased, whether the
// stores agree, from where the service takes documents by itself, and whether it answers well what they know the answer of.

import { Consistency } from "./consistency.js";
import { element } from "./dom.js";
import { Folders } from "./folders.js";
import { Gold } from "./gold.js";
import { Holds } from "./holds.js";
import { Receipts } from "./receipts.js";
import { Retention } from "./retention.js";
import { revealTab, tabList, tabPanel } from "./tabs.js";

const FIRST = "retention";
const ADDRESS = /^#part=(\w+)$/;

export class ControlView {
  constructor(page) {
    this.page = page;
    const open = (id, number = null) => this.openDossier(id, number);
    this.parts = {
      retention: new Retention(page, open),
      holds: new Holds(page, open),
      receipts: new Receipts(page),
      consistency: new Consistency(page, open),
      folders: new Folders(page),
      gold: new Gold(page, open),
    };
    this.tab = this.named(location) ?? FIRST;
    this.follow = () => this.sync();
    window.addEventListener("popstate", this.follow);
  }

  leave() {
    window.removeEventListener("popstate", this.follow);
    this.parts.retention.leave();
  }

  /** The part that an address names, or null. */
  named({ hash }) {
    const name = ADDRESS.exec(hash)?.[1];
    return name && Object.hasOwn(this.parts, name) ? name : null;
  }

  /** Writes the open part into the address, once Streamlit has written the view's, which it does a moment late. */
  reflect() {
    if (this.page.view !== "control" || this.page.wanted !== undefined || (this.named(location) ?? FIRST) === this.tab) return;
    history.pushState(history.state, "", `#part=${this.tab}`);
  }

  /** Another view comes: its address has no part. The part stays open for who comes back. */
  forget() {
    if (this.named(location)) history.replaceState(history.state, "", location.pathname + location.search);
  }

  /** Follows the browser's own way back and forward. */
  sync() {
    const name = this.named(location) ?? FIRST;
    if (this.page.view !== "control" || !this.body?.isConnected || name === this.tab) return;
    this.tab = name;
    this.showBody();
  }

  draw() {
    const { words } = this.page;
    this.body = element("div", { class: "control-body" });
    this.showBody();
    requestAnimationFrame(() => revealTab(this.tab));
    return element(
      "div",
      { class: "column widest control" },
      element("h1", { tabindex: "-1" }, words.say("control.title")),
      element("p", { class: "lead" }, words.say("control.lead")),
      this.body,
    );
  }

  showBody() {
    const { words } = this.page;
    const choose = (name, { focus }) => {
      this.tab = name;
      this.reflect();
      this.showBody();
      this.body.querySelector(`#tab-${name}`).focus({ preventScroll: !focus });
      revealTab(name);
    };
    const title = (name) => words.say(`control.${name}`);
    const looks = { label: words.say("control.tabs"), title, choose, direction: words.direction };
    this.body.replaceChildren(
      tabList(Object.keys(this.parts), this.tab, looks),
      tabPanel(this.tab, this.parts[this.tab].draw()),
    );
  }

  openDossier(id, number) {
    this.page.library.opened = id;
    this.page.library.number = number;
    this.page.go("library");
  }
}
