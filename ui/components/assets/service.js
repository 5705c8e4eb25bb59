// What the page asks of the service: same origin, the reader's cookie, rights checked there on every request.

const KINDS = {
  401: "sign_in_required",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  422: "invalid",
};

export class ServiceError extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

/** The JSON at a path below /v1. Throws ServiceError; an abort passes through as it is. */
export async function json(path, options = {}) {
  return (await response(path, options)).json();
}

export function documentPath(id, rest = "", values = {}) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
  return `documents/${encodeURIComponent(id)}${rest}${query.size ? `?${query}` : ""}`;
}

export function address(path) {
  return `./v1/${path}`;
}

async function response(path, options) {
  let reply;
  try {
    reply = await fetch(address(path), { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError("network");
  }
  if (!reply.ok) throw new ServiceError(KINDS[reply.status] ?? (reply.status >= 500 ? "unavailable" : "unknown"));
  return reply;
}

/** The events of an answer as {event, data}; ends when the service closes the stream. */
export async function* answerEvents(question, signal) {
  const reply = await response("answers", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ question, language: null }),
    signal,
  });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServiceError("network");
    }
    if (part.done) return;
    const blocks = (waiting + part.value).split(/\r?\n\r?\n/);
    waiting = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event) yield event;
    }
  }
}

function parsed(block) {
  let event = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}
