// What changed between two versions of a document, or two documents: one change after the other, both sides with their source.

import { citedWords } from "./answer.js";
import { button, element } from "./dom.js";
import { note } from "./states.js";

const SHOWN_AT_ONCE = 40;

/** The changes as a list, or a sentence that says that there are none. */
export function changesList(turn, page) {
  const { words } = page;
  const { changes, from, to } = turn.comparison;
  if (!from) return [note(words.say("reading.one_version"))];
  const compared = element("p", { class: "compared" }, named("reading.before", from, words), named("reading.after", to, words));
  if (!changes.length) return [compared, note(words.say("reading.unchanged"), { drawing: "check" })];
  let marker = 0;
  const cited = (side) => ({ ...side.citation, marker: ++marker, key: `${turn.key}-${marker}` });
  const line = (change) => {
    const sides = ["before", "after"].filter((name) => change[name]).map((name) => sideOf(name, change, cited(change[name]), page));
    return element("li", { class: `change change-${change.kind}`, tabindex: "-1" }, headOf(change, words), element("div", { class: "sides-compared" }, sides));
  };
  return [
    compared,
    element("p", { class: "answer-title" }, words.say("reading.found", { changes: words.count("changes", changes.length) })),
    ...inParts(changes, line, words),
  ];
}

/** A list of which more is shown when the reader wants it. */
function inParts(changes, line, words) {
  const list = element("ol", { class: "changes" });
  const more = () => {
    const shown = list.childElementCount;
    list.append(...changes.slice(shown, shown + SHOWN_AT_ONCE).map(line));
    if (shown) list.children[shown].focus();
    if (list.childElementCount === changes.length) rest.remove();
  };
  const rest = button(words.say("reading.rest"), more, { kind: "plain" });
  more();
  return changes.length > list.childElementCount ? [list, rest] : [list];
}

/** One of the two texts, by its title and date. */
function named(path, text, words) {
  const date = text.date ? ` (${words.date(text.date)})` : "";
  return element("span", {}, words.say(path), " – ", element("bdi", {}, text.title || text.file_name), date);
}

function headOf(change, words) {
  return element(
    "p",
    { class: "change-head" },
    element("span", { class: "change-kind" }, words.say(`reading.${change.kind}`)),
    change.moved ? element("span", { class: "change-kind" }, words.say("reading.moved")) : null,
    change.heading ? element("bdi", { class: "change-heading" }, change.heading) : null,
  );
}

/** One side of a change; what stands on this side only is marked as a whole. */
function sideOf(name, change, citation, page) {
  const side = change[name];
  const tag = name === "before" ? "del" : "ins";
  const figure = citedWords(citation, side.text, page);
  const shown = change.kind === "changed" ? marked(side, tag) : [element(tag, { class: "whole" }, side.text)];
  figure.querySelector(".words").replaceChildren(...shown);
  return element("div", { class: "side-compared" }, element("p", { class: "side-name" }, page.words.say(`reading.${name}`)), figure);
}

/** The text with the words marked that the other side does not have; the service counts in code points. */
function marked({ text, changed }, tag) {
  const points = [...text];
  const pieces = [];
  let place = 0;
  for (const { start, end } of changed ?? []) {
    pieces.push(points.slice(place, start).join(""), element(tag, {}, points.slice(start, end).join("")));
    place = end;
  }
  return [...pieces, points.slice(place).join("")];
}
