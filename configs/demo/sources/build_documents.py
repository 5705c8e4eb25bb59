"""Rebuild `documents/` and its sidecars from the Markdown sources of this folder.

Each source is a Markdown file that opens with TOML between two `+++` lines: the sidecar's keys, plus `format`
(pdf, scan, docx, odt, html, eml, md), `letterhead`, `header` (running header) and, for a mail, `to` and `attachment`.
The marking line of a document is made from its label, so that the two cannot disagree.

Needs LibreOffice (`soffice`), poppler (`pdftoppm`), Pillow, and the Amiri and Liberation fonts. Amiri is chosen for
Arabic because its PDFs give back the letters in logical order, lam-alef included. What still comes back out of order
is kept out of the Arabic sources: brackets and guillemets, vowel signs, Latin addresses, a number followed by a
punctuation mark, and numbers with a space inside.

    python build_documents.py            # everything
    python build_documents.py circulaire # the sources whose name contains the word
"""

from __future__ import annotations

import html
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from PIL import Image, ImageChops

SOURCES = Path(__file__).resolve().parent
DOCUMENTS = SOURCES.parent / "documents"
SIDECAR_KEYS = ("title", "date", "author", "language", "label", "document_type")
MARKINGS = {
    "fr": (
        "Mention de diffusion : {}",
        {"public": "PUBLIC", "internal": "INTERNE", "restricted": "RESTREINT"},
    ),
    "en": ("Marking: {}", {"public": "PUBLIC", "internal": "INTERNAL", "restricted": "RESTRICTED"}),
    "ar": ("درجة التداول: {}", {"public": "عام", "internal": "داخلي", "restricted": "مقيد"}),
}
PAGE_WORDS = {"fr": ("Page ", " sur "), "en": ("Page ", " of "), "ar": ("صفحة ", " من ")}
COUNTRIES = {"fr": "FR", "en": "GB", "ar": "MA"}
ATTACHMENT_TYPE = ("application", "vnd.openxmlformats-officedocument.wordprocessingml.document")
NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "style": "style",
        "text": "text",
        "table": "table",
        "meta": "meta",
        "fo": "xsl-fo-compatible",
        "svg": "svg-compatible",
    }.items()
)


@dataclass(frozen=True)
class Block:
    """One block of a source: kind is h1, h2, h3, p, item, sign, break or table (then `rows` and `widths`)."""

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Source:
    """One Markdown source: what its front matter says, its blocks in order, its footnotes by mark."""

    path: Path
    meta: dict[str, str]
    letterhead: tuple[str, ...]
    blocks: tuple[Block, ...]
    notes: dict[str, str]

    @property
    def language(self) -> str:
        """fr, ar or en."""
        return self.meta["language"]

    @property
    def marking(self) -> str:
        """The marking line in the document's language."""
        pattern, words = MARKINGS[self.language]
        return pattern.format(words[self.meta["label"]])

    @property
    def target(self) -> Path:
        """Where the document is written."""
        suffix = {"scan": "pdf"}.get(self.meta["format"], self.meta["format"])
        return DOCUMENTS / self.path.relative_to(SOURCES).with_suffix(f".{suffix}")


def typeset(text: str, language: str) -> str:
    """The text with the no-break spaces that French typography asks for; other languages unchanged."""
    if language != "fr":
        return text
    text = re.sub(r" ([:;?!»%€])", "\u00a0\\1", text)
    text = text.replace("« ", "«\u00a0")
    text = re.sub(r"(?<=\d) (?=\d{3}\b)", "\u00a0", text)
    return re.sub(r"\b(n°|M\.|Mme|Article|article|articles) (?=[\dA-Z])", "\\1\u00a0", text)


def one_line(text: str) -> str:
    """The text with its lines joined; unlike `str.split`, no-break spaces are kept."""
    return re.sub(r"[ \t\n]+", " ", text).strip()


