// Asking: a conversation of questions and answers, or, where conversations are not kept, one question and its answer.

import { modelNames } from "./about.js";
import { Composer } from "./composer.js";
import { Conversations } from "./conversations.js";
import { element, icon, viewLink } from "./dom.js";
import { exportMenu } from "./exports.js";
import { titleOf } from "./headline.js";
import { Scope } from "./scope.js";
import { answerEvents, change, conversationPath, documentPath, json, ServiceError } from "./service.js";
import { problemCallout } from "./states.js";
import { Turn } from "./turn.js";
import { TurnView } from "./turn_view.js";

const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const OTHER_VIEW = /\/(library|control|about)\/?$/;

export class AskView {
  constructor(page) {
    this.page = page;
    this.turns = [];
    this.conversation = null;
    /** Whether this instance keeps conversations; null until it is known. */
    this.keeping = null;
    this.problem = null;
    this.scope = new Scope(page, () => this.keepScope());
    this.composer = new Composer(page, this.scope, (question) => this.ask(question));
    this.conversations = new Conversations(page, this);
    this.wanted = namedIn(location);
    this.travel = () => this.sync();
    window.addEventListener("popstate", this.travel);
  }

  leave() {
    window.removeEventListener("popstate", this.travel);
    this.stop();
  }

  /** True while questions follow each other in a conversation; else each question takes the place of the one before. */
  get conversing() {
    return this.keeping === true;
  }

  isLast(turn) {
    return this.turns.at(-1) === turn;
  }

  draw() {
    const { words } = this.page;
    this.views = new Map();
    this.result = element("div", { class: "result" });
    this.top = element("div", { class: "conversation-top" });
    this.view = element(
      "div",
      { class: "column ask" },
      element("h1", { tabindex: "-1" }, words.say("ask.title")),
      element("p", { class: "lead" }, words.say("ask.lead")),
      this.top,
      this.composer.draw(),
      this.result,
    );
    this.show();
    this.prepare();
    return this.view;
  }

  /** Asks once whether conversations are kept, and opens the one that the address names. */
  prepare() {
    if (this.page.instance.conversations === false) this.keeping = false;
    this.prepared ??= (this.keeping === false ? Promise.resolve(false) : this.conversations.load())
      .then((keeping) => {
        this.keeping = keeping;
        if (this.view.isConnected) this.show();
        this.conversations.show();
        if (keeping && this.wanted) return this.open(this.wanted, { write: false });
      })
      .catch(() => (this.prepared = null));
    return this.prepared;
  }

  /** Asks and shows what comes back as it comes. A new question ends the one under way; `instead` of a turn drops it and what followed. */
  async ask(question, { instead = null } = {}) {
    this.stop();
    this.page.source.close({ refocus: false });
    const turn = new Turn(question);
    const replaces = this.replacing(turn, instead);
    if (instead) this.turns = this.turns.slice(0, this.turns.indexOf(instead));
    this.turns = this.keeping === false ? [turn] : [...this.turns, turn];
    this.composer.fill(this.keeping === false ? question : "");
    this.problem = null;
    this.show();
    this.reveal(turn);
    await this.follow(turn, this.events(turn, replaces));
  }

  /** The number of the turn that is dropped; one that failed before it had a number of its own drops what it was to replace. */
  replacing(turn, instead) {
    turn.replaces = instead?.number ?? instead?.replaces ?? null;
    return turn.replaces;
  }

  /** What says which turns go, and of which state of the conversation that is meant. */
  instead(replaces) {
    return replaces === null ? {} : { replaces, as_of: this.conversation.changed_at };
  }

  async *events(turn, replaces) {
    const { signal } = turn.stopper;
    const body = { question: turn.question, language: null };
    if (await this.place(signal)) return yield* this.keptEvents("/turns", { ...body, ...this.instead(replaces) }, signal);
    if (this.scope.json) body.scope = this.scope.json;
    yield* answerEvents("answers", { body, signal });
  }

  /** The events of a turn that goes into the conversation. */
  async *keptEvents(path, body, signal) {
    const events = answerEvents(conversationPath(this.conversation.id, path), { body, signal });
    const first = await full("conversation_full", () => events.next());
    if (!first.done) yield first.value;
    yield* events;
  }

