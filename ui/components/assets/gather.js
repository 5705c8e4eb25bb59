// From what was chosen or dropped to a list of files, each with where it lies below what was dropped.

const SIDECAR = ".toml";
const HIDDEN = /(^|\/)(\.|Thumbs\.db$|desktop\.ini$)/i;

/** Files of an input element. A folder's files carry their path. */
export function chosenFiles(input) {
  return [...input.files].map((file) => ({ file, source: file.webkitRelativePath || file.name }));
}

/** Everything that was dropped, folders with all they hold. Must be called while the event is being handled. */
export async function droppedFiles(transfer) {
  // The list of items is emptied when the event is over, so entries are taken before the first wait.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, source: file.name }));
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject)).catch(() => null);
    const source = entry.fullPath.replace(/^\//, "");
    found.push(file ? { file, source } : { file: null, source });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // A folder is handed out in pieces of a hundred entries; an empty piece is its end.
    const piece = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => []);
    if (!piece.length) return;
    for (const inner of piece) await walk(inner, found);
  }
}

/** Puts each sidecar (`name.ext.toml`) with its document and leaves out what a file manager left behind. */
export function paired(files) {
  const names = new Set(files.map(({ source }) => source));
  const beside = new Map();
  const documents = [];
  for (const each of files) {
    const stem = each.source.slice(0, -SIDECAR.length);
    if (each.source.endsWith(SIDECAR) && names.has(stem)) beside.set(stem, each.file);
    else if (!HIDDEN.test(each.source)) documents.push(each);
  }
  return documents.map((each) => ({ ...each, sidecar: beside.get(each.source) ?? null }));
}
