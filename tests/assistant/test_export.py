"""Exported files, opened again: what is in them, in which direction, and that text stays text."""

from __future__ import annotations

import io
import re
import shutil
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import docx
import pypdfium2
import pytest

from assistant.changes import Change, Compared, Comparison, Side
from assistant.conversations import ReadDocument, Turn, TurnKind, TurnState
from assistant.errors import ServiceUnavailable
from assistant.export import exported, office, sheet_of
from assistant.export.markdown import escaped
from assistant.types import Document, Verdict
from tests.assistant.test_conversations import answer_of
from tests.conftest import needed
from tests.worlds import INTERNAL, PUBLIC, RESTRICTED_TAX, document

ATTACK = '<b>gras</b> =HYPERLINK("http://x.example") ![x](http://x.example/a.png) [lien](javascript:1) \x00\x1b[31m\u202e fin.'
FRENCH = document("Le délai est de trente jours à compter de la réception.", name="note.txt", label=INTERNAL)
HOSTILE = document(ATTACK, name="hostile.txt", label=PUBLIC)
ARABIC = document(
    "الأجل هو ثلاثون يوما من تاريخ التبليغ وفق المادة 12.", name="taamim.txt", label=RESTRICTED_TAX, language="ar"
)


def turn(
    *documents: Document, number: int = 1, question: str = "Quel délai ?", language: str = "fr", **more: object
) -> Turn:
    answer = answer_of(*documents, language=language)
    answer = replace(answer, label=str(documents[0].label))
    made = Turn(number, question, question, TurnState.DONE, "2026-11-23T10:00:00+00:00", answer)
    return replace(made, **more)  # type: ignore[arg-type]


def made(format_: str, *turns: Turn) -> bytes:
    return exported(sheet_of("Délais", turns, day="2026-11-23"), format_).content  # type: ignore[arg-type]


def part_of(content: bytes, name: str) -> str:
    return zipfile.ZipFile(io.BytesIO(content)).read(name).decode()


def texts_of(xml: str) -> str:
    return "".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>", xml))


def test_markdown_numbers_footnotes_through_and_names_one_place_once() -> None:
    text = made("md", turn(FRENCH, HOSTILE), turn(HOSTILE, number=2)).decode()
    assert re.findall(r"\[\^(\d)\](?!:)", text) == ["1", "2", "2"]
    assert re.findall(r"^\[\^(\d)\]: (\w+)", text, re.M) == [("1", "note"), ("2", "hostile")]
    assert "p. 1, 12 mars 2024, Interne" in text
    assert text.startswith("**Niveau de diffusion : Interne**\n")
    assert text.endswith("\n\n**Niveau de diffusion : Interne**\n")
    assert "Exporté le 23 novembre 2026" in text
    assert "produite par une machine" in text


def test_markdown_shows_hostile_text_as_text() -> None:
    text = made("md", turn(HOSTILE, question="# <script>")).decode()
    assert re.findall(r"(?<!\\)[<\]!](?!\^|:)", text.replace("[^1]", "")) == []
    for live in ("http:", "\x00", "\x1b", "\u202e"):
        assert live not in text, live
    assert escaped("1. un") == "1\\. un"
    assert escaped("- un") == "\\- un"


def test_word_file_has_real_footnotes_and_its_label_in_header_and_footer() -> None:
    content = made("docx", turn(FRENCH, HOSTILE), turn(ARABIC, number=2, question="ما هو الأجل؟", language="ar"))
    opened = docx.Document(io.BytesIO(content))
    section = opened.sections[0]
    for place in (section.header, section.footer):
        assert place.paragraphs[0].text.startswith("Niveau de diffusion : Restreint / tax")
    body, notes = part_of(content, "word/document.xml"), part_of(content, "word/footnotes.xml")
    assert re.findall(r'<w:footnoteReference w:id="(\d)"/>', body) == ["1", "2", "3"]
    assert re.findall(r'<w:footnote w:id="(\d)"', notes) == ["1", "2", "3"]
    assert "Le délai est de trente jours" in texts_of(notes)
    assert [p.text for p in opened.paragraphs if p.style and p.style.name == "Heading 2"] == [
        "Quel délai ?",
        "ما هو الأجل؟",
    ]
    assert (opened.core_properties.author, opened.core_properties.last_modified_by) == ("", "")


