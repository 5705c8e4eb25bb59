// What the service is reading right now. Asks often while there is work, seldom when there is none, and not at all while
// nobody looks.

import { element } from "./dom.js";
import { json } from "./service.js";

const BUSY_MS = 1000;
const IDLE_MS = 10_000;

export class Activity {
  /** `moved` is called whenever a document may have changed its state. */
  constructor(page, moved) {
    this.page = page;
    this.moved = moved;
    this.progress = null;
    this.seen = () => !document.hidden && this.soon();
    document.addEventListener("visibilitychange", this.seen);
  }

  leave() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.seen);
  }

  get busy() {
    return this.progress !== null && this.progress.waiting + this.progress.in_progress > 0;
  }

  draw() {
    this.node = element("section", { class: "activity-bar", hidden: true, "aria-label": this.page.words.say("activity.title") });
    this.show();
    this.soon();
    return this.node;
  }

  /** Asks at once, for instance because something was just handed in. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), 0);
  }

  async look() {
    const asked = (this.call = (this.call ?? 0) + 1);
    const before = this.progress;
    try {
      const progress = await json("documents/progress");
      if (asked !== this.call) return;
      this.progress = progress;
    } catch {
      // The next round asks again; the list itself shows a lasting problem.
    }
    if (!this.node?.isConnected) return;
    this.show();
    if (this.busy || (before && key(before) !== key(this.progress))) this.moved();
    if (!document.hidden) this.timer = setTimeout(() => this.look(), this.busy ? BUSY_MS : IDLE_MS);
  }

  show() {
    this.node.hidden = !this.busy;
    if (!this.busy) return this.node.replaceChildren();
    const { words } = this.page;
    const { waiting, in_progress: reading, current } = this.progress;
    if (!this.node.firstChild) this.build(words);
    this.status.textContent = words.say("activity.counts", {
      reading: words.count("documents", reading),
      waiting: words.number(waiting),
    });
    this.speed.textContent = this.speedText(words);
    this.bar.replaceChildren(...current.map((document) => this.line(document, words)));
  }

  build(words) {
    this.status = element("span", { class: "activity-counts" });
    this.speed = element("span", { class: "activity-speed" });
    this.bar = element("ul", { class: "activity-documents" });
    this.node.replaceChildren(
      element(
        "p",
        { class: "activity-head" },
        element("span", { class: "pulse", "aria-hidden": "true" }),
        element("strong", {}, words.say("activity.title")),
        this.status,
        this.speed,
      ),
      this.bar,
    );
  }

  /** How fast pages are read and the time left, as far as the service knows them. Scans take longer than a second a page. */
  speedText(words) {
    const { pages_per_s: rate, seconds_left: left } = this.progress;
    const speed = rate >= 1 ? ["activity.speed", rate] : ["activity.slow_speed", rate * 60];
    return [
      rate ? words.say(speed[0], { n: words.measure(speed[1]) }) : null,
      left ? words.say("activity.left", { time: words.duration(left) }) : null,
    ]
      .filter(Boolean)
      .join(" · ");
  }

  line({ title, progress_pages: pages, progress_of: of }, words) {
    return element(
      "li",
      {},
      element("span", { class: "activity-name" }, element("bdi", {}, title)),
      of ? pageProgress(title, pages, of, words) : element("span", { class: "minor" }, words.say("state.in_progress")),
    );
  }
}

/** A bar and words for how many of a document's pages have been read. */
export function pageProgress(title, pages, of, words) {
  return element(
    "span",
    { class: "page-progress" },
    element("progress", { max: of, value: pages, "aria-label": words.say("activity.document", { title }) }),
    element("span", { class: "minor" }, words.say("activity.page_of", { n: words.number(pages), pages: words.number(of) })),
  );
}

function key(progress) {
  return `${progress.waiting}/${progress.in_progress}/${progress.finished_recently}`;
}
