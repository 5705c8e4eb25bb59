"""EPUB: its chapters in the order of the spine, read as the web pages that they are."""

from __future__ import annotations

import posixpath
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.declared import Declared, declared_in
from ingest.encoding import decoded
from ingest.markup import DECLARATION, safe_parser
from ingest.packages import UNREADABLE, damaged
from ingest.parsing import EPUB, Parsed, ParsingSettings, Rejected, RejectionCategory
from ingest.pieces import Piece, composed, first_heading, hidden_text, plain

_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


@dataclass(frozen=True, slots=True)
class _Book:
    """What the package file says: metadata, and the members to read in order."""

    said: Declared
    chapters: tuple[str, ...]


def read_epub(
    path: Path, settings: ParsingSettings, *, web_pieces: Callable[[str], tuple[list[Piece], int]]
) -> Parsed | Rejected:
    """The book's text; Rejected when it is protected or its package is broken. `web_pieces` reads one chapter."""
    try:
        with zipfile.ZipFile(path) as archive:
            book = _book(archive)
            names = set(archive.namelist())
            if _protected(archive, book):
                reason = "the e-book is protected against copying; hand in a copy without protection"
                return Rejected(RejectionCategory.PASSWORD_NEEDED, reason)
            pieces: list[Piece] = []
            hidden = 0
            for chapter in book.chapters:
                if chapter in names:
                    page = DECLARATION.sub("", decoded(archive.read(chapter)))
                    found, out_of_sight = web_pieces(page) if page.strip() else ([], 0)
                    pieces += found
                    hidden += out_of_sight
    except UNREADABLE as error:
        return damaged("the e-book", error)
    missing = [chapter for chapter in book.chapters if chapter not in names]
    warnings = (f"{len(missing)} chapters that the e-book lists are not in it",) if missing else ()
    title = book.said.title or first_heading(pieces)
    return composed(
        EPUB,
        pieces,
        settings,
        parser="unstructured",
        title=title,
        date=book.said.date,
        author=book.said.author,
        language=book.said.language,
        warnings=(*warnings, *hidden_text(hidden)),
    )


def _book(archive: zipfile.ZipFile) -> _Book:
    container = _tree(archive, "META-INF/container.xml")
    package_path = next((root.get("full-path") or "" for root in container.iterfind(".//{*}rootfile")), "")
    package = _tree(archive, package_path)
    folder = posixpath.dirname(package_path)
    items = {item.get("id"): item for item in package.iterfind(".//{*}manifest/{*}item")}
    said: dict[str, list[str]] = {}
    for element in package.iterfind(f".//{_DUBLIN_CORE}*"):
        if value := plain("".join(element.itertext())):
            said.setdefault(element.tag.removeprefix(_DUBLIN_CORE), []).append(value)
    declared = declared_in(said, authors=("creator",), dates=("date",), languages=("language",))
    return _Book(declared, tuple(_chapters(package, items, folder)))


def _chapters(package: Any, items: dict[str, Any], folder: str) -> Iterator[str]:
    """Members in reading order, each once; the table of contents, which repeats the headings, is left out."""
    seen: set[str] = set()
    for reference in package.iterfind(".//{*}spine/{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or "nav" in (item.get("properties") or "").split():
            continue
        name = posixpath.normpath(posixpath.join(folder, urllib.parse.unquote(item.get("href") or "")))
        if name not in seen:
            seen.add(name)
            yield name


def _protected(archive: zipfile.ZipFile, book: _Book) -> bool:
    """True when a chapter is encrypted; fonts often are, and nobody minds."""
    if "META-INF/encryption.xml" not in archive.namelist():
        return False
    tree = _tree(archive, "META-INF/encryption.xml")
    encrypted = {
        urllib.parse.unquote(reference.get("URI") or "") for reference in tree.iterfind(".//{*}CipherReference")
    }
    return not encrypted.isdisjoint(book.chapters)


def _tree(archive: zipfile.ZipFile, member: str) -> Any:
    from lxml import etree

    return etree.fromstring(archive.read(member), safe_parser())
