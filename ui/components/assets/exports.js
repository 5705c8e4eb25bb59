// Taking an answer or a whole conversation away as a file.

import { element, icon } from "./dom.js";
import { address } from "./service.js";

const FORMATS = ["docx", "pdf", "md"];

let serial = 0;

/** A button that unfolds one link for each format; `path(format)` says where the file comes from. */
export function exportMenu(words, path, { label = words.say("export.open"), kind = "tool" } = {}) {
  const id = `export-${++serial}`;
  const links = FORMATS.map((format) =>
    element("li", {}, element("a", { href: address(path(format)), download: "", onclick: () => fold(false) }, words.say(`export.${format}`))),
  );
  const list = element("ul", { class: "menu", id, hidden: true }, links);
  const opener = element(
    "button",
    { type: "button", class: `button ${kind} export`, "aria-expanded": "false", "aria-controls": id, onclick: () => fold(list.hidden) },
    icon("download"),
    label,
  );
  const fold = (open) => {
    list.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
  };
  const leave = (event) => {
    if (list.hidden) return;
    if (event.type === "focusout" && (!event.relatedTarget || event.currentTarget.contains(event.relatedTarget))) return;
    if (event.type === "keydown" && event.key !== "Escape") return;
    if (event.type === "keydown") {
      event.preventDefault();
      opener.focus();
    }
    fold(false);
  };
  return element("div", { class: "menu-place", onkeydown: leave, onfocusout: leave }, opener, list);
}
