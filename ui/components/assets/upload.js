// Adding documents: choose or drop files and folders, give them a marking, watch what becomes of each.

import { button, choice, element, field, icon } from "./dom.js";
import { levelsOf, STATES } from "./finder.js";
import { chosenFiles, droppedFiles, paired } from "./gather.js";
import { described } from "./manifest.js";
import { json } from "./service.js";
import { faultOf, isFinal, manifestRemark, recorded, stateKey, stateTag } from "./states.js";
import { Transfer } from "./transfer.js";

const MOST_LINES = 100;
const EVERY_MS = 1200;
const MOST_ASKED = 10;
/** What should be seen first comes first. */
const ORDER = ["refused", "sending", "arrived", "waiting", "stopped"];

export class UploadForm {
  /** `changed` is called when the service has something new; `open` is given the id of the document to look at. */
  constructor(page, changed, open) {
    this.page = page;
    this.changed = changed;
    this.open = open;
    this.label = "";
    this.transfer = new Transfer(() => this.moved());
    this.stay = (event) => this.transfer.open && event.preventDefault();
    window.addEventListener("beforeunload", this.stay);
  }

  leave() {
    clearTimeout(this.timer);
    window.removeEventListener("beforeunload", this.stay);
  }

  draw() {
    const { words } = this.page;
    this.list = element("div", { class: "added" });
    this.live = element("p", { class: "unseen", role: "status" });
    this.show();
    return element(
      "section",
      { class: "upload", "aria-labelledby": "upload-title" },
      this.dropZone(words),
      this.live,
      this.list,
    );
  }

  dropZone(words) {
    const input = (id, folder) => {
      const node = element("input", {
        type: "file", id, multiple: true, class: "unseen", webkitdirectory: folder,
        onchange: () => {
          this.take(chosenFiles(node));
          node.value = "";
        },
      });
      return node;
    };
    const over = (event) => {
      event.preventDefault();
      zone.classList.toggle("over", event.type === "dragover");
    };
    const zone = element(
      "div",
      {
        class: "drop",
        ondragover: over,
        ondragleave: over,
        ondrop: async (event) => {
          over(event);
          this.take(await droppedFiles(event.dataTransfer));
        },
      },
      element("div", { class: "drop-sign", "aria-hidden": "true" }, icon("upload")),
      element(
        "div",
        { class: "drop-words" },
        element("h2", { id: "upload-title" }, words.say("upload.title")),
        element("p", { class: "hint" }, words.say("upload.lead")),
      ),
      element(
        "div",
        { class: "drop-tools" },
        input("files", false),
        element("label", { for: "files", class: "button" }, words.say("upload.choose")),
        input("folder", true),
        element("label", { for: "folder", class: "button plain" }, icon("folder"), words.say("upload.folder")),
      ),
      this.labelField(words),
    );
    return zone;
  }

  labelField(words) {
    const levels = levelsOf(this.page.instance).map((level) => [level, words.say(`label.${level}`)]);
    const select = choice("upload-label", [["", words.say("upload.label_file")], ...levels], this.label, (level) => (this.label = level));
    return field(words.say("upload.label"), select, { class: "field drop-label" });
  }

  async take(files) {
    const { label } = this;
    const { documents, problems } = await described(paired(files));
    if (problems.length) this.transfer.refuse(problems);
    if (documents.length) this.transfer.add(documents, label);
  }

