# ruff: noqa: E501 - tables of literal expectations, a row a line
"""What documents say of themselves, on the demo's own documents by hand and on small ones for each rule."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import docx
import pytest

from assistant.dates import first_date
from assistant.types import Block, BlockKind, Box, Page, Span, Word
from ingest.finishing import finished
from ingest.isolation import parse_here
from ingest.metadata import found_metadata
from ingest.parsing import TEXT, Parsed, ParsingSettings, Rejected
from ingest.references import legal_references
from tests.ingest.making import made
from tests.ingest.reading import parsed, written

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"

# file, date that stands in it as its own, kind, author as it stands there, one legal text it names
EXPECTED = """
ar/dalil-khadamat-sukkan-2024.pdf          | -          | guide      | مديرية الحالة المدنية والسكان | -
ar/istimarat-musaada-sakan.docx            | -          | form       | مديرية التضامن والسكن | -
ar/qarar-2023-77-aswaq.pdf                 | 2023-05-25 | order      | رئيسة المجلس التنفيذي، هيلين فاسور عمراني | القرار رقم 2019/12
ar/taamim-2024-05-awqat-amal.pdf           | 2024-02-26 | circular   | المديرة العامة للمصالح، نادية برتلو | التعميم رقم 2022/11
en/continuity-plan-2024.pdf                | -          | -          | General Directorate of Services | -
en/data-protection-regulation-2023.pdf     | 2023-11-20 | regulation | Information Systems Directorate | -
en/residents-handbook-2024.pdf             | -          | guide      | Civil Status and Population Directorate | -
en/sorting-guide-2024.md                   | -          | guide      | Collectivity of Montclair Water and Environment Directorate | -
fr/arrete-2023-118-frais-deplacement.pdf   | 2023-10-12 | order      | La présidente du Conseil exécutif, Hélène Vasseur-Amrani | délibération n° 2023-55
fr/avis-restriction-eau-2024.html          | 2024-07-08 | notice     | Direction de l'eau et de l'environnement | -
fr/circulaire-2021-07-teletravail.pdf      | 2021-09-06 | circular   | Le directeur général des services, Étienne Marchal | -
fr/circulaire-2024-03-teletravail.pdf      | 2024-03-12 | circular   | La directrice générale des services, Nadia Berthelot | circulaire n° 2021-07 du 6 septembre 2021
fr/formulaire-demande-acte-etat-civil.docx | -          | form       | Direction de l'état civil et de la population | -
fr/guide-agent-2024.pdf                    | -          | guide      | Direction des ressources humaines | arrêté n° 2023-118 du 12 octobre 2023
fr/message-2024-05-formation-accueil.eml   | 2024-05-14 | mail       | Claire Montferrand | -
fr/note-seuils-marches-2024.odt            | -          | note       | Direction des finances et des achats | -
fr/proces-verbal-assemblee-2024-02-15.pdf  | 2024-02-15 | minutes    | Secrétariat de l'Assemblée | délibération n° 2024-04
fr/reglement-interieur-services-2023.pdf   | 2023-06-22 | regulation | Direction générale des services | -
fr/tarifs-2024-services-publics.pdf        | -          | tariff     | Direction des finances et des achats | délibération n° 2023-71
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in EXPECTED.strip().splitlines()]


@cache
def read(name: str) -> Parsed:
    result = parse_here(DEMO / name, ParsingSettings(ocr=False))
    assert isinstance(result, Parsed)
    return result


def test_fields_of_the_demo_documents_are_right_when_found_and_mostly_found() -> None:
    """(found and right, found, to be found) of each field; the one date missed stands in "Adopté par la délibération … du"."""
    scores: dict[str, tuple[int, int, int]] = {}
    for name, *expected in ROWS:
        document = read(name)
        reference = expected[3] if expected[3] in document.references else next(iter(document.references), "-")
        found = (document.date or "-", document.document_type or "-", document.author or "-", reference)
        for field, got, wanted in zip(("date", "type", "author", "references"), found, expected, strict=True):
            right, all_found, all_wanted = scores.get(field, (0, 0, 0))
            scores[field] = (
                right + (got == wanted != "-"),
                all_found + (got != "-"),
                all_wanted + (wanted != "-"),
            )
    assert scores == {"date": (9, 9, 10), "type": (18, 18, 18), "author": (19, 19, 19), "references": (7, 7, 7)}


