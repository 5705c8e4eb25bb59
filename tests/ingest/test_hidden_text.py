"""What a file holds and a reader of the page never sees: out of the text, and said so."""

from __future__ import annotations

import zipfile
from pathlib import Path

import docx
import pptx
import pytest
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt, RGBColor
from pptx.util import Inches

from tests.ingest.making import made
from tests.ingest.reading import blocks, parsed, rejected, written

SECRET = "mot caché"
SHOWN = "Le bureau ouvre à huit heures."
ARABIC = "يفتح المكتب على الساعة الثامنة."


@pytest.mark.parametrize(
    "hidden",
    [
        f'<p style="display:none">{SECRET}</p>',
        f'<p style="DISPLAY : none !important">{SECRET}</p>',
        f'<p style="visibility:hidden">{SECRET}</p>',
        f"<p hidden>{SECRET}</p>",
        f'<p style="font-size:0">{SECRET}</p>',
        f'<p style="font-size:1px">{SECRET}</p>',
        f'<p style="color:#fff">{SECRET}</p>',
        f'<p style="color:rgb(255, 255, 255)"><b>{SECRET}</b></p>',
        f'<font color="white">{SECRET}</font>',
        f'<p><input style="color:white" value="{SECRET}"></p>',
        f'<div style="background-color:black"><p style="color:#000000">{SECRET}</p></div>',
        f'<p style="opacity:0">{SECRET}</p>',
        f'<p style="position:absolute;left:-9999px">{SECRET}</p>',
        f'<p class="x secret">{SECRET}</p>',
        f'<div id="gone"><table><tr><td>{SECRET}</td></tr></table></div>',
    ],
)
def test_hidden_words_of_a_web_page_are_left_out_and_counted(tmp_path: Path, hidden: str) -> None:
    page = (
        "<html><head><style>/* c */ .secret, .other { display: none } #gone{visibility:hidden}</style></head>"
        f"<body><p>{SHOWN}</p>{hidden}<p>{ARABIC}</p></body></html>"
    )
    result = parsed(written(tmp_path / "a.html", page))
    assert blocks(result) == [("paragraph", SHOWN), ("paragraph", ARABIC)]
    assert result.warnings == (f"{len(SECRET)} characters of hidden text were left out",)


@pytest.mark.parametrize(
    "shown",
    [
        f'<div style="visibility:hidden"><p style="visibility:visible">{SHOWN}</p></div>',
        f'<div style="background:#003366"><p style="color:white">{SHOWN}</p></div>',
        f'<div style="background-image:url(a.png)"><p style="color:white">{SHOWN}</p></div>',
        f'<div style="font-size:0"><p style="font-size:12pt">{SHOWN}</p></div>',
        f'<p aria-hidden="true">{SHOWN}</p>',
        f'<p class="printed">{SHOWN}</p><style>@media print {{ .printed {{ display:none }} }}</style>',
    ],
)
def test_what_a_browser_shows_is_read(tmp_path: Path, shown: str) -> None:
    result = parsed(written(tmp_path / "a.html", f"<html><body>{shown}</body></html>"))
    assert blocks(result) == [("paragraph", SHOWN)]
    assert result.warnings == ()


def test_templates_scripts_and_comments_are_no_text(tmp_path: Path) -> None:
    page = f"<body><template><p>a</p></template><script>b</script><!-- c --><p>{SHOWN}</p><noscript>d</noscript></body>"
    assert blocks(parsed(written(tmp_path / "a.html", page))) == [("paragraph", SHOWN)]


def test_page_with_nothing_to_see_is_no_success(tmp_path: Path) -> None:
    page = f'<html><body><p style="display:none">{SECRET}</p></body></html>'
    assert rejected(written(tmp_path / "a.html", page)).category == "no_text"


def test_merged_cells_of_a_web_page_keep_rows_and_columns(tmp_path: Path) -> None:
    page = (
        "<table><tr><th>Service</th><th colspan=2>Horaires</th></tr><tr><td rowspan='2'>Accueil</td><td>lundi</td>"
        "<td>8 h</td></tr><tr><td>mardi</td><td>9 h</td></tr><tr><td>Archives</td><td></td><td>10 h</td></tr></table>"
    )
    assert blocks(parsed(written(tmp_path / "a.html", page))) == [
        ("table", "Service | Horaires\nAccueil | lundi | 8 h\nAccueil | mardi | 9 h\nArchives |  | 10 h")
    ]


def word_file(path: Path) -> docx.document.Document:
    document = docx.Document()
    document.add_paragraph(SHOWN)
    return document


