// Sending files to the service in batches. Each file has a state of its own: what fails takes nothing else with it.

import { post, ServiceError } from "./service.js";

const MOST_FILES = 25;
const MOST_BYTES = 32 * 1024 * 1024;
const PAUSES_MS = [1000, 3000, 8000];
const PASSING = new Set(["network", "unavailable"]);

export class Transfer {
  /** `changed` is called after each step. */
  constructor(changed) {
    this.changed = changed;
    this.items = [];
    this.running = false;
  }

  get waiting() {
    return this.items.filter((item) => item.step === "waiting");
  }

  get open() {
    return this.items.some((item) => item.step === "waiting" || item.step === "sending");
  }

  /** Share of the bytes that has left, from 0 to 1. */
  get share() {
    const total = this.items.reduce((sum, item) => sum + item.size, 0);
    const left = this.items.reduce((sum, item) => sum + item.size * (item.step === "sending" ? item.share : item.step === "waiting" ? 0 : 1), 0);
    return total ? left / total : 1;
  }

  add(files, label) {
    for (const { file, source, sidecar } of files) {
      const step = file ? "waiting" : "refused";
      const problem = file ? null : new ServiceError("unreadable");
      this.items.push({ file, source, sidecar, label, size: file?.size ?? 0, share: 0, step, problem, status: null });
    }
    this.changed();
    return this.run();
  }

  /** Lists what cannot be sent, and why. */
  refuse(problems) {
    for (const { source, problem } of problems) {
      this.items.push({ file: null, source, sidecar: null, label: "", size: 0, share: 0, step: "refused", problem, status: null });
    }
    this.changed();
  }

  /** What could not be sent is sent again. */
  again() {
    for (const item of this.items) {
      if (item.step === "refused" && item.file) Object.assign(item, { step: "waiting", problem: null });
    }
    return this.run();
  }

  stop() {
    for (const item of this.waiting) item.step = "stopped";
    this.control?.abort();
    this.changed();
  }

  /** Forgets what has arrived or was stopped. */
  clear() {
    this.items = this.items.filter((item) => item.step === "waiting" || item.step === "sending");
    this.changed();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    try {
      for (let batch = this.batch(); batch.length; batch = this.batch()) await this.send(batch);
    } finally {
      this.running = false;
      this.changed();
    }
  }

  /** The next files of one label, as many as go into one request; at least one. */
  batch() {
    const batch = [];
    let bytes = 0;
    for (const item of this.waiting) {
      if (batch.length && (batch.length >= MOST_FILES || bytes + item.size > MOST_BYTES || item.label !== batch[0].label)) break;
      batch.push(item);
      bytes += item.size;
    }
    return batch;
  }

  /** Sends a batch. Refused as a whole, its files are sent one by one, so that only the one at fault is refused. */
  async send(batch) {
    try {
      const { documents } = await this.attempt(batch);
      batch.forEach((item, place) => {
        // The service notes here, and only here, that these bytes were known already.
        const { notice, warnings } = documents[place];
        Object.assign(item, { step: "arrived", share: 1, status: documents[place], known: Boolean(notice), told: warnings });
      });
      batch.forEach((item) => (item.file = item.sidecar = null));
    } catch (error) {
      if (error.name === "AbortError") return batch.forEach((item) => (item.step = "stopped"));
      if (batch.length === 1 || PASSING.has(error.kind)) {
        return batch.forEach((item) => Object.assign(item, { step: "refused", share: 0, problem: error }));
      }
      for (const item of batch) {
        item.step = "waiting";
        await this.send([item]);
      }
    } finally {
      this.changed();
    }
  }

  /** One request, tried again after a pause while the service is away. */
  async attempt(batch) {
    for (let round = 0; ; round += 1) {
      batch.forEach((item) => Object.assign(item, { step: "sending", share: 0 }));
      this.changed();
      this.control = new AbortController();
      try {
        return await post("documents", form(batch), { sent: (share) => this.progress(batch, share), signal: this.control.signal });
      } catch (error) {
        if (!PASSING.has(error.kind) || round >= PAUSES_MS.length) throw error;
        await this.pause(PAUSES_MS[round]);
      }
    }
  }

  pause(ms) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.control.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(new DOMException("stopped", "AbortError"));
      });
    });
  }

  progress(batch, share) {
    batch.forEach((item) => (item.share = share));
    this.changed();
  }
}

function form(batch) {
  const data = new FormData();
  for (const item of batch) {
    data.append("files", item.file, item.file.name);
    data.append("sources", item.source);
    if (item.sidecar) data.append("sidecars", item.sidecar, `${item.source}.toml`);
  }
  if (batch[0].label) data.append("label", batch[0].label);
  return data;
}