def found(text: str, language: str = "fr"):  # type: ignore[no-untyped-def]
    return found_metadata(text, language, TEXT)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1er août 2024", "2024-08-01"), ("3 MAI 2024", "2024-05-03"), ("03/05/2024", "2024-05-03"), ("2024-05-03", "2024-05-03"),
        ("May 3, 2024", "2024-05-03"), ("3rd of May 2024", "2024-05-03"), ("31 February 2024", None), ("3.5.2024", "2024-05-03"),
        ("فاتح يوليوز 2023", "2023-07-01"), ("3 غشت 2024", "2024-08-03"), ("١٥ تشرين الثاني ٢٠٢٣", "2023-11-15"),
        ("5 جويلية 2022", "2022-07-05"), ("12 كانون الأول 2021", "2021-12-12"), ("7 من شهر مايو سنة 2020", "2020-05-07"),
        ("15 ذو القعدة 1445", None), ("15 من ذي القعدة 1445 (23 ماي 2024)", "2024-05-23"), ("le 12 janvier 12", None),
    ],
)  # fmt: skip
def test_dates_are_read_as_they_are_written_in_each_region(text: str, day: str | None) -> None:
    assert first_date(text) == day


BODY = "\n\nLe délai fixé le 4 avril 2019 par le maire est prolongé. Un texte de plus.\n\n"


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        (f"Mairie de Lyon\n\nObjet : travaux{BODY}Fait à Lyon, le 3 mai 2024\nLe maire\nJean Petit", "fr", "2024-05-03"),
        (f"Préfecture du Rhône\nLyon, le 3 mai 2024\n\nMonsieur,{BODY}", "fr", "2024-05-03"),
        (f"Compte rendu de la réunion du 3 mai 2024\n\nPrésents : tous.{BODY}", "fr", "2024-05-03"),
        (f"Date : 03/05/2024\nObjet : travaux{BODY}", "fr", "2024-05-03"),
        (f"Objet : travaux{BODY}", "fr", None),
        ("Office of the Mayor\n\nThe rule of 4 April 2019 holds.\n\nDone at Lyon, on 3 May 2024\nThe Mayor\n", "en", "2024-05-03"),
        ("Ministry of Health\n\n3 May 2024\n\nDear Sir, the rule of 4 April 2019 holds.", "en", "2024-05-03"),
        ("وزارة العدل\n\nيمدد الأجل المحدد في 4 أبريل 2019.\n\nوحرر بالرباط في 25 من شوال 1445 (4 ماي 2024).\nوزير العدل", "ar", "2024-05-04"),
        ("وزارة العدل\n\nيمدد الأجل المحدد في 4 أبريل 2019.\n\nحرر بالرباط في 25 من شوال 1445\n", "ar", None),
    ],
)  # fmt: skip
def test_date_is_the_documents_own_and_never_one_it_mentions(text: str, language: str, day: str | None) -> None:
    assert found(text, language).date == day


@pytest.mark.parametrize(
    ("line", "language", "kind"),
    [
        ("ARRÊTÉ n° 2024-12 portant délégation", "fr", "order"), ("Décret n° 2024-5 du 3 mai 2024 relatif aux ports", "fr", "decree"),
        ("LOI n° 2016-1321 du 7 octobre 2016 pour une République numérique", "fr", "law"),
        ("Délibération n° 12 du conseil municipal", "fr", "deliberation"), ("Note de service n° 4", "fr", "note"),
        ("Formulaire de demande", "fr", "form"), ("Guide de l'usager", "fr", "guide"),
        ("Compte rendu de la séance", "fr", "minutes"), ("Note que le délai est passé.", "fr", None),
        ("Avis aux usagers du port", "fr", "notice"), ("La loi n° 5 s'applique.", "fr", None),
        ("مرسوم رقم 2.17.265 يتعلق بالصفقات", "ar", "decree"), ("منشور رقم 5", "ar", "circular"), ("محضر رقم 3 للجلسة", "ar", "minutes"),
        ("قانون رقم 31.13 المتعلق بالحق في الحصول على المعلومات", "ar", "law"), ("قرارات الجلسة", "ar", None),
        ("Order No. 12 of the Mayor", "en", "order"), ("Residents' Handbook 2024", "en", "guide"),
        ("Minutes of the meeting of 3 May 2024", "en", "minutes"), ("Please return the form to the office.", "en", None),
    ],
)  # fmt: skip
def test_kind_is_read_from_the_line_that_heads_the_document(line: str, language: str, kind: str | None) -> None:
    assert found(f"{line}\n\nUn texte ordinaire.", language).document_type == kind


def test_signature_gives_office_and_name_and_stops_at_the_page(tmp_path: Path) -> None:
    text = "Arrêté n° 5\n\nTexte.\n\nFait à Lyon, le 3 mai 2024.\n\nPour le préfet et par délégation,\nLa secrétaire générale\nAnne Roux\n\nPage 3"
    assert found(text).author == "Pour le préfet et par délégation, La secrétaire générale, Anne Roux"


