"""DOCX as its reader sees it: a copy in which only what is on the page is left, in the shape that the reader of DOCX knows.

Hidden and unreadable runs and deleted revisions go and are counted; inserted revisions, content controls, fields and tags are
opened up; formulas and drawn boxes become words; text boxes and footnotes, which python-docx passes over, follow the paragraph
that they belong to.
"""

from __future__ import annotations

import copy
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest.leftout import LeftOut
from ingest.markup import safe_parser
from ingest.wordsymbols import write_out_symbols

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_DRAWN_WORDS = "{urn:schemas-microsoft-com:vml}textpath"
_PARTS = re.compile(r"word/(?:document|header\d*|footer\d*)\.xml")
_GONE = tuple(f"{_W}{name}" for name in ("del", "moveFrom"))
_OPENED = tuple(f"{_W}{name}" for name in ("ins", "moveTo", "smartTag", "customXml", "fldSimple", "sdt", "sdtContent"))
_TINY_HALF_POINTS = 2
_PAPER = "FFFFFF"
_OFF = ("0", "false", "off", "none")
_MOST_STYLES_DEEP = 20
_NOT_PACKED_BYTES = 16 * 1024 * 1024
"""A copy of so many bytes need not be packed: it is read once, at once."""


@dataclass(slots=True)
class _Word:
    """The parts that say how the others look, and what was left out so far."""

    styles: dict[str, Any] = field(default_factory=dict)
    notes: dict[tuple[str, str], Any] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)


def visible_word_file(path: Path, copy_to: Path) -> LeftOut:
    """Write what is visible of the DOCX at `path` to `copy_to`. Raises what a damaged file makes its readers raise."""
    from lxml import etree

    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy_to, "w") as target:
        names = archive.namelist()
        small = sum(member.file_size for member in archive.infolist()) <= _NOT_PACKED_BYTES
        packing = zipfile.ZIP_STORED if small else zipfile.ZIP_DEFLATED
        word = _Word()
        if "word/styles.xml" in names:
            root = _tree(archive, "word/styles.xml")
            word.styles = {style.get(f"{_W}styleId"): style for style in root.iter(f"{_W}style")}
        if "word/comments.xml" in names:
            word.left_out.comments = sum(1 for _ in _tree(archive, "word/comments.xml").iter(f"{_W}comment"))
        for kind in ("footnote", "endnote"):
            if f"word/{kind}s.xml" in names:
                for note in _cleaned(_tree(archive, f"word/{kind}s.xml"), word).iter(f"{_W}{kind}"):
                    word.notes[kind, note.get(f"{_W}id")] = note
        for name in names:
            if _PARTS.fullmatch(name):
                root = _cleaned(_tree(archive, name), word)
                _place_notes(root, word)
                content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
            else:
                content = archive.read(name)
            target.writestr(name, content, packing)
    return word.left_out


def _tree(archive: zipfile.ZipFile, name: str) -> Any:
    from lxml import etree

    return etree.fromstring(archive.read(name), safe_parser())


def _cleaned(root: Any, word: _Word) -> Any:
    for revision in list(root.iter(*_GONE)):
        if revision.tag == f"{_W}del" and revision.getparent().tag == f"{_W}trPr":
            revision = revision.getparent().getparent()  # noqa: PLW2901 - the whole row was deleted
        elif revision.tag == f"{_W}del" and revision.getparent().tag == f"{_W}rPr":
            continue  # only the paragraph's end was deleted
        word.left_out.deleted += _letters(revision)
        _drop(revision)
    for fallback in list(root.iter(_FALLBACK)):
        _drop(fallback)
    write_out_symbols(root)
    for run in list(root.iter(f"{_W}r")):
        if _is_hidden(run, word.styles):
            word.left_out.hidden += _letters(run)
            for part in run.findall(f"{_W}t"):
                run.remove(part)
    for wrapper in list(root.iter(*_OPENED)):
        _open(wrapper)
    _place_boxes(root)
    _place_drawn_words(root)
    return root


