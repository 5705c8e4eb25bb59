// An answer's sentences with their markers, on the page and as text for the clipboard.

import { dotted, element, icon } from "./dom.js";

/** Adds to `body` the sentences that it does not show yet, and keeps a skeleton while more may come. */
export function answerBody(body, turn, page) {
  body.querySelector(".skeleton")?.remove();
  const quoting = turn.answer ? turn.answer.model === "quotes" : page.instance.generator === "quotes";
  body.classList.toggle("quoting", quoting);
  const list = body.querySelector(".sentences") ?? element("div", { class: "sentences" });
  if (!list.parentElement) body.append(list);
  while (list.childElementCount > turn.sentences.length) list.lastElementChild.remove();
  for (const sentence of turn.sentences.slice(list.childElementCount)) {
    list.append(quoting ? quotation(sentence, turn, page) : statement(sentence, turn, page));
  }
  heading(body, turn, page);
  if (turn.phase === "searching" || turn.phase === "reading") body.append(skeleton());
  page.source.markOpen();
}

function heading(body, turn, page) {
  body.querySelector(".answer-title")?.remove();
  if (turn.phase !== "done" || !turn.sentences.length) return;
  const documents = new Set([...turn.citations.values()].map((citation) => citation.document_id)).size;
  const kind =
    turn.answer.outcome === "partly_supported" ? "partly" : turn.answer.model === "quotes" ? "quoted" : "supported";
  const says = page.words.say(`answer.${kind}`, { documents: page.words.count("documents", documents) });
  const title = element(
    "p",
    { class: `answer-title ${kind}` },
    icon(kind === "partly" ? "alert" : "check"),
    element("span", {}, says),
  );
  body.prepend(title);
}

function quotation(sentence, turn, page) {
  const row = cells(sentence).length > 1;
  const captions = sentence.markers.map((marker) => caption(turn.citations.get(marker), page));
  return element(
    "figure",
    { class: "quotation" + (row && continues(sentence, turn) ? " continues" : ""), "data-markers": sentence.markers.join(" ") },
    element("blockquote", { class: row ? "row" : null, dir: direction(sentence.text) }, quoted(sentence), "\u00a0", markers(sentence, turn, page)),
    doubt(sentence, page.words),
    element("figcaption", {}, captions),
  );
}

/** The words as they are; a table row as cells of equal width, so that rows of one table stand below each other. */
function quoted(sentence) {
  const parts = cells(sentence);
  if (parts.length === 1) return element("span", { class: "words" }, sentence.text);
  return element("span", { class: "words cells" }, parts.map((cell) => element("span", { dir: "auto" }, cell)));
}

function cells(sentence) {
  return sentence.text.split(" | ");
}

/** True when the sentence before is a row of the same table, whose caption then serves for both. */
function continues(sentence, turn) {
  const before = turn.sentences[turn.sentences.indexOf(sentence) - 1];
  if (!before || cells(before).length !== cells(sentence).length) return false;
  const [one, other] = [before, sentence].map((each) => turn.citations.get(each.markers[0]));
  return one?.document_id === other?.document_id && one?.page_number === other?.page_number;
}

function direction(text) {
  return /\p{Script=Arabic}/u.test(text.slice(0, 200).match(/\p{L}/u)?.[0] ?? "") ? "rtl" : "ltr";
}

function statement(sentence, turn, page) {
  const weak = sentence.verdict === "unsupported" || sentence.verdict === "partly supported";
  return element(
    "span",
    { class: weak ? "statement weak" : "statement", dir: "auto", lang: turn.language },
    sentence.text,
    "\u00a0",
    markers(sentence, turn, page),
    doubt(sentence, page.words),
    " ",
  );
}

function doubt(sentence, words) {
  if (sentence.verdict === "unsupported") return element("span", { class: "doubt" }, words.say("answer.unsupported"));
  if (sentence.verdict !== "partly supported") return null;
  return element("span", { class: "doubt" }, words.say("answer.partly_sentence"));
}

function markers(sentence, turn, page) {
  return sentence.markers.map((number) => {
    const citation = turn.citations.get(number);
    if (!citation) return null;
    const name = page.words.say("answer.marker", { n: number, title: citation.title, place: place(citation, page.words) });
    return element(
      "button",
      {
        type: "button",
        class: "marker",
        dir: "ltr",
        "data-marker": String(number),
        "aria-label": name,
        "aria-expanded": "false",
        "aria-controls": "source",
        onclick: () => page.source.open(citation, `[data-marker="${number}"]`),
      },
      `[${number}]`,
    );
  });
}

/** Where a citation stands, in words: its page, or its file where the format has none. */
export function place(citation, words) {
  return citation.page_number ? words.say("source.page", { n: citation.page_number }) : citation.file_name;
}

/** The line below a quotation. A mouse may click it as well; the keyboard has the marker. */
function caption(citation, page) {
  if (!citation) return null;
  const { words } = page;
  const show = () => page.source.open(citation, `[data-marker="${citation.marker}"]`);
  return element(
    "span",
    { class: "caption", onclick: show },
    dotted([
      element("cite", { dir: "auto" }, citation.title),
      element("bdi", { class: citation.page_number ? "one-line" : null }, place(citation, words)),
      citation.date ? element("time", { class: "one-line", datetime: citation.date }, words.date(citation.date)) : null,
      citation.label && citation.label !== "public" ? words.label(citation.label) : null,
    ]),
  );
}

function skeleton() {
  const lines = [1, 2, 3].map((n) => element("span", { class: `skeleton-line skeleton-${n}` }));
  return element("div", { class: "skeleton", "aria-hidden": "true" }, lines);
}

/** The answer as plain text with its sources, to be pasted into a note or a letter. */
export function clipboardText(turn, words) {
  const sentences = turn.sentences.map(
    (sentence) => `${sentence.text} ${sentence.markers.map((marker) => `[${marker}]`).join("")}`,
  );
  const sources = [...turn.citations.values()].map((citation) => {
    const facts = [citation.title, place(citation, words), citation.date && words.date(citation.date), citation.file_name];
    return `[${citation.marker}] ${[...new Set(facts.filter(Boolean))].join(", ")}`;
  });
  const notes = turn.answer?.notes ?? [];
  const parts = [turn.question, sentences.join("\n\n"), ...notes, `${words.say("answer.sources")}\n${sources.join("\n")}`];
  if (turn.answer?.label && turn.answer.label !== "public") {
    parts.push(words.say("answer.label", { label: words.label(turn.answer.label) }));
  }
  return parts.join("\n\n");
}
