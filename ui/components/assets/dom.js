// Elements made from text. Nothing here or elsewhere parses HTML: document text can never become markup.

const SVG = "http://www.w3.org/2000/svg";

const SHAPES = {
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5L21 21",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  target: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v4M12 18v4M2 12h4M18 12h4",
  text: "M5 6h14M5 10.5h14M5 15h14M5 19.5h8",
  info: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 11v5.5M12 7.5v.5",
  alert: "M12 4l9 16H3zM12 10v4.5M12 17v.5",
  upload: "M12 16V5M7 9.5l5-5 5 5M5 20h14",
  filter: "M4 6h16M7 12h10M10 18h4",
  folder: "M3 6h6l2 2.5h10V19H3z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7.5V12l3 2.5",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5",
  again: "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
  pen: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  shield: "M12 3l8 3v6c0 4.5-3.5 8-8 9-4.5-1-8-4.5-8-9V6z",
  up: "M7 11v9H4v-9zM7 11l4-7c1.6 0 2.4 1 2.2 2.5L12.6 10H18c1.3 0 2.2 1.1 1.9 2.4l-1.3 5.7c-.2 1.1-1.1 1.9-2.2 1.9H7",
  down: "M7 13V4H4v9zM7 13l4 7c1.6 0 2.4-1 2.2-2.5L12.6 14H18c1.3 0 2.2-1.1 1.9-2.4l-1.3-5.7C18.4 4.8 17.5 4 16.4 4H7",
  talks: "M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12.5h5",
  stop: "M7 7h10v10H7z",
  list: "M5 6.5h2M5 12h2M5 17.5h2M10.5 6.5H19M10.5 12H19M10.5 17.5H15",
  compare: "M4 5h6v14H4zM14 5h6v14h-6z",
  theme: "M12 4a8 8 0 1 0 0 16z M12 4a8 8 0 1 1 0 16",
};

/** The same drawing as `mark.svg`, the browser tab's icon: colour and path, from the back to the front. */
const MARK = [
  ["#0b5a4e", "M7 0h18a7 7 0 0 1 7 7v18a7 7 0 0 1-7 7H7a7 7 0 0 1-7-7V7a7 7 0 0 1 7-7z"],
  ["#fff", "M9 6h10l5 5v15H9z"],
  ["#a9d6ca", "M19 6v5h5z"],
  ["#ffd84d", "M12 15h9v3.5h-9z"],
  ["#0b5a4e", "M12 20.7h9v1.6h-9zM12 10.7h4v1.6h-4z"],
];

/** An element with attributes and children; a function under `on…` listens, null and false are left out. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** The product's mark, drawn in place so that it never flickers when the header is drawn anew. */
export function mark() {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 32 32");
  drawing.setAttribute("class", "mark");
  drawing.setAttribute("aria-hidden", "true");
  for (const [colour, d] of MARK) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("fill", colour);
    drawing.append(path);
  }
  return drawing;
}

/** A decorative drawing; `turns` marks those that point somewhere and are mirrored from right to left. */
export function icon(name, { turns = false } = {}) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("class", turns ? "icon icon-turns" : "icon");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  drawing.append(path);
  return drawing;
}

/** A button that does `act`, shown as an icon with a name for those who do not see it. */
export function iconButton(name, label, act, { turns = false, ...attributes } = {}) {
  return element(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: act, ...attributes },
    icon(name, { turns }),
  );
}

/** A button with words, and a drawing before them when one is named. */
export function button(text, act, { drawing = null, kind = "", ...attributes } = {}) {
  return element(
    "button",
    { type: "button", class: `button ${kind}`.trim(), onclick: act, ...attributes },
    drawing ? icon(drawing) : null,
    text,
  );
}

/** A field with its label, and a hint below it that belongs to it. */
export function field(label, input, { hint = "", ...attributes } = {}) {
  if (hint) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return element(
    "div",
    { class: "field", ...attributes },
    element("label", { for: input.id }, label),
    input,
    hint ? element("span", { class: "hint", id: `${input.id}-hint` }, hint) : null,
  );
}

/** A select of [value, text] pairs; `choose` is told the new value. */
export function choice(id, pairs, value, choose) {
  const options = pairs.map(([each, text]) => element("option", { value: each, selected: each === value }, text));
  const select = element("select", { id, onchange: () => choose(select.value) }, options);
  return select;
}

/** A link that leaves following it to `go`, unless the reader wants a new tab. */
export function viewLink(view, text, go, attributes = {}) {
  const follow = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(view);
  };
  return element("a", { href: view === "ask" ? "./" : `./${view}`, onclick: follow, ...attributes }, text);
}

/** Elements joined by a middle dot that screen readers pass over. */
export function dotted(parts) {
  const shown = parts.filter(Boolean);
  return shown.flatMap((part, place) =>
    place === 0 ? [part] : [element("span", { class: "dot", "aria-hidden": "true" }, "\u00a0· "), part],
  );
}
