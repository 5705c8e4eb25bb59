// Adding documents: choose or drop, give them a marking, watch what becomes of each.

import { element, icon, iconButton } from "./dom.js";
import { json } from "./service.js";
import { isFinal, stateTag } from "./states.js";

const LEVELS = ["public", "internal", "restricted", "secret"];
const ACCEPTED = ".pdf,.docx,.odt,.html,.htm,.txt,.md,.eml";
const EVERY_MS = 1200;

export class UploadForm {
  constructor(page, changed) {
    this.page = page;
    this.changed = changed;
    this.files = [];
    this.label = "";
    this.added = [];
    this.sending = false;
  }

  draw() {
    const open = this.files.length > 0 || this.added.length > 0;
    this.node = element("div", { class: "upload-body" });
    this.show();
    const title = element("summary", {}, icon("upload"), element("h2", {}, this.page.words.say("upload.title")));
    return element("details", { class: "upload", open }, title, this.node);
  }

  show() {
    const { words } = this.page;
    this.node.replaceChildren(
      element("p", { class: "hint" }, words.say("upload.lead")),
      this.dropZone(words),
      ...(this.files.length ? [this.chosen(words), this.sender(words)] : []),
      ...(this.problem ? [element("p", { class: "field-error", role: "alert" }, words.problem(this.problem))] : []),
      ...(this.added.length ? [this.progress(words)] : []),
    );
  }

  dropZone(words) {
    const input = element("input", {
      type: "file",
      id: "files",
      multiple: true,
      accept: ACCEPTED,
      class: "unseen",
      onchange: () => this.choose(input.files),
    });
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
        ondrop: (event) => {
          over(event);
          this.choose(event.dataTransfer.files);
        },
      },
      input,
      element("label", { for: "files", class: "button plain" }, icon("upload"), words.say("upload.choose")),
      element("span", { class: "hint drop-hint" }, words.say("upload.drop")),
    );
    return zone;
  }

  choose(files) {
    const known = new Set(this.files.map((file) => file.name));
    this.files.push(...[...files].filter((file) => !known.has(file.name)));
    this.problem = null;
    this.show();
    this.node.querySelector(".send")?.focus();
  }

  chosen(words) {
    const items = this.files.map((file) =>
      element(
        "li",
        {},
        element("bdi", {}, file.name),
        iconButton("close", words.say("upload.remove", { name: file.name }), () => {
          this.files = this.files.filter((other) => other !== file);
          this.show();
          this.node.querySelector(".chosen button, #files")?.focus();
        }),
      ),
    );
    return element("ul", { class: "chosen", "aria-label": words.say("upload.selected") }, items);
  }

  sender(words) {
    const highest = LEVELS.indexOf(this.page.instance.principal.clearance.split("/")[0]);
    const options = [
      element("option", { value: "" }, words.say("upload.label_file")),
      ...LEVELS.slice(0, highest + 1).map((level) =>
        element("option", { value: level, selected: level === this.label }, words.say(`label.${level}`)),
      ),
    ];
    const select = element("select", { id: "upload-label", onchange: () => (this.label = select.value) }, options);
    const says = this.sending
      ? words.say("upload.sending")
      : words.say("upload.send", { files: words.count("files", this.files.length) });
    return element(
      "div",
      { class: "sender" },
      element("div", { class: "field" }, element("label", { for: "upload-label" }, words.say("upload.label")), select),
      element(
        "button",
        { type: "button", class: "button send", onclick: () => this.send(), "aria-disabled": this.sending && "true" },
        says,
      ),
    );
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    this.problem = null;
    this.show();
    const form = new FormData();
    for (const file of this.files) form.append("files", file, file.name);
    if (this.label) form.append("label", this.label);
    try {
      const { documents } = await json("documents", { method: "POST", body: form });
      this.added = [...documents, ...this.added];
      this.files = [];
    } catch (error) {
      this.problem = error;
    }
    this.sending = false;
    this.show();
    this.changed();
    this.watch();
  }

  progress(words) {
    const items = this.added.map((status) =>
      element("li", {}, element("bdi", { class: "file-name" }, status.file_name), element("span", {}, stateTag(status, words))),
    );
    return element(
      "div",
      { class: "added" },
      element("h3", {}, words.say("upload.progress")),
      element("ul", { "aria-live": "polite" }, items),
    );
  }

  /** Asks again until every added document has come to rest. */
  async watch() {
    clearTimeout(this.timer);
    if (this.added.every(isFinal)) return;
    this.timer = setTimeout(async () => {
      try {
        const { documents } = await json("documents");
        const known = new Map(documents.map((status) => [status.document_id, status]));
        this.added = this.added.map((status) => known.get(status.document_id) ?? status);
        const list = this.node.querySelector(".added");
        if (list?.isConnected) list.replaceWith(this.progress(this.page.words));
        if (this.added.every(isFinal)) this.changed();
      } catch {
        // The next round asks again; the library view itself shows a lasting problem.
      }
      this.watch();
    }, EVERY_MS);
  }
}