def read_source(path: Path) -> Source:
    """The parsed source. Raises ValueError when the front matter is missing."""
    parts = path.read_text(encoding="utf-8").split("+++\n", 2)
    if len(parts) != 3:
        raise ValueError(f"{path}: no front matter between two +++ lines")
    fields = tomllib.loads(parts[1])
    letterhead = tuple(fields.pop("letterhead", ()))
    language = fields["language"]
    notes: dict[str, str] = {}
    blocks: list[Block] = []
    for chunk in re.split(r"\n\s*\n", typeset(parts[2].strip(), language)):
        note = re.match(r"\[\^(\w+)\]:\s*(.*)", chunk, re.DOTALL)
        if note:
            notes[note[1]] = one_line(note[2])
        else:
            blocks.extend(read_chunk(chunk))
    return Source(path, fields, letterhead, tuple(blocks), notes)


def read_chunk(chunk: str) -> list[Block]:
    """The blocks of one run of lines without a blank line."""
    if chunk.startswith("|"):
        return [read_table(chunk)]
    if chunk.strip() == "<!-- page -->":
        return [Block("break")]
    heading = re.match(r"(#{1,3}) (.*)", chunk, re.DOTALL)
    if heading:
        return [Block(f"h{len(heading[1])}", one_line(heading[2]))]
    if chunk.startswith("- "):
        return [Block("item", one_line(item)) for item in re.split(r"(?:^|\n)- ", chunk)[1:]]
    if chunk.startswith(">> "):
        return [Block("sign", line.removeprefix(">> ")) for line in chunk.splitlines()]
    return [Block("p", one_line(chunk))]


def read_table(chunk: str) -> Block:
    """A table; the dashes of its second line give the relative widths of the columns."""
    lines = [[cell.strip(" ") for cell in line.strip().strip("|").split("|")] for line in chunk.splitlines()]
    widths = tuple(len(cell) for cell in lines[1])
    return Block("table", rows=tuple(tuple(line) for line in [lines[0], *lines[2:]]), widths=widths)


def inline_odf(text: str, notes: dict[str, str]) -> str:
    """The text as OpenDocument inline content: bold runs and footnotes."""
    marked = re.sub(r"\*\*(.+?)\*\*", r'<text:span text:style-name="Bold">\1</text:span>', html.escape(text, False))

    def footnote(match: re.Match[str]) -> str:
        mark = match[1]
        body = f'<text:p text:style-name="Note">{html.escape(notes[mark], False)}</text:p>'
        return (
            f'<text:note text:note-class="footnote" text:id="n{mark}"><text:note-citation>{mark}</text:note-citation>'
            f"<text:note-body>{body}</text:note-body></text:note>"
        )

    return re.sub(r"\[\^(\w+)\]", footnote, marked)


def block_odf(block: Block, notes: dict[str, str], number: int) -> str:
    """One block as OpenDocument; `number` names the table's columns."""
    text = inline_odf(block.text, notes)
    if block.kind == "table":
        return table_odf(block, notes, number)
    if block.kind == "break":
        return '<text:p text:style-name="Break"/>'
    if block.kind in ("h1", "h2", "h3"):
        return f'<text:h text:style-name="{block.kind}" text:outline-level="{block.kind[1]}">{text}</text:h>'
    if block.kind == "item":
        return f'<text:list text:style-name="L"><text:list-item><text:p text:style-name="item">{text}</text:p>' + (
            "</text:list-item></text:list>"
        )
    return f'<text:p text:style-name="{block.kind}">{text}</text:p>'


def table_odf(block: Block, notes: dict[str, str], number: int) -> str:
    """A table whose first row repeats on each page."""
    columns = "".join(
        f'<table:table-column table:style-name="T{number}C{index}"/>' for index in range(len(block.widths))
    )

    def row(cells: tuple[str, ...], style: str) -> str:
        inner = "".join(
            f'<table:table-cell table:style-name="cell" office:value-type="string"><text:p text:style-name="{style}">'
            f"{inline_odf(cell, notes)}</text:p></table:table-cell>"
            for cell in cells
        )
        return f'<table:table-row table:style-name="row">{inner}</table:table-row>'

    body = "".join(row(cells, "cell-text") for cells in block.rows[1:])
    head = f"<table:table-header-rows>{row(block.rows[0], 'cell-head')}</table:table-header-rows>"
    return (
        f'<table:table table:name="T{number}" table:style-name="table">{columns}{head}{body}</table:table>'
        '<text:p text:style-name="after-table"/>'
    )


