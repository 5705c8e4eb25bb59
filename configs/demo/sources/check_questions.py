"""Check `questions*.jsonl`: each answer is found word for word where its line says it is.

Text is read with pypdfium2 (page by page), python-docx, the `email` module, and by dropping tags for ODT and HTML.
A scanned page has no text: only its page number is checked. The mail's attachment is read from inside the mail.
Prints one line per problem; exits 1 when there is one.
"""

from __future__ import annotations

import html
import io
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import docx
import pypdfium2
from docx.oxml.ns import qn

DEMO = Path(__file__).resolve().parent.parent
SCANS = {"note-1996-salle-lecture-archives.pdf"}
EXPECTED = {
    "questions.jsonl": {("fr", True): 32, ("ar", True): 14, ("en", True): 14}
    | {("fr", False): 10, ("ar", False): 5, ("en", False): 5},
    "questions-tuning.jsonl": {("fr", True): 75, ("ar", True): 70, ("en", True): 73}
    | {("fr", False): 36, ("ar", False): 32, ("en", False): 35},
    "questions-held-out.jsonl": {("fr", True): 36, ("ar", True): 37, ("en", True): 38}
    | {("fr", False): 15, ("ar", False): 15, ("en", False): 15},
}
"""File → (language, answerable) → how many questions."""


def normalised(text: str) -> str:
    """The text with runs of white space as one space and pdfium's end-of-line hyphen marks as a hyphen."""
    return " ".join(re.sub("[\ufffe\x02]\\s*", "-", text).split())


def docx_text(content: bytes) -> str:
    """Paragraphs and table cells in document order."""
    body = docx.Document(io.BytesIO(content)).element.body
    paragraphs = ("".join(run.text or "" for run in p.iter(qn("w:t"))) for p in body.iter(qn("w:p")))
    return "\n".join(paragraphs)


def untagged(markup: str) -> str:
    """The text between the tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", markup))


def mail_texts(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The mail's own text under its file name, then each attached DOCX under its own."""
    mail = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    yield path.name, [body.get_content() if body else ""]
    for part in mail.iter_attachments():
        yield part.get_filename() or "", [docx_text(part.get_content())]


def file_texts(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(file name, texts): one text per page for a PDF, otherwise one text."""
    if path.suffix == ".pdf":
        yield path.name, [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path)]
    elif path.suffix == ".docx":
        yield path.name, [docx_text(path.read_bytes())]
    elif path.suffix == ".odt":
        yield path.name, [untagged(zipfile.ZipFile(path).read("content.xml").decode("utf-8"))]
    elif path.suffix == ".html":
        yield path.name, [untagged(path.read_text(encoding="utf-8"))]
    elif path.suffix == ".eml":
        yield from mail_texts(path)
    elif path.suffix == ".md":
        yield path.name, [path.read_text(encoding="utf-8")]


def problem(line: dict[str, str | int | None], texts: dict[str, list[str]]) -> str | None:
    """What is wrong with an answerable line, or None."""
    name, page, span = str(line["file"]), line["page"], str(line["answer_span"])
    if name not in texts:
        return f"no file {name}"
    if name.endswith(".pdf") != isinstance(page, int):
        return f"page {page} for {name}"
    if not 2 <= len(span.split()) <= 20:
        return f"span of {len(span.split())} words"
    number = page if isinstance(page, int) else 1
    if not 1 <= number <= len(texts[name]):
        return f"{name} has {len(texts[name])} pages"
    if name in SCANS or normalised(span) in normalised(texts[name][number - 1]):
        return None
    return f"not on page {page} of {name}: {span}"


def main() -> int:
    """0 when every line holds, 1 otherwise."""
    paths = sorted(path for path in (DEMO / "documents").glob("*/*") if path.suffix != ".toml")
    texts = dict(pair for path in paths for pair in file_texts(path))
    lines, problems = [], []
    for name, expected in EXPECTED.items():
        own = [json.loads(row) for row in (DEMO / name).read_text(encoding="utf-8").splitlines()]
        found = [(line["question"], problem(line, texts)) for line in own if "label" not in line]
        problems += [f"{name}: {question}\n    {text}" for question, text in found if text]
        counts = Counter((line["lang"], "label" not in line) for line in own)
        if counts != expected:
            problems.append(f"{name}: counts by (language, answerable): {dict(counts)}")
        lines += own
    unasked = sorted(set(texts) - {line.get("file") for line in lines})
    problems += [f"no question on {name}" for name in unasked]
    print("\n".join(problems) or f"{len(lines)} questions, no problem")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