def test_title_goes_on_over_its_lines_and_ends_with_them() -> None:
    text = "Mairie\nArrêté n° 2024-12 du 3 mai 2024 portant\nréglementation de la circulation\nLe maire,\n\nVu le code"
    assert found(text).title == "Arrêté n° 2024-12 du 3 mai 2024 portant réglementation de la circulation"


def test_legal_texts_are_named_once_in_order_and_the_document_itself_is_not() -> None:
    text = (
        "Vu la loi n° 2016-1321 du 7 octobre 2016 ; vu le règlement (UE) 2016/679 ; vu les articles L. 2121-29 et L. 2122-22 du\n"
        "code général des collectivités territoriales ; vu l'arrêté n° 2024-\n12 ; vu la loi n° 2016-1321 ; vu l'article R. 123-4."
        " CELEX 32016R0679. المادة 5 من القانون التنظيمي رقم 113.14 والظهير الشريف رقم 1.11.91 والفصل 27 من الدستور."
        " See section 3.2 of the Data Protection Act 2018 and the Human Rights Act 1998."
    )
    assert legal_references(text, besides="Arrêté n° 2024-12 du 3 mai 2024") == (
        "loi n° 2016-1321 du 7 octobre 2016", "règlement (UE) 2016/679",
        "articles L. 2121-29 et L. 2122-22 du code général des collectivités territoriales", "article R. 123-4", "32016R0679",
        "المادة 5 من القانون التنظيمي رقم 113.14", "الظهير الشريف رقم 1.11.91", "الفصل 27 من الدستور",
        "section 3.2 of the Data Protection Act 2018", "Human Rights Act 1998",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["A B C D E F " * 80_000, "Fait à " * 150_000, "le 3 " * 200_000, "article L. 1-1 et " * 50_000, "a\n" * 500_000],
)
def test_long_texts_take_no_longer_than_their_length(text: str) -> None:
    started = time.process_time()
    found(text, "en")
    assert time.process_time() - started < 5


def test_every_reader_s_result_loses_what_nobody_sees_with_its_spans_in_place() -> None:
    text = "\ufeffTi\u200btre\nmot\u202e caché\u200b\u200b"
    words = (Word(Span(1, 7), Box(0, 0, 1, 1)), Word(Span(8, 12), Box(0, 0, 1, 1)), Word(Span(18, 20), Box(0, 0, 1, 1)))
    document = Parsed(
        title="Ti\u200btre", language="fr", date=None, media_type=TEXT, text=text, parser="p",
        pages=(Page(1, Span(0, 8), 1, 1, words[:1]), Page(2, Span(8, 20), 1, 1, words[1:])),
        blocks=(Block(Span(1, 7), BlockKind.HEADING, 1), Block(Span(18, 20), BlockKind.PARAGRAPH)),
    )  # fmt: skip
    result = finished(document, Path("x.txt"))
    assert isinstance(result, Parsed)
    assert (result.title, result.text) == ("Titre", "Titre\nmot caché")
    assert [result.text[p.span.start : p.span.end] for p in result.pages] == ["Titre\n", "mot caché"]
    assert [result.text[w.span.start : w.span.end] for p in result.pages for w in p.words] == ["Titre", "mot"]
    assert [result.text[b.span.start : b.span.end] for b in result.blocks] == ["Titre"]
    assert result.warnings == ("5 invisible characters (zero-width, bidi controls or tags) were left out",)


def test_text_of_nothing_but_invisible_characters_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\u3164\u3164 \u200b")
    result = parse_here(tmp_path / "a.txt", ParsingSettings())
    assert isinstance(result, Rejected)
    assert result.category == "no_text"


def test_the_heads_of_a_table_are_no_office() -> None:
    assert found("المصلحة | التاريخ | المبلغ\nالطرق | 2024-03-01 | 1200", "ar").author is None


def test_author_in_the_properties_of_an_old_word_file_is_found(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("La salle ouvre à neuf heures.")
    document.core_properties.author = "سعيد Dupré"
    document.save(str(tmp_path / "a.docx"))
    assert parsed(made(tmp_path / "a.docx", tmp_path / "a.doc")).author == "سعيد Dupré"


@pytest.mark.parametrize(
    "author", [r"{\author Anne Dupr\'e9}", r"{\upr{\author Anne Dupr?}{\*\ud{\author Anne Dupr\u233?}}}"]
)
def test_author_in_the_head_of_an_rtf_file_is_found(tmp_path: Path, author: str) -> None:
    path = written(tmp_path / "a.rtf", rf"{{\rtf1\ansi\ansicpg1252{{\info{author}}}La salle ouvre.\par}}")
    assert parsed(path).author == "Anne Dupré"
