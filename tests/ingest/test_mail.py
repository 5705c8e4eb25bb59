"""Mail of every kind: Outlook messages, mailboxes, web archives, messages inside messages."""

from __future__ import annotations

from email.message import EmailMessage, Message
from email.mime.application import MIMEApplication
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from ingest.outlook import unpacked_rtf
from ingest.parsing import Parsed, detect_media_type
from tests.ingest.outlook_files import compound_file, message
from tests.ingest.reading import blocks, isolated, parsed, rejected, written

ARABIC = "يفتح المكتب على الساعة الثامنة."
FRENCH = "La séance est reportée à jeudi."


def mail(subject: str, text: str, page: str = "") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "a@montclair.example", "b@montclair.example", subject
    made["Date"] = "Tue, 14 May 2024 09:00:00 +0200"
    made.set_content(text)
    if page:
        made.add_alternative(page, subtype="html")
    return made


def test_outlook_message_gives_head_body_date_and_attachments(tmp_path: Path) -> None:
    inner = message({0x0037: "Réponse", 0x1000: FRENCH}, embedded=True)
    texts = {
        0x0037: "موعد الاجتماع",
        0x1000: ARABIC,
        0x0C1A: "Claire",
        0x0C1F: "claire@montclair.example",
        0x0E04: "Équipe",
    }
    path = compound_file(tmp_path / "a.msg", message(texts, attachments=[("note 1.txt", b"texte")], inner=inner))
    assert detect_media_type(path) == "application/vnd.ms-outlook"
    result = parsed(path)
    assert (result.title, result.language, result.date) == ("موعد الاجتماع", "ar", "2024-05-12")
    assert result.text.startswith("From: Claire <claire@montclair.example>\nTo: Équipe\nDate: ")
    assert ARABIC in result.text
    first, second = result.attachments
    assert first.file_name == "note 1.txt"
    assert second.file_name == "Réponse.eml"


def test_message_inside_an_outlook_message_is_read_as_a_message(tmp_path: Path) -> None:
    inner = message({0x0037: "Réponse", 0x1000: FRENCH}, embedded=True)
    path = compound_file(tmp_path / "a.msg", message({0x0037: "Tr", 0x1000: ARABIC}, inner=inner))
    child = parsed(path).attachments[0]
    assert FRENCH in parsed(written(tmp_path / "b.eml", child.path.read_bytes())).text


def test_outlook_message_that_is_a_page_shows_what_the_page_shows(tmp_path: Path) -> None:
    page = f'<html><meta charset="windows-1252"><p>{FRENCH}</p><p style="display:none">caché</p></html>'.encode(
        "cp1252"
    )
    result = parsed(compound_file(tmp_path / "a.msg", message({0x0037: "Avis"}, page=page)))
    assert blocks(result) == [("paragraph", FRENCH)]
    assert result.warnings == ("5 characters of hidden text were left out",)