  /** Makes sure that there is a conversation to go on with; false where none are kept. */
  async place(signal) {
    await this.prepare();
    if (this.keeping === null) await json("conversations", { signal });
    if (this.keeping) await full("conversations_full", () => this.kept(signal));
    return this.keeping;
  }

  /** The conversation's id; the first question begins one. */
  async kept(signal) {
    if (!this.conversation) {
      const begun = await change("POST", "conversations", {});
      signal.throwIfAborted();
      this.conversation = begun;
      if (this.scope.json) await this.keepScope();
      this.reflect({ push: true });
    }
    return this.conversation.id;
  }

  async keepScope() {
    if (!this.conversation) return;
    await change("PATCH", conversationPath(this.conversation.id), { scope: this.scope.limits }).catch((error) => {
      this.composer.complain(this.page.words.problem(error));
    });
  }

  /** The same question again, after it failed. */
  again(turn) {
    const [one, other] = turn.documents;
    if (turn.kind === "summary") return this.summarise(one, { instead: turn });
    if (turn.kind === "changes" && other && one.document_id !== other.document_id) {
      return this.compare(one, { other: other.document_id, title: other.title }, { instead: turn });
    }
    if (turn.kind === "changes") return this.compare(one, { from: one.version, to: other?.version }, { instead: turn });
    return this.ask(turn.question, { instead: turn });
  }

  stop() {
    for (const turn of this.turns) if (turn.running) turn.stop();
  }

  /** The reader has stopped it: on with the next question. */
  halt(turn) {
    turn.stop();
    this.composer.focus();
  }

  /** What a document says, point by point. */
  summarise(document, { instead = null } = {}) {
    const turn = this.read(new Turn("", { kind: "summary", documents: [named(document)] }), instead);
    return this.follow(turn, this.summaryEvents(turn, this.replacing(turn, instead)));
  }

  async *summaryEvents(turn, replaces) {
    const { signal } = turn.stopper;
    const [{ document_id: id }] = turn.documents;
    const { language } = this.page.words;
    const body = { document_id: id, language };
    if (await this.place(signal)) yield* this.keptEvents("/summaries", { ...body, ...this.instead(replaces) }, signal);
    else yield* answerEvents(documentPath(id, "/summary", { language }), { signal });
  }

  /** What two versions of a document differ in, or it and another one; `texts` is {from, to} or {other, title}. */
  async compare(document, texts, { instead = null } = {}) {
    const { title, ...chosen } = texts;
    const { document_id: id } = document;
    const documents = chosen.other
      ? [named(document), { document_id: chosen.other, title }]
      : [chosen.from, chosen.to].map((version) => ({ ...named(document), version }));
    const turn = this.read(new Turn("", { kind: "changes", documents }), instead);
    const replaces = this.replacing(turn, instead);
    await turn.fetch(this.compared({ document_id: id, ...chosen, replaces }, turn.stopper.signal), () => this.update(turn));
    if (turn.number !== null) await this.nameConversation();
  }

  /** The turn that the service keeps of a comparison; where nothing is kept, the comparison alone. */
  async compared({ replaces, ...body }, signal) {
    if (await this.place(signal)) {
      const path = conversationPath(this.conversation.id, "/comparisons");
      return full("conversation_full", () => change("POST", path, { ...body, ...this.instead(replaces) }, { signal }));
    }
    const { document_id: id, ...chosen } = body;
    return { comparison: await json(documentPath(id, "/changes", chosen), { signal }) };
  }

  /** Follows what comes back to its end, and shows it in the list of conversations. */
  async follow(turn, events) {
    await turn.follow(events, () => this.update(turn));
    if (this.conversing) this.conversations.load().catch(() => {});
  }

  /** Puts a turn about whole documents under the others; `instead` of one, it drops that and what followed. */
  read(turn, instead) {
    this.stop();
    this.page.source.close({ refocus: false });
    if (this.page.view !== "ask") this.page.go("ask");
    if (instead) this.turns = this.turns.slice(0, this.turns.indexOf(instead));
    this.turns = this.keeping === false ? [turn] : [...this.turns, turn];
    this.show();
    this.reveal(turn);
    this.views.get(turn).node.querySelector("h2").focus({ preventScroll: true });
    return turn;
  }

