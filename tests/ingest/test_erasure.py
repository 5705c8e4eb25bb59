"""Erasure in a real instance: every byte of every file is searched for the words afterwards."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest

from assistant.access import Label, Role
from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.conversations import TurnState
from assistant.errors import Conflict, Forbidden, NotFound
from assistant.receipts import ErasureReceipt, canonical, check_fields, check_file
from assistant.service.wire import plain
from assistant.types import DocumentState, DocumentStatus
from ingest.build import EmbeddedIngestion
from ingest.ledger import Ledger
from tests.instances import run_assistant
from tests.worlds import ARCHIVIST, ROOT, child_environment, instance_file, reader

WORDS = (
    "zyzomys", "pedunculatus", "quokkacendre",  # in the text, a heading, the title
    "جربوعنادر", "زبابةقزمة",  # in the text, the title
    "wombatrevenue", "numbatfolder", "bilbyname", "quollsidecar",  # in the text, the folder, the file name, the sidecar
)  # fmt: skip
TEXT = (
    "<html><head><title>Note quokkacendre زبابةقزمة</title></head><body><h1>Des pedunculatus</h1>"
    "<p>Le délai zyzomys est de trente jours à compter de la notification de la décision.</p>"
    "<p>The wombatrevenue shall be declared within thirty days of the decision.</p>"
    "<p>المدة المحددة في جربوعنادر هي ثلاثون يوما من تاريخ التبليغ</p></body></html>"
)
SIDECAR = 'title = "Note quokkacendre زبابةقزمة"  # quollsidecar\n'


@contextmanager
def instance(folder: Path, *, working: bool = True) -> Iterator[Parts]:
    file = folder / "instance.toml"
    settings = load_settings(file if file.exists() else instance_file(folder))
    with opened(settings) as parts:
        if working:
            parts.ingestion.start()
        yield parts


def hand_in(parts: Parts, folder: Path, name: str, content: str | bytes, **more: object) -> DocumentStatus:
    file = folder / "incoming"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    arguments = {"source": f"/in/{name}", "principal": ARCHIVIST, "label": Label.parse("public")} | more
    status = parts.ingestion.accept(file, **arguments)  # type: ignore[arg-type]
    file.unlink()
    assert parts.ingestion.wait_idle(120)
    return parts.ingestion.document(status.document_id, ARCHIVIST)


def plant(parts: Parts, folder: Path) -> DocumentStatus:
    """A document in two versions whose every part has a word of its own, among others that stay."""
    for number in range(3):
        hand_in(parts, folder, f"other-{number}.html", f"<p>Une note ordinaire, numéro {number}, sur les congés.</p>")
    place = "numbatfolder/bilbyname.html"
    hand_in(parts, folder, place, TEXT.replace("trente", "vingt"))
    status = hand_in(parts, folder, place, TEXT)
    hand_in(parts, folder, "last.html", "<p>Une dernière note ordinaire sur les congés.</p>")
    assert status.state is DocumentState.DONE
    return status


def words_in(folder: Path) -> dict[str, list[str]]:
    """Word → the files that hold it in any form, also inside compressed streams."""
    found: dict[str, list[str]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            content = b"\n".join(_with_streams(_dense(file.read_bytes()))).lower()
        except FileNotFoundError:  # the purge has just removed it
            continue
        for word in WORDS:
            escaped = json.dumps(word)[1:-1]
            forms = {word.encode(), word.encode("utf-16-le"), escaped.encode(), quote(word).lower().encode()}
            if any(form in content for form in forms) or word.encode() in str(file.name).encode():
                found.setdefault(word, []).append(str(file.relative_to(folder)))
    return found


def _dense(content: bytes) -> bytes:
    """Without the long runs of one byte that files allocated in advance, and the log's fillers, are made of."""
    return content.replace(b"\0" * 4096, b"").replace(b"0" * 4096, b"")


def _with_streams(content: bytes) -> Iterator[bytes]:
    yield content
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", content):
        try:
            yield zlib.decompressobj().decompress(content[match.start() :], 1 << 20)
        except zlib.error:
            continue


def eraser_of(parts: Parts) -> EmbeddedIngestion:
    assert isinstance(parts.ingestion, EmbeddedIngestion)
    return parts.ingestion