def test_word_file_runs_arabic_from_right_to_left_and_french_from_left() -> None:
    opened = docx.Document(io.BytesIO(made("docx", turn(ARABIC, FRENCH, language="ar"))))
    way = {p.text.strip(): "<w:bidi/>" in p._p.xml for p in opened.paragraphs}
    assert way[ARABIC.text] is True
    assert way[FRENCH.text] is False
    runs = [run for p in opened.paragraphs if p.text.strip() == ARABIC.text for run in p.runs if run.text.strip()]
    assert all(run.font.rtl for run in runs)
    assert "<w:bidi/>" in opened.sections[0]._sectPr.xml


def test_word_file_holds_hostile_text_as_text_only() -> None:
    content = made("docx", turn(HOSTILE))
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    everything = "".join(part_of(content, name) for name in names if name.endswith((".xml", ".rels")))
    assert "<w:hyperlink" not in everything
    assert 'TargetMode="External"' not in everything
    assert re.findall(r'w:instr="(\w+)"', everything) == ["PAGE", "NUMPAGES"]
    assert "&lt;b&gt;gras&lt;/b&gt;" in texts_of(part_of(content, "word/document.xml"))


def test_composed_answer_stopped_answer_and_hidden_sentences_are_said() -> None:
    answer = turn(FRENCH).answer
    assert answer is not None
    sentence = replace(answer.sentences[0], verdict=Verdict.SUPPORTED)
    composed = replace(answer, sentences=(sentence,), model="petit-modèle", withheld=2)
    told = replace(turn(FRENCH), answer=composed, state=TurnState.STOPPED, hidden=3)
    text = made("md", told).decode()
    for words in ("intelligence artificielle \\(petit\\-modèle\\)", "interrompue", "documents : 2", "consultable : 3"):
        assert words in text, words
    assert "Pas de réponse" in made("md", replace(turn(FRENCH), answer=None)).decode()


@pytest.mark.parametrize(
    ("language", "words"),
    [("fr", "Réponse produite par une machine"), ("ar", "جواب أعدّته آلة"), ("en", "Answer produced by a machine")],
)
def test_notice_speaks_the_language_of_the_answer(language: str, words: str) -> None:
    assert words in made("md", turn(FRENCH, language=language)).decode()


def test_answer_of_a_model_is_told_to_be_one_even_where_it_repeats_its_source() -> None:
    repeated = turn(FRENCH)
    assert repeated.answer
    repeated = replace(repeated, answer=replace(repeated.answer, model="mistral"))
    assert "intelligence artificielle \\(mistral\\)" in made("md", repeated).decode()
    assert "mot à mot" in made("md", turn(FRENCH)).decode()


def test_each_turn_is_told_of_in_the_language_of_its_own_answer() -> None:
    arabic = turn(ARABIC, number=2, language="ar", hidden=3, searched="ما هو الأجل في سنة 2023؟")
    for turns in ((turn(FRENCH), arabic), (arabic, turn(FRENCH))):
        text = made("md", *turns).decode()
        assert text.count("جواب أعدّته آلة") == text.count("Réponse produite par une machine") == 1
        assert "consultable" not in text
        assert "Recherche effectuée" not in text


def test_searched_question_is_told_when_it_is_another() -> None:
    assert (
        "Recherche effectuée : Et en 2023 \\(congé\\) ?"
        in made("md", turn(FRENCH, searched="Et en 2023 (congé) ?")).decode()
    )
    assert "Recherche" not in made("md", turn(FRENCH)).decode()


