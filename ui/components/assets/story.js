// What happened to a document, and which versions of it are kept.

import { button, element, icon } from "./dom.js";
import { address, documentPath, json } from "./service.js";
import { problemCallout, recorded, stateKey } from "./states.js";

/** Events by how the service words them; those without an entry only repeat what the state says. */
const DEEDS = [
  [/^page (?<n>\d+) corrected by (?<name>.+)$/, "story.corrected"],
  [/ edited by (?<name>.+): (?<before>[^:]+) to (?<after>[^:]+)$/, "story.relabelled"],
  [/ edited by (?<name>.+)$/, "story.edited"],
  [/^handed in again$/, "story.handed_in"],
  [/^tried again by (?<name>.+)$/, "story.retried"],
  [/^put on hold by (?<name>.+)$/, "story.held"],
  [/^released from hold by (?<name>.+)$/, "story.released"],
  [/^waiting (for its changes|to be tried again)$/, null],
];

/** Categories of which the recorded sentence says more than ours. */
const DETAILED = new Set(["sidecar", "damaged", "crashed", "retry", "service_unavailable", "unexpected"]);

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
        element("td", { "data-label": words.say("story.open") }, element("div", { class: "version-tools" }, this.tools(each, words))),
      ),
    );
    const heads = ["version", "stored", "pages", "use", "open"].map((name) => element("th", { scope: "col" }, words.say(`story.${name}`)));
    return element("table", { class: "documents versions" }, element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows));
  }

  /** What can be done with a version whose text is there: read it, and take its file. */
  tools(version, words) {
    if (!version.kept) return "–";
    const at = words.moment(version.stored);
    const { id, status } = this.dossier;
    const read = () => this.dossier.readVersion(version.newest ? null : version);
    const href = address(documentPath(id, "/original", { version: version.version }));
    return [
      button(words.say("story.read"), read, { kind: "small plain", "aria-label": words.say("story.read_of", { at }) }),
      element("a", { class: "receipt-link", href, download: status.file_name, "aria-label": words.say("story.original_of", { at }) },
        icon("download"), words.say("story.original")),
    ];
  }

  events(events, words) {
    const items = [...events].reverse().map((event) => {
      const key = stateKey(event.state);
      return element(
        "li",
        {},
        element("time", { datetime: event.at }, words.moment(event.at)),
        element("span", { class: `state ${key}` }, words.say(`state.${key}`)),
        tellingOf(event.reason, words),
      );
    });
    return element("ol", { class: "events" }, items);
  }
}

/** What somebody did, in words, or as it was recorded. */
function tellingOf(reason, words) {
  for (const [pattern, path] of DEEDS) {
    const found = pattern.exec(reason);
    if (found) return path ? element("span", { class: "deed" }, words.say(path, inWords(found.groups ?? {}, words))) : null;
  }
  const known = words.told("cause", reason) ?? words.told("category", reason);
  if (!known) return recorded([reason], words);
  return [element("span", { class: "deed" }, known.text), DETAILED.has(known.key) ? recorded([reason], words) : null];
}

function inWords(found, words) {
  if (!found.before) return found;
  const label = (canonical) => (canonical === "no label" ? words.say("label.none") : words.label(canonical));
  return { ...found, before: label(found.before), after: label(found.after) };
}
