// Writing a test question: the question, the words that answer it, and where they stand.

import { openDialog } from "./dialog.js";
import { button, choice, element, field } from "./dom.js";
import { change } from "./service.js";
import { problemCallout } from "./states.js";
import { LANGUAGES } from "./words.js";

const LONGEST = 2000;
const LONGEST_WORDS = 4000;

/**
 * Opens the form. `about` is what is known: {id?, question?, language?, document_id?, title?, page?, words?}; without a document
 * the question is one that nothing answers. `paged` tells whether the document has pages. `kept` is told the question kept.
 */
export function openGoldForm(page, about, { paged = false, kept = () => {} } = {}) {
  const { words } = page;
  const title = words.say(about.id ? "gold.change" : about.document_id ? "gold.write" : "gold.write_unanswerable");
  return openDialog(page, title, (close) => formOf(page, about, { paged, kept, close }));
}

function formOf(page, about, { paged, kept, close }) {
  const { words } = page;
  const fields = fieldsOf(about, words, paged);
  const refused = element("div", { class: "refused" });
  const send = async (event) => {
    event.preventDefault();
    try {
      const path = about.id ? `gold/${about.id}` : "gold";
      const saved = await change(about.id ? "PUT" : "POST", path, bodyOf(about, fields, paged));
      close();
      kept(saved);
    } catch (error) {
      const callout = problemCallout(error, words);
      if (error.kind === "invalid") callout.querySelector("p").textContent = words.say(reasonOf(error.detail, about));
      refused.replaceChildren(callout);
    }
  };
  return element(
    "form",
    { class: "gold-form", onsubmit: send },
    about.document_id ? element("p", { class: "minor" }, element("bdi", {}, about.title)) : element("p", {}, words.say("gold.unanswerable_hint")),
    field(words.say("gold.question"), fields.question, { hint: words.say("gold.question_hint") }),
    about.document_id ? field(words.say("gold.words"), fields.words, { hint: words.say("gold.words_hint") }) : null,
    element(
      "div",
      { class: "gold-place" },
      fields.page ? field(words.say("gold.page"), fields.page, { hint: words.say("gold.page_hint") }) : null,
      field(words.say("gold.language"), fields.language),
    ),
    refused,
    element(
      "div",
      { class: "form-end" },
      button(words.say("dossier.cancel"), close, { kind: "plain" }),
      element("button", { type: "submit", class: "button", id: "keep-gold" }, words.say("gold.keep")),
    ),
  );
}

function fieldsOf(about, words, paged) {
  const question = element("textarea", { id: "gold-question", rows: "2", required: true, maxlength: String(LONGEST), dir: "auto", autofocus: true });
  question.value = about.question ?? "";
  const answer = element("textarea", { id: "gold-words", rows: "4", required: true, maxlength: String(LONGEST_WORDS), dir: "auto" });
  answer.value = about.words ?? "";
  const page = element("input", { type: "number", id: "gold-page", min: "1", inputmode: "numeric" });
  page.value = about.page ? String(about.page) : "";
  const spoken = [["", words.say("gold.language_auto")], ...LANGUAGES.map((code) => [code, words.languageName(code)])];
  const language = choice("gold-language", spoken, about.language ?? "", () => {});
  return { question, words: about.document_id ? answer : null, page: about.document_id && (paged || about.page) ? page : null, language };
}

function bodyOf(about, fields, paged) {
  const body = { question: fields.question.value.trim() };
  if (fields.language.value) body.language = fields.language.value;
  if (!about.document_id) return body;
  const page = paged || about.page ? Math.round(Number(fields.page.value)) : 0;
  return { ...body, document_id: about.document_id, words: fields.words.value.trim(), ...(page ? { page } : {}) };
}

/** What is wrong with it, in the reader's words; the service's own sentence stands beneath. */
function reasonOf(detail, about) {
  if (/do not stand/.test(detail)) return /on page/.test(detail) ? "gold.not_on_page" : "gold.not_there";
  if (/is not there/.test(detail)) return "gold.no_such_page";
  return about.document_id ? "gold.incomplete" : "gold.no_question";
}
