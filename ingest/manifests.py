"""A manifest: one CSV table that says about many files what a sidecar says about one.

Its columns are `file` and the keys of a sidecar, in any order; `file` is a path below the manifest's own folder. It is read as
spreadsheets write it: UTF-8 or Windows-1252, with commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from assistant.errors import ConfigurationError
from ingest.encoding import decoded
from ingest.sources import Sidecar, sidecar_value

MANIFEST_NAME = "manifest.csv"
_FILE = "file"
_TABLES = (".csv", ".tsv")
_KEYS = tuple(field.name for field in fields(Sidecar))
_MEANT = {
    "file": ("path", "file name", "filename", "file path", "filepath", "fichier", "fichiers", "nom du fichier", "nom de fichier",
             "nom fichier", "chemin", "chemin du fichier", "chemin d'accès",
             "ملف", "الملف", "اسم الملف", "مسار", "المسار", "مسار الملف"),
    "title": ("titre", "intitulé", "عنوان", "العنوان"),
    "date": ("date du document", "document date", "تاريخ", "التاريخ", "تاريخ الوثيقة"),
    "author": ("auteur", "auteurs", "authors", "مؤلف", "المؤلف", "كاتب", "الكاتب"),
    "language": ("langue", "لغة", "اللغة"),
    "label": ("labels", "mention", "mention de protection", "mention de diffusion", "protection", "classification", "marking",
              "درجة السرية", "درجة السرّية", "السرية", "السرّية", "تصنيف", "التصنيف"),
    "document_type": ("document type", "type", "type de document", "kind", "نوع", "النوع", "نوع الوثيقة"),
    "collection": ("fonds", "مجموعة", "المجموعة"),
}  # fmt: skip
"""How people head the columns of a manifest who do not know their names."""
_HEAD_BYTES = 4096
_MOST_BYTES = 64 << 20
_MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says of each file, by its path with forward slashes, in the order of the lines."""

    files: dict[str, Sidecar]

    def places(self, present: Iterable[str]) -> dict[str, str]:
        """Which of the paths in `present` its lines mean: path there → path as the manifest writes it.

        Where no file is called exactly so, capitals and the way accents are stored make no difference: a Mac takes "été.txt"
        apart, Windows does not tell "A.TXT" from "a.txt", and the table was written elsewhere.
        """
        there = tuple(present)
        found = {path: path for path in there if path in self.files}
        rest = Counter(map(_alike, (path for path in there if path not in found)))
        wanted = {_alike(path): path for path in self.files if path not in found}
        return found | {
            path: wanted[_alike(path)]
            for path in there
            if path not in found and _alike(path) in wanted and rest[_alike(path)] == 1
        }


