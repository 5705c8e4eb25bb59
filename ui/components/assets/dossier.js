// One document and everything an archivist does with it: why it stands where it stands, its pages beside their text, its
// description, its history, and its keeping.

import { Description } from "./describe.js";
import { button, dotted, element, field, icon } from "./dom.js";
import { formatName } from "./finder.js";
import { pageProgress } from "./activity.js";
import { Keeping } from "./keeping.js";
import { address, change, documentPath, json } from "./service.js";
import { Sheets } from "./sheets.js";
import { isContainer, isFinal, isReadable, isUndecided, note, problemCallout, reasonOf, recorded, remarksOf, remedyOf, stateKey, wantsPassword } from "./states.js";
import { Story } from "./story.js";
import { revealTab, tabList, tabPanel } from "./tabs.js";

const TABS = ["sheets", "describe", "story", "keeping"];
const EVERY_MS = 1000;
const MOST_REMARKS = 5;
const RETRIED = new Set(["quarantined", "rejected"]);

export class Dossier {
  constructor(page, id, library, number) {
    this.page = page;
    this.id = id;
    this.library = library;
    this.status = null;
    this.hasText = false;
    this.tab = null;
    this.parts = {
      sheets: new Sheets(page, this, number),
      describe: new Description(page, this),
      story: new Story(page, this),
      keeping: new Keeping(page, this),
    };
  }

  draw() {
    const { words } = this.page;
    this.top = element("div", { class: "dossier-top" });
    this.body = element("div", { class: "dossier-body" });
    this.live = element("p", { class: "unseen", role: "status" });
    this.heading = element("h1", { tabindex: "-1" }, words.say("dossier.title"));
    this.node = element(
      "div",
      { class: "column widest dossier" },
      element(
        "button",
        { type: "button", class: "back-link", onclick: () => this.library.closeDossier() },
        icon("back", { turns: true }),
        words.say("dossier.back"),
      ),
      this.heading,
      this.live,
      this.top,
      this.body,
    );
    if (this.status) this.show({ body: true });
    else this.load();
    return this.node;
  }

  /** Escape goes back to the list, but never out of a field in which something may have been typed. */
  escape() {
    if (document.activeElement?.closest("textarea, input, select, dialog")) return document.activeElement.blur();
    this.library.closeDossier();
  }

  mayLeave() {
    return this.parts.sheets.mayLeave() && this.parts.describe.mayLeave();
  }

  /** True while something is typed that the service does not have. */
  get unsaved() {
    return this.parts.sheets.unsaved || this.parts.describe.unsaved;
  }

  say(text) {
    this.live.textContent = text;
  }

  async load() {
    try {
      this.take(await json(documentPath(this.id)));
    } catch (error) {
      if (!this.node.isConnected) return;
      const again = error.kind === "not_found" ? null : () => this.load();
      this.top.replaceChildren(problemCallout(error, this.page.words, again));
      this.body.replaceChildren();
    }
  }

  /** Shows a new status. The parts below are drawn anew only when there is something new to draw. */
  take(status) {
    const before = this.status;
    this.status = status;
    // While changes are applied, the text that was there can still be looked at.
    this.hasText = isReadable(status) || (this.hasText && !isFinal(status));
    if (!this.node.isConnected && before) return;
    const settled = before && !isFinal(before) && isFinal(status);
    if (settled) {
      this.say(this.page.words.say(`state.${stateKey(status.state)}`));
      this.parts.sheets.forget();
    }
    this.show({ body: !before || settled || before.version !== status.version });
    this.watch();
  }

  watch() {
    clearTimeout(this.timer);
    if (isFinal(this.status)) return;
    this.timer = setTimeout(async () => {
      if (this.library.dossier === this && this.node.isConnected) await this.load();
    }, EVERY_MS);
  }

  show({ body }) {
    const { words } = this.page;
    const { status } = this;
    this.heading.replaceChildren(element("bdi", {}, status.title || status.file_name));
    this.page.entitle();
    const typing = this.top.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
    if (!typing) {
      this.top.replaceChildren(
        this.facts(words),
        ...[this.reading(words), this.trouble(words), this.held(words), this.inside(words), this.remarks(words)].filter(Boolean),
      );
    }
    if (body) this.showBody();
  }

  facts(words) {
    const { status } = this;
    const key = stateKey(status.state);
    return element(
      "p",
      { class: "dossier-facts" },
      element("span", { class: `state ${key}` }, words.say(`state.${key}`)),
      element(
        "span",
        {},
        // Each part on its own, so that "PDF" and a number beside it keep their order in Arabic.
        dotted(
          [
            formatName(status, words),
            status.pages ? words.count("pages", status.pages) : null,
            status.date ? element("time", { datetime: status.date }, words.date(status.date)) : null,
            status.language ? words.languageName(status.language) : null,
            words.label(status.label),
            status.collection,
            status.title === status.file_name ? null : status.file_name,
          ].map((part) => part && element("bdi", {}, part)),
        ),
      ),
      isReadable(status) || isUndecided(status)
        ? element(
            "a",
            {
              class: "download", download: status.file_name,
              href: address(documentPath(this.id, "/original", isUndecided(status) ? { version: status.version } : {})),
            },
            icon("download"),
            words.say("source.original"),
          )
        : null,
    );
  }

