"""A sheet as a Word file (DOCX): real footnotes, the label at the top and bottom of each page, Arabic from right to left.

The one module of `assistant` that imports `docx`. Text goes in as text nodes: nothing in it can become a field, a link or markup.
Footnotes are a part of their own that python-docx does not know how to make; it is written here (ECMA-376, part 1, 17.11).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from assistant.export.sheet import Sheet, SheetTurn, runs_rtl
from assistant.language import direction

_FONT = "Arial"
"""Has Arabic letters where it is installed, and is replaced by a like one where it is not."""
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f](?:[^\u0600-\u06ff]*[A-Za-z\u00c0-\u024f0-9])?")
_ARABIC = re.compile(r"[\u0600-\u06ff\u0750-\u077f](?:[^A-Za-z\u00c0-\u024f]*[\u0600-\u06ff\u0750-\u077f])?")
_FOOTNOTES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
_FOOTNOTES_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
_QUIET = "595959"
_RIGHT_TO_LEFT_MARK = "\u200f"


def word(sheet: Sheet) -> bytes:
    """The bytes of the file."""
    import docx

    document = docx.Document()
    _properties(document, sheet)
    _styles(document)
    _page(document, sheet)
    text = _Writer(document, direction(sheet.language) == "rtl")
    text.paragraph(sheet.title, style="Title")
    text.paragraph(sheet.date, colour=_QUIET)
    for turn in sheet.turns:
        _write(text, turn)
    _add_footnotes(document, sheet)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _write(text: _Writer, turn: SheetTurn) -> None:
    text.paragraph(turn.question, style="Heading 2")
    if turn.searched:
        text.paragraph(turn.searched, colour=_QUIET)
    runs = (run for each in turn.paragraphs for run in groupby(each, key=lambda sentence: text.runs_rtl(sentence.text)))
    for rtl, sentences in runs:
        paragraph = text.paragraph("", rtl=rtl)
        for sentence in sentences:
            text.run(paragraph, sentence.text, rtl=rtl)
            for number in sentence.footnotes:
                text.reference(paragraph, number, rtl=rtl)
            text.run(paragraph, " ", rtl=rtl)
    for remark in turn.remarks:
        text.paragraph(remark, colour=_QUIET)
    if turn.notice:
        text.paragraph(turn.notice, colour=_QUIET, italic=True)


class _Writer:
    """Puts paragraphs into a document, each in the direction of its own text."""

    def __init__(self, document: Any, rtl: bool) -> None:
        self._document = document
        self._rtl = rtl
        self._referred: set[int] = set()

    def paragraph(
        self, text: str, *, style: str | None = None, rtl: bool | None = None, colour: str = "", italic: bool = False
    ) -> Any:
        """A paragraph at the end; `rtl` None takes the direction of the text."""
        way = self.runs_rtl(text) if rtl is None else rtl
        paragraph = self._document.add_paragraph(style=style)
        if way:
            _append(paragraph._p.get_or_add_pPr(), "w:bidi")
        self.run(paragraph, text, rtl=way, colour=colour, italic=italic)
        return paragraph

    def runs_rtl(self, text: str) -> bool:
        """Whether this text runs from right to left here."""
        return runs_rtl(text, otherwise=self._rtl)

    def run(self, paragraph: Any, text: str, *, rtl: bool, colour: str = "", italic: bool = False) -> None:
        """Text at the end of a paragraph, in a run for each script."""
        from docx.shared import RGBColor

        for piece, piece_rtl in pieces(text, rtl=rtl):
            run = paragraph.add_run(piece)
            run.italic = italic or None
            if colour:
                run.font.color.rgb = RGBColor.from_string(colour)
            if piece_rtl:
                run.font.rtl = True

    def reference(self, paragraph: Any, number: int, *, rtl: bool) -> None:
        """The mark of a footnote. A source that was cited before has its number again, and no second note."""
        again = f"{_RIGHT_TO_LEFT_MARK if rtl else ''}{number}"  # the mark keeps it apart from a number before it
        run = paragraph.add_run(again if number in self._referred else "")
        run.font.superscript = True
        if number not in self._referred:
            self._referred.add(number)
            _append(run._r, "w:footnoteReference", id=str(number))


def pieces(text: str, *, rtl: bool) -> Iterator[tuple[str, bool]]:
    """(piece, whether it runs from right to left): words of the other script apart, all else with the paragraph.

    >>> list(pieces("Le mot سلام عليكم ici", rtl=False))
    [('Le mot ', False), ('سلام عليكم', True), (' ici', False)]
    """
    position = 0
    for found in (_LATIN if rtl else _ARABIC).finditer(text):
        if found.start() > position:
            yield text[position : found.start()], rtl
        yield found.group(), not rtl
        position = found.end()
    if position < len(text):
        yield text[position:], rtl


def _properties(document: Any, sheet: Sheet) -> None:
    """Nobody's name, and no time but the day of the export."""
    about = document.core_properties
    about.title, about.author, about.last_modified_by, about.comments = sheet.title[:250], "", "", ""
    about.created = about.modified = datetime.fromisoformat(sheet.day)
    about.language = sheet.language


