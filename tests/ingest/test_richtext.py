"""RTF: every letter of French and Arabic offices, structure, and nothing that the page hides."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.types import BlockKind
from ingest.parsing import RTF, detect_media_type
from ingest.pieces import one_line
from ingest.richtext import read_rtf
from tests.ingest.reading import blocks, parsed, rejected, written
from tests.shared import shared_data


def rtf(path: Path, body: str) -> Path:
    head = (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset178 Arial;}{\f2\fcharset2 Symbol;}}"
        r"{\colortbl;\red0\green0\blue0;}{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}}"
    )
    return written(path, head + body + "}")


def test_title_headings_lists_tables_notes_and_running_lines(tmp_path: Path) -> None:
    path = rtf(
        tmp_path / "a.rtf",
        r"{\info{\title Note d\'e9finitive}{\author Moi}}{\header Minist\'e8re}"
        r"\pard\s1 Horaires\par\pard Ouvert{\footnote sauf jours f\'e9ri\'e9s} le matin.\par"
        r"{\listtext\f2\'b7\tab}une pi\'e8ce d'identit\'e9\par"
        r"\trowd\pard\intbl Acte\cell Prix\cell\row\trowd\pard\intbl Copie\cell 2\par euros\cell\row\pard Fin.\par",
    )
    result = parsed(path)
    assert detect_media_type(path) == RTF
    assert result.title == "Note définitive"
    assert result.text.startswith("Ministère\n\n")
    assert blocks(result) == [
        ("heading", "Horaires"),
        ("paragraph", "Ouvert le matin."),
        ("paragraph", "sauf jours fériés"),
        ("list item", "• une pièce d'identité"),
        ("table", "Acte | Prix\nCopie | 2 euros"),
        ("paragraph", "Fin."),
    ]


def test_letters_come_from_the_code_page_of_their_font_and_from_escapes(tmp_path: Path) -> None:
    arabic = "".join(f"\\'{byte:02x}" for byte in "المادة الأولى".encode("cp1256"))
    result = parsed(
        rtf(
            tmp_path / "a.rtf",
            rf"{{\f1 {arabic}}}\par int\u233?grale \u8364\'80 {{\uc2\u233 xyo}}\u-10179?\u-8704?\par",
        )
    )
    assert blocks(result) == [("heading", "المادة الأولى"), ("paragraph", "intégrale € éo😀")]


def test_hidden_and_deleted_text_and_objects_stay_out(tmp_path: Path) -> None:
    result = parsed(
        rtf(
            tmp_path / "a.rtf",
            r"Vu {\v secret}{\deleted ancien}{\*\unknown inconnu}{\pict\wmetafile8 0102ab}{\field{\*\fldinst HYPERLINK x}"
            r"{\fldrslt le lien}} fin.\par{\pict\bin5 }{{}}\par}",
        )
    )
    assert blocks(result) == [("paragraph", "Vu le lien fin.")]
    assert result.warnings == ("12 characters of hidden or deleted text were left out",)


def test_file_that_is_cut_off_keeps_what_is_there_and_says_so(tmp_path: Path) -> None:
    result = parsed(written(tmp_path / "a.rtf", r"{\rtf1\ansi {\b Le texte commence"))
    assert result.text == "Le texte commence"
    assert result.warnings == ("the file ends before it is complete; what is there was read",)


def test_absurd_nesting_and_emptiness_are_refused(tmp_path: Path) -> None:
    assert rejected(written(tmp_path / "a.rtf", r"{\rtf1 " + "{" * 100_000)).category == "damaged"
    assert rejected(rtf(tmp_path / "b.rtf", r"\par\par")).category == "no_text"


@given(st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Co")), min_size=1), min_size=1, max_size=5))
def test_no_letter_is_lost(lines: list[str]) -> None:
    def escaped(text: str) -> str:
        units = text.encode("utf-16-le")
        codes = (int.from_bytes(units[place : place + 2], "little") for place in range(0, len(units), 2))
        return "".join(f"\\u{code - 65536 if code > 32767 else code}?" for code in codes)

    content = r"{\rtf1\ansi " + "".join(escaped(line) + "\\par\n" for line in lines) + "}"
    read = read_rtf(content.encode())
    assert [piece.text for piece in read.pieces] == [one_line(line) for line in lines if one_line(line)]


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    for piece in read_rtf(b"{\\rtf1" + noise).pieces:
        assert piece.kind in (*BlockKind, None)


@pytest.mark.parametrize("name", ["documents/fr/rtf/F1432-acte-mariage.rtf", "hostile/office/testRTFTIKA_2500.rtf"])
def test_real_and_hostile_files_are_read(name: str) -> None:
    text = parsed(shared_data() / name).text
    assert "copie intégrale" in text or "This is level2 paragraph." in text
    assert "\\" not in text


def test_footnotes_that_libreoffice_marks_as_skippable_are_read(tmp_path: Path) -> None:
    path = rtf(
        tmp_path / "a.rtf",
        r"Ouvert{\super\chftn{\*\footnote\chftn\pard\plain\tab sauf jours f\'e9ri\'e9s}} le matin.\par",
    )
    assert blocks(parsed(path)) == [("paragraph", "Ouvert le matin."), ("paragraph", "sauf jours fériés")]


def test_what_is_written_once_without_and_once_in_unicode_is_read_once(tmp_path: Path) -> None:
    title = r"{\upr{\title ????}{\*\ud{\title \u1605?\u1583?\u1577?}}}"
    note = r"{\footnote {\upr{???}{\*\ud{\u1581?\u1583?}}} fin}"
    path = rtf(
        tmp_path / "a.rtf",
        rf"{{\info{title}}}Une {{\upr{{??}}{{\*\ud{{\u1605?\u1575?}}}}}} claire{note} suite.\par Fin.\par",
    )
    result = parsed(path)
    assert result.title == "مدة"
    assert [text for _, text in blocks(result)] == ["Une ما claire suite.", "حد fin", "Fin."]


def test_a_cell_over_several_rows_stands_in_each_of_them(tmp_path: Path) -> None:
    row = r"\trowd\clvm{}\cellx1000\cellx2000\pard\intbl {}\cell {}\cell\row"
    rows = row.format("gf", "Papier", "12") + row.format("rg", "", "34") + row.format("rg", "", "56")
    path = rtf(tmp_path / "a.rtf", rows + r"\trowd\cellx1000\cellx2000\pard\intbl \cell 78\cell\row\pard Fin.\par")
    assert blocks(parsed(path))[0] == ("table", "Papier | 12\nPapier | 34\nPapier | 56\n | 78")


def test_white_and_tiny_letters_stay_out_where_the_ground_is_white(tmp_path: Path) -> None:
    colours = r"{\colortbl;\red0\green0\blue0;\red255\green255\blue255;\red31\green56\blue100;}"
    hidden = r"Vu. {\cf2 secret}{\fs2 secret}{\cf2\highlight2 secret}{\cf2 secret \plain Lu.}\par"
    shown = r"{\cf2\highlight3 un} {\cf2\chcbpat3 deux}\par\pard\cbpat3{\cf2 trois}\par"
    cell = r"\trowd\clcbpat3\cellx1000\pard\intbl{\cf2 quatre}\cell\row\pard{\cf2 secret}\par"
    box = r"{\shp{\*\shpinst{\shptxt \pard\plain{\cf2 cinq}\par}}}"
    result = parsed(rtf(tmp_path / "a.rtf", colours + hidden + shown + cell + box))
    assert [text for _, text in blocks(result)] == ["Vu. Lu.", "un deux", "trois", "quatre", "cinq"]
    assert result.warnings == (f"{5 * len('secret')} characters of hidden or deleted text were left out",)


def test_white_letters_are_read_on_a_page_that_has_a_colour_of_its_own(tmp_path: Path) -> None:
    colours = r"{\colortbl;\red255\green255\blue255;}{\*\background{\shp{\*\shpinst}}}"
    assert blocks(parsed(rtf(tmp_path / "a.rtf", colours + r"{\cf1 Blanc sur bleu.}\par"))) == [
        ("paragraph", "Blanc sur bleu.")
    ]