  reading(words) {
    const { status } = this;
    if (isFinal(status)) return null;
    const title = status.title || status.file_name;
    const bar = status.progress_of ? pageProgress(title, status.progress_pages, status.progress_of, words) : null;
    const says = words.say(status.state === "received" ? "dossier.waiting" : "dossier.reading");
    return element("div", { class: "callout reading" }, element("p", {}, says), bar);
  }

  /** Why the document is not there, what to do, and the means to do it. */
  trouble(words) {
    const { status } = this;
    if (!RETRIED.has(status.state)) return null;
    return element(
      "section",
      { class: `callout trouble ${stateKey(status.state)}`, "aria-labelledby": "trouble" },
      element("h2", { id: "trouble" }, reasonOf(status, words) ?? words.say("reason.other")),
      element("p", {}, element("strong", {}, words.say("dossier.remedy"), " "), remedyOf(status, words)),
      recorded([status.reason], words),
      this.means(words),
      (this.refused = element("div", { class: "refused" })),
    );
  }

  means(words) {
    if (wantsPassword(this.status, words)) return this.passwordForm(words);
    if (isUndecided(this.status)) return button(words.say("dossier.mark"), () => this.mark(), { drawing: "pen" });
    return button(words.say("dossier.retry"), () => this.retry({}), { drawing: "again", id: "retry" });
  }

  mark() {
    this.choose("describe");
    this.body.querySelector("#edit-label").focus();
  }

  /** The password goes to the service with one request and is kept nowhere. */
  passwordForm(words) {
    const input = element("input", { type: "password", id: "password", required: true, autocomplete: "off", dir: "ltr" });
    const send = (event) => {
      event.preventDefault();
      const password = input.value;
      input.value = "";
      input.blur();
      if (password) this.retry({ password });
    };
    return element(
      "form",
      { class: "password-form", onsubmit: send, autocomplete: "off" },
      field(words.say("dossier.password"), input, { hint: words.say("dossier.password_hint") }),
      element("button", { type: "submit", class: "button" }, words.say("dossier.unlock")),
    );
  }

  async retry(body) {
    try {
      this.take(await change("POST", documentPath(this.id, "/retry"), body));
      this.showBody();
      this.heading.focus({ preventScroll: true });
    } catch (error) {
      this.refused.replaceChildren(problemCallout(error, this.page.words));
    }
  }

  /** What an archive holds is elsewhere: the way there. */
  inside(words) {
    if (!isContainer(this.status)) return null;
    return element(
      "div",
      { class: "callout reading" },
      element("p", {}, words.say("cause.archive")),
      button(words.say("dossier.inside"), () => this.library.showInside(this.status), { kind: "plain", drawing: "folder", id: "inside" }),
    );
  }

  held(words) {
    const { hold } = this.status;
    return hold ? note(words.say("dossier.on_hold", { reason: hold }), { drawing: "lock", kind: "boxed" }) : null;
  }

  remarks(words) {
    const { doubtful_pages: doubtful = [] } = this.status;
    // Pages that the line on doubtful pages counts need no line each; what may have been hidden on purpose comes first.
    const remarks = remarksOf(this.status, words)
      .filter((remark) => !(doubtful.length && /^page \d+: read by OCR/.test(remark.said)))
      .sort((one, other) => other.hidden - one.hidden);
    if (!remarks.length && !doubtful.length) return null;
    const said = [...new Set(remarks.map((remark) => remark.text ?? words.say("reason.remarks")))];
    const warning = (text) => note(text, { drawing: "alert", kind: "warn" });
    return element(
      "div",
      { class: "remarks", role: "group", "aria-label": words.say("dossier.remarks") },
      doubtful.length ? warning(words.say("dossier.doubtful", { pages: words.count("pages", doubtful.length) })) : null,
      said.slice(0, MOST_REMARKS).map(warning),
      recorded(remarks.map((remark) => remark.said), words),
    );
  }

  showBody() {
    const { words } = this.page;
    const offered = TABS.filter((name) => name !== "sheets" || this.hasText || this.parts.sheets.older);
    if (!offered.includes(this.tab)) this.tab = offered[0];
    const list = tabList(offered, this.tab, {
      label: words.say("dossier.tabs"),
      title: (name) => words.say(`dossier.${name}`),
      choose: (name, options) => this.choose(name, options),
      direction: words.direction,
    });
    const panel = tabPanel(this.tab, this.parts[this.tab].draw());
    const focused = this.body.contains(document.activeElement) ? document.activeElement.id : null;
    this.body.replaceChildren(list, panel);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  /** Opens an earlier version, as its line in the history names it. */
  readVersion(older) {
    if (this.parts.sheets.read(older)) this.choose("sheets", { focus: true });
  }

  choose(name, { focus = false } = {}) {
    this.tab = name;
    this.showBody();
    if (focus) this.body.querySelector(`#tab-${name}`).focus();
    revealTab(name);
  }
}