@pytest.mark.system
def test_pdf_has_joined_arabic_from_right_to_left_and_the_label_on_every_page(tmp_path: Path) -> None:
    needed("soffice", "libreoffice-writer")
    turns = [turn(ARABIC, number=n, question=f"ما هو الأجل رقم {n}؟", language="ar") for n in range(1, 60)]
    content = made("pdf", *turns)
    pdf = pypdfium2.PdfDocument(content)
    assert len(pdf) > 1
    for page in pdf:
        assert (
            page.get_textpage().get_text_range().count("داخلي") + page.get_textpage().get_text_range().count("محدود")
            >= 2
        )
    first = pdf[0]
    text = first.get_textpage().get_text_range()
    for words in ("يوما من تاريخ التبليغ وفق المادة", "جواب أعد", "نوفمبر 2026"):
        assert words in text, words
    # Joined letters and lines from the right: the first word stands right of the last.
    searcher = first.get_textpage().search("يوما من تاريخ التبليغ")
    index, count = searcher.get_next()
    boxes = [first.get_textpage().get_charbox(i) for i in range(index, index + count)]
    assert boxes[0][2] > boxes[-1][2] > first.get_width() / 2
    (tmp_path / "arabic.png").write_bytes(_png(first))


def _png(page: pypdfium2.PdfPage) -> bytes:
    target = io.BytesIO()
    page.render(scale=1.5).to_pil().save(target, "PNG")
    return target.getvalue()


def test_fifth_export_at_a_time_is_told_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office.shutil, "which", lambda _: "/bin/true")
    monkeypatch.setattr(office, "_WAITING", threading.Semaphore(0))
    with pytest.raises(ServiceUnavailable, match="try again in a minute"):
        made("pdf", turn(FRENCH))


def test_pdf_without_libreoffice_or_arabic_font_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ServiceUnavailable, match="LibreOffice is missing; export as Word or Markdown"):
        made("pdf", turn(FRENCH))
    where = shutil.which
    monkeypatch.setattr(office.shutil, "which", lambda name: "/bin/true" if name == "soffice" else where(name))
    with pytest.raises(ServiceUnavailable, match="no font with Arabic letters"):
        made("pdf", turn(ARABIC))


def compared() -> Turn:
    """A comparison of the French and the Arabic text, with one change and one addition."""
    answer = answer_of(FRENCH, ARABIC)
    before, after = (Side(each.quote, each.page_number, each) for each in answer.citations)
    texts = [
        Compared(each.id, each.version, each.title, each.file_name, each.language, None, str(each.label), 1)
        for each in (FRENCH, ARABIC)
    ]
    changes = (Change("changed", "Article 1", before, after, moved=True), Change("added", "", None, after))
    found = Comparison(texts[0], texts[1], changes, 0, 0, left_out=3)
    read = tuple(ReadDocument(each.id, each.version, each.title) for each in (FRENCH, ARABIC))
    return Turn(
        1, "", "", TurnState.DONE, "2026-11-23T10:00:00+00:00", kind=TurnKind.CHANGES, read=read, comparison=found
    )


def test_comparison_is_exported_change_by_change_with_both_sides_cited() -> None:
    text = exported(sheet_of("", [compared()], day="2026-11-23"), "md").content.decode()
    assert f"## مقارنة «{FRENCH.title}» و«{ARABIC.title}»" in text
    lines = [line for line in text.split("\n\n") if line.startswith(("1", "2", "قبل", "بعد"))]
    assert [line.partition(" ")[0] for line in lines] == ["1\\.", "قبل:", "بعد:", "2\\.", "بعد:"]
    assert "عُدّل · نُقل · Article 1" in lines[0]
    assert [re.findall(r"\[\^(\d)\]", line) for line in lines] == [[], ["1"], ["2"], [], ["2"]]
    assert "تغييرات أخرى لم تُعرض لكثرتها: 3" in text
    assert text.startswith(f"**مستوى التداول: {'محدود التداول'}")
    assert "مقارنة أعدّتها آلة" in text


