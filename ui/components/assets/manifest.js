// A manifest among the files that are added: what it says of each goes with it, as a sidecar would.

import { post, ServiceError } from "./service.js";

const NAME = /(^|\/)manifest\.csv$/i;

/** The documents with what manifests say of them, and what to tell: {source, problem} each. A faulty one stops its folder. */
export async function described(documents) {
  const problems = [];
  let rest = documents;
  // The nearest manifest speaks: deeper folders come first.
  const manifests = documents.filter(({ source, file }) => file && NAME.test(source)).sort((one, other) => depth(other) - depth(one));
  for (const manifest of manifests) {
    const folder = manifest.source.replace(NAME, "$1");
    const below = rest.filter((each) => each !== manifest && each.source.startsWith(folder) && !each.told);
    try {
      const files = await read(manifest, below, folder);
      if (!files) continue;
      rest = rest.filter((each) => each !== manifest);
      const line = linesOf(files, below.map((each) => each.source.slice(folder.length)));
      const named = new Set(below.map((each) => line(each.source.slice(folder.length))));
      for (const each of below) tell(each, files[line(each.source.slice(folder.length))]);
      for (const path of Object.keys(files)) {
        if (!named.has(path)) problems.push({ source: folder + path, problem: new ServiceError("missing") });
      }
    } catch (error) {
      rest = rest.filter((each) => each !== manifest && !below.includes(each));
      const kind = error.kind === "invalid" ? "manifest" : error.kind;
      problems.push({ source: manifest.source, problem: new ServiceError(kind, error.detail) });
    }
  }
  return { documents: rest, problems };
}

/** Which line means a path. Where none is written exactly so, capitals and the way accents are stored make no difference. */
function linesOf(files, paths) {
  const alike = (path) => path.normalize("NFC").toLowerCase();
  const free = paths.filter((path) => !(path in files)).map(alike);
  const lines = new Map(Object.keys(files).filter((path) => !paths.includes(path)).map((path) => [alike(path), path]));
  return (path) => {
    if (path in files) return path;
    return free.filter((each) => each === alike(path)).length === 1 ? lines.get(alike(path)) : undefined;
  };
}

function depth({ source }) {
  return source.split("/").length;
}

async function read(manifest, below, folder) {
  const form = new FormData();
  form.append("manifest", manifest.file, manifest.source);
  for (const { source, sidecar } of below) if (sidecar) form.append("sidecars", sidecar, `${source.slice(folder.length)}.toml`);
  return (await post("documents/manifest", form, { sent: () => {}, signal: new AbortController().signal })).files;
}

function tell(each, said) {
  if (said === undefined) return;
  each.told = true;
  if (said) each.sidecar = new Blob([said], { type: "text/plain" });
}
