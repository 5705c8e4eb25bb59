// From which folders the service takes documents by itself, and what it last saw there. The operator sets them, so nothing is
// changed here.

import { element, icon } from "./dom.js";
import { register } from "./register.js";
import { json } from "./service.js";
import { note, problemCallout, recorded } from "./states.js";

const EVERY_MS = 10_000;
const GONE = /: is not a folder, or cannot be reached/;

export class Folders {
  constructor(page) {
    this.page = page;
    this.folders = null;
  }

  draw() {
    const { words } = this.page;
    this.list = element("div", {});
    if (this.folders) this.show();
    this.load();
    return [element("p", { class: "part-lead" }, words.say("folders.lead")), this.list];
  }

  /** Asks again for as long as this is looked at. */
  async load() {
    const list = this.list;
    clearTimeout(this.timer);
    try {
      this.folders = (await json("documents/watched")).folders;
      if (!list.isConnected) return;
      // What somebody has opened or marked is not taken away from under them.
      if (!list.querySelector("details[open]")) this.show();
      this.timer = setTimeout(() => list.isConnected && this.load(), EVERY_MS);
    } catch (error) {
      if (list.isConnected) list.replaceChildren(problemCallout(error, this.page.words, () => this.load()));
    }
  }

  show() {
    const { words } = this.page;
    if (!this.folders.length) return this.list.replaceChildren(note(words.say("folders.none")));
    const columns = ["folder", "looked", "files", "state"].map((name) => words.say(`folders.${name}`));
    const rows = this.folders.map((each) => [
      element("code", { dir: "ltr" }, each.folder),
      [
        each.looked_at ? words.instant(each.looked_at) : words.say("folders.never"),
        element("span", { class: "minor" }, words.say("folders.every", { time: words.duration(each.every_s) })),
      ],
      words.number(each.files),
      stateOf(each, words),
    ]);
    this.list.replaceChildren(register(words.say("control.folders"), columns, rows, { kind: "folders" }));
  }
}

function stateOf({ looked_at: at, problems }, words) {
  if (problems.length) {
    const gone = problems.some((said) => GONE.test(said));
    const says = gone ? words.say("folders.gone") : words.say("folders.problems", { n: words.number(problems.length) });
    return [element("span", { class: "field-error" }, icon("alert"), " ", says), recorded(problems, words)];
  }
  return at ? words.say("folders.well") : "–";
}