def test_comparison_in_word_has_each_side_in_its_own_direction() -> None:
    content = made("docx", compared())
    body = part_of(content, "word/document.xml")
    assert body.count("w:footnoteReference ") == 2
    sides = [part for part in re.findall(r"<w:p>.*?</w:p>", body, re.S) if texts_of(part).startswith(("قبل:", "بعد:"))]
    assert ["w:bidi" in part for part in sides] == [False, True, True]
    assert FRENCH.text.split(".")[0] in texts_of(sides[0])


def test_comparison_that_may_not_be_read_any_more_is_exported_without_its_words() -> None:
    hidden = replace(compared(), comparison=None, read=(ReadDocument("a", "v1"), ReadDocument("", "")), hidden=2)
    text = exported(sheet_of("", [hidden], day="2026-11-23"), "md").content.decode()
    assert "Comparaison de « un document qui n’est plus consultable » et de" in text
    assert "plus consultable : 2" in text
    assert "[^1]" not in text
    assert "Pas de réponse" not in text


def versions_compared() -> Turn:
    """Two versions of one document of the same date."""
    old, new = FRENCH, replace(FRENCH, version="v2-and-more", text=FRENCH.text.replace("trente", "vingt"))
    citations = [replace(answer_of(each).citations[0], version=each.version) for each in (old, new)]
    before, after = (Side(each.quote, each.page_number, each) for each in citations)
    texts = [
        Compared(each.id, each.version, each.title, each.file_name, "fr", "2024-03-12", "internal", 1)
        for each in (old, new)
    ]
    found = Comparison(texts[0], texts[1], (Change("changed", "", before, after),), 0, 0)
    read = tuple(ReadDocument(each.id, each.version, each.title) for each in (old, new))
    asked_at = "2026-11-23T10:00:00+00:00"
    return Turn(1, "", "", TurnState.DONE, asked_at, kind=TurnKind.CHANGES, read=read, comparison=found)


def test_versions_of_one_document_are_told_apart() -> None:
    text = exported(sheet_of("", [versions_compared()], day="2026-11-23"), "md").content.decode()
    assert "Versions comparées : v1 \\(12 mars 2024\\) et v2\\-and\\-m \\(12 mars 2024\\)" in text
    assert re.findall(r"^\[\^\d\]: note, (version \S+),", text, re.M) == ["version v1", "version v2\\-and\\-m"]
    assert "version" not in made("md", turn(FRENCH)).decode()


def test_leads_are_a_paragraph_of_their_own_in_the_language_of_their_answer() -> None:
    led = answer_of(ARABIC, language="ar")
    leads = replace(led, sentences=(), leads=led.sentences, text="لم أجد أي مقطع.", notes=())
    text = made("md", turn(FRENCH), replace(turn(ARABIC, number=2), answer=leads)).decode()
    paragraphs = text.split("## ")[2].split("\n\n")
    assert paragraphs[1] == "لم أجد أي مقطع."
    assert paragraphs[2].startswith("أقرب المقاطع إلى السؤال")
    assert paragraphs[3].endswith("[^2]")


def test_number_after_a_latin_title_stays_with_its_arabic_date() -> None:
    text = made("md", turn(ARABIC, FRENCH, language="ar")).decode()
    assert "note\u200f، " in text


def test_no_style_puts_space_between_letters_that_are_joined() -> None:
    styles = part_of(made("docx", turn(ARABIC, language="ar")), "word/styles.xml")
    title = re.search(r'<w:style [^>]*w:styleId="Title".*?</w:style>', styles, re.S)
    assert title
    assert "<w:spacing w:val" not in title.group()
    assert title.group().count("w:szCs") == 1
