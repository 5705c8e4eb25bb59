// What can be done with a whole document: a summary, what changed between versions, asking about it alone.

import { openDialog } from "./dialog.js";
import { button, choice, element, field } from "./dom.js";
import { documentPath, json, queried } from "./service.js";
import { problemCallout } from "./states.js";

const MOST_FOUND = 8;
const PAUSE_MS = 250;

/** The row of actions for the document that is open in the source panel. */
export function documentActs(page, document) {
  const { words, ask } = page;
  const act = (path, drawing, does) => button(words.say(path), does, { drawing, kind: "tool" });
  const only = () => {
    page.source.close({ refocus: false });
    ask.scope.add(document.document_id, document.title);
    if (page.view !== "ask") page.go("ask");
    ask.composer.focus();
  };
  return element(
    "div",
    { class: "source-acts", role: "group", "aria-label": words.say("reading.acts") },
    act("reading.summarise", "list", () => ask.summarise(document)),
    act("reading.compare", "compare", () => chooseTexts(page, document)),
    act("reading.only", "filter", only),
  );
}

/** A dialog in which two versions are chosen, or another document to compare with. */
async function chooseTexts(page, document) {
  const { words, ask } = page;
  const place = element("div", {}, element("p", { role: "status" }, words.say("reading.loading")));
  let dialog;
  const compare = (chosen) => {
    dialog.close();
    ask.compare(document, chosen);
  };
  dialog = openDialog(page, words.say("reading.choose"), () => [
    element("p", { class: "minor" }, element("bdi", {}, document.title)),
    place,
    otherDocument(document, words, (other) => compare({ other: other.document_id, title: other.title || other.file_name })),
  ]);
  try {
    const versions = await versionsOf(page, document);
    const alone = [words.say("reading.one_version"), ...versions.map(([, name]) => name)];
    if (versions.length < 2) return place.replaceChildren(...alone.map((says) => element("p", {}, says)));
    place.replaceChildren(versionForm(versions, words, compare));
    place.querySelector("select").focus();
  } catch (error) {
    place.replaceChildren(problemCallout(error, words));
  }
}

/** [version, its name] pairs, the one stored first first: the document's own date in it, and when it was handed in. */
async function versionsOf(page, document) {
  const { words } = page;
  const { versions } = await json(documentPath(document.document_id, "/versions"));
  return versions.map(({ version, date, received_at: received }, place) => {
    const dated = date ? words.say("reading.dated", { date: words.date(date) }) : words.say("reading.undated");
    return [version, words.say("reading.version", { n: words.number(place + 1), dated, received: words.moment(received) })];
  });
}

function versionForm(versions, words, compare) {
  const chosen = { from: versions.at(-2)[0], to: versions.at(-1)[0] };
  const problem = element("p", { class: "field-error", "aria-live": "polite" });
  const send = (event) => {
    event.preventDefault();
    if (chosen.from === chosen.to) problem.textContent = words.say("reading.same");
    else compare(chosen);
  };
  return element(
    "form",
    { class: "versions-form", onsubmit: send },
    field(words.say("reading.from"), choice("version-from", versions, chosen.from, (value) => (chosen.from = value))),
    field(words.say("reading.to"), choice("version-to", versions, chosen.to, (value) => (chosen.to = value))),
    problem,
    element("button", { type: "submit", class: "button" }, words.say("reading.compare_now")),
  );
}

/** Looking for another document by its title; `pick` is told which. */
function otherDocument(document, words, pick) {
  const found = element("div", { class: "other-found" });
  let calls = 0;
  const list = async () => {
    const call = ++calls;
    const q = input.value.trim();
    try {
      const { documents } = q ? await json(queried("documents", { q, limit: MOST_FOUND })) : { documents: [] };
      if (call !== calls) return;
      const rows = documents.filter((each) => each.state.startsWith("done") && each.document_id !== document.document_id);
      const none = q && !rows.length ? [element("p", { class: "hint", role: "status" }, words.say("library.none"))] : [];
      found.replaceChildren(
        ...none,
        ...rows.map((each) =>
          element("button", { type: "button", class: "title-button", dir: "auto", onclick: () => pick(each) }, each.title || each.file_name),
        ),
      );
    } catch (error) {
      if (call === calls) found.replaceChildren(problemCallout(error, words));
    }
  };
  let pause;
  const input = element("input", {
    type: "search", id: "other-document", autocomplete: "off", dir: "auto",
    oninput: () => {
      clearTimeout(pause);
      pause = setTimeout(list, PAUSE_MS);
    },
  });
  return element("div", { class: "other-document" }, field(words.say("reading.other"), input, { hint: words.say("reading.other_hint") }), found);
}