def paragraph_style(name: str, font: str, size: float, language: str, *, bold: bool = False, layout: str = "") -> str:
    """A paragraph style, the same for Latin and for Arabic letters."""
    weight = "bold" if bold else "normal"
    # LibreOffice reads "start" as "left", whatever the direction.
    mode, start = ("rl-tb", "right") if language == "ar" else ("lr-tb", "left")
    align = "" if "text-align" in layout else f'fo:text-align="{start}"'
    return (
        f'<style:style style:name="{name}" style:family="paragraph"><style:paragraph-properties {align} '
        f'style:writing-mode="{mode}" fo:orphans="2" fo:widows="2" {layout}/><style:text-properties '
        f'style:font-name="{font}" style:font-name-complex="{font}" fo:font-size="{size}pt" '
        f'style:font-size-complex="{size}pt" fo:font-weight="{weight}" style:font-weight-complex="{weight}" '
        f'fo:language="{language}" fo:country="{COUNTRIES[language]}" style:language-complex="ar" '
        'style:country-complex="MA" fo:hyphenate="false"/></style:style>'
    )


def styles_odf(source: Source) -> str:
    """The named styles of a document; Arabic is set in Amiri, two points larger."""
    language = source.language
    serif, sans = ("Amiri", "Amiri") if language == "ar" else ("Liberation Serif", "Liberation Sans")
    more = 2.0 if language == "ar" else 0.0
    end = f'fo:text-align="{"left" if language == "ar" else "right"}"'

    def style(name: str, font: str, size: float, layout: str, *, bold: bool = False) -> str:
        return paragraph_style(name, font, size + more, language, bold=bold, layout=layout)

    def space(top: float, bottom: float) -> str:
        return f'fo:margin-top="{top}cm" fo:margin-bottom="{bottom}cm"'

    keep = ' fo:keep-with-next="always"'
    return "".join(
        (
            style("p", serif, 12, space(0, 0.3) + ' fo:line-height="126%"'),
            style("item", serif, 12, space(0, 0.15) + ' fo:line-height="124%"'),
            style("h1", sans, 17, space(0.4, 0.5) + keep, bold=True),
            style("h2", sans, 13, space(0.55, 0.25) + keep, bold=True),
            style("h3", sans, 11.5, space(0.35, 0.18) + keep, bold=True),
            style("sign", serif, 12, end),
            style("letterhead", sans, 10.5, "", bold=True),
            style("marking", sans, 10.5, f"{space(0.3, 0.4)} {end}"),
            style("running", sans, 8.5, ""),
            style("Note", serif, 9.5, ""),
            style("cell-text", serif, 11, ""),
            style("cell-head", sans, 10, "", bold=True),
            style("after-table", serif, 5, ""),
            style("Break", serif, 2, 'fo:break-before="page"'),
            '<style:style style:name="Bold" style:family="text"><style:text-properties fo:font-weight="bold" '
            'style:font-weight-complex="bold"/></style:style>',
        )
    )


def automatic_styles_odf(source: Source) -> str:
    """Page, table and list layout of a document."""
    mode = "rl-tb" if source.language == "ar" else "lr-tb"
    tables = [block for block in source.blocks if block.kind == "table"]
    columns = "".join(
        f'<style:style style:name="T{number}C{index}" style:family="table-column"><style:table-column-properties '
        f'style:column-width="{16.0 * width / sum(block.widths):.2f}cm"/></style:style>'
        for number, block in enumerate(tables)
        for index, width in enumerate(block.widths)
    )
    band = '<style:header-footer-properties fo:min-height="0.9cm" fo:margin-{}="0.4cm"/>'
    return (
        '<style:page-layout style:name="page"><style:page-layout-properties fo:page-width="21cm" '
        'fo:page-height="29.7cm" fo:margin-top="1.6cm" fo:margin-bottom="1.5cm" fo:margin-left="2.5cm" '
        f'fo:margin-right="2.5cm" style:writing-mode="{mode}"/><style:header-style>{band.format("bottom")}'
        f"</style:header-style><style:footer-style>{band.format('top')}</style:footer-style></style:page-layout>"
        '<style:style style:name="table" style:family="table"><style:table-properties style:width="16cm" '
        f'table:align="left" style:writing-mode="{mode}"/></style:style>'
        '<style:style style:name="row" style:family="table-row"><style:table-row-properties '
        'fo:keep-together="always"/></style:style><style:style style:name="cell" style:family="table-cell">'
        '<style:table-cell-properties fo:border="0.5pt solid #555555" fo:padding="0.1cm"/></style:style>'
        f"{columns}"
        '<text:list-style style:name="L"><text:list-level-style-bullet text:level="1" text:bullet-char="•">'
        '<style:list-level-properties text:list-level-position-and-space-mode="label-alignment">'
        '<style:list-level-label-alignment text:label-followed-by="listtab" fo:text-indent="-0.5cm" '
        'fo:margin-left="1cm"/></style:list-level-properties></text:list-level-style-bullet></text:list-style>'
    )


