// A table of what is on record: it turns into a list of cards on a narrow screen.

import { element } from "./dom.js";
import { pager, ROWS } from "./table.js";

/** `rows` are lists of cells, one for each of `columns`; the cell under `head` names its row. */
export function register(caption, columns, rows, { kind = "", head = 0 } = {}) {
  const cell = (content, place) =>
    place === head
      ? element("th", { scope: "row" }, content)
      : element("td", { "data-label": columns[place] }, element("div", {}, content));
  return element(
    "table",
    { class: `documents register ${kind}`.trim() },
    element("caption", { class: "unseen" }, caption),
    element("thead", {}, element("tr", {}, columns.map((column) => element("th", { scope: "col" }, column)))),
    element("tbody", {}, rows.map((cells) => element("tr", {}, cells.map(cell)))),
  );
}

/** The part of `items` from `offset` on that a page of a list shows, and the way to the others, or null. */
export function paged(items, offset, words, go) {
  const shown = items.slice(offset, offset + ROWS);
  return [shown, pager({ offset, shown: shown.length, total: items.length }, words, go)];
}

/** A title that opens its document. */
export function opener(id, title, words, open) {
  const says = words.say("library.open", { title });
  const attributes = { type: "button", class: "title-button", "aria-label": says, onclick: () => open(id) };
  return element("button", attributes, element("bdi", {}, title));
}

/** A tick for the documents `id`, with their title for those who do not see it. */
export function tick(id, title, chosen, words, changed) {
  const input = element("input", {
    type: "checkbox", class: "tick", checked: chosen.has(id), "aria-label": words.say("control.select", { title }),
    onchange: () => {
      if (input.checked) chosen.add(id);
      else chosen.delete(id);
      changed();
    },
  });
  return input;
}