def test_hidden_runs_of_a_word_file_are_left_out_and_counted(tmp_path: Path) -> None:
    document = word_file(tmp_path)
    for look in ("vanish", "white", "tiny", "style"):
        run = document.add_paragraph().add_run(SECRET)
        if look == "vanish":
            run.font.hidden = True
        elif look == "white":
            run.font.color.rgb = RGBColor(255, 255, 255)
        elif look == "tiny":
            run.font.size = Pt(1)
        else:
            style = document.styles.add_style("Secret", docx.enum.style.WD_STYLE_TYPE.CHARACTER)
            style.font.hidden = True
            run.style = style
    document.save(str(tmp_path / "a.docx"))
    result = parsed(tmp_path / "a.docx")
    assert blocks(result) == [("paragraph", SHOWN)]
    assert result.warnings == (f"{4 * len(SECRET)} characters of hidden text were left out",)
    old = parsed(made(tmp_path / "a.docx", tmp_path / "a.doc"))
    assert (blocks(old), old.warnings) == (blocks(result), result.warnings)


@pytest.mark.parametrize(("ground", "hidden"), [("FFFFFF", True), ("1F3864", False), ("auto", False)])
def test_white_words_are_hidden_on_the_white_page_that_libreoffice_gives_an_old_file(
    tmp_path: Path, ground: str, hidden: bool
) -> None:
    document = word_file(tmp_path)
    document.add_paragraph().add_run(SECRET).font.color.rgb = RGBColor(255, 255, 255)
    document.element.insert(0, parse_xml(f'<w:background {nsdecls("w")} w:color="{ground}"/>'))
    document.save(str(tmp_path / "a.docx"))
    texts = [text for _, text in blocks(parsed(tmp_path / "a.docx"))]
    assert texts == ([SHOWN] if hidden else [SHOWN, SECRET])


