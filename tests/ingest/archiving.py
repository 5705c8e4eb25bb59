"""A small archive office for tests: real ingestion with real stores and a small encoder, and people of different clearance."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from reportlab.pdfgen import canvas

from assistant.access import Label, Principal, Role
from assistant.archive import Archive
from assistant.config import load_settings
from assistant.embedding import HashEmbedder
from assistant.index import Query
from assistant.index.edge import EdgePassageIndex
from assistant.ingestion import MetadataEdit
from assistant.lexical import Lexicon
from assistant.types import LANGUAGES, DocumentStatus, Passage
from ingest.build import EmbeddedIngestion
from tests.worlds import instance_file, reader

CLERK = reader("public")
ARCHIVIST = reader("restricted/tax", Role.READER, Role.ARCHIVIST)
WEAK_ARCHIVIST = reader("public", Role.READER, Role.ARCHIVIST)


class CountingEmbedder(HashEmbedder):
    """Remembers what it was asked to embed."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        return super().embed_passages(texts)


@dataclass
class Office:
    folder: Path
    archive: Archive
    index: EdgePassageIndex
    ingestion: EmbeddedIngestion
    embedder: CountingEmbedder

    def hand_in(
        self, name: str, content: str | bytes, *, label: str | None = "public", sidecar: str | None = None,
        principal: Principal = ARCHIVIST, wait: bool = True,
    ) -> DocumentStatus:  # fmt: skip
        """The status of a file handed in as /in/<name>, once it is settled."""
        file = self.folder / "handed-in"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        status = self.ingestion.accept(
            file,
            source=f"/in/{name}",
            principal=principal,
            label=Label.parse(label) if label else None,
            sidecar=sidecar.encode() if sidecar else None,
        )
        return self.settled(status.document_id) if wait else status

    def settled(self, document_id: str) -> DocumentStatus:
        """The status once nothing is left to do."""
        assert self.ingestion.wait_idle(60)
        return self.ingestion.document(document_id, ARCHIVIST)

    def found(self, words: str, principal: Principal = ARCHIVIST) -> list[Passage]:
        """The passages that have these words in their text, for this principal."""
        terms = Lexicon(LANGUAGES).search_terms(words, "fr")
        query = Query(words, "fr", self.embedder.embed_query(words), terms)
        found = self.index.search(query, principal, 50, route="bm25")
        return [scored.passage for scored in found if words in scored.passage.text]


@contextmanager
def office(folder: Path, *, extra: str = "", unmarked: str = "quarantine", started: bool = True) -> Iterator[Office]:
    """An office in `folder`, which may have been one before."""
    settings = load_settings(instance_file(folder, extra=extra, unmarked=unmarked))
    settings.home.mkdir(exist_ok=True)
    embedder = CountingEmbedder()
    archive = Archive(settings.home / "archive")
    index = EdgePassageIndex.open(
        settings.home / "index", embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension
    )
    ingestion = EmbeddedIngestion(settings, archive, index, lambda: embedder)
    if started:
        ingestion.start()
    try:
        yield Office(folder, archive, index, ingestion, embedder)
    finally:
        ingestion.stop()
        index.close()
        archive.close()


def pdf(file: Path, *pages: Sequence[str]) -> bytes:
    """A PDF with these lines on its pages."""
    sheet = canvas.Canvas(str(file))
    for lines in pages:
        for number, line in enumerate(lines):
            sheet.drawString(72, 760 - 20 * number, line)
        sheet.showPage()
    sheet.save()
    return file.read_bytes()


def zip_of(files: Mapping[str, str]) -> bytes:
    """A ZIP archive of these texts; the same each time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content)
    return packed.getvalue()


def mail_with(*attachments: tuple[str, str], body: str = "Veuillez trouver la note jointe sur les horaires.") -> bytes:
    """A mail with these texts attached."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Envoi"
    message.set_content(body)
    for name, content in attachments:
        message.add_attachment(content.encode(), "text", "plain", filename=name)
    return message.as_bytes()


def changes_to(world: Office, document_id: str, principal: Principal) -> list[Callable[[], object]]:
    """Everything that an archivist may do to a document; for one who lacks its clearance, looking at it as well."""
    life = world.ingestion
    changes: list[Callable[[], object]] = [
        lambda: life.retry(document_id, principal),
        lambda: life.edit(document_id, principal, MetadataEdit(title="x")),
        lambda: life.correct_page(document_id, 1, "x", principal),
    ]
    if principal is not ARCHIVIST:
        changes += [
            lambda: life.history(document_id, principal),
            lambda: life.versions(document_id, principal),
            lambda: life.hold(document_id, principal, "x"),
            lambda: life.release(document_id, principal),
            lambda: life.remove(document_id, principal),
        ]
    return changes
