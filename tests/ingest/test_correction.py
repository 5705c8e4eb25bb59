"""A corrected page leaves the document consistent: pages tile the text, blocks and words lie in order inside it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.types import Block, BlockKind, Box, Document, Page, Span, TextOrigin, Word, tiles
from ingest.correction import with_page_text
from ingest.parsing import Parsed, ParsingSettings
from ingest.pdf import PdfParser
from tests.worlds import DEMO, document

words = st.sampled_from(["Article", "5", "délai", "trente", "jours", "المادة", "•", "page", "\n", "\n\n"])
page_texts = st.lists(words, max_size=12).map(" ".join)


def scanned(*texts: str) -> Document:
    """A document of pages, each ending in a line end; a block for each paragraph, a box for each word, all on one line."""
    text = "".join(f"{page}\n" for page in texts)
    pages: list[Page] = []
    blocks: list[Block] = []
    position = 0
    for number, page in enumerate(texts, start=1):
        span = Span(position, position + len(page) + 1)
        pages.append(Page(number, span, 595, 842, _boxed(page, position), TextOrigin.OCR, 0.5))
        start = position
        for paragraph in page.split("\n\n"):
            stripped = paragraph.strip()
            if stripped:
                left = start + paragraph.index(stripped)
                blocks.append(Block(Span(left, left + len(stripped)), BlockKind.PARAGRAPH))
            start += len(paragraph) + 2
        position = span.end
    return replace(document(text), pages=tuple(pages), blocks=tuple(blocks))


def _boxed(page: str, position: int) -> tuple[Word, ...]:
    found, start = [], 0
    for number, word in enumerate(page.split()):
        start = page.index(word, start)
        box = Box(number / 100, 0.1, (number + 1) / 100, 0.12)
        found.append(Word(Span(position + start, position + start + len(word)), box))
        start += len(word)
    return tuple(found)


def shown(of: Document, page_number: int) -> list[tuple[str, float]]:
    """Each word that has a box, with its box's left edge."""
    page = of.pages[page_number - 1]
    return [(of.text[word.span.start : word.span.end], word.box.left) for word in page.words]


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(page_texts, min_size=1, max_size=4), new=page_texts, which=st.integers(0, 3))
def test_everything_stays_consistent(texts: list[str], new: str, which: int) -> None:
    before = scanned(*texts)
    number = which % len(texts) + 1
    after = with_page_text(before, number, new or "x")
    assert tiles([page.span for page in after.pages], len(after.text))
    ends = 0
    for block in after.blocks:
        assert ends <= block.span.start < block.span.end <= len(after.text)
        ends = block.span.end
    covered = "".join(after.text[block.span.start : block.span.end] for block in after.blocks)
    if before.blocks:
        assert covered.split() == after.text.split() or "".join(covered.split()) == "".join(after.text.split())
    for old, page in zip(before.pages, after.pages, strict=True):
        position = page.span.start
        for word in page.words:
            assert position <= word.span.start < word.span.end <= page.span.end
            assert not after.text[word.span.start : word.span.end].isspace()
            position = word.span.end
        if page.number != number:
            assert _said(after, page) == _said(before, old)
            assert shown(after, page.number) == shown(before, page.number)
            assert (page.origin, page.confidence) == (old.origin, old.confidence)
    assert (after.pages[number - 1].origin, after.pages[number - 1].confidence) == (TextOrigin.CORRECTED, 1.0)


def test_words_keep_the_boxes_of_the_words_they_replace() -> None:
    before = scanned("le dé1ai est de trente jours", "page deux")
    after = with_page_text(before, 1, "le délai est de trente jours")
    assert shown(after, 1) == [
        (word, n / 100) for n, word in enumerate(["le", "délai", "est", "de", "trente", "jours"])
    ]


def test_words_that_cannot_be_placed_have_no_box() -> None:
    before = scanned("le délai est court")
    after = with_page_text(before, 1, "le délai prévu par la loi est court")
    assert shown(after, 1) == [("le", 0.0), ("délai", 0.01), ("est", 0.02), ("court", 0.03)]


def test_a_repeated_header_stays_outside_the_blocks_and_a_table_stays_a_table() -> None:
    before = scanned("RÉPUBLIQUE\n\nTarif | Prix\nCarte | 1O euros")
    table = replace(before.blocks[1], kind=BlockKind.TABLE)
    after = with_page_text(replace(before, blocks=(table,)), 1, "RÉPUBLIQUE\n\nTarif | Prix\nCarte | 10 euros")
    assert [(after.text[b.span.start : b.span.end], b.kind) for b in after.blocks] == [
        ("Tarif | Prix\nCarte | 10 euros", BlockKind.TABLE)
    ]


def test_words_added_after_a_header_are_in_a_block() -> None:
    before = scanned("RÉPUBLIQUE\n\nCarte")
    after = with_page_text(replace(before, blocks=before.blocks[1:]), 1, "RÉPUBLIQUE\n\nArrêté du maire\n\nCarte")
    assert "Arrêté du maire" in "".join(after.text[b.span.start : b.span.end] for b in after.blocks)