  /** Opens a conversation that is kept; its answers come with rights checked again. */
  async open(id, { write = true } = {}) {
    this.stop();
    this.page.source.close({ refocus: false });
    this.wanted = id;
    try {
      const kept = await json(conversationPath(id));
      if (this.wanted !== id) return;
      this.conversation = { id: kept.id, title: kept.title, changed_at: kept.changed_at };
      this.turns = kept.turns.map((record) => Turn.kept(record));
      this.scope.take(kept.scope);
      this.problem = null;
    } catch (error) {
      if (this.wanted !== id) return;
      Object.assign(this, { conversation: null, turns: [], problem: error });
    }
    if (write) this.reflect({ push: true });
    if (!this.view.isConnected) return;
    this.show();
    this.page.entitle();
    if (write) this.composer.focus();
    if (this.turns.length > 1 || write) this.arrive();
  }

  /** An empty page for a new conversation, without limits. */
  fresh({ write = true } = {}) {
    this.stop();
    this.page.source.close({ refocus: false });
    Object.assign(this, { conversation: null, turns: [], problem: null, wanted: null });
    this.scope.take({});
    this.composer.fill("");
    if (write) this.reflect({ push: true });
    this.show();
    this.page.entitle();
    window.scrollTo(0, 0);
    this.composer.focus();
  }

  arrive() {
    const last = this.turns.at(-1);
    if (last) this.reveal(last);
    else window.scrollTo(0, 0);
  }

  renamed(id, title) {
    if (this.conversation?.id !== id) return;
    this.conversation.title = title;
    this.showTop();
    this.conversations.show();
    this.page.entitle();
  }

  removed(id) {
    if (this.conversation?.id === id) this.fresh();
  }

  /** Writes the open conversation into the address, once Streamlit has written the view's, which it does a moment late. */
  reflect({ push = false } = {}) {
    if (this.page.wanted !== undefined) return;
    const here = this.page.view === "ask" ? (this.conversation?.id ?? null) : null;
    if (this.page.view === "ask" && this.wanted && !this.conversation && !this.problem) return;
    if (namedIn(location) === here) return;
    const query = new URLSearchParams(location.search);
    query.delete("c");
    if (here) query.set("c", here);
    const path = location.pathname + (query.size ? `?${query}` : "") + location.hash;
    if (push) history.pushState(history.state, "", path);
    else history.replaceState(history.state, "", path);
  }

  /** Follows the browser's own way back and forward. */
  sync() {
    // The address is ahead of the view: the way back may lead to another one, which Streamlit then tells us.
    if (this.page.view !== "ask" || !this.conversing || OTHER_VIEW.test(location.pathname)) return;
    const id = namedIn(location);
    if (id === (this.conversation?.id ?? null)) return;
    if (id) this.open(id, { write: false });
    else this.fresh({ write: false });
  }

  update(turn) {
    this.heed(turn);
    if (turn.conversation && !turn.running) this.nameConversation();
    if (this.turns.includes(turn)) this.views.get(turn)?.show();
  }

  /** What is asked here is known here. A number that was skipped is another window's turn: as of then, this page is behind. */
  heed(turn) {
    if (!turn.askedAt || !this.conversation || !this.turns.includes(turn)) return;
    const former = this.turns.slice(0, this.turns.indexOf(turn)).findLast((each) => each.number !== null);
    if (turn.number === (former?.number ?? 0) + 1) this.conversation.changed_at = turn.askedAt;
  }

  /** A new conversation gets its title with its first answer. */
  async nameConversation() {
    await this.conversations.load().catch(() => {});
    const named = this.conversations.listed?.find((each) => each.id === this.conversation?.id);
    if (named) this.renamed(named.id, named.title);
  }