def keep_an_answer(parts: Parts, question: str) -> str:
    """The id of a conversation with this question and its answer in it."""
    conversation = parts.conversations.create(ARCHIVIST).id
    opened = parts.conversations.begin(conversation, ARCHIVIST, question, searched=question)
    parts.conversations.finish(opened, TurnState.DONE, parts.assistant.ask(question, ARCHIVIST))
    return conversation


def test_no_word_of_an_erased_document_is_left_in_any_file(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        status = plant(parts, tmp_path)
        amended = hand_in(parts, tmp_path, "numbatfolder/bilbyname.html", TEXT, sidecar=SIDECAR.encode())
        assert amended.state is DocumentState.DONE
        conversation = keep_an_answer(parts, "Quel est le délai à compter de la notification de la décision ?")
        assert "zyzomys" in str(parts.conversations.one(conversation, ARCHIVIST))
        before = words_in(tmp_path / "data")
        assert set(WORDS) <= set(before), "words that were nowhere prove nothing"
        receipt = parts.ingestion.remove(status.document_id, ARCHIVIST)
        assert words_in(tmp_path / "data") == {}, "while the instance runs"
        assert "zyzomys" not in str(list(parts.conversations._turns(conversation)))
        assert receipt.stores == ("index", "archive", "ledger", "conversations", "gold questions")
        assert receipt.passages > 0
        assert not parts.index.readable(status.document_id), "its key in the index"
        assert parts.archive.holdings(status.document_id, ()).keys == 0, "its key in the archive"
        assert parts.ingestion.counts(ARCHIVIST)[DocumentState.DONE] == 4
        with pytest.raises(NotFound):
            parts.ingestion.document(status.document_id, ARCHIVIST)
    assert words_in(tmp_path / "data") == {}, "after it ended"


def test_purge_record_follows_when_vectors_are_out_of_the_files(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        status = plant(parts, tmp_path)
        receipt = parts.ingestion.remove(status.document_id, ARCHIVIST)
        records: list[dict[str, object]] = []
        deadline = time.monotonic() + 60
        while not records and time.monotonic() < deadline:
            time.sleep(0.1)
            found = [json.loads(file.read_bytes()) for file in (tmp_path / "data/receipts").glob("*.json")]
            records = [record for record in found if record["format"] == "assistant/purge-record/1"]
        assert records[0]["covers"] == [receipt.receipt_id]
        assert check_fields(records[0], parts.ingestion.receipt_key()).valid
        gone = status.document_id.encode()
        index = tmp_path / "data/index"
        assert [file for file in index.rglob("*") if file.is_file() and gone in file.read_bytes()] == []


def test_receipt_says_what_was_erased_and_names_nothing(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        status = plant(parts, tmp_path)
        receipt = parts.ingestion.remove(status.document_id, ARCHIVIST)
        key = parts.ingestion.receipt_key()
    assert (receipt.document_id, receipt.erased_by, receipt.number) == (status.document_id, ARCHIVIST.id, 1)
    assert len(receipt.versions) == 2
    assert receipt.originals == (status.version,), "the earlier original went when the new version took its place"
    assert (receipt.texts, receipt.passages, receipt.keys) == (1, status.passages, 2)
    content = (tmp_path / f"data/receipts/{receipt.receipt_id}.json").read_bytes()
    assert content == canonical(plain(receipt))
    assert check_file(content, key).valid
    assert not [word for word in WORDS if word in content.decode()]
    assert (tmp_path / "data/keys/receipts.key").stat().st_mode & 0o777 == 0o600


def test_receipts_are_chained_and_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        ids = [hand_in(parts, tmp_path, f"{n}.html", f"<p>Note {n} sur les congés.</p>").document_id for n in range(2)]
        first, second = (parts.ingestion.remove(document_id, ARCHIVIST) for document_id in ids)
        assert second.previous == _sha256(canonical(plain(first)))
        assert parts.ingestion.receipts(ARCHIVIST) == (second, first)
    connection = sqlite3.connect(tmp_path / "data/receipts.db")
    for statement in ("UPDATE records SET label = 'x'", "DELETE FROM records"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


def test_only_archivists_erase_and_read_receipts_and_only_of_what_they_may_know(tmp_path: Path) -> None:
    clerk, weak = reader("secret/tax,health"), reader("public", Role.READER, Role.ARCHIVIST)
    with instance(tmp_path) as parts:
        status = hand_in(parts, tmp_path, "a.html", "<p>Note sur les congés.</p>", label=Label.parse("restricted/tax"))
        with pytest.raises(Forbidden):
            parts.ingestion.remove(status.document_id, clerk)
        with pytest.raises(NotFound):
            parts.ingestion.remove(status.document_id, weak)
        parts.ingestion.remove(status.document_id, ARCHIVIST)
        assert parts.ingestion.receipts(weak) == ()
        with pytest.raises(Forbidden):
            parts.ingestion.receipts(clerk)


def test_document_at_work_is_not_erased(tmp_path: Path) -> None:
    with instance(tmp_path, working=False) as parts:
        (tmp_path / "file").write_text("Note sur les congés.")
        status = parts.ingestion.accept(tmp_path / "file", source="/in/a.txt", principal=ARCHIVIST)
        assert eraser_of(parts)._ledger.take() is not None
        with pytest.raises(Conflict, match="being worked on"):
            parts.ingestion.remove(status.document_id, ARCHIVIST)
        assert eraser_of(parts)._receipts.intents() == ()
        assert parts.ingestion.receipts(ARCHIVIST) == ()


def test_document_on_hold_is_not_erased(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    status = ledger.receive(source="/in/a", version="v", file_name="a", given_label="", sidecar="", received_by="x")
    with ledger._database.writing() as connection:
        columns = {row["name"] for row in connection.execute("PRAGMA table_info(documents)")}
        if "hold" not in columns:
            connection.execute("ALTER TABLE documents ADD COLUMN hold TEXT NOT NULL DEFAULT ''")
        connection.execute("UPDATE documents SET hold = 'affaire 12'")
    with pytest.raises(Conflict, match="on legal hold"):
        ledger.mark_for_erasure([status.document_id])
    assert ledger.status(status.document_id).state is DocumentState.RECEIVED


def mail(parts: Parts, folder: Path) -> tuple[DocumentStatus, DocumentStatus]:
    """A mail with a planted name and its attachment."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "numbatfolder"
    message.set_content("Voici la note sur les zyzomys de la direction des congés.")
    message.add_attachment(b"Annexe sur les jours de formation du personnel.", "text", "plain", filename="annexe.txt")
    carrier = hand_in(parts, folder, "numbatfolder/bilbyname.eml", message.as_bytes())
    attached = [d for d in parts.ingestion.documents(ARCHIVIST) if "!/" in d.source]
    assert len(attached) == 1
    return carrier, attached[0]


def test_attachment_stays_without_its_carriers_name(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        carrier, attached = mail(parts, tmp_path)
        receipt = parts.ingestion.remove(carrier.document_id, ARCHIVIST)
        assert (receipt.attachments_left, receipt.attachments_erased) == ((attached.document_id,), ())
        left = parts.ingestion.document(attached.document_id, ARCHIVIST)
        assert left.source == f"erased:{carrier.document_id}!/annexe.txt"
        assert parts.archive.document(attached.document_id, ARCHIVIST).source == left.source
        assert parts.archive.intact(attached.document_id, left.version)
        assert words_in(tmp_path / "data") == {}


def test_attachment_goes_with_its_carrier_when_asked(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        carrier, attached = mail(parts, tmp_path)
        receipt = parts.ingestion.remove(carrier.document_id, ARCHIVIST, with_attachments=True)
        assert (receipt.attachments_left, receipt.attachments_erased) == ((), (attached.document_id,))
        assert parts.ingestion.documents(ARCHIVIST) == ()
        assert {r.document_id for r in parts.ingestion.receipts(ARCHIVIST)} == {
            carrier.document_id,
            attached.document_id,
        }
        assert parts.index.held() == {}


def test_same_document_can_be_handed_in_again_after_its_erasure(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        first = hand_in(parts, tmp_path, "a.html", TEXT)
        parts.ingestion.remove(first.document_id, ARCHIVIST)
        again = hand_in(parts, tmp_path, "a.html", TEXT)
        assert again.state is DocumentState.DONE
        assert parts.archive.document(again.document_id, ARCHIVIST).text
        receipt = parts.ingestion.remove(again.document_id, ARCHIVIST)
        assert parts.ingestion.receipts(ARCHIVIST)[0] == receipt
        assert len(parts.ingestion.receipts(ARCHIVIST)) == 2


STEPS = (
    "assistant.index.edge:EdgePassageIndex.erase",
    "assistant.archive:Archive.erase",
    "assistant.archive:Archive._remove_version",
    "ingest.ledger:Ledger.mark_for_erasure",
    "ingest.ledger:Ledger.forget",
    "ingest.ledger:Ledger.scrub",
    "ingest.receipts:Receipts.intend",
    "ingest.receipts:Receipts.conclude",
    "ingest.receipts:Receipts._write_file",
)
KILLED = """
import importlib, os, sys
from pathlib import Path
from tests.ingest.test_erasure import instance
from tests.worlds import ARCHIVIST
place, when, folder, document_id = sys.argv[1:]
module, _, name = place.partition(":")
owner, _, method = name.partition(".")
cls = getattr(importlib.import_module(module), owner)
real = getattr(cls, method)
def killed(*arguments, **named):
    if when == "after":
        real(*arguments, **named)
    os.kill(os.getpid(), 9)
with instance(Path(folder), working=False) as parts:
    setattr(cls, method, killed)
    parts.ingestion.remove(document_id, ARCHIVIST)
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DocumentStatus]:
    folder = tmp_path_factory.mktemp("planted")
    with instance(folder) as parts:
        return folder, plant(parts, folder)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("place", STEPS)
def test_killed_at_any_step_ends_as_if_it_had_not_been(
    tmp_path: Path, planted: tuple[Path, DocumentStatus], place: str, when: str
) -> None:
    source, status = planted
    subprocess.run(["cp", "-a", "--sparse=always", f"{source}/data", str(tmp_path)], check=True)
    instance_file(tmp_path)
    finished = subprocess.run(
        [sys.executable, "-c", KILLED, place, when, str(tmp_path), status.document_id],
        cwd=ROOT, env=child_environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
    )  # fmt: skip
    assert finished.returncode == -signal.SIGKILL, finished.stderr
    with instance(tmp_path) as parts:
        receipts = parts.ingestion.receipts(ARCHIVIST)
        if (place, when) == (STEPS[6], "before"):
            assert receipts == (), "nothing had been promised yet"
            assert parts.ingestion.document(status.document_id, ARCHIVIST).state is DocumentState.DONE
            return
        assert [receipt.document_id for receipt in receipts] == [status.document_id]
        assert (receipts[0].passages, receipts[0].originals) == (status.passages, (status.version,))
        assert check_file(_file(tmp_path, receipts[0]).read_bytes(), parts.ingestion.receipt_key()).valid
        assert words_in(tmp_path / "data") == {}
        assert len(parts.ingestion.documents(ARCHIVIST)) == 4
        assert parts.ingestion.wait_idle(60)
    with instance(tmp_path) as parts:
        assert parts.ingestion.receipts(ARCHIVIST) == receipts, "once, however often it is started"


def test_receipt_is_checked_on_another_machine_with_the_key_alone(tmp_path: Path) -> None:
    with instance(tmp_path) as parts:
        receipt = parts.ingestion.remove(hand_in(parts, tmp_path, "a.html", TEXT).document_id, ARCHIVIST)
    key = run_assistant(tmp_path / "instance.toml", "ingest", "receipt", "public-key")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "key.pem").write_text(key.stdout)
    file = elsewhere / "receipt.json"
    file.write_bytes(_file(tmp_path, receipt).read_bytes())
    command = [sys.executable, "-m", "assistant.cli", "ingest", "receipt", "verify", str(file)]
    environment = child_environment(PYTHONPATH=str(ROOT), HOME=str(elsewhere))
    good = subprocess.run(
        [*command, "--public-key", "key.pem", "--json"], cwd=elsewhere, env=environment, capture_output=True, text=True
    )
    assert (good.returncode, json.loads(good.stdout)["valid"]) == (0, True), good.stderr
    file.write_bytes(file.read_bytes().replace(b'"passages":', b'"passages":1', 1))
    bad = subprocess.run(
        [*command, "--public-key", "key.pem"], cwd=elsewhere, env=environment, capture_output=True, text=True
    )
    assert bad.returncode == 1
    assert "changed" in bad.stdout
    assert not (elsewhere / "data").exists()


def _file(folder: Path, receipt: ErasureReceipt) -> Path:
    return folder / f"data/receipts/{receipt.receipt_id}.json"


def _sha256(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()
