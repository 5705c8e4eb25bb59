// The whole page: one component that Streamlit mounts once and tells which view is wanted.
// It is called again on every run of the script; what the reader typed, asked and opened stays here.

import { element } from "./dom.js";
import { aboutView } from "./about.js";
import { AskView } from "./ask.js";
import { ControlView } from "./control.js";
import { lostBanner, watchConnection } from "./connection.js";
import { footer, header, standingView } from "./frame.js";
import { LibraryView } from "./library.js";
import { SourcePanel } from "./source.js";
import { Wish } from "./wish.js";
import { Words } from "./words.js";

const pages = new WeakMap();

export default function render({ data, parentElement, setTriggerValue }) {
  let page = pages.get(parentElement);
  if (!page) {
    page = new Page(parentElement);
    pages.set(parentElement, page);
  }
  page.update(data, setTriggerValue);
  return () => page.leave();
}

class Page {
  constructor(parent) {
    this.root = element("div", { class: "assistant" });
    parent.append(this.root);
    // Streamlit wraps everything in its own main landmark; ours holds the content only.
    const outer = this.root.parentElement.closest("main");
    outer?.setAttribute("role", "none");
    outer?.removeAttribute("tabindex");
    this.source = new SourcePanel(this);
    this.ask = new AskView(this);
    this.library = new LibraryView(this);
    this.control = new ControlView(this);
    this.escape = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (this.source.shown) this.source.close();
      else if (this.view === "library") this.library.dossier?.escape();
    };
    document.addEventListener("keydown", this.escape);
    this.wish = new Wish();
    this.lost = false;
    this.unwatch = watchConnection((lost) => {
      if (lost === this.lost || !this.words) return;
      this.lost = lost;
      this.drawBanner();
    });
  }

  /** The view that the script has been asked for and has not shown yet. */
  get wanted() {
    return this.wish.view;
  }

  drawBanner() {
    this.banner.replaceChildren(...(this.lost ? [lostBanner(this.words)] : []));
  }

  leave() {
    this.wish.leave();
    this.unwatch();
    document.removeEventListener("keydown", this.escape);
    this.ask.leave();
    this.library.leave();
    this.control.leave();
    this.root.remove();
  }

  /** Takes what the script sends. A view or language that the reader has just chosen wins over an older run. */
  update(data, tell) {
    const first = this.data === undefined;
    const same = !first && JSON.stringify(data) === JSON.stringify(this.data);
    this.data = data;
    this.tell = tell;
    if (same) return this.entitle();
    const shown = first ? null : this.shown();
    this.instance = data.instance;
    if (first) this.language = data.language;
    const moved = !first && this.view !== data.view;
    if (this.wanted === undefined || this.wanted === data.view) {
      this.view = data.view;
      this.wish.fulfil();
    }
    this.library.reflect();
    this.control.reflect();
    this.ask.reflect();
    // What the reader sees already is not drawn again: that would take the focus away.
    if (shown === this.shown()) return this.entitle();
    this.draw();
    if (moved && this.view === data.view) this.arrive();
  }

  /** What a drawing depends on, besides what the views themselves keep. */
  shown() {
    const counted = this.view === "about" ? this.instance : this.instance?.principal;
    return JSON.stringify([this.view, counted ?? null]);
  }

  /** Goes to a view at once and lets the script follow, which also writes the address. */
  go = (view) => {
    if (view === "library" && this.view === view) this.library.closeDossier();
    if (view === "ask" && this.view === view && this.ask.conversing) this.ask.fresh();
    if (view === this.view) return;
    if (this.view === "library" && !this.library.mayForget()) return;
    if (this.view === "control") this.control.forget();
    this.source.close({ refocus: false });
    this.view = view;
    this.wish.make(view, (wanted) => this.tell("view", wanted));
    this.draw();
    this.arrive();
  };

  speak = (language) => {
    document.cookie = `assistant_language=${language};path=/;max-age=31536000;samesite=strict`;
    this.language = language;
    this.tell("language", language);
    this.draw();
    this.root.querySelector(`[data-language="${language}"]`)?.focus();
  };

  /** Draws everything in the present language. Cheap enough, and nothing can be left in the former one. */
  draw() {
    this.words = new Words(this.language, this.data.words[this.language], this.data.patterns);
    document.documentElement.lang = this.language;
    document.documentElement.dir = this.words.direction;
    const asking = this.instance && this.view === "ask";
    const [bar, panel] = asking ? this.ask.conversations.draw() : [];
    const main = element("main", { class: "main", id: "content", tabindex: "-1" }, this.content());
    this.layout = element("div", { class: "layout" }, panel, main, this.source.draw());
    this.banner = element("div");
    this.drawBanner();
    this.root.replaceChildren(...[header(this), this.banner, bar, this.layout, footer(this)].filter(Boolean));
    this.source.arrange();
    this.entitle();
  }

  /** What lies under the source panel or the drawer of conversations cannot be reached. */
  cover() {
    const { drawer } = this.ask.conversations;
    const { over } = this.source;
    document.documentElement.classList.toggle("covered", over || drawer);
    for (const part of this.root.querySelectorAll(".header, .main, .footer, .talks-bar")) part.inert = over || drawer;
    for (const part of this.root.querySelectorAll(".talks")) part.inert = over;
    for (const part of this.root.querySelectorAll(".source")) part.inert = drawer;
  }

  content() {
    if (!this.instance) return standingView(this);
    if (this.view === "library") return this.library.draw();
    if (this.view === "control" && this.library.archivist) return this.control.draw();
    if (this.view === "about") return aboutView(this);
    return this.ask.draw();
  }

  entitle() {
    const talk = this.view === "ask" && this.ask.conversation && this.ask.turns.length ? this.ask.titled(this.words) : null;
    const title = talk || this.root.querySelector("h1")?.textContent;
    document.title = [title, this.instance?.name ?? this.words.say("product")].filter(Boolean).join(" – ");
  }

  arrive() {
    window.scrollTo(0, 0);
    this.root.querySelector("h1")?.focus({ preventScroll: true });
  }
}