def test_white_words_on_a_dark_cell_are_read(tmp_path: Path) -> None:
    document = word_file(tmp_path)
    cell = document.add_table(rows=1, cols=1).cell(0, 0)
    cell.paragraphs[0].add_run("Rubrique").font.color.rgb = RGBColor(255, 255, 255)
    cell._tc.get_or_add_tcPr().append(parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:fill="1F3864"/>'))
    document.save(str(tmp_path / "a.docx"))
    assert blocks(parsed(tmp_path / "a.docx")) == [("paragraph", SHOWN), ("table", "Rubrique")]


def test_revisions_comments_boxes_and_notes_of_a_word_file(tmp_path: Path) -> None:
    document = word_file(tmp_path)
    part = document.add_paragraph("Le prix est de ")
    names = nsdecls("w")
    part._p.append(parse_xml(f"<w:del {names}><w:r><w:delText>deux</w:delText></w:r></w:del>"))
    part._p.append(parse_xml(f"<w:ins {names}><w:r><w:t>trois</w:t></w:r></w:ins>"))
    part._p.append(
        parse_xml(f'<w:fldSimple {names} w:instr="X"><w:r><w:t xml:space="preserve"> euros</w:t></w:r></w:fldSimple>')
    )
    document.add_comment(part.runs, "à vérifier", author="A")
    held = parse_xml(
        f"<w:sdt {names}><w:sdtContent><w:p><w:r><w:t>Réponse du champ</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    document.element.body.insert(2, held)
    box = OxmlElement("w:txbxContent")
    box.append(parse_xml(f"<w:p {names}><w:r><w:t>Encadré</w:t></w:r></w:p>"))
    part._p.add_r().append(OxmlElement("w:pict"))
    part._p.r_lst[-1][0].append(box)
    assert part._p.r_lst[-1][0].tag == qn("w:pict")
    document.save(str(tmp_path / "a.docx"))
    result = parsed(tmp_path / "a.docx")
    assert [text for _, text in blocks(result)] == [SHOWN, "Le prix est de trois euros", "Encadré", "Réponse du champ"]
    assert result.warnings == (
        "4 characters of deleted text (tracked changes) were left out",
        "1 comments were left out",
    )


def test_merged_cells_of_a_word_file_keep_rows_and_columns(tmp_path: Path) -> None:
    document = word_file(tmp_path)
    table = document.add_table(rows=3, cols=3)
    for row, texts in enumerate((("المصلحة", "اليوم", "الساعة"), ("الاستقبال", "الاثنين", "8"), ("", "الثلاثاء", "9"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    document.add_paragraph(ARABIC)
    document.save(str(tmp_path / "a.docx"))
    rows = "المصلحة | اليوم | الساعة\nالاستقبال | الاثنين | 8\nالاستقبال | الثلاثاء | 9"
    expected = [("paragraph", SHOWN), ("table", rows), ("paragraph", ARABIC)]
    assert blocks(parsed(tmp_path / "a.docx")) == expected
    assert blocks(parsed(made(tmp_path / "a.docx", tmp_path / "a.doc"))) == expected
    assert blocks(parsed(made(tmp_path / "a.docx", tmp_path / "a.odt"))) == expected


NAMES = "".join(
    f' xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"), ("text", "text"), ("style", "style"), ("table", "table"), ("draw", "drawing"),
        ("fo", "xsl-fo-compatible"), ("svg", "svg-compatible"), ("presentation", "presentation"),
    )
)  # fmt: skip


def open_document(path: Path, kind: str, styles: str, body: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr(
            "content.xml",
            f"<office:document-content{NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
        size = '<style:page-layout-properties fo:page-width="28cm" fo:page-height="21cm"/>'
        layout = f"<style:page-layout>{size}</style:page-layout>"
        archive.writestr("styles.xml", f"<office:document-styles{NAMES}>{layout}</office:document-styles>")
    return path


def test_hidden_words_of_an_open_document_are_left_out_and_counted(tmp_path: Path) -> None:
    styles = (
        '<style:style style:name="H" style:family="text"><style:text-properties text:display="none"/></style:style>'
        '<style:style style:name="W" style:family="text"><style:text-properties fo:color="#FFFFFF"/></style:style>'
        '<style:style style:name="T" style:family="paragraph"><style:text-properties fo:font-size="1pt"/></style:style>'
        '<style:style style:name="T2" style:family="paragraph" style:parent-style-name="T"/>'
    )
    body = (
        f'<text:p>{SHOWN}<text:span text:style-name="H">{SECRET}</text:span></text:p>'
        f'<text:p><text:span text:style-name="W">{SECRET}</text:span></text:p><text:p text:style-name="T2">{SECRET}</text:p>'
        f'<text:section text:name="S" text:display="none"><text:p>{SECRET}</text:p></text:section>'
        f"<text:p>{ARABIC}<office:annotation><text:p>remarque</text:p></office:annotation></text:p>"
    )
    tracked = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>supprimé</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
    )
    result = parsed(open_document(tmp_path / "a.odt", "text", styles, tracked + body))
    assert blocks(result) == [("paragraph", SHOWN), ("paragraph", ARABIC)]
    assert result.warnings == (
        f"{4 * len(SECRET)} characters of hidden text were left out",
        "8 characters of deleted text (tracked changes) were left out",
        "1 comments were left out",
    )


def test_lists_notes_and_boxes_of_an_open_document_read_as_on_the_page(tmp_path: Path) -> None:
    styles = (
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")"/></text:list-style>'
    )
    body = (
        '<text:h text:outline-level="2">Pièces</text:h><text:list text:style-name="L"><text:list-item><text:p>demande'
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Voir la notice.</text:p>"
        "</text:note-body></text:note></text:p><text:list><text:list-item><text:p>signée</text:p></text:list-item>"
        "</text:list></text:list-item><text:list-item><text:p>copie<draw:frame><draw:text-box><text:p>Encadré</text:p>"
        "</draw:text-box></draw:frame></text:p></text:list-item></text:list>"
    )
    assert blocks(parsed(open_document(tmp_path / "a.odt", "text", styles, body))) == [
        ("heading", "Pièces"),
        ("list item", "1. demande"),
        ("paragraph", "Voir la notice."),
        ("list item", "a) signée"),
        ("list item", "2. copie"),
        ("paragraph", "Encadré"),
    ]


def test_hidden_slides_and_shapes_beside_the_slide_are_left_out(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    for number, title in enumerate(("Accueil", "Réservé")):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = title
        slide.shapes.add_textbox(Inches(1), Inches(2), Inches(3), Inches(1)).text_frame.text = ARABIC
        slide.shapes.add_textbox(Inches(-9), Inches(2), Inches(3), Inches(1)).text_frame.text = SECRET
        slide.notes_slide.notes_text_frame.text = "À dire."
        if number:
            slide._element.set("show", "0")
    deck.save(str(tmp_path / "a.pptx"))
    expected = [("heading", "Accueil"), ("paragraph", ARABIC), ("heading", "Notes"), ("paragraph", "À dire.")]
    warnings = ("hidden slides were left out: 2", f"{len(SECRET)} characters of text beside the slides were left out")
    for file in (tmp_path / "a.pptx", made(tmp_path / "a.pptx", tmp_path / "a.odp")):
        result = parsed(file)
        assert blocks(result) == expected
        assert result.warnings == warnings


def test_presentation_of_open_document_keeps_tables_with_merged_cells(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Tarifs"
    table = slide.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(5), Inches(1)).table
    for cell, text in zip(
        (c for r in table.rows for c in r.cells), ("Acte", "Prix", "Copie", "2 €", "", "3 €"), strict=True
    ):
        cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    deck.save(str(tmp_path / "a.pptx"))
    for file in (tmp_path / "a.pptx", made(tmp_path / "a.pptx", tmp_path / "a.odp")):
        assert blocks(parsed(file)) == [("heading", "Tarifs"), ("table", "Acte | Prix\nCopie | 2 €\nCopie | 3 €")]