  /** Draws the page as far as it has changed: turns that are there keep their elements, focus and reading survive. */
  show() {
    const asked = this.turns.length > 0 || this.problem !== null;
    this.view.classList.toggle("asked", asked);
    this.view.classList.toggle("conversing", this.conversing && asked);
    this.arrangeComposer(this.conversing && asked);
    this.showTop();
    this.conversations.show();
    if (!asked) {
      this.views.clear();
      return this.result.replaceChildren(...this.welcome());
    }
    const views = this.turns.map((turn) => this.views.get(turn) ?? new TurnView(this, turn));
    this.views = new Map(views.map((view) => [view.turn, view]));
    const nodes = views.map((view) => view.node);
    for (const node of [...this.result.children]) if (!nodes.includes(node)) node.remove();
    if (this.problem) this.result.append(this.unopened());
    for (const node of nodes) if (node.parentElement !== this.result) this.result.append(node);
    for (const view of views) view.show();
  }

  /** Under the last answer in a conversation; else above, where the question stays as in a search. */
  arrangeComposer(below) {
    const { form } = this.composer;
    const held = form.contains(document.activeElement);
    const placed = below ? this.view.lastElementChild === form : this.result.previousElementSibling === form;
    if (!placed) {
      if (below) this.view.append(form);
      else this.result.before(form);
      if (held) this.composer.focus();
    }
    this.composer.follows(below);
  }

  /** Title and export of the whole, once there is more than one question in it; drawn anew only when it is another. */
  showTop() {
    const { words } = this.page;
    const title = this.conversing && this.conversation && this.turns.length > 1 ? this.titled(words) : null;
    const shown = title === null ? "" : JSON.stringify([this.conversation.id, title]);
    if (this.top.dataset.shown === shown) return;
    this.top.dataset.shown = shown;
    if (title === null) return this.top.replaceChildren();
    this.top.replaceChildren(
      element("p", { class: "conversation-title", dir: "auto" }, title),
      exportMenu(words, (format) => conversationPath(this.conversation.id, "/export", { format }), { label: words.say("export.all") }),
    );
  }

  /** The title of the open conversation. */
  titled(words) {
    return titleOf({ title: this.conversation.title, first: this.turns[0] }, words);
  }

  unopened() {
    const { words } = this.page;
    if (this.problem.kind !== "not_found") return problemCallout(this.problem, words, () => this.open(this.wanted, { write: false }));
    return element("div", { class: "callout problem", role: "alert" }, element("p", {}, words.say("conversations.gone")));
  }

  /** Brings the question to the top, so that its answer has the room below it. */
  reveal(turn) {
    if (this.turns[0] === turn && !this.conversing) return;
    this.views.get(turn)?.node.scrollIntoView({ block: "start", behavior: CALM.matches ? "instant" : "smooth" });
  }

  /** Before the first question: examples, and what this instance is. */
  welcome() {
    const { words, instance } = this.page;
    const quotes = instance.generator === "quotes";
    const weak = (instance.weak_languages ?? []).includes(words.language);
    return [
      this.examples(),
      element(
        "div",
        { class: "notice" },
        icon("info"),
        element(
          "div",
          {},
          element("p", {}, words.say(quotes ? "ask.notice_quotes" : "ask.notice_model", { model: modelNames(instance, words) })),
          weak ? element("p", {}, words.say("ask.weak")) : null,
          viewLink("about", words.say("ask.notice_link"), this.page.go),
        ),
      ),
    ].filter(Boolean);
  }

  examples() {
    const { words, instance } = this.page;
    const questions = instance.examples?.[words.language] ?? [];
    if (!questions.length) return null;
    return element(
      "section",
      { class: "examples" },
      element("h2", {}, words.say("ask.examples")),
      element(
        "ul",
        {},
        questions.map((question) =>
          element(
            "li",
            {},
            element(
              "button",
              { type: "button", class: "example", onclick: () => this.ask(question) },
              element("span", { dir: "auto" }, question),
              icon("forward", { turns: true }),
            ),
          ),
        ),
      ),
    );
  }
}

/** What `act` gives; that there is no room for it is said as such. */
async function full(kind, act) {
  try {
    return await act();
  } catch (error) {
    throw error.kind === "conflict" ? new ServiceError(kind, error.detail) : error;
  }
}

/** A document as a turn names it. */
function named({ document_id, version, title }) {
  return { document_id, version, title };
}

/** The conversation that an address names, or null. */
function namedIn({ search }) {
  return new URLSearchParams(search).get("c");
}
