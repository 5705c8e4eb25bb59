// An answer's sentences with their markers, on the page and as text for the clipboard.

import { modelNames } from "./about.js";
import { element, icon } from "./dom.js";
import { headline } from "./headline.js";
import { caption, cells, direction, markers, place, spokenIn, tiedMarker } from "./markers.js";
import { addSentence, citesOf, doubt } from "./prose.js";
import { note } from "./states.js";

/** Adds to `body` the sentences that it does not show yet, and keeps a skeleton while more may come. */
export function answerBody(body, turn, page) {
  body.querySelector(".skeleton")?.remove();
  const composed = turn.composed(page.instance.generator !== "quotes");
  const list = sentenceList(body, turn, composed);
  const known = Number(list.dataset.shown ?? 0);
  for (const sentence of turn.sentences.slice(known)) {
    if (composed) addSentence(list, sentence, turn, page);
    else list.append(quotation(sentence, turn.sentences, turn, page));
  }
  list.dataset.shown = String(turn.sentences.length);
  heading(body, turn, page);
  sources(body, turn, page, composed);
  if (turn.running) body.append(skeleton(turn));
  page.source.markOpen();
}

/** The element that holds the sentences; a new one when what stands there is not the beginning of what is to be shown. */
function sentenceList(body, turn, composed) {
  const list = body.querySelector(".sentences");
  const texts = JSON.stringify(turn.sentences.slice(0, Number(list?.dataset.shown ?? 0)));
  body.classList.toggle("quoting", !composed);
  if (list && list.composed === composed && list.texts === texts) {
    list.texts = JSON.stringify(turn.sentences);
    return list;
  }
  const fresh = element("div", { class: "sentences" });
  Object.assign(fresh, { composed, texts: JSON.stringify(turn.sentences) });
  if (list) list.replaceWith(fresh);
  else body.append(fresh);
  return fresh;
}

/** How well it is founded, and why it is quotations where a model was to be expected. */
function heading(body, turn, page) {
  body.querySelector(".answer-head")?.remove();
  if (turn.phase !== "done" || !turn.sentences.length) return;
  const { words } = page;
  const { answer } = turn;
  const documents = new Set([...turn.citations.values()].map((citation) => citation.document_id)).size;
  const kind = answer.outcome === "partly_supported" ? "partly" : answer.model === "quotes" ? "quoted" : "supported";
  const says = words.say(`answer.${kind}`, { documents: words.count("documents", documents) });
  const title = element(
    "p",
    { class: `answer-title ${kind}` },
    icon(kind === "partly" ? "alert" : "check"),
    element("span", {}, says),
  );
  const why = answer.fallback ? note(words.say(`answer.fallback_${answer.fallback}`)) : null;
  body.prepend(element("div", { class: "answer-head" }, title, why));
}

/** Under flowing text, what each marker stands for, one line a page; a quotation has that below itself. */
function sources(body, turn, page, composed) {
  body.querySelector(".sources")?.remove();
  if (!composed || turn.running || !turn.citations.size) return;
  const pages = Map.groupBy(turn.citations.values(), ({ document_id: id, page_number: number }) => `${id} ${number}`);
  const lines = [...pages.values()].map((cited) =>
    element(
      "li",
      { "data-cites": cited.map(({ key }) => key).join(" ") },
      element("span", { class: "source-numbers", dir: "ltr", "aria-hidden": "true" }, cited.map((citation) => `[${citation.marker}]`).join(" ")),
      caption(cited[0], page),
    ),
  );
  body.append(
    element("div", { class: "sources" }, element("h3", {}, page.words.say("answer.sources")), element("ul", {}, lines)),
  );
}