def test_a_page_that_had_no_text_gets_one() -> None:
    after = with_page_text(scanned("un", "", "trois"), 2, "deux")
    assert after.text == "un\ndeux\ntrois\n"
    assert [after.text[b.span.start : b.span.end] for b in after.blocks] == ["un", "deux", "trois"]


def test_a_block_over_a_page_break_keeps_what_is_outside_the_page() -> None:
    before = scanned("un", "deux", "trois")
    whole = replace(before, blocks=(Block(Span(0, len(before.text) - 1), BlockKind.PARAGRAPH),))
    after = with_page_text(whole, 2, "dos")
    assert [after.text[b.span.start : b.span.end] for b in after.blocks] == ["un\ndos\ntrois"]
    for cut, kept in (((0, 7), "un\n"), ((3, 13), "\ntrois")):
        inside = replace(before, blocks=(Block(Span(*cut), BlockKind.LIST_ITEM),))
        gone = with_page_text(inside, 2, "autre chose ici")
        assert kept.strip() in "".join(gone.text[b.span.start : b.span.end] for b in gone.blocks)


def shown_blocks(of: Document) -> list[str]:
    return [of.text[block.span.start : block.span.end] for block in of.blocks]


def test_a_page_typed_wholly_anew_gets_the_paragraphs_that_were_typed() -> None:
    before = scanned(
        "Article 3\n\nLes frais sont payés sur facture.\n\nLe délai court de la remise de la page signée.",
        "Article 4\n\nLa demande reste ouverte au service.",
    )
    after = with_page_text(before, 1, "Texte corrigé de la page deux.\n\n• Il remplace tout, facture comprise.")
    assert shown_blocks(after) == [
        "Texte corrigé de la page deux.",
        "• Il remplace tout, facture comprise.",
        "Article 4",
        "La demande reste ouverte au service.",
    ]
    assert [block.kind for block in after.blocks][:2] == [BlockKind.PARAGRAPH, BlockKind.LIST_ITEM]


def test_a_page_typed_anew_goes_on_with_the_sentence_of_the_page_before_and_into_the_next() -> None:
    before = scanned("Le maire", "décide que voici. Puis l'agent", "signe.")
    blocks = (Block(Span(0, 26), BlockKind.PARAGRAPH), Block(Span(27, len(before.text) - 1), BlockKind.PARAGRAPH))
    after = with_page_text(replace(before, blocks=blocks), 2, "arrête :\n\nArticle 1\n\nLe receveur municipal")
    assert shown_blocks(after) == ["Le maire\narrête :", "Article 1", "Le receveur municipal\nsigne."]
    ended = with_page_text(replace(before, blocks=blocks), 2, "Article 1\n\nTout autre chose vaut ici.")
    assert shown_blocks(ended) == ["Le maire", "Article 1", "Tout autre chose vaut ici.", "signe."]


def test_a_page_header_stays_outside_the_blocks_of_a_page_typed_anew() -> None:
    before = scanned("RÉPUBLIQUE\n\nLe tarif des cartes\n\nUne somme par personne")
    after = with_page_text(
        replace(before, blocks=before.blocks[1:]), 1, "RÉPUBLIQUE\n\nTout un autre texte, plus long."
    )
    assert shown_blocks(after) == ["Tout un autre texte, plus long."]


def test_a_badly_read_page_keeps_its_blocks_when_every_word_is_put_right() -> None:
    before = scanned("Tar1f | Pr1x\nCarfe | d1x eurcs")
    table = replace(before, blocks=(replace(before.blocks[0], kind=BlockKind.TABLE),))
    after = with_page_text(table, 1, "Tarif | Prix\nCarte | dix euros")
    assert [(text, block.kind) for text, block in zip(shown_blocks(after), after.blocks, strict=True)] == [
        ("Tarif | Prix\nCarte | dix euros", BlockKind.TABLE)
    ]


def test_pages_of_a_real_document_typed_anew_are_not_shattered() -> None:
    file = DEMO / "documents" / "fr" / "arrete-2023-118-frais-deplacement.pdf"
    parsed = PdfParser().parse(file, settings=ParsingSettings())
    assert isinstance(parsed, Parsed)
    before = replace(document(parsed.text), pages=parsed.pages, blocks=parsed.blocks)
    typed = ("Texte corrigé de la page deux.", "Voici la page trois, corrigée.")
    after = with_page_text(with_page_text(before, 2, typed[0]), 3, typed[1])
    on_page = Span(after.pages[1].span.start, after.pages[2].span.end)
    inside = [after.text[block.span.start : block.span.end] for block in after.blocks if block.span.overlaps(on_page)]
    assert inside == list(typed)


def test_correcting_twice_changes_nothing() -> None:
    once = with_page_text(scanned("un", "deux"), 1, "  uno\r\n dos \n")
    assert with_page_text(once, 1, "  uno\r\n dos \n") == once
    assert with_page_text(once, 7, "x") == once


def _said(of: Document, page: Page) -> str:
    return of.text[page.span.start : page.span.end]
