"""A small instance without torch and without parser processes, for tests that kill it: run in a child by fork.

The world: a good note, its duplicate under another name, a second version of a known source, a file that is rejected, and a
mail with an attachment. `hand_in` is what an archivist's program does: it hands in again whatever was not acknowledged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.access import Role
from assistant.archive import Archive
from assistant.config import Settings, load_settings
from assistant.embedding import HashEmbedder
from assistant.index.edge import EdgePassageIndex
from ingest import side_effects
from ingest.build import EmbeddedIngestion
from ingest.isolation import RESULT, parse_here
from ingest.ledger import Ledger
from ingest.parsing import Parsed, ParsingSettings, Rejected
from ingest.transfer import ATTACHMENTS, write_result
from tests.worlds import ARCHIVIST, instance_file

assert Role.ARCHIVIST in ARCHIVIST.roles

_PARAGRAPH = "Le service {n} instruit les demandes de congé en {n} jours ouvrés, sauf urgence signalée par écrit.\n\n"
_MAIL = (
    b"From: greffe@example.org\r\nTo: archives@example.org\r\nSubject: Envoi\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    b"Veuillez trouver la note jointe sur les horaires.\r\n--b\r\n"
    b'Content-Type: text/plain; charset=utf-8; name="horaires.txt"\r\n'
    b'Content-Disposition: attachment; filename="horaires.txt"\r\n\r\n'
    b"Les bureaux ouvrent de huit heures a seize heures, du lundi au vendredi.\r\n--b--\r\n"
)


def note(number: int, paragraphs: int = 4) -> bytes:
    """A text of some paragraphs; every number gives another one."""
    return "".join(_PARAGRAPH.format(n=number * 100 + k) for k in range(paragraphs)).encode()


SOURCES: tuple[tuple[str, bytes], ...] = (
    ("/in/note.txt", note(1)),
    ("/in/copie de la note.txt", note(1)),
    ("/in/décision.txt", note(2)),
    ("/in/décision.txt", note(3, paragraphs=2)),
    ("/in/programme.bin", b"\x7fELF" + bytes(range(256)) * 4),
    ("/in/envoi.eml", _MAIL),
)


def settings_in(folder: Path, *, extra: str = "") -> Settings:
    """Settings of an instance in `folder`, impatient enough for tests."""
    ingest = "[ingest]\nretry_s = 0.2\nheartbeat_s = 0.3\ndead_after_s = 1.5\nattempts = 30\nleast_free_mb = 48\n"
    return load_settings(instance_file(folder, extra=ingest + extra))


def parse_in_process(
    path: Path, folder: Path, *, file_name: str, settings: ParsingSettings, on_progress: object
) -> Parsed | Rejected:
    """The parser itself, without the child process around it; what it leaves is what the child would leave."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    document = folder / f"document{Path(file_name).suffix}"
    document.symlink_to(path)
    parsed = parse_here(document, settings)
    document.unlink()
    if isinstance(parsed, Parsed) and parsed.attachments:
        (folder / ATTACHMENTS).mkdir()
        moved = [replace(a, path=shutil.move(a.path, folder / ATTACHMENTS / a.path.name)) for a in parsed.attachments]
        parsed = replace(parsed, attachments=tuple(moved))
    write_result(parsed, folder / RESULT)
    return parsed


@contextmanager
def open_world(settings: Settings, *, started: bool = True) -> Iterator[EmbeddedIngestion]:
    """Archive, index and ingestion of this instance, in this process."""
    embedder = HashEmbedder(32)
    archive = Archive(settings.home / "archive")
    index = EdgePassageIndex.open(
        settings.home / "index", embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension
    )
    ingestion = EmbeddedIngestion(settings, archive, index, lambda: embedder, parse=parse_in_process)
    try:
        if started:
            ingestion.start()
        yield ingestion
    finally:
        ingestion.stop()
        index.close()
        archive.close()


def hand_in(ingestion: EmbeddedIngestion, acknowledged: Path, *, wait_s: float = 60) -> None:
    """Hand in what was not acknowledged yet, one after the other, each source's versions in order."""
    done = len(acknowledged.read_text().splitlines()) if acknowledged.exists() else 0
    for number, (source, content) in enumerate(SOURCES):
        if number < done:
            continue
        if any(earlier == source for earlier, _ in SOURCES[:number]):
            assert ingestion.wait_idle(wait_s)
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            ingestion.accept(Path(file.name), source=source, principal=ARCHIVIST)
        with acknowledged.open("a") as stream:
            stream.write(f"{source}\n")


def end_state(settings: Settings) -> dict[str, Any]:
    """What ledger, index and archive hold, in a form that two runs can be compared by. The instance must be closed."""
    embedder = HashEmbedder(32)
    index = EdgePassageIndex.open(
        settings.home / "index", embedder_fingerprint=embedder.fingerprint, dimension=embedder.dimension
    )
    archive = sqlite3.connect(settings.home / "archive" / "archive.db")
    ledger = Ledger(settings.home / "ledger.db", url=settings.database.url)
    try:
        documents = {
            status.source: [
                status.document_id, status.version, status.state.value, status.category, status.reason, status.passages,
                status.label, index.count(status.document_id, status.version),
            ]
            for status in sorted(ledger.statuses(), key=lambda status: status.source)
        }  # fmt: skip
        texts = archive.execute(
            "SELECT document_id, version, label, checksum FROM documents ORDER BY document_id"
        ).fetchall()
        pages = archive.execute("SELECT COUNT(*) FROM pages").fetchone()[0]
        return {
            "documents": documents,
            "passages in the index": index.passage_count(ARCHIVIST),
            "texts": texts,
            "pages": pages,
            "originals": sorted(
                (path.name, hashlib.sha256(path.read_bytes()).hexdigest() == path.name)
                for path in (settings.home / "archive" / "originals").rglob("*")
                if path.is_file() and not path.name.startswith(".")
            ),
            "work left": sorted(path.name for path in (settings.home / "work").glob("*")),
        }
    finally:
        ledger.close()
        archive.close()
        index.close()


def import_everything(folder: Path) -> None:
    """Read each source once, and import the queue's libraries, so that children made by fork need not do so each time."""
    import dbos  # noqa: F401

    for number, (source, content) in enumerate(SOURCES):
        file = folder / f"warm-{number}{Path(source).suffix}"
        file.write_bytes(content)
        parse_in_process(file, folder / "warm", file_name=source, settings=ParsingSettings(), on_progress=None)


def in_child(work: Callable[[], object], *, kill_after_s: float | None = None) -> int:
    """Run `work` in a forked child; 0, its exit status, or minus the signal that ended it. Nothing may be open here."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    _, ending = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ending)


class Counted:
    """Listens to side effects and counts each name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        self.counts[name] += 1


class KillAt(Counted):
    """Ends the process by SIGKILL before the side effect `name` happens for the `number`-th time (1-based)."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__()
        self._at = (name, number)

    def __call__(self, name: str) -> None:
        super().__call__(name)
        if (name, self.counts[name]) == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def whole_run(settings: Settings, listener: side_effects.Listener | None = None, counts: Path | None = None) -> None:
    """Open, hand in what is missing, wait until all is settled, close."""
    side_effects.stop_listening()
    if listener is not None:
        side_effects.listen(listener)
    with open_world(settings) as ingestion:
        hand_in(ingestion, settings.home.parent / "acknowledged")
        assert ingestion.wait_idle(60), [s.reason for s in ingestion.documents(ARCHIVIST)]
    if counts is not None and isinstance(listener, Counted):
        counts.write_text(json.dumps(listener.counts))
