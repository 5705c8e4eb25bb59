// What the assistant does, what it cannot do, and what this instance is made of.

import { element } from "./dom.js";

/** The language models that write here, by name. */
export function modelNames(instance, words) {
  const names = [...new Set((instance.models ?? []).map(({ model }) => model))];
  return names.length ? words.list(names) : instance.generator;
}

export function aboutView(page) {
  const { words, instance } = page;
  const quotes = instance.generator === "quotes";
  return element(
    "div",
    { class: "column about" },
    element("h1", { tabindex: "-1" }, words.say("about.title")),
    section(words.say("about.does"), list(words.say("about.does_list"))),
    section(words.say("about.does_not"), list(words.say("about.does_not_list"))),
    section(
      words.say(quotes ? "about.quotes_title" : "about.model_title"),
      element("p", {}, words.say(quotes ? "about.quotes" : "about.model", { model: modelNames(instance, words) })),
    ),
    weakLanguages(words, instance),
    section(words.say("about.facts"), facts(words, instance)),
    section(words.say("about.keys"), list(words.say("about.keys_list"))),
  );
}

function section(title, ...children) {
  return element("section", {}, element("h2", {}, title), children);
}

function list(lines) {
  return element(
    "ul",
    { class: "lines" },
    lines.map((line) => element("li", {}, line)),
  );
}

function weakLanguages(words, instance) {
  const weak = instance.weak_languages ?? [];
  if (!weak.length) return null;
  const names = words.list(weak.map((code) => words.languageName(code)));
  return section(words.say("about.weak_title"), element("p", {}, words.say("about.weak", { languages: names })));
}

function facts(words, instance) {
  const model = instance.generator === "quotes" ? words.say("about.fact_no_model") : element("bdi", {}, modelNames(instance, words));
  const rows = [
    ["fact_documents", words.number(instance.documents)],
    ["fact_passages", words.number(instance.passages)],
    ["fact_clearance", words.label(instance.principal.clearance)],
    ["fact_model", model],
    ["fact_encoder", element("bdi", {}, instance.encoder)],
    ["fact_ocr", words.say(instance.ocr ? "about.yes" : "about.no")],
    ["fact_version", element("bdi", {}, instance.version)],
  ];
  return element(
    "dl",
    { class: "facts" },
    rows.map(([name, fact]) =>
      element("div", {}, element("dt", {}, words.say(`about.${name}`)), element("dd", {}, fact)),
    ),
  );
}