def test_truncated_outlook_message_is_damaged(tmp_path: Path) -> None:
    whole = compound_file(tmp_path / "a.msg", message({0x0037: "Avis", 0x1000: FRENCH * 2000})).read_bytes()
    assert rejected(written(tmp_path / "b.msg", whole[: len(whole) // 2])).category == "damaged"


def test_packed_rtf_of_the_specification_is_unpacked() -> None:
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert unpacked_rtf(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def test_plain_text_of_a_mail_comes_before_its_page(tmp_path: Path) -> None:
    both = mail("Avis", f"{FRENCH}\n", f"<p>{FRENCH} (page)</p>")
    assert blocks(parsed(written(tmp_path / "a.eml", both.as_bytes()))) == [("paragraph", FRENCH)]


def test_page_is_read_where_the_plain_text_only_says_that_there_is_one(tmp_path: Path) -> None:
    both = mail("Avis", "Voir la page.\n", f"<h1>Avis</h1><p>{FRENCH} {FRENCH} {FRENCH}</p>")
    assert ("heading", "Avis") in blocks(parsed(written(tmp_path / "a.eml", both.as_bytes())))


def test_message_carried_by_a_message_is_a_child(tmp_path: Path) -> None:
    outer = mail("Tr : Avis", "Voir ci-joint.\n")
    outer.add_attachment(mail("Avis / important", f"{FRENCH}\n"))
    result = parsed(written(tmp_path / "a.eml", outer.as_bytes()))
    assert [a.file_name for a in result.attachments] == ["Avis  important.eml"]
    assert FRENCH in parsed(written(tmp_path / "b.eml", result.attachments[0].path.read_bytes())).text


def test_mailbox_is_a_container_of_its_messages(tmp_path: Path) -> None:
    first, second = mail("Un", f"{FRENCH}\n\n>From ici on compte.\nFrom là aussi.\n"), mail("اثنان", f"{ARABIC}\n")
    content = b"".join(
        b"From a@montclair.example Tue May 14 09:00:00 2024\n" + one.as_bytes() + b"\n" for one in (first, second)
    )
    path = written(tmp_path / "a.mbox", content)
    assert detect_media_type(path) == "application/mbox"
    result = parsed(path)
    assert (result.container, result.text) == (True, "")
    assert [a.file_name for a in result.attachments] == ["00001 Un.eml", "00002 اثنان.eml"]
    assert all(a.own_label for a in result.attachments)
    assert "From ici on compte." in parsed(written(tmp_path / "b.eml", result.attachments[0].path.read_bytes())).text
    assert ARABIC in parsed(written(tmp_path / "c.eml", result.attachments[1].path.read_bytes())).text
    apart = isolated(path, file_name="a.mbox")
    assert isinstance(apart, Parsed)
    assert apart.container


@pytest.mark.parametrize("charset", ["utf-8", "windows-1256"])
def test_web_archive_is_read_as_the_page_it_holds(tmp_path: Path, charset: str) -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "<Saved by Blink>", "Horaires"
    made["Snapshot-Content-Location"] = "https://montclair.example/horaires"
    made["MIME-Version"] = "1.0"
    page = f"<html><body><h1>Horaires</h1><p>{ARABIC}</p><p hidden>caché</p></body></html>"
    made.set_content(page, subtype="html", charset=charset)
    made.add_related(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    path = written(tmp_path / "a.mht", made.as_bytes())
    assert detect_media_type(path) == "application/x-mimearchive"
    result = parsed(path)
    assert (result.title, result.attachments) == ("Horaires", ())
    assert blocks(result) == [("heading", "Horaires"), ("paragraph", ARABIC)]
    assert result.warnings == ("5 characters of hidden text were left out",)


# --- every part is read or carried, however deep it lies -----------------------------------------------------------


def sent(made: Message, subject: str = "Avis") -> bytes:
    made["From"], made["To"], made["Date"] = (
        "a@montclair.example",
        "b@montclair.example",
        "Tue, 14 May 2024 09:00:00 +0200",
    )
    if subject:
        made["Subject"] = subject
    return made.as_bytes()


def together(kind: str, *parts: Message) -> MIMEMultipart:
    made = MIMEMultipart(kind)
    for part in parts:
        made.attach(part)
    return made


def text(words: str, kind: str = "plain", *, file_name: str = "", disposition: str = "attachment") -> MIMEText:
    made = MIMEText(words, kind, "utf-8")
    if file_name:
        made.add_header("Content-Disposition", disposition, filename=file_name)
    return made


def carried_names(path: Path) -> list[str]:
    return [attachment.file_name for attachment in parsed(path).attachments]


def test_file_of_a_signed_message_is_carried(tmp_path: Path) -> None:
    signature = MIMEApplication(b"0\x82\x00", "pkcs7-signature", name="smime.p7s")
    signed = together("signed", together("mixed", text(FRENCH), text(ARABIC, file_name="piece.txt")), signature)
    assert carried_names(written(tmp_path / "a.eml", sent(signed))) == ["piece.txt"]


def test_file_in_a_wrapped_message_is_carried_and_what_the_list_added_is_read(tmp_path: Path) -> None:
    inner = together("mixed", text(FRENCH), text("a", file_name="dedans.txt"))
    wrapped = together("mixed", inner, text("b", file_name="dehors.txt"), text("Vous êtes abonné à cette liste."))
    path = written(tmp_path / "a.eml", sent(wrapped))
    assert carried_names(path) == ["dedans.txt", "dehors.txt"]
    assert blocks(parsed(path)) == [("paragraph", FRENCH), ("paragraph", "Vous êtes abonné à cette liste.")]


def test_file_inside_one_form_of_the_text_is_carried_and_the_text_read_once(tmp_path: Path) -> None:
    page = together("mixed", text(f"<p>{FRENCH}</p>", "html"), text("a", file_name="a.txt", disposition="inline"))
    path = written(tmp_path / "a.eml", sent(together("alternative", text(FRENCH), page)))
    assert carried_names(path) == ["a.txt"]
    assert blocks(parsed(path)) == [("paragraph", FRENCH)]


@pytest.mark.parametrize("subject", ["Numérisation", ""])
def test_message_that_is_nothing_but_its_file_carries_it(tmp_path: Path, subject: str) -> None:
    scan = MIMEApplication(b"%PDF-1.4", "pdf")
    scan.add_header("Content-Disposition", "attachment", filename="scan.pdf")
    path = written(tmp_path / "a.eml", sent(scan, subject))
    assert carried_names(path) == ["scan.pdf"]
    assert blocks(parsed(path)) == [("paragraph", subject or "scan.pdf")]


def test_messages_of_a_digest_are_children(tmp_path: Path) -> None:
    digest = together("digest", *(MIMEMessage(mail(f"Avis {n}", FRENCH)) for n in (1, 2)))
    path = written(tmp_path / "a.eml", sent(together("mixed", text("Sommaire"), digest)))
    assert carried_names(path) == ["Avis 1.eml", "Avis 2.eml"]


def test_empty_file_of_a_message_is_handed_in_and_not_forgotten(tmp_path: Path) -> None:
    path = written(tmp_path / "a.eml", sent(together("mixed", text(FRENCH), text("", file_name="vide.txt"))))
    assert carried_names(path) == ["vide.txt"]


def test_logo_in_a_page_is_no_document_and_a_pasted_scan_is_one(tmp_path: Path) -> None:
    logo, scan = (
        MIMEImage(b"\x89PNG\r\n\x1a\n" + bytes(size), "png", name=name)
        for name, size in (("l.png", 9), ("s.png", 60_000))
    )
    page = together("related", text(f"<p>{FRENCH}</p>", "html"), logo, scan)
    assert carried_names(written(tmp_path / "a.eml", sent(page))) == ["s.png"]


def test_heads_written_without_an_encoding_are_read_as_their_bytes_look(tmp_path: Path) -> None:
    raw = "From: Préfecture <p@montclair.example>\nTo: b@montclair.example\nSubject: Arrêté préfectoral\n\nL'arrêté est signé."
    result = parsed(written(tmp_path / "a.eml", raw.encode("latin-1")))
    assert (result.title, result.author) == ("Arrêté préfectoral", "Préfecture")


@pytest.mark.parametrize(
    ("kind", "name"),
    [("pkcs7-signature", "smime.p7s"), ("pgp-signature", ""), ("octet-stream", "signature.asc")],
)
def test_signature_of_a_mail_is_no_document_and_said_so(tmp_path: Path, kind: str, name: str) -> None:
    signed = MIMEMultipart("signed")
    signed.attach(MIMEText(FRENCH))
    signed.attach(MIMEApplication(b"-----BEGIN PGP SIGNATURE-----", kind, **({"name": name} if name else {})))
    result = parsed(written(tmp_path / "a.eml", signed.as_bytes()))
    assert blocks(result) == [("paragraph", FRENCH)]
    assert result.attachments == ()
    assert result.warnings == ("the message is signed; its electronic signature was left out and not checked",)