def _alike(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def is_manifest(path: Path, *, name: str = "") -> bool:
    """True when the first line of the file names `file` and at least one key of a sidecar as columns.

    For a file called `manifest.csv` (`name` is what it is called where that is not its own name), `file` is enough: what stands
    beside it is misspelt rather than meant otherwise. So is `file` itself where the other columns are those of a manifest, under
    their own names or those that people give them.
    """
    with path.open("rb") as file:
        return begins_manifest(file.read(_HEAD_BYTES), name=name or path.name)


def begins_manifest(content: bytes, *, name: str) -> bool:
    """The same of a file's bytes; its first line is enough."""
    header = _first_header(content)
    called_so = name.lower() == MANIFEST_NAME
    if _FILE in header:
        return called_so or any(key in header for key in _KEYS)
    return called_so and _meant_as_manifest(header)


def remark_on_table(file: Path, *, name: str) -> str:
    """`taken_for_document` of a file that is handed in as a document under this name; empty where that is not a table's."""
    if not name.lower().endswith(_TABLES):
        return ""
    with file.open("rb") as stream:
        return taken_for_document(stream.read(_HEAD_BYTES))


def taken_for_document(content: bytes) -> str:
    """What to tell whoever handed this table in as a document, if it looks like a manifest; empty when it does not.

    >>> taken_for_document(b"fichier;titre")
    'looks like a manifest, but lacks the columns file, title (it has fichier, titre instead); it was taken as a document'
    """
    header = _first_header(content)
    if not _meant_as_manifest(header):
        return ""
    if _FILE in header and any(key in header for key in _KEYS):
        return "is a manifest, but was taken as a document; hand it in as manifest.csv, with its files"
    meant = _meant(header)
    lacking = [_FILE] * (_FILE not in header and _FILE not in meant) + list(meant)
    columns = f"column{'s' * (len(lacking) > 1)} {', '.join(lacking)}"
    instead = f" (it has {', '.join(meant.values())} instead)" if meant else ""
    return f"looks like a manifest, but lacks the {columns}{instead}; it was taken as a document"


def _meant_as_manifest(header: list[str]) -> bool:
    """True when the columns are those of a manifest, under whatever names: files and something of them, or nothing but keys.

    A table of figures may well have a title or a date; what says of each line where its file lies, or only what a manifest
    can say, its label included, is hardly anything else.
    """
    meant = _meant(header)
    named = {*meant, *(column for column in header if column in _KEYS)}
    if _FILE in header or _FILE in meant:
        return bool(named - {_FILE})
    return "label" in named and len(named) == len(header) > 1


def _meant(header: list[str]) -> dict[str, str]:
    """Key → the column that stands for it under another name, in the order of the keys."""
    other = {_plain(column): column for column in header if column not in (_FILE, *_KEYS)}
    found: dict[str, str] = {}
    for key, headings in _MEANT.items():
        column = next((other[_plain(heading)] for heading in headings if _plain(heading) in other), None)
        if column is not None and key not in header:
            found[key] = column
    return found


def _plain(heading: str) -> str:
    """A heading without case, accents, vowel signs and what joins its words."""
    letters = unicodedata.normalize("NFKD", heading.casefold().replace("’", "'"))
    return " ".join(
        "".join(c for c in letters if not unicodedata.combining(c)).replace("_", " ").replace("-", " ").split()
    )


def _first_header(content: bytes) -> list[str]:
    head = content[:_HEAD_BYTES]
    if 0 in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return []
    return _header(decoded(head).partition("\n")[0])


def manifest_from(content: bytes, *, name: str) -> Manifest:
    """The manifest in `content`; `name` is how messages call it.

    Raises ConfigurationError naming each faulty line, its column and value, and what to write instead.
    """
    if len(content) > _MOST_BYTES:
        raise ConfigurationError(f"{name}: too large for a manifest; hand in a folder at a time")
    text = decoded(content)
    header = _header(text.partition("\n")[0])
    if _FILE not in header:
        instead = _meant(header).get(_FILE)
        remedy = f"write it instead of {instead!r}" if instead else "name the columns as in file;title;date"
        otherwise = "if this is no manifest, give the file another name than manifest.csv"
        raise ConfigurationError(f"{name}: line 1: there is no column {_FILE!r}; {remedy}; {otherwise}")
    unknown = [column for column in header if column not in (_FILE, *_KEYS)]
    if unknown:
        known = ", ".join((_FILE, *_KEYS))
        key = next((key for key, column in _meant(header).items() if column == unknown[0]), "")
        known = f"{key!r} instead" if key else known
        raise ConfigurationError(f"{name}: line 1, column {unknown[0]!r}: there is no such column; use {known}")
    if len(set(header)) < len(header):
        raise ConfigurationError(f"{name}: line 1: two columns have one name; keep one of them")
    return Manifest(_checked(name, header, text))


def _checked(name: str, header: list[str], text: str) -> dict[str, Sidecar]:
    files: dict[str, Sidecar] = {}
    errors: list[str] = []
    try:
        for line, row in _rows(text):
            try:
                path, sidecar = _entry(header, row)
                if path in files:
                    raise ConfigurationError(f"column 'file', {path!r}: named twice; keep one line for each file")
                files[path] = sidecar
            except ConfigurationError as error:
                errors.append(f"line {line}, {error}")
    except csv.Error as error:
        errors.append(f"not a table that can be read: {error}")
    if errors:
        more = [f"and {len(errors) - _MOST_ERRORS} more"] if len(errors) > _MOST_ERRORS else []
        raise ConfigurationError("; ".join(f"{name}: {error}" for error in (*errors[:_MOST_ERRORS], *more)))
    return files


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(1-based line at which it ends, cells) of each row under the header that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.partition("\n")[0]))
    for number, row in enumerate(reader):
        if number and any(cell.strip() for cell in row):
            yield reader.line_num, row


def _entry(header: list[str], row: list[str]) -> tuple[str, Sidecar]:
    if len(row) > len(header):
        extra = row[len(header)]
        raise ConfigurationError(
            f"column {len(header) + 1}, {extra!r}: there is no such column; quote values that hold one"
        )
    cells = {column: cell.strip() for column, cell in zip(header, row, strict=False)}
    values = {key: _value(key, cell) for key, cell in cells.items() if key != _FILE and cell}
    return _path(cells[_FILE]), Sidecar(**values)


def _value(key: str, cell: str) -> str:
    try:
        return sidecar_value(key, cell)
    except ConfigurationError as error:
        raise ConfigurationError(f"column {key!r}, {error}") from error


def _path(cell: str) -> str:
    parts = [part for part in cell.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or cell[:1] in ("/", "\\") or cell[1:2] == ":":
        raise ConfigurationError(f"column 'file', {cell!r}: write a path below the manifest's folder")
    return "/".join(parts)


def _header(line: str) -> list[str]:
    row = next(csv.reader([line.strip("\r\n\ufeff")], delimiter=_delimiter(line)), [])
    return [cell.strip().lower() for cell in row]


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)
