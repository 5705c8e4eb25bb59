// A dialog over the page. The browser's own: it holds the focus, closes with Escape and gives the focus back.

import { element, iconButton } from "./dom.js";

let serial = 0;

/** Opens a dialog; `content(close)` gives its children. Focus goes to what is marked autofocus. */
export function openDialog(page, title, content, { closed = () => {} } = {}) {
  const id = `dialog-${++serial}`;
  const close = () => dialog.close();
  const dialog = element(
    "dialog",
    {
      class: "dialog",
      "aria-labelledby": id,
      // Escape is the dialog's alone: what lies below stays as it is.
      onkeydown: (event) => event.key === "Escape" && event.stopPropagation(),
      onclose: () => {
        dialog.remove();
        closed();
      },
    },
    element(
      "div",
      { class: "dialog-head" },
      element("h2", { id }, title),
      iconButton("close", page.words.say("dossier.dismiss"), close),
    ),
    element("div", { class: "dialog-body" }, content(close)),
  );
  page.root.append(dialog);
  dialog.showModal();
  return dialog;
}