def _drop(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _open(wrapper: Any) -> None:
    """Put what is inside a wrapper in its place; properties of the wrapper go."""
    parent = wrapper.getparent()
    if parent is None or parent.tag in (f"{_W}rPr", f"{_W}trPr", f"{_W}pPr"):
        return
    position = parent.index(wrapper)
    inside = [child for child in wrapper if child.tag not in (f"{_W}sdtPr", f"{_W}sdtEndPr", f"{_W}smartTagPr")]
    for offset, child in enumerate(inside):
        parent.insert(position + offset, child)
    parent.remove(wrapper)


def _place_boxes(root: Any) -> None:
    """Put the paragraphs of a text box behind the paragraph that it is anchored in."""
    for box in list(root.iter(f"{_W}txbxContent")):
        anchor = next((up for up in reversed(list(box.iterancestors(f"{_W}p")))), None)
        if anchor is not None and anchor.getparent() is not None:
            _behind(anchor, list(box))


def _place_drawn_words(root: Any) -> None:
    """Put what is drawn as a picture of words, such as a watermark, behind the paragraph that it is anchored in."""
    for drawn in list(root.iter(_DRAWN_WORDS)):
        anchor = next((up for up in reversed(list(drawn.iterancestors(f"{_W}p")))), None)
        words = (drawn.get("string") or "").strip()
        if words and anchor is not None and anchor.getparent() is not None:
            line = anchor.makeelement(f"{_W}p")
            text = line.makeelement(f"{_W}t")
            text.text = words
            run = line.makeelement(f"{_W}r")
            run.append(text)
            line.append(run)
            _behind(anchor, [line])


def _place_notes(root: Any, word: _Word) -> None:
    for reference in list(root.iter(f"{_W}footnoteReference", f"{_W}endnoteReference")):
        kind = reference.tag.rpartition("}")[2].removesuffix("Reference")
        note = word.notes.get((kind, reference.get(f"{_W}id") or ""))
        anchor = next(reference.iterancestors(f"{_W}p"), None)
        if note is not None and anchor is not None and anchor.getparent() is not None:
            _behind(anchor, [copy.deepcopy(part) for part in note])


def _behind(anchor: Any, parts: list[Any]) -> None:
    parent = anchor.getparent()
    position = parent.index(anchor)
    while position + 1 < len(parent) and parent[position + 1].get("placed"):
        position += 1
    for offset, part in enumerate(parts, start=1):
        part.set("placed", "1")
        parent.insert(position + offset, part)


def _letters(element: Any) -> int:
    return sum(len((part.text or "").strip()) for part in element.iter(f"{_W}t", f"{_W}delText"))


# --- how a run looks ---------------------------------------------------------------------------------------------


def _is_hidden(run: Any, styles: dict[str, Any]) -> bool:
    layers = list(_layers(run, styles))
    vanish = next((found for layer in layers if (found := layer.find(f"{_W}vanish")) is not None), None)
    if vanish is not None and (vanish.get(f"{_W}val") or "1") not in _OFF:
        return True
    size = next((found.get(f"{_W}val") for layer in layers if (found := layer.find(f"{_W}sz")) is not None), None)
    if size is not None and size.isdigit() and int(size) <= _TINY_HALF_POINTS:
        return True
    colour = next((found.get(f"{_W}val") for layer in layers if (found := layer.find(f"{_W}color")) is not None), None)
    return colour not in (None, "auto") and str(colour).upper() == _ground(run, layers)


def _layers(run: Any, styles: dict[str, Any]) -> Any:
    """The run's properties, then those of its style and of its paragraph's style, the nearest first."""
    own = run.find(f"{_W}rPr")
    if own is not None:
        yield own
        yield from _style_layers(own.find(f"{_W}rStyle"), styles)
    paragraph = next(run.iterancestors(f"{_W}p"), None)
    if paragraph is not None and paragraph.find(f"{_W}pPr") is not None:
        yield from _style_layers(paragraph.find(f"{_W}pPr").find(f"{_W}pStyle"), styles)


def _style_layers(reference: Any, styles: dict[str, Any]) -> Any:
    for _ in range(_MOST_STYLES_DEEP):
        style = styles.get(reference.get(f"{_W}val")) if reference is not None else None
        if style is None:
            return
        if style.find(f"{_W}rPr") is not None:
            yield style.find(f"{_W}rPr")
        reference = style.find(f"{_W}basedOn")


def _ground(run: Any, layers: list[Any]) -> str:
    """The colour behind a run, in hex; empty where it cannot be known: in shapes and in tables with a style of their own."""
    shadings = [layer.find(f"{_W}shd") for layer in layers]
    for up in run.iterancestors():
        if up.tag == f"{_W}txbxContent":
            return ""
        properties = up.find(f"{up.tag}Pr") if up.tag in (f"{_W}p", f"{_W}tc") else None
        shadings.append(properties.find(f"{_W}shd") if properties is not None else None)
        if up.tag == f"{_W}tbl" and up.find(f"{_W}tblPr/{_W}tblStyle") is not None:
            shadings.append("unknown")
    if any(layer.find(f"{_W}highlight") is not None for layer in layers):
        return ""
    for shading in shadings:
        if shading == "unknown":
            return ""
        fill = shading.get(f"{_W}fill") if shading is not None else None
        if fill not in (None, "auto"):
            return str(fill).upper()
    return _PAPER if _is_paper(run.getroottree().getroot().find(f"{_W}background")) else ""


def _is_paper(background: Any) -> bool:
    """True without a background, and with the white one that LibreOffice writes for every old Word file."""
    return background is None or ((background.get(f"{_W}color") or "").upper() == _PAPER and len(background) == 0)
