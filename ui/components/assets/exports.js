// Taking an answer or a whole conversation away as a file.

import { element, icon } from "./dom.js";
import { address, file } from "./service.js";

const FORMATS = ["docx", "pdf", "md"];

let serial = 0;

/** A button that unfolds one link for each format; `path(format)` says where the file comes from. */
export function exportMenu(words, path, { label = words.say("export.open"), kind = "tool" } = {}) {
  const id = `export-${++serial}`;
  const told = element("p", { class: "field-error", role: "alert" });
  const links = FORMATS.map((format) => {
    const take = async (event) => {
      event.preventDefault();
      told.textContent = "";
      try {
        save(await file(path(format)));
        opener.focus();
        fold(false);
      } catch (error) {
        told.textContent = words.say(error.kind === "unavailable" ? "export.failed" : `error.${error.kind ?? "unknown"}`);
      }
    };
    return element("li", {}, element("a", { href: address(path(format)), download: "", onclick: take }, words.say(`export.${format}`)));
  });
  const list = element("div", { class: "menu", id, hidden: true }, element("ul", {}, links), told);
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

/** Hands a file to the browser under the name that the service gave it. */
function save({ blob, name }) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
