// What the ledger says about a document, in the reader's words: its state, why, what to do, and what was noticed.

import { button, element, icon } from "./dom.js";

export const stateKey = (state) => state.replaceAll(" ", "_");
export const isFinal = (status) => status.state !== "received" && status.state !== "in progress";
/** An archive or mailbox: it has no text, its files are documents of their own. */
export const isContainer = (status) => status.category === "container";
export const isReadable = (status) => status.state.startsWith("done") && !isContainer(status);

const MARKINGS = new Set(["unlabelled", "conflicting_labels"]);
/** Its marking is not decided: whatever is recorded as one holds for no reader. */
export const isUndecided = (status) => MARKINGS.has(status.category);

const LOCKED = new Set(["password_needed", "wrong_password"]);
/** A password would open it. None opens an e-book that is protected against copying, though it counts as locked. */
export const wantsPassword = (status, words) => LOCKED.has(status.category) && causeOf(status, words)?.key !== "copy_protection";

/** A document's state, with the reason where there is something to explain. */
export function stateTag(status, words) {
  const key = stateKey(status.state);
  const tag = element("span", { class: `state ${key}` }, words.say(`state.${key}`));
  const explained = reasonOf(status, words);
  return explained ? [tag, element("span", { class: "reason" }, explained)] : tag;
}

/** The service's own words, which are English, for whoever has to mend it. */
export function recorded(lines, words) {
  const shown = lines.filter(Boolean);
  if (!shown.length) return null;
  return element(
    "details",
    { class: "recorded" },
    element("summary", {}, words.say("reason.details")),
    shown.map((line) => element("span", { lang: "en", dir: "ltr" }, line)),
  );
}

/** Why a document stands where it stands; null when there is nothing to explain. */
export function reasonOf(status, words) {
  const cause = causeOf(status, words);
  if (cause) return cause.text;
  if (words.has(`category.${status.category}`)) return words.say(`category.${status.category}`);
  if (status.state === "done with warnings") {
    const table = manifestRemark(status.warnings, words);
    if (table) return table;
    return words.say(remarksOf(status, words).some((remark) => remark.hidden) ? "reason.hidden" : "reason.remarks");
  }
  return (status.state === "quarantined" || status.state === "rejected") && status.reason ? words.say("reason.other") : null;
}

/** What was recorded of a document, where that says more than its category. */
function causeOf(status, words) {
  return isFinal(status) ? words.told("cause", status.reason) : null;
}

/** What the archivist can do about it. */
export function remedyOf(status, words) {
  const known = [causeOf(status, words)?.key, status.category].find((key) => key && words.has(`remedy.${key}`));
  return words.say(`remedy.${known ?? "unexpected"}`);
}

/** What was noticed while reading: {text, hidden, said} each; `text` is null for what only the service's own words say. */
export function remarksOf(status, words) {
  return (status.warnings ?? []).map((said) => ({ hidden: false, text: null, ...words.told("remark", said), said }));
}

/** That a table looks like a manifest and was taken as a document; null where none of the warnings says so. */
export function manifestRemark(warnings, words) {
  return remarksOf({ warnings }, words).find((remark) => remark.key?.startsWith("manifest_"))?.text ?? null;
}

/** What is wrong with a file that was refused, and what to do, where there are words for it; else null. */
export function faultOf(error, words) {
  const cause = words.told("cause", error.detail ?? "");
  if (!cause) return null;
  return words.has(`remedy.${cause.key}`) ? `${cause.text} ${sentence(words.say(`remedy.${cause.key}`))}` : cause.text;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What went wrong with a request, in words, with the service's own sentence beneath and a way to try again. */
export function problemCallout(error, words, again = null) {
  return element(
    "div",
    { class: "callout problem", role: "alert" },
    element("p", {}, words.problem(error)),
    recorded([error.detail], words),
    signIn(error, words),
    again ? button(words.say("error.retry"), again, { kind: "plain", drawing: "again" }) : null,
  );
}

/** Once a session is over: the way to sign in beside this page, which keeps what stands on it. Else null. */
export function signIn(error, words) {
  if (error.kind !== "sign_in_required") return null;
  return element("a", { class: "button", href: "./", target: "_blank" }, words.say("error.sign_in"));
}

/** A line with a drawing, for what should be seen and is no error. */
export function note(text, { drawing = "info", kind = "" } = {}) {
  return element("p", { class: `note ${kind}`.trim() }, icon(drawing), element("span", {}, text));
}
