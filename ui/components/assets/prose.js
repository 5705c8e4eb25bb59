// Sentences that a model wrote, as flowing text. A model's text is only ever text: lists and tables are drawn from how
// its lines begin; links, images and markup show as the characters they are.

import { element } from "./dom.js";
import { cells, direction, markers, spokenIn } from "./markers.js";

const BULLET = /^\s*[-*•–]\s+/;
const NUMBERED = /^\s*([0-9٠-٩]{1,3})[.)]\s+/;
const ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩";
const RULE = /^[\s|:-]+$/;
const QUOTED_ALREADY = /^\s*[«“"„]/;

/** Adds a sentence at the end of `list`, in the block it belongs to. */
export function addSentence(list, sentence, turn, page) {
  const kind = kindOf(sentence.text);
  if (kind === "rule") return list.append(element("span", { hidden: true }));
  const block = openBlock(list, kind, sentence, turn);
  if (kind === "row") block.append(row(sentence, turn, page));
  else if (kind === "bullet") block.append(element("li", {}, statement(sentence, sentence.text.replace(BULLET, ""), turn, page)));
  else if (kind === "numbered") block.append(numbered(sentence, turn, page));
  else block.append(statement(sentence, sentence.text, turn, page), " ");
}

function kindOf(text) {
  if (text.includes("|") && RULE.test(text)) return "rule";
  if (rowCells(text).length > 1) return "row";
  return BULLET.test(text) ? "bullet" : NUMBERED.test(text) ? "numbered" : "text";
}

/** The last block when the sentence goes on in it, else a new one. An empty line begins a paragraph. */
function openBlock(list, kind, sentence, turn) {
  const { text } = sentence;
  const last = list.lastElementChild;
  // Rows of different documents, or of another number of cells, are no rows of one table.
  const table = kind === "row" ? `${rowCells(text).length} ${turn.citations.get(sentence.markers[0])?.document_id}` : null;
  const apart = kind === "text" ? /^\s*\n\s*\n/.test(text) : table !== null && last?.dataset.table !== table;
  if (last?.dataset.kind === kind && !apart) return last;
  const tags = { row: "table", bullet: "ul", numbered: "ol", text: "p" };
  const block = element(tags[kind], { class: `prose prose-${kind}`, "data-kind": kind, "data-table": table, dir: direction(text) });
  list.append(block);
  return block;
}

function numbered(sentence, turn, page) {
  const [whole, number] = NUMBERED.exec(sentence.text);
  const value = [...number].map((digit) => (ARABIC_DIGITS.includes(digit) ? ARABIC_DIGITS.indexOf(digit) : digit)).join("");
  return element("li", { value }, statement(sentence, sentence.text.slice(whole.length), turn, page));
}

function rowCells(text) {
  return cells({ text: text.trim().replace(/^\|\s*/, "").replace(/\s*\|$/, "") });
}

function row(sentence, turn, page) {
  const texts = rowCells(sentence.text);
  const said = texts.map((text, place) =>
    element("td", { dir: "auto" }, text, place === texts.length - 1 ? [markers(sentence, turn, page), doubt(sentence, page.words)] : null),
  );
  return element("tr", { class: classOf(sentence), "data-cites": citesOf(sentence, turn) }, said);
}

function classOf({ verdict }) {
  const kinds = { quoted: "quoted", "partly supported": "weak", unsupported: "weak" };
  return `statement ${kinds[verdict] ?? ""}`.trim();
}

export function citesOf(sentence, turn) {
  return sentence.markers.map((number) => `${turn.key}-${number}`).join(" ");
}

/** A sentence with its markers. Word for word from a document, it stands in quotation marks of the answer's language. */
function statement(sentence, text, turn, page) {
  const quoted = sentence.verdict === "quoted" && !QUOTED_ALREADY.test(text);
  return element(
    "span",
    { class: classOf(sentence), dir: "auto", lang: spokenIn(text, turn.language), "data-cites": citesOf(sentence, turn) },
    element(quoted ? "q" : "span", { class: "words" }, text.trim()),
    markers(sentence, turn, page),
    doubt(sentence, page.words),
  );
}

/** Said in words, so that it does not hang on a colour. */
export function doubt(sentence, words) {
  if (sentence.verdict === "unsupported") return element("span", { class: "doubt" }, words.say("answer.unsupported"));
  if (sentence.verdict !== "partly supported") return null;
  return element("span", { class: "doubt" }, words.say("answer.partly_sentence"));
}
