"""What a web page, an e-book or a Markdown file declares of itself, in the places that are made for it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from ingest.metadata import plain_author

_META = re.compile(r"<meta\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATES = (
    "date", "dc.date", "dcterms.date", "dc.date.issued", "dcterms.issued", "dcterms.created", "article:published_time",
)  # fmt: skip
_AUTHORS = ("dc.creator", "dcterms.creator", "author")
_LANGUAGES = ("dc.language", "dcterms.language")
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"([A-Za-z][\w.-]*)[ \t]*:(?:[ \t]+(.*))?")
_GOES_ON = re.compile(r"[ \t]*-[ \t]+(.*)|[ \t]+(\S.*)|#.*|\s*")


@dataclass(frozen=True, slots=True)
class Declared:
    """None where nothing is declared; `language` empty then."""

    title: str | None = None
    date: str | None = None
    """ISO 8601."""
    author: str | None = None
    language: str = ""
    """Its first part, as "fr" of "fr-TN"."""


def declared_on_page(page: str) -> Declared:
    """What the `meta` elements of a web page say.

    >>> declared_on_page('<meta content="Salma Ayari" name=author><meta name="DC.date" content="2024-05-03T08:00">').author
    'Salma Ayari'
    """
    said: dict[str, list[str]] = {}
    for element in _META.findall(page):
        given = {name.lower(): html.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(element)}
        name = (given.get("name") or given.get("property") or "").strip().lower()
        if given.get("content"):
            said.setdefault(name, []).append(given["content"])
    return declared_in(said, authors=_AUTHORS, dates=_DATES, languages=_LANGUAGES)


def declared_in(
    said: dict[str, list[str]], *, authors: tuple[str, ...], dates: tuple[str, ...], languages: tuple[str, ...]
) -> Declared:
    """What stands under the first of the names that says something; several authors are joined."""
    names = next(
        (found for name in authors if (found := list(filter(None, map(plain_author, said.get(name, ())))))), []
    )
    day = next((day for name in dates for value in said.get(name, ()) if (day := _DATE.search(value))), None)
    language = next((value for name in languages for value in said.get(name, ())), "")
    title = next(iter(said.get("title", ())), None)
    return Declared(title, day[0] if day else None, ", ".join(names) or None, language.strip()[:2].lower())


def front_matter(text: str) -> tuple[Declared, tuple[str, ...], str]:
    """What the lines of "name: value" between "---" at the top of a Markdown file say, those lines, and the text behind them.

    Nothing is cut off when a line between is anything else, since "---" may be a rule across the page.
    """
    match = _FRONT_MATTER.match(text)
    said: dict[str, list[str]] = {}
    name = ""
    for line in match[1].splitlines() if match else ():
        field = _FIELD.fullmatch(line)
        more = _GOES_ON.fullmatch(line)
        if field:
            name = field[1].lower()
            said[name] = _values(field[2] or "")
        elif more is None or not name:
            return Declared(), (), text
        elif more[1] or more[2]:
            said[name] += _values(more[1] or more[2])
    if match is None or not said:
        return Declared(), (), text
    lines = tuple(line.strip() for line in match[1].splitlines() if line.strip())
    found = declared_in(said, authors=("author", "authors", "creator"), dates=("date",), languages=("lang", "language"))
    return found, lines, text[match.end() :]


def _values(given: str) -> list[str]:
    given = given.strip()
    parts = given[1:-1].split(",") if given.startswith("[") and given.endswith("]") else [given]
    return [value for part in parts if (value := part.strip().strip("\"'").strip())]
