"""What Outlook packs into `winmail.dat`: the message's files are not lost in it."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from ingest.parsing import detect_media_type
from ingest.tnef import packed_mail
from tests.ingest.outlook_files import packed
from tests.ingest.reading import blocks, parsed, rejected, written

FRENCH = "Le conseil municipal se réunit jeudi à dix-huit heures."
ARABIC = "يجتمع المجلس يوم الخميس في الساعة السادسة مساء."
ENGLISH = "The council meets on Thursday at six in the evening."


def carrier(text: str, content: bytes, *, name: str = "winmail.dat", kind: str = "ms-tnef") -> bytes:
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = (
        "a@montclair.example",
        "Ordre du jour",
        "Mon, 13 May 2024 09:00:00 +0200",
    )
    made.set_content(text or "\n")
    made.add_attachment(content, "application", kind, filename=name)
    return bytes(made)


@pytest.mark.parametrize(("text", "code_page"), [(FRENCH, 1252), (ARABIC, 1256), (ENGLISH, 1252), (ARABIC, 1252)])
def test_packed_message_gives_head_body_date_and_files(tmp_path: Path, text: str, code_page: int) -> None:
    texts = {0x0037: text[:20], 0x1000: text, 0x0C1A: "Claire", 0x0C1F: "claire@montclair.example", 0x0E04: "Équipe"}
    content = packed(texts, files=[("note de synthèse.txt", b"texte")], code_page=code_page)
    path = written(tmp_path / "winmail.dat", content)
    assert detect_media_type(path) == "application/ms-tnef"
    result = parsed(path)
    assert (result.title, result.date, result.document_type) == (text[:20].strip(), "2024-05-12", "mail")
    assert result.text.startswith("From: Claire <claire@montclair.example>\nTo: Équipe\nDate: ")
    assert text in result.text
    assert [one.file_name for one in result.attachments] == ["note de synthèse.txt"]
    assert result.attachments[0].path.read_bytes() == b"texte"


@pytest.mark.parametrize("kind", ["ms-tnef", "vnd.ms-tnef", "octet-stream"])
def test_files_packed_into_a_message_are_files_of_that_message(tmp_path: Path, kind: str) -> None:
    content = packed({0x1000: FRENCH}, files=[("a.txt", b"un"), ("b.txt", b"deux")])
    result = parsed(written(tmp_path / "a.eml", carrier(FRENCH, content, kind=kind)))
    assert [one.file_name for one in result.attachments] == ["a.txt", "b.txt"]
    assert result.text.count(FRENCH) == 1, "what the packed part says again is not said twice"


def test_message_whose_words_are_only_in_the_packed_part_has_them(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.eml", carrier("", packed({0x1000: ARABIC}))))
    assert blocks(result)[-1] == ("paragraph", ARABIC)
    assert result.attachments == ()


def test_message_packed_into_a_packed_message_is_a_message_of_its_own(tmp_path: Path) -> None:
    inner = packed({0x0037: "Réponse", 0x1000: FRENCH}, files=[("plan.txt", b"plan")])
    result = parsed(written(tmp_path / "a.eml", carrier(ENGLISH, packed({0x1000: ENGLISH}, inner=inner))))
    (child,) = result.attachments
    assert child.file_name == "Réponse.eml"
    read = parsed(written(tmp_path / "b.eml", child.path.read_bytes()))
    assert FRENCH in read.text
    assert [one.file_name for one in read.attachments] == ["plan.txt"]


def test_damaged_packed_part_stays_a_file_that_is_told_to_be_damaged(tmp_path: Path) -> None:
    whole = packed({0x1000: FRENCH}, files=[("a.txt", b"un" * 500)])
    result = parsed(written(tmp_path / "a.eml", carrier(FRENCH, whole[:-300])))
    (child,) = result.attachments
    assert child.file_name == "winmail.dat"
    refused = rejected(written(tmp_path / "b.dat", child.path.read_bytes()))
    assert (refused.category, refused.message[:45]) == ("damaged", "the message packed by Outlook (winmail.dat) i")


def test_packed_message_cut_anywhere_raises_nothing_but_a_value_error() -> None:
    whole = packed({0x0037: "Avis", 0x1000: FRENCH}, files=[("a.txt", b"un")], inner=packed({0x1000: ARABIC}))
    unread = 0
    for end in range(4, len(whole)):
        try:
            packed_mail(whole[:end])
        except ValueError:
            unread += 1
    assert unread > len(whole) * 0.9
