// Losing the service. Streamlit would open a dialog of its own, in English, asking after the internet; ours says in the
// reader's language what happened, and goes away by itself when the connection is back.

import { element, icon } from "./dom.js";
import { address } from "./service.js";

const STATE = "data-test-connection-state";
const PATIENCE_MS = 1500;

/** Calls `tell(lost)` when the connection is lost for longer than a moment, and when it is back; returns how to stop. */
export function watchConnection(tell) {
  const application = document.querySelector(".stApp");
  let timer;
  const look = () => {
    clearTimeout(timer);
    if (application.getAttribute(STATE) === "CONNECTED") tell(false);
    else timer = setTimeout(() => tell(true), PATIENCE_MS);
  };
  const state = new MutationObserver(look);
  state.observe(application, { attributes: true, attributeFilter: [STATE] });
  const dialogs = new MutationObserver(closeForeignDialog);
  dialogs.observe(document.body, { childList: true, subtree: true });
  return () => {
    clearTimeout(timer);
    state.disconnect();
    dialogs.disconnect();
  };
}

/** Closed and not only hidden: while it is open it keeps the focus and hides the page from screen readers. */
function closeForeignDialog() {
  for (const dialog of document.querySelectorAll('section[role="dialog"]')) {
    if (!dialog.closest(".assistant")) dialog.querySelector('button[aria-label="Close"]')?.click();
  }
}

/** Reloads only when the service answers: a reload while it is away would lose what the reader sees. */
async function reloadWhenBack() {
  const reply = await fetch(address("health")).catch(() => null);
  if (reply?.ok) location.reload();
}

export function lostBanner(words) {
  return element(
    "div",
    { class: "lost", role: "alert" },
    icon("alert"),
    element("span", {}, words.say("error.lost")),
    element("button", { type: "button", class: "quiet", onclick: reloadWhenBack }, words.say("error.retry")),
  );
}
