// What the ledger says about a document, in the reader's words: its state, why, what to do, and what was noticed.

import { button, element, icon } from "./dom.js";

export const stateKey = (state) => state.replaceAll(" ", "_");
export const isFinal = (status) => status.state !== "received" && status.state !== "in progress";
export const isReadable = (status) => status.state.startsWith("done");

/** What a warning is about, by how the service words it: its entry, and whether somebody may have hidden it on purpose. */
const REMARKS = [
  [/^page (?<page>\d+): (?<n>\d+) characters? of hidden (or deleted )?text/, "remark.hidden_on_page", true],
  [/^(?<n>\d+) characters? of hidden (or deleted )?text/, "remark.hidden", true],
  [/^(page \d+: )?(?<n>\d+) invisible characters?/, "remark.invisible", true],
  [/^page (?<page>\d+): read by OCR with (?<n>\d+)% confidence/, "remark.weak_page", false],
  [/^page (?<page>\d+): OCR found no words/, "remark.empty_page", false],
  [/^page (?<page>\d+): the page is damaged/, "remark.damaged_page", false],
  [/^the file ends before it is complete/, "remark.cut", false],
  [/^(?<n>\d+) characters of deleted text/, "remark.deleted", true],
  [/^(?<n>\d+) comments were left out/, "remark.comments", false],
  [/^hidden sheets were left out: (?<names>.+)/, "remark.hidden_sheets", true],
  [/^hidden rows or columns were left out: (?<names>.+)/, "remark.hidden_lines", true],
  [/^(?<n>\d+) formulas have no stored value/, "remark.formulas", false],
  [/^comments on cells were not read/, "remark.cell_comments", false],
  [/^text boxes drawn over the cells were not read/, "remark.drawn_boxes", false],
  [/^hidden slides were left out: (?<names>.+)/, "remark.hidden_slides", true],
  [/^charts or diagrams that could not be read on slides: (?<names>.+)/, "remark.charts", false],
  [/^slides with pictures and no text: (?<names>.+)/, "remark.picture_slides", false],
  [/^(?<n>\d+) characters of text beside the slides/, "remark.off_slide", true],
  [/^not taken: (?<names>.+) is a link, which/, "remark.link_in_archive", false],
  [/^not taken: (?<names>.+) is a device, pipe or socket/, "remark.device_in_archive", false],
  [/^not taken: (?<names>.+) is larger than (?<n>\d+) MB/, "remark.large_in_archive", false],
  [/^not taken: (?<names>.+) is hidden$/, "remark.hidden_in_archive", false],
  [/^not taken: (?<names>.+) is named in .+ and is not there$/, "remark.missing_in_archive", false],
  [/^not taken: (?<names>.+) belongs to a document that who handed this in may not change$/, "remark.foreign_in_archive", false],
  [/^no longer in this archive, and kept: (?<n>\d+) more$/, "remark.more_left_over", false],
  [/^no longer in this archive, and kept: (?<names>.+)/, "remark.left_over", false],
  [/^not taken: (?<n>\d+) more$/, "remark.more_in_archive", false],
  [/^(?<n>\d+) chapters that the e-book lists/, "remark.missing_chapters", false],
  [/^page (?<page>\d+): its Arabic was stored back to front/, "remark.back_to_front", false],
  [/^page (?<page>\d+): (?:OCR took more than|OCR failed)/, "remark.failed_page", false],
  [/^page (?<page>\d+): .*(?:tesseract|switched off)/, "remark.no_ocr_page", false],
  [/^the message is signed; its electronic signature was left out/, "remark.signature", false],
  [/^what was corrected on its pages can no longer be read/, "remark.lost_corrections", false],
  [/^(?<n>\d+) damaged characters? could not be read/, "remark.lost_letters", false],
];
const ARCHIVE = /^an archive of \d+ file/;
const PICTURES = /^nothing but \d+ picture/;

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
  if (words.has(`category.${status.category}`)) return words.say(`category.${status.category}`);
  if (ARCHIVE.test(status.reason)) return words.say("reason.archive");
  if (PICTURES.test(status.reason)) return words.say("reason.pictures");
  if (status.state === "done with warnings") {
    return words.say(remarksOf(status, words).some((remark) => remark.hidden) ? "reason.hidden" : "reason.remarks");
  }
  return (status.state === "quarantined" || status.state === "rejected") && status.reason ? words.say("reason.other") : null;
}

/** What the archivist can do about it. */
export function remedyOf(status, words) {
  return words.has(`remedy.${status.category}`) ? words.say(`remedy.${status.category}`) : words.say("remedy.unexpected");
}

/** What was noticed while reading: {text, hidden, said} each; `text` is null for what only the service's own words say. */
export function remarksOf(status, words) {
  return (status.warnings ?? []).map((said) => {
    const [pattern, path, hidden] = REMARKS.find(([each]) => each.test(said)) ?? [null, null, false];
    if (!pattern) return { text: null, hidden, said };
    const found = Object.entries(pattern.exec(said).groups ?? {}).map(([name, given]) => [name, name === "names" ? given : words.number(Number(given))]);
    return { text: words.say(path, Object.fromEntries(found)), hidden, said };
  });
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
