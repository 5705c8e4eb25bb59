// The numbers that lead from a sentence to its source, and what a source is called.

import { dotted, element } from "./dom.js";

/** One button for each marker of a sentence; several stand close together, behind a space. */
export function markers(sentence, turn, page) {
  const cited = sentence.markers.map((number) => turn.citations.get(number)).filter(Boolean);
  return cited.map((citation, place) => (place ? marker(citation, page) : tiedMarker(citation, page)));
}

/** A marker that never stands alone at the beginning of a line: the space before it does not break. */
export function tiedMarker(citation, page) {
  return element("span", { class: "tied" }, "\u00a0", marker(citation, page));
}

/** The button that opens a citation's page on the cited words. */
function marker(citation, page) {
  const { words } = page;
  const values = { n: citation.marker, title: citation.title, place: place(citation, words) };
  return element(
    "button",
    {
      type: "button",
      class: "marker",
      dir: "ltr",
      "data-marker": String(citation.marker),
      "data-cite": citation.key,
      "aria-label": words.say("answer.marker", values),
      "aria-expanded": "false",
      "aria-controls": "source",
      onclick: () => show(citation, page),
    },
    `[${citation.marker}]`,
  );
}

function show(citation, page) {
  page.source.open(citation, `.marker[data-cite="${citation.key}"]`);
}

/** Where a citation stands, in words: its page, or its file where the format has none. */
export function place(citation, words) {
  return citation.page_number ? words.say("source.page", { n: citation.page_number }) : citation.file_name;
}

/** The line that names a source. A mouse may click it as well; the keyboard has the marker. */
export function caption(citation, page) {
  if (!citation) return null;
  const { words } = page;
  return element(
    "span",
    { class: "caption", onclick: () => show(citation, page) },
    dotted([
      element("cite", { dir: "auto" }, citation.title),
      element("bdi", { class: citation.page_number ? "one-line" : null }, place(citation, words)),
      citation.date ? element("time", { class: "one-line", datetime: citation.date }, words.date(citation.date)) : null,
      citation.label && citation.label !== "public" ? words.label(citation.label) : null,
    ]),
  );
}

/** The direction of a text by its first letter. */
export function direction(text) {
  return /\p{Script=Arabic}/u.test(text.slice(0, 200).match(/\p{L}/u)?.[0] ?? "") ? "rtl" : "ltr";
}

/** The language in which a text is read aloud: Arabic by its letters, else the answer's unless that is Arabic. */
export function spokenIn(text, language) {
  if (direction(text) === "rtl") return "ar";
  return language === "ar" ? null : language;
}

/** The cells of a table row; a text that is none is one cell. */
export function cells(sentence) {
  return sentence.text.split(" | ");
}
