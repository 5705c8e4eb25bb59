// The list of documents, a page of it at a time: ten thousand stay as quick as ten.

import { element, iconButton } from "./dom.js";
import { pageProgress } from "./activity.js";
import { formatName } from "./finder.js";
import { isFinal, isReadable, stateTag } from "./states.js";

export const ROWS = 50;

const NOTHING = "–";
const COLUMNS = ["document", "type", "language", "date", "label", "state"];

/** The table of `documents`; `open(status)` is what pressing a title does, or null for a title that opens nothing. */
export function documentsTable(documents, words, open) {
  const head = COLUMNS.map((column) => element("th", { scope: "col" }, words.say(`library.${column}`)));
  return element(
    "table",
    { class: "documents" },
    element("caption", { class: "unseen" }, words.say("library.title")),
    element("thead", {}, element("tr", {}, head)),
    element("tbody", {}, documents.map((status) => row(status, words, open))),
  );
}

function row(status, words, open) {
  const cell = (column, ...content) =>
    element("td", { "data-label": words.say(`library.${column}`), class: content[0] === NOTHING ? "nothing-known" : null }, content);
  const held = status.hold ? element("span", { class: "held" }, words.say("library.held")) : null;
  const pages = status.pages ? element("span", { class: "minor" }, words.count("pages", status.pages)) : null;
  return element(
    "tr",
    { "data-row": status.document_id },
    element("th", { scope: "row" }, name(status, words, open(status))),
    cell("type", element("span", {}, formatName(status, words)), pages),
    cell("language", status.language ? words.languageName(status.language) : NOTHING),
    cell("date", dateOf(status, words)),
    cell("label", status.label || isFinal(status) ? words.label(status.label) : NOTHING, held),
    cell("state", stateTag(status, words), readingOf(status, words)),
  );
}

function dateOf(status, words) {
  if (status.date) return element("span", { class: "one-line" }, words.date(status.date));
  return isReadable(status) ? words.say("library.undated") : NOTHING;
}

function readingOf(status, words) {
  if (status.state !== "in progress" || !status.progress_of) return null;
  return pageProgress(status.title || status.file_name, status.progress_pages, status.progress_of, words);
}

function name(status, words, act) {
  const title = status.title || status.file_name;
  const shown = act
    ? element(
        "button",
        { type: "button", class: "title-button", "data-document": `doc-${status.document_id}`, onclick: act,
          "aria-label": words.say("library.open", { title }) },
        element("bdi", {}, title),
      )
    : element("span", { class: "title-plain" }, element("bdi", {}, title));
  return title === status.file_name ? shown : [shown, element("span", { class: "file-name" }, element("bdi", {}, status.file_name))];
}

/** Where one stands in the list and the ways to move in it; null when everything is on one page. */
export function pager({ offset, shown, total }, words, go) {
  if (total <= ROWS) return null;
  const sheets = Math.ceil(total / ROWS);
  const sheet = Math.floor(offset / ROWS) + 1;
  const range = words.say("library.range", {
    first: words.number(offset + 1),
    last: words.number(offset + shown),
    total: words.number(total),
  });
  const turn = (to) => to >= 1 && to <= sheets && to !== sheet && go((to - 1) * ROWS);
  const input = element("input", {
    type: "number", id: "sheet", min: "1", max: String(sheets), value: String(sheet), inputmode: "numeric",
    onchange: () => turn(Math.min(Math.max(Math.round(Number(input.value)) || 1, 1), sheets)),
  });
  return element(
    "nav",
    { class: "pager", "aria-label": words.say("library.pages") },
    element("span", { class: "pager-range" }, range),
    element(
      "div",
      { class: "steps" },
      iconButton("back", words.say("library.previous"), () => turn(sheet - 1), { turns: true, "aria-disabled": sheet === 1 && "true" }),
      element("label", { for: "sheet" }, words.say("library.sheet")),
      input,
      element("span", {}, words.say("library.sheets", { n: words.number(sheets) })),
      iconButton("forward", words.say("library.next"), () => turn(sheet + 1), { turns: true, "aria-disabled": sheet === sheets && "true" }),
    ),
  );
}