def flat_odt(source: Source) -> str:
    """The whole document as flat OpenDocument text, which LibreOffice turns into PDF, DOCX and ODT."""
    font_names = ("Liberation Serif", "Liberation Sans", "Amiri")
    faces = "".join(f'<style:font-face style:name="{f}" svg:font-family="\'{f}\'"/>' for f in font_names)
    page, of = PAGE_WORDS[source.language]
    running = html.escape(typeset(source.meta.get("header", source.meta["title"]), source.language), False)
    tables = [block for block in source.blocks if block.kind == "table"]
    body = "".join(
        block_odf(block, source.notes, tables.index(block) if block.kind == "table" else 0) for block in source.blocks
    )
    head = "".join(
        f'<text:p text:style-name="letterhead">{html.escape(typeset(line, source.language), False)}</text:p>'
        for line in source.letterhead
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document {NAMESPACES} '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3" '
        'office:mimetype="application/vnd.oasis.opendocument.text"><office:meta>'
        f"<dc:title>{html.escape(source.meta['title'], False)}</dc:title><meta:initial-creator>"
        f"{html.escape(source.meta['author'], False)}</meta:initial-creator>"
        f"<dc:language>{source.language}</dc:language>"
        f"</office:meta><office:font-face-decls>{faces}</office:font-face-decls>"
        f"<office:styles>{styles_odf(source)}</office:styles>"
        f"<office:automatic-styles>{automatic_styles_odf(source)}</office:automatic-styles>"
        '<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="page">'
        f'<style:header><text:p text:style-name="running">{running}</text:p></style:header>'
        f'<style:footer><text:p text:style-name="running">{page}<text:page-number>1</text:page-number>{of}'
        "<text:page-count>1</text:page-count></text:p></style:footer></style:master-page></office:master-styles>"
        f'<office:body><office:text>{head}<text:p text:style-name="marking">{html.escape(source.marking, False)}'
        f"</text:p>{body}</office:text></office:body></office:document>"
    )


