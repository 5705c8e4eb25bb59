// What changed between two versions of a document: one change after the other, both sides with their source.

import { citedWords } from "./answer.js";
import { element } from "./dom.js";

/** Beyond so many pairs of words the words that differ are not searched for: both texts are shown as they are. */
const MOST_PAIRS = 1_000_000;

/** The changes as a list, or a sentence that says that there are none. */
export function changesList(turn, page) {
  const { words } = page;
  const { changes } = turn.comparison;
  if (!changes.length) return [element("p", { class: "nothing" }, words.say("reading.unchanged"))];
  let marker = 0;
  const cited = (side) => ({ ...side.citation, marker: ++marker, key: `${turn.key}-${marker}` });
  const shown = changes.map((change) => {
    const [before, after] = change.before && change.after ? marked(change.before.text, change.after.text) : [];
    const sides = [
      change.before ? side("before", citedWords(cited(change.before), change.before.text, page), before, words) : null,
      change.after ? side("after", citedWords(cited(change.after), change.after.text, page), after, words) : null,
    ];
    return element(
      "li",
      { class: `change change-${change.kind}` },
      element(
        "p",
        { class: "change-head" },
        element("span", { class: "change-kind" }, words.say(`reading.${change.kind}`)),
        change.heading ? element("bdi", { class: "change-heading" }, change.heading) : null,
      ),
      element("div", { class: "sides-compared" }, sides),
    );
  });
  return [
    element("p", { class: "answer-title" }, words.say("reading.found", { changes: words.count("changes", changes.length) })),
    element("ol", { class: "changes" }, shown),
  ];
}

function side(name, figure, pieces, words) {
  if (pieces) figure.querySelector(".words").replaceChildren(...pieces);
  return element("div", { class: `side-compared ${name}` }, element("p", { class: "side-name" }, words.say(`reading.${name}`)), figure);
}

/** Both texts with the words that only one of them has marked: the longest common run of words, word by word. */
function marked(before, after) {
  const [old, fresh] = [before, after].map((text) => text.split(/(\s+)/).filter(Boolean));
  if (old.length * fresh.length > MOST_PAIRS) return [];
  const table = commonLengths(old, fresh);
  const sides = [[], []];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      push(sides[0], "span", old[i++]);
      push(sides[1], "span", fresh[j++]);
    } else if (j >= fresh.length || (i < old.length && table[i + 1][j] >= table[i][j + 1])) push(sides[0], "del", old[i++]);
    else push(sides[1], "ins", fresh[j++]);
  }
  return sides.map((pieces) => pieces.map(({ tag, text }) => (tag === "span" ? text : element(tag, {}, text))));
}

function commonLengths(one, other) {
  const table = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      table[i][j] = one[i] === other[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}

/** Neighbouring words of one kind are one piece. */
function push(pieces, tag, text) {
  const last = pieces.at(-1);
  if (last?.tag === tag) last.text += text;
  else pieces.push({ tag, text });
}
