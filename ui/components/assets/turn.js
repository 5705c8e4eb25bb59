// One exchange: what was asked, what has come back so far, and how it ended. It knows nothing of how it is drawn.

/** What a turn is while it is under way. */
const RUNNING = new Set(["searching", "reading", "waiting", "writing"]);

let serial = 0;

export class Turn {
  /** `kind` is "question", "summary" or "changes"; `documents` are what the last two speak of. */
  constructor(question, { kind = "question", documents = [] } = {}) {
    this.key = `turn-${++serial}`;
    this.question = question;
    this.kind = kind;
    this.documents = documents;
    this.number = null;
    this.replaces = null;
    this.askedAt = null;
    this.searched = question;
    this.phase = "searching";
    this.sentences = [];
    this.citations = new Map();
    this.answer = null;
    this.restarted = false;
    this.hidden = 0;
    this.feedback = null;
    this.stopper = new AbortController();
  }

  /** A turn as the service keeps it. */
  static kept(record) {
    const turn = new Turn(record.question, { kind: record.kind, documents: record.documents });
    turn.number = record.number;
    turn.askedAt = record.asked_at;
    turn.searched = record.searched || record.question;
    turn.feedback = record.feedback;
    turn.hidden = record.hidden ?? 0;
    if (record.answer) turn.finish(record.answer);
    turn.comparison = record.comparison;
    turn.phase = record.state === "done" && !record.answer && record.kind !== "changes" ? "failed" : record.state;
    if (turn.phase === "failed") turn.error = { kind: "unfinished" };
    return turn;
  }

  get running() {
    return RUNNING.has(this.phase);
  }

  /** True when the answer says that there is none. */
  get abstained() {
    return this.answer?.outcome === "no_evidence" || this.answer?.outcome === "declined";
  }

  /** True when a model wrote the sentences; while no answer says so, `expected` is what to reckon with. */
  composed(expected) {
    if (this.answer?.model) return this.answer.model !== "quotes";
    return this.kind === "summary" ? this.sentences.some((sentence) => sentence.verdict !== "quoted") : expected;
  }

  /** The search was for other words than the reader's. */
  get rewritten() {
    return Boolean(this.searched) && plainWords(this.searched) !== plainWords(this.question);
  }

  take(event, data) {
    if (event === "turn") {
      this.number = data.number;
      this.askedAt = data.asked_at;
      this.searched = data.searched || this.question;
      this.conversation = data.conversation_id;
    } else if (event === "evidence") {
      this.evidence = data;
      this.language = data.language;
      this.phase = "reading";
    } else if (event === "waiting") {
      this.place = data.place;
      this.phase = "waiting";
    } else if (event === "restarted") {
      this.restarted = true;
    } else if (event === "sentence") {
      this.sentences.push(data.sentence);
      this.cite(data.citations);
      this.phase = "writing";
    } else if (event === "answer") {
      this.finish(data);
    } else if (event === "error") {
      this.fail({ kind: data.type === "service_unavailable" ? "unavailable" : "unknown" });
    }
  }

  finish(answer) {
    this.answer = answer;
    this.language = answer.language;
    this.sentences = answer.sentences;
    this.citations.clear();
    this.cite(answer.citations);
    if (answer.searched) this.searched = answer.searched;
    this.phase = "done";
  }

  /** Each citation gets a key of its own on the page: every answer counts its markers from 1. */
  cite(citations) {
    for (const citation of citations) this.citations.set(citation.marker, { ...citation, key: `${this.key}-${citation.marker}` });
  }

  fail(error) {
    this.error = error;
    this.phase = "failed";
  }

  stop() {
    this.stopper.abort();
  }

  /** Follows the events to their end; `changed` is called after each. Never throws. */
  async follow(events, changed) {
    try {
      for await (const { event, data } of events) {
        this.take(event, data);
        changed();
      }
      if (this.running) this.phase = "cut";
    } catch (error) {
      if (error.name === "AbortError") this.phase = "stopped";
      else this.fail(error);
      if (this.phase === "failed" && !error.kind) console.error(error);
    }
    changed();
  }

  /** Takes what a "changes" turn shows, as the service tells a turn that it keeps. Never throws. */
  async fetch(record, changed) {
    try {
      const { comparison, number = null, asked_at: askedAt = null, documents = this.documents } = await record;
      Object.assign(this, { comparison, number, askedAt, documents, phase: "done" });
    } catch (error) {
      if (error.name === "AbortError") this.phase = "stopped";
      else this.fail(error);
    }
    changed();
  }
}

function plainWords(text) {
  return text.trim().replace(/\s+/g, " ");
}