def html_page(source: Source) -> str:
    """The document as one plain web page."""
    parts = [f"<p>{html.escape(typeset(line, source.language), False)}</p>" for line in source.letterhead]
    parts.append(f'<p class="marking">{html.escape(source.marking, False)}</p>')
    listing = False
    for block in source.blocks:
        if (block.kind == "item") != listing:
            parts.append("<ul>" if block.kind == "item" else "</ul>")
            listing = block.kind == "item"
        text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(block.text, False))
        tag = {"item": "li", "sign": "p"}.get(block.kind, block.kind)
        if block.kind == "table":
            parts.append(table_html(block))
        else:
            parts.append(f"<{tag}>{text}</{tag}>")
    direction = "rtl" if source.language == "ar" else "ltr"
    return (
        f'<!DOCTYPE html>\n<html lang="{source.language}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(source.meta['title'], False)}</title>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def table_html(block: Block) -> str:
    """The table with its first row as header cells."""
    rows = []
    for index, cells in enumerate(block.rows):
        tag = "td" if index else "th"
        rows.append("<tr>" + "".join(f"<{tag}>{html.escape(cell, False)}</{tag}>" for cell in cells) + "</tr>")
    return "<table>\n" + "\n".join(rows) + "\n</table>"


def plain_text(source: Source) -> str:
    """The document as text to read in a mail: no bold marks, one blank line between blocks."""
    lines = [source.marking]
    for block in source.blocks:
        text = block.text.replace("**", "")
        lines.append(f"- {text}" if block.kind == "item" else text)
    return "\n\n".join(lines) + "\n"


def markdown_text(source: Source) -> str:
    """The source as Markdown for readers: letterhead and marking in place of the front matter."""
    body = source.path.read_text(encoding="utf-8").split("+++\n", 2)[2].strip()
    head = "\n".join((*source.letterhead, "", source.marking))
    return f"{head}\n\n{typeset(body, source.language)}\n"


def convert(sources: list[Source], suffix: str, folder: Path) -> None:
    """Write each source as `folder/<stem>.<suffix>` with one LibreOffice run. Empty list: nothing happens."""
    if not sources:
        return
    flats = []
    for source in sources:
        flat = folder / f"{source.path.stem}.fodt"
        flat.write_text(flat_odt(source), encoding="utf-8")
        flats.append(str(flat))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", suffix, "--outdir", str(folder), *flats]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def scan(pdf: Path, target: Path, title: str) -> None:
    """Write the pages of `pdf` as photographs of paper: grey, 200 dpi, a little askew, grainy."""
    subprocess.run(["pdftoppm", "-r", "200", "-gray", str(pdf), str(pdf.with_suffix(""))], check=True)
    chance = random.Random(1996)  # noqa: S311 - paper grain, the same at each build
    pages = []
    for image_path in sorted(pdf.parent.glob(f"{pdf.stem}-*.pgm")):
        sheet = Image.open(image_path).convert("L")
        sheet = sheet.rotate(chance.uniform(-0.8, 0.8), resample=Image.Resampling.BICUBIC, fillcolor=255)
        grain = Image.frombytes("L", sheet.size, chance.randbytes(sheet.width * sheet.height))
        paper = ImageChops.multiply(sheet, Image.new("L", sheet.size, 244))
        pages.append(Image.blend(paper, grain, 0.06))
    pages[0].save(target, save_all=True, append_images=pages[1:], resolution=200, quality=45, title=title)


def write_mail(source: Source, attachment: Path, target: Path) -> None:
    """Write the mail with its attachment; identifiers and boundary are fixed, so that it rebuilds the same."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = source.meta["author"]
    mail["To"] = source.meta["to"]
    mail["Subject"] = source.meta["title"]
    mail["Date"] = datetime.fromisoformat(source.meta["sent"])
    mail["Message-ID"] = f"<{source.path.stem}@montclair.example>"
    mail.set_content(plain_text(source))
    maintype, subtype = ATTACHMENT_TYPE
    mail.add_attachment(attachment.read_bytes(), maintype=maintype, subtype=subtype, filename=attachment.name)
    mail.set_boundary(f"=={source.path.stem}==")
    target.write_bytes(mail.as_bytes())


def write_sidecar(source: Source) -> None:
    """Write `<file>.toml`; a JSON string is a TOML basic string."""
    lines = [f"{key} = {json.dumps(source.meta[key], ensure_ascii=False)}" for key in SIDECAR_KEYS]
    source.target.with_name(source.target.name + ".toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_document(source: Source, folder: Path) -> None:
    """Write one document and its sidecar; `folder` holds what LibreOffice made."""
    source.target.parent.mkdir(parents=True, exist_ok=True)
    kind = source.meta["format"]
    if kind == "html":
        source.target.write_text(html_page(source), encoding="utf-8")
    elif kind == "md":
        source.target.write_text(markdown_text(source), encoding="utf-8")
    elif kind == "eml":
        write_mail(source, folder / source.meta["attachment"], source.target)
    elif kind == "scan":
        scan(folder / source.target.name, source.target, source.meta["title"])
    else:
        shutil.copy(folder / source.target.name, source.target)
    write_sidecar(source)


def main(words: list[str]) -> None:
    """Build the sources whose name contains one of the words; all of them when there is no word."""
    found = [read_source(path) for path in sorted(SOURCES.glob("??/*.md"))]
    wanted = [source for source in found if not words or any(word in source.path.name for word in words)]
    attached = [read_source(path) for path in sorted(SOURCES.glob("??/attachments/*.md"))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        convert([s for s in wanted if s.meta["format"] in ("pdf", "scan")], "pdf", folder)
        convert([s for s in wanted if s.meta["format"] == "odt"], "odt", folder)
        convert([s for s in wanted if s.meta["format"] == "docx"] + attached, "docx", folder)
        for source in wanted:
            write_document(source, folder)
            print(source.target.relative_to(DOCUMENTS))


if __name__ == "__main__":
    main(sys.argv[1:])
