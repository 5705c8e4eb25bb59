// What archivists answer for over all documents: how long they are kept, what may not be erased, what was erased, whether the
// stores agree, and from where the service takes documents by itself.

import { Consistency } from "./consistency.js";
import { element } from "./dom.js";
import { Folders } from "./folders.js";
import { Holds } from "./holds.js";
import { Receipts } from "./receipts.js";
import { Retention } from "./retention.js";
import { revealTab, tabList, tabPanel } from "./tabs.js";

export class ControlView {
  constructor(page) {
    this.page = page;
    this.tab = "retention";
    const open = (id) => this.openDossier(id);
    this.parts = {
      retention: new Retention(page, open),
      holds: new Holds(page, open),
      receipts: new Receipts(page),
      consistency: new Consistency(page, open),
      folders: new Folders(page),
    };
  }

  leave() {
    this.parts.retention.leave();
  }

  draw() {
    const { words } = this.page;
    this.body = element("div", { class: "control-body" });
    this.showBody();
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

  openDossier(id) {
    this.page.library.opened = id;
    this.page.go("library");
  }
}
