// What happened to a document, and which versions of it are kept.

import { element } from "./dom.js";
import { documentPath, json } from "./service.js";
import { problemCallout, recorded, stateKey } from "./states.js";

export class Story {
  constructor(page, dossier) {
    this.page = page;
    this.dossier = dossier;
  }

  draw() {
    this.node = element("div", { class: "story" });
    this.load();
    return this.node;
  }

  async load() {
    const { words } = this.page;
    try {
      const { events, versions } = await json(documentPath(this.dossier.id, "/history"));
      this.node.replaceChildren(
        element("section", {}, element("h2", {}, words.say("story.versions")), this.versions(versions, words)),
        element("section", {}, element("h2", {}, words.say("story.events")), this.events(events, words)),
      );
    } catch (error) {
      this.node.replaceChildren(problemCallout(error, words, () => this.load()));
    }
  }

  versions(versions, words) {
    if (!versions.length) return element("p", { class: "minor" }, words.say("story.no_versions"));
    const rows = [...versions].reverse().map((each) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, element("code", { dir: "ltr" }, each.version.slice(0, 16))),
        element("td", { "data-label": words.say("story.stored") }, words.moment(each.stored)),
        element("td", { "data-label": words.say("story.pages") }, each.pages ? words.number(each.pages) : "–"),
        element("td", { "data-label": words.say("story.use") }, words.say(each.newest ? "story.newest" : each.kept ? "story.kept" : "story.removed")),
      ),
    );
    const heads = ["version", "stored", "pages", "use"].map((name) => element("th", { scope: "col" }, words.say(`story.${name}`)));
    return element("table", { class: "documents versions" }, element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows));
  }

  events(events, words) {
    const items = [...events].reverse().map((event) => {
      const key = stateKey(event.state);
      return element(
        "li",
        {},
        element("time", { datetime: event.at }, words.moment(event.at)),
        element("span", { class: `state ${key}` }, words.say(`state.${key}`)),
        recorded([event.reason], words),
      );
    });
    return element("ol", { class: "events" }, items);
  }
}
