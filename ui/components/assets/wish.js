// Where the reader has gone and the script has to follow. Streamlit forgets what a run was told that another one interrupts before
// it has mounted the page: so a wish is told when no run is under way, and again until it is fulfilled or has grown old.

const RUNNING = '[data-test-script-state="running"]';
const LOOK_MS = 100;
const ANSWER_MS = 2000;
const OLD_MS = 15_000;

export class Wish {
  constructor() {
    this.view = undefined;
    /** Whoever goes back or forward has wished for something else. */
    this.end = () => this.fulfil();
    window.addEventListener("popstate", this.end);
  }

  leave() {
    this.fulfil();
    window.removeEventListener("popstate", this.end);
  }

  make(view, tell) {
    this.view = view;
    this.made = Date.now();
    this.pursue(tell);
  }

  fulfil() {
    clearTimeout(this.timer);
    this.view = undefined;
  }

  /** An old wish must not rule the page for ever. */
  pursue(tell) {
    clearTimeout(this.timer);
    if (Date.now() - this.made > OLD_MS) return this.fulfil();
    const busy = document.querySelector(RUNNING) !== null;
    if (!busy) tell(this.view);
    this.timer = setTimeout(() => this.pursue(tell), busy ? LOOK_MS : ANSWER_MS);
  }
}
