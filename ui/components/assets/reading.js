// What can be done with a whole document: a summary, what changed between two versions, asking about it alone.

import { openDialog } from "./dialog.js";
import { button, choice, element, field } from "./dom.js";
import { documentPath, json } from "./service.js";
import { problemCallout } from "./states.js";

/** The row of actions for the document that is open in the source panel. */
export function documentActs(page, document) {
  const { words, ask } = page;
  const act = (path, drawing, does) => button(words.say(path), does, { drawing, kind: "tool" });
  return element(
    "div",
    { class: "source-acts", role: "group", "aria-label": words.say("reading.acts") },
    act("reading.summarise", "list", () => ask.summarise(document)),
    act("reading.compare", "compare", () => chooseVersions(page, document)),
    act("reading.only", "filter", () => {
      page.source.close({ refocus: false });
      ask.scope.add(document.document_id, document.title);
      if (page.view !== "ask") page.go("ask");
      ask.composer.focus();
    }),
  );
}

/** A dialog with the document's versions, the newest two chosen. */
async function chooseVersions(page, document) {
  const { words, ask } = page;
  const place = element("div", { class: "versions-chosen" }, element("p", { role: "status" }, words.say("reading.loading")));
  const dialog = openDialog(page, words.say("reading.choose"), (close) => {
    return [place, element("div", { class: "form-end" }, button(words.say("dossier.cancel"), close, { kind: "plain" }))];
  });
  try {
    const versions = await versionsOf(document);
    if (!dialog.open) return;
    if (versions.length < 2) return place.replaceChildren(element("p", {}, words.say("reading.one_version")));
    dialog.querySelector(".dialog-body").replaceChildren(versionForm(versions, words, dialog, (chosen) => ask.compare(document, chosen)));
    dialog.querySelector("select").focus();
  } catch (error) {
    place.replaceChildren(problemCallout(error, words));
  }
}

/** The document's versions, oldest first. */
async function versionsOf(document) {
  const { versions } = await json(documentPath(document.document_id, "/versions"));
  return versions.toSorted((one, other) => one.number - other.number);
}

function versionForm(versions, words, dialog, compare) {
  const pairs = versions.map((each) => [each.version, words.say("reading.version", { n: words.number(each.number), date: words.moment(each.received_at) })]);
  const chosen = { from: pairs.at(-2)[0], to: pairs.at(-1)[0] };
  const problem = element("p", { class: "field-error", "aria-live": "polite" });
  const send = (event) => {
    event.preventDefault();
    if (chosen.from === chosen.to) return (problem.textContent = words.say("reading.same"));
    dialog.close();
    compare(chosen);
  };
  return element(
    "form",
    { onsubmit: send },
    field(words.say("reading.from"), choice("version-from", pairs, chosen.from, (value) => (chosen.from = value))),
    field(words.say("reading.to"), choice("version-to", pairs, chosen.to, (value) => (chosen.to = value))),
    problem,
    element(
      "div",
      { class: "form-end" },
      element("button", { type: "submit", class: "button" }, words.say("reading.compare_now")),
      button(words.say("dossier.cancel"), () => dialog.close(), { kind: "plain" }),
    ),
  );
}
