// What the ledger says about a document, in the reader's words.

import { element } from "./dom.js";

export const stateKey = (state) => state.replaceAll(" ", "_");
export const isFinal = (status) => status.state !== "received" && status.state !== "in progress";

/** A document's state, with the reason where there is something to explain. */
export function stateTag(status, words) {
  const key = stateKey(status.state);
  const tag = element("span", { class: `state ${key}` }, words.say(`state.${key}`));
  const explained = reasonOf(status, words);
  if (!explained) return tag;
  const recorded = [status.reason, ...(status.warnings ?? [])].filter(Boolean);
  return [tag, element("span", { class: "reason" }, explained), recorded.length ? details(recorded, words) : null];
}

/** The service's own words, which are English, for whoever has to mend it. */
function details(recorded, words) {
  return element(
    "details",
    { class: "recorded" },
    element("summary", {}, words.say("category.details")),
    recorded.map((line) => element("span", { lang: "en", dir: "ltr" }, line)),
  );
}

function reasonOf(status, words) {
  if (words.has(`category.${status.category}`)) return words.say(`category.${status.category}`);
  if (status.state === "done with warnings") return words.say("category.remarks");
  return status.category || status.reason ? words.say("category.other") : null;
}