def _styles(document: Any) -> None:
    from docx.shared import Pt, RGBColor

    for name, size in (("Normal", 11), ("Title", 20), ("Heading 2", 13)):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = _FONT, Pt(size), RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for script in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(_name(f"w:{script}"), _FONT)
        for theme in ("asciiTheme", "hAnsiTheme", "cstheme", "eastAsiaTheme"):
            fonts.attrib.pop(_name(f"w:{theme}"), None)
        for spaced in ("w:spacing", "w:kern", "w:szCs"):  # space between letters tears Arabic ones apart
            for element in style.element.rPr.findall(_name(spaced)):
                style.element.rPr.remove(element)
        _append(style.element.rPr, "w:szCs", val=str(size * 2))


def _page(document: Any, sheet: Sheet) -> None:
    """A4, the label at the top and, with the page's number, at the bottom."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm

    section, rtl = document.sections[0], direction(sheet.language) == "rtl"
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2.2)
    if rtl:
        _append(section._sectPr, "w:bidi")
    for part in (section.header, section.footer):
        line = part.paragraphs[0]
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        if rtl:
            _append(line._p.get_or_add_pPr(), "w:bidi")
        for piece, piece_rtl in pieces(sheet.label, rtl=rtl):
            run = line.add_run(piece)
            run.bold, run.font.cs_bold, run.font.rtl = True, True, piece_rtl or None
    _number_pages(section.footer.paragraphs[0], sheet, rtl=rtl)


def _number_pages(line: Any, sheet: Sheet, *, rtl: bool) -> None:
    for piece in re.split(r"(\{page\}|\{pages\})", " – " + sheet.words["of"]):
        if piece in ("{page}", "{pages}"):
            field = _append(line._p, "w:fldSimple", instr="PAGE" if piece == "{page}" else "NUMPAGES")
            _append(_append(field, "w:r"), "w:t").text = "1"
        elif piece:
            line.add_run(piece).font.rtl = rtl or None


def _add_footnotes(document: Any, sheet: Sheet) -> None:
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls
    from lxml import etree

    root = parse_xml(f"<w:footnotes {nsdecls('w')}/>")
    for number, kind in ((-1, "separator"), (0, "continuationSeparator")):
        note = _append(root, "w:footnote", type=kind, id=str(number))
        _append(_append(_append(note, "w:p"), "w:r"), f"w:{kind}")
    rtl = direction(sheet.language) == "rtl"
    for footnote in sheet.footnotes:
        note = _append(root, "w:footnote", id=str(footnote.number))
        line = _note_line(note, rtl=rtl)
        _append(_note_run(line, rtl=False), "w:footnoteRef")
        _write_note(line, f" {footnote.source}", rtl=rtl)
        quote_rtl = runs_rtl(footnote.quote, otherwise=rtl)
        _write_note(_note_line(note, rtl=quote_rtl), footnote.quote, rtl=quote_rtl)
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    part = Part(PackURI("/word/footnotes.xml"), _FOOTNOTES_TYPE, content, document.part.package)
    document.part.relate_to(part, _FOOTNOTES)


def _note_line(note: Any, *, rtl: bool) -> Any:
    line = _append(note, "w:p")
    properties = _append(line, "w:pPr")
    if rtl:
        _append(properties, "w:bidi")
    _append(properties, "w:spacing", before="0", after="40", line="240", lineRule="auto")
    return line


def _write_note(line: Any, text: str, *, rtl: bool) -> None:
    for piece, piece_rtl in pieces(text, rtl=rtl):
        written = _append(_note_run(line, rtl=piece_rtl), "w:t")
        written.text = piece
        written.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")


def _note_run(line: Any, *, rtl: bool) -> Any:
    run = _append(line, "w:r")
    properties = _append(run, "w:rPr")
    for name in ("w:sz", "w:szCs"):
        _append(properties, name, val="18")
    if rtl:
        _append(properties, "w:rtl")
    return run


def _append(parent: Any, tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement

    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(_name(f"w:{name}"), value)
    parent.append(element)
    return element


def _name(tag: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(tag))