  /** Something moved; drawn at most once a frame. */
  moved() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      if (this.list?.isConnected) this.show();
      if (!this.transfer.open && this.wasOpen) this.changed();
      this.wasOpen = this.transfer.open;
      this.watch();
    });
  }

  show() {
    const { items } = this.transfer;
    if (!items.length) return this.list.replaceChildren();
    const { words } = this.page;
    const shown = [...items].sort((one, other) => ORDER.indexOf(one.step) - ORDER.indexOf(other.step)).slice(0, MOST_LINES);
    const rest = items.length - shown.length;
    if (!this.list.firstChild) this.build(words);
    this.summarise(words);
    const focused = this.lines.contains(document.activeElement) ? document.activeElement.dataset.added : null;
    this.lines.replaceChildren(...shown.map((item) => this.line(item, words)));
    if (focused) this.lines.querySelector(`[data-added="${focused}"]`)?.focus({ preventScroll: true });
    this.rest.textContent = rest ? words.say("upload.rest", { files: words.count("files", rest) }) : "";
  }

  build(words) {
    this.heading = element("h3", {});
    this.bar = element("progress", { max: 1, "aria-label": words.say("upload.sending") });
    this.tools = element("div", { class: "added-tools" });
    this.lines = element("ul", { class: "added-lines", "aria-label": words.say("upload.progress") });
    this.outcome = element("p", { class: "added-outcome" });
    this.rest = element("p", { class: "hint" });
    this.list.replaceChildren(element("div", { class: "added-head" }, this.heading, this.outcome, this.tools), this.bar, this.lines, this.rest);
  }

  summarise(words) {
    const { items, open, share } = this.transfer;
    const count = (step) => items.filter((item) => item.step === step).length;
    const refused = count("refused");
    const says = open
      ? words.say("upload.sent_of", { n: words.number(count("arrived")), files: words.count("files", items.length) })
      : words.say(refused ? "upload.sent_but" : "upload.sent", {
          files: words.count("files", count("arrived")), refused: words.count("files", refused),
        });
    this.heading.textContent = says;
    if (!open && this.live.textContent !== says) this.live.textContent = says;
    this.outcome.replaceChildren(...outcomes(items, words));
    this.bar.hidden = !open;
    this.bar.value = share;
    const kind = `${open}/${refused > 0}`;
    if (this.tools.dataset.kind === kind) return;
    this.tools.dataset.kind = kind;
    this.tools.replaceChildren(
      ...[
        open ? button(words.say("upload.stop"), () => this.transfer.stop(), { kind: "small plain", drawing: "close" }) : null,
        !open && refused ? button(words.say("upload.again"), () => this.transfer.again(), { kind: "small plain", drawing: "again" }) : null,
        open ? null : button(words.say("upload.clear"), () => this.clear(), { kind: "small plain" }),
      ].filter(Boolean),
    );
  }

  clear() {
    this.transfer.clear();
    this.show();
    this.page.root.querySelector("#files")?.focus();
  }

  line(item, words) {
    return element(
      "li",
      { class: `added-line ${item.step}` },
      this.nameOf(item, words),
      element("span", { class: "added-state" }, this.stateOf(item, words)),
    );
  }

  /** What has arrived can be opened from here. */
  nameOf(item, words) {
    const name = element("bdi", { class: "file-name" }, item.source);
    if (item.step !== "arrived") return name;
    const act = () => this.open(item.status.document_id);
    const says = words.say("library.open", { title: item.source });
    return element(
      "button",
      { type: "button", class: "title-button", "data-added": item.status.document_id, onclick: act, "aria-label": says },
      name,
    );
  }

  stateOf(item, words) {
    if (item.step === "sending") {
      const bar = element("progress", { max: 1, value: item.share, "aria-label": item.source });
      return [bar, element("span", { class: "minor" }, words.percent(item.share))];
    }
    if (item.step === "refused") {
      const fault = faultOf(item.problem, words);
      return [
        element("span", { class: "field-error" }, words.problem(item.problem)),
        fault ? element("span", { class: "reason" }, fault) : null,
        recorded([item.problem.detail], words),
      ];
    }
    if (item.step !== "arrived") return element("span", { class: "minor" }, words.say(`upload.${item.step}`));
    // A table that looks like a manifest says so at once, and also where the document then waits for a label.
    const table = item.status.state === "done with warnings" ? null : manifestRemark(item.told, words);
    return [stateTag(item.status, words), table ? element("span", { class: "reason" }, table) : null, item.known ? element("span", { class: "reason" }, words.say("upload.known")) : null];
  }

  /** Asks again until every added document has come to rest: the newest in one request, a few older ones by name. */
  watch() {
    const unsettled = this.transfer.items.filter((item) => item.step === "arrived" && !isFinal(item.status));
    if (!unsettled.length || this.timer) return;
    this.timer = setTimeout(async () => {
      this.timer = null;
      await this.ask(unsettled).catch(() => {});
      if (this.list?.isConnected) this.show();
      this.watch();
    }, EVERY_MS);
  }

  async ask(unsettled) {
    const { documents } = await json("documents?limit=200");
    const known = new Map(documents.map((status) => [status.document_id, status]));
    let asked = 0;
    for (const item of unsettled) {
      const id = item.status.document_id;
      if (!known.has(id) && asked++ < MOST_ASKED) known.set(id, await json(`documents/${encodeURIComponent(id)}`));
      item.status = known.get(id) ?? item.status;
    }
  }
}

/** How many of the files that arrived are in each state. */
function outcomes(items, words) {
  const states = items.filter((item) => item.step === "arrived").map((item) => item.status.state);
  return STATES.map((state) => [state, states.filter((each) => each === state).length])
    .filter(([, n]) => n > 0)
    .map(([state, n]) => element("span", { class: `state ${stateKey(state)}` }, `${words.say(`state.${stateKey(state)}`)} ${words.number(n)}`));
}