function quotation(sentence, among, turn, page) {
  const row = cells(sentence).length > 1;
  const captions = sentence.markers.map((number) => caption(turn.citations.get(number), page));
  return element(
    "figure",
    { class: "quotation" + (row && continues(sentence, among, turn) ? " continues" : ""), "data-cites": citesOf(sentence, turn) },
    element("blockquote", { class: row ? "row" : null, dir: direction(sentence.text), lang: writtenIn(sentence, turn) }, quoted(sentence), markers(sentence, turn, page)),
    doubt(sentence, page.words),
    element("figcaption", {}, captions),
  );
}

/** The language of a quotation: that of the words it cites, where it is known. */
function writtenIn(sentence, turn) {
  return turn.citations.get(sentence.markers[0])?.language || spokenIn(sentence.text, turn.language);
}

/** Where to look when there is no answer, other languages last and announced; null where nothing comes near. */
export function leads(turn, page) {
  if (!turn.answer.leads?.length) return null;
  const { words } = page;
  const foreign = (lead) => writtenIn(lead, turn) !== (turn.answer.language ?? turn.language);
  const [others, own] = [turn.answer.leads.filter(foreign), turn.answer.leads.filter((lead) => !foreign(lead))];
  const shown = (some) => some.map((lead) => quotation(lead, some, turn, page));
  return element(
    "div",
    { class: "leads" },
    own.length ? [element("p", {}, words.say("abstain.near")), shown(own)] : null,
    others.length ? [element("p", { class: "abroad" }, words.say(own.length ? "abstain.abroad" : "abstain.only_abroad")), shown(others)] : null,
  );
}

/** The words as they are; a table row as cells of equal width, so that rows of one table stand below each other. */
function quoted(sentence) {
  const parts = cells(sentence);
  if (parts.length === 1) return element("span", { class: "words" }, sentence.text);
  return element("span", { class: "words cells" }, parts.map((cell) => element("span", { dir: "auto" }, cell)));
}

/** True when the one before `among` them is a row of the same table, whose caption then serves for both. */
function continues(sentence, among, turn) {
  const before = among[among.indexOf(sentence) - 1];
  if (!before || cells(before).length !== cells(sentence).length) return false;
  const [one, other] = [before, sentence].map((each) => turn.citations.get(each.markers[0]));
  return one?.document_id === other?.document_id && one?.page_number === other?.page_number;
}

/** What is still to come; less of it once there is something to read. */
function skeleton(turn) {
  const count = turn.sentences.length ? [3] : [1, 2, 3];
  const lines = count.map((n) => element("span", { class: `skeleton-line skeleton-${n}` }));
  return element("div", { class: "skeleton", "aria-hidden": "true" }, lines);
}

/** A citation outside an answer: the words with their marker, and what they are from. */
export function citedWords(citation, text, page) {
  return element(
    "figure",
    { class: "quotation", "data-cites": citation.key },
    element("blockquote", { dir: direction(text) }, element("span", { class: "words" }, text), tiedMarker(citation, page)),
  );
}

/** The answer as plain text with its sources, to be pasted into a note or a letter. */
export function clipboardText(turn, page) {
  const { words, instance } = page;
  const composed = turn.composed(instance.generator !== "quotes");
  const sentences = turn.sentences.map(
    (sentence) => `${sentence.text} ${sentence.markers.map((number) => `[${number}]`).join("")}`,
  );
  const cited = [...turn.citations.values()].map((citation) => {
    const facts = [citation.title, place(citation, words), citation.date && words.date(citation.date), citation.file_name];
    return `[${citation.marker}] ${[...new Set(facts.filter(Boolean))].join(", ")}`;
  });
  const notes = turn.answer?.notes ?? [];
  const said = sentences.join(composed ? " " : "\n\n");
  const parts = [headline(turn, words), said, ...notes, `${words.say("answer.sources")}\n${cited.join("\n")}`];
  if (composed) parts.push(words.say("answer.ai_notice", { model: turn.answer?.model || modelNames(instance, words) }));
  if (turn.answer?.label && turn.answer.label !== "public") {
    parts.push(words.say("answer.label", { label: words.label(turn.answer.label) }));
  }
  return parts.join("\n\n");
}
