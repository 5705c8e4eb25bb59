// A document's description: title, date, author, language, type, collection and marking, as a form.

import { choice, element, field } from "./dom.js";
import { levelsOf } from "./finder.js";
import { change, documentPath } from "./service.js";
import { isFinal, isUndecided, problemCallout } from "./states.js";
import { OWN_NAMES } from "./words.js";

const TEXTS = ["title", "author", "document_type", "collection"];

export class Description {
  constructor(page, dossier) {
    this.page = page;
    this.dossier = dossier;
    this.values = null;
  }

  draw() {
    const { words } = this.page;
    const { status } = this.dossier;
    this.renew();
    this.refused = element("div", { class: "refused" });
    const form = element(
      "form",
      { class: "describe", onsubmit: (event) => this.save(event), autocomplete: "off" },
      element("p", { class: "hint" }, words.say("describe.lead")),
      element(
        "div",
        { class: "describe-fields" },
        TEXTS.map((name) => this.textField(name, words)),
        this.dateField(words),
        this.languageField(words),
        this.labelField(words),
      ),
      this.refused,
      element(
        "div",
        { class: "form-end" },
        element(
          "button",
          { type: "submit", class: "button", id: "save-description", "aria-disabled": !isFinal(status) && "true" },
          words.say("describe.save"),
        ),
      ),
    );
    return [form, element("section", { class: "describe-facts" }, element("h2", {}, words.say("describe.facts")), this.facts(words))];
  }

  get unsaved() {
    return this.values !== null && Object.keys(changesOf(this.base, this.values)).length > 0;
  }

  /** Nothing typed is thrown away without a question. */
  mayLeave() {
    return !this.unsaved || window.confirm(this.page.words.say("describe.discard"));
  }

  /** Takes over what the service knows, but never over something that was typed and not saved. */
  renew() {
    const known = valuesOf(this.dossier.status);
    if (this.unsaved || (this.saved && !isFinal(this.dossier.status))) return;
    this.saved = false;
    this.base = known;
    this.values = valuesOf(this.dossier.status);
  }

  textField(name, words) {
    const input = element("input", {
      type: "text", id: `edit-${name}`, dir: "auto", maxlength: "500",
      oninput: () => (this.values[name] = input.value),
    });
    input.value = this.values[name];
    const hint = { document_type: "describe.type_hint", collection: "describe.collection_hint" }[name];
    return field(words.say(`describe.${name}`), input, { hint: hint && words.say(hint), class: name === "title" ? "field whole" : "field" });
  }

  dateField(words) {
    const input = element("input", { type: "date", id: "edit-date", onchange: () => (this.values.date = input.value) });
    input.value = this.values.date;
    return field(words.say("describe.date"), input);
  }

  languageField(words) {
    const codes = Object.keys(OWN_NAMES);
    if (this.values.language && !codes.includes(this.values.language)) codes.push(this.values.language);
    const pairs = codes.map((code) => [code, words.languageName(code)]);
    const unknown = this.values.language ? [] : [["", words.say("library.unknown")]];
    const select = choice("edit-language", [...unknown, ...pairs], this.values.language, (code) => (this.values.language = code));
    return field(words.say("describe.language"), select);
  }

  labelField(words) {
    const { level, compartments } = this.values;
    const none = level ? [] : [["", words.say("label.none")]];
    const pairs = levelsOf(this.page.instance).map((each) => [each, words.say(`label.${each}`)]);
    const select = choice("edit-label", [...none, ...pairs], level, (chosen) => (this.values.level = chosen));
    const held = (this.page.instance.principal.clearance.split("/")[1] ?? "").split(",").filter(Boolean);
    const offered = [...new Set([...held, ...compartments])].sort();
    const boxes = offered.map((name) => {
      const tick = () => (box.checked ? compartments.add(name) : compartments.delete(name));
      const box = element("input", { type: "checkbox", checked: compartments.has(name), onchange: tick });
      return element("label", { class: "check" }, box, element("bdi", {}, name));
    });
    return element(
      "fieldset",
      { class: "label-field" },
      element("legend", {}, words.say("describe.label")),
      field(words.say("describe.level"), select, { hint: words.say("describe.label_hint") }),
      boxes.length ? element("div", { class: "checks", role: "group", "aria-label": words.say("describe.compartments") }, boxes) : null,
    );
  }

  facts(words) {
    const { status } = this.dossier;
    const references = (status.references ?? []).map((each) => element("bdi", { class: "reference" }, each));
    const rows = [
      ["describe.source", element("bdi", { dir: "ltr" }, status.source)],
      ["describe.received", words.moment(status.received_at)],
      ["describe.changed", words.moment(status.changed_at)],
      ["describe.passages", words.number(status.passages)],
      ["describe.references", references.length ? element("span", {}, references) : null],
      ["describe.version", element("code", { dir: "ltr" }, status.version.slice(0, 16))],
    ];
    return element(
      "dl",
      { class: "facts" },
      rows.filter(([, fact]) => fact !== null).map(([path, fact]) => element("div", {}, element("dt", {}, words.say(path)), element("dd", {}, fact))),
    );
  }

  tell(said) {
    this.dossier.say(said);
    this.refused.replaceChildren(element("p", { class: "done-note", role: "status" }, said));
  }

  async save(event) {
    event.preventDefault();
    const { words } = this.page;
    const edit = changesOf(this.base, this.values);
    if (!isFinal(this.dossier.status)) return;
    if (!Object.keys(edit).length) return this.tell(words.say("describe.unchanged"));
    try {
      const status = await change("PATCH", documentPath(this.dossier.id), edit);
      // Until the changes are applied, the fields show what was saved.
      this.saved = true;
      this.base = { ...this.values, compartments: new Set(this.values.compartments) };
      this.dossier.take(status);
      this.dossier.showBody();
      this.tell(words.say("describe.saved"));
    } catch (error) {
      this.refused.replaceChildren(problemCallout(error, words));
    }
  }
}

/** What can be edited. A marking that is not decided is none: choosing any, the recorded one too, decides it. */
function valuesOf(status) {
  const [level, compartments = ""] = ((!isUndecided(status) && status.label) || "").split("/");
  return {
    title: status.title ?? "", author: status.author ?? "", document_type: status.document_type ?? "", collection: status.collection ?? "",
    date: status.date ?? "", language: status.language ?? "", level, compartments: new Set(compartments.split(",").filter(Boolean)),
  };
}

/** Only what was changed, so that nothing else is overwritten. */
function changesOf(before, after) {
  const changed = {};
  for (const name of [...TEXTS, "date", "language"]) {
    if (after[name].trim() !== before[name]) changed[name] = after[name].trim();
  }
  const label = labelOf(after);
  if (label && label !== labelOf(before)) changed.label = label;
  return changed;
}

function labelOf({ level, compartments }) {
  const names = [...compartments].sort().join(",");
  return level && names ? `${level}/${names}` : level;
}
