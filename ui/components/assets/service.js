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
  /** `detail` is the service's own sentence, in English; it names neither document text nor secrets. */
  constructor(kind, detail = "") {
    super(kind);
    this.kind = kind;
    this.detail = detail;
  }
}

/** The JSON at a path below /v1. Throws ServiceError; an abort passes through as it is. */
export async function json(path, options = {}) {
  return (await response(path, options)).json();
}

/** A file as {blob, name}. Fetched and not only linked to, so that a refusal can be said in words. */
export async function file(path) {
  const reply = await response(path, {});
  const name = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1] ?? "";
  return { blob: await reply.blob(), name };
}

/** Sends a change and gives back its JSON, or null where the service has nothing to say. */
export async function change(method, path, body, { signal } = {}) {
  const options = { method, signal };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const reply = await response(path, options);
  return reply.status === 204 ? null : reply.json();
}

/** A path with the parameters that have a value. */
export function queried(path, values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  return query.size ? `${path}?${query}` : path;
}

export function documentPath(id, rest = "", values = {}) {
  return queried(`documents/${encodeURIComponent(id)}${rest}`, values);
}

export function conversationPath(id, rest = "", values = {}) {
  return queried(`conversations/${encodeURIComponent(id)}${rest}`, values);
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
  if (!reply.ok) throw refusal(reply.status, await reply.json().catch(() => null));
  return reply;
}

function refusal(status, body) {
  const kind = body?.error?.type === "changed_elsewhere" ? "changed_elsewhere" : KINDS[status];
  return new ServiceError(kind ?? (status >= 500 ? "unavailable" : "unknown"), body?.error?.message ?? "");
}

/** Posts a form and reports the share that has left; `fetch` cannot say how far an upload is. */
export function post(path, form, { sent, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address(path));
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
    request.onload = () =>
      request.status < 300 ? resolve(request.response) : reject(refusal(request.status, request.response));
    request.onerror = () => reject(new ServiceError("network"));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/** The events of an answer as {event, data}; ends when the service closes the stream. With `body` it is posted. */
export async function* answerEvents(path, { body, signal }) {
  const headers = { Accept: "text/event-stream" };
  const options = { headers, signal };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  }
  const reply = await response(path, options);
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
