"""Passages are slices of the document, in order, and nothing of the body is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.access import Label, Level
from assistant.language import sentence_spans
from assistant.types import Block, BlockKind, Document, Page, Passage, Span
from ingest.splitting import split

H, P, L, T = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE


def document(
    pieces: Sequence[tuple[BlockKind | None, str, int]],
    *,
    language: str = "fr",
    title: str = "Un titre",
    gap: str = "\n\n",
) -> Document:
    """A document whose text is the pieces, each a block except those of kind None."""
    text, blocks = "", []
    for kind, piece, level in pieces:
        text += gap if text else ""
        if kind is not None:
            blocks.append(Block(Span(len(text), len(text) + len(piece)), kind, level))
        text += piece
    return Document(
        "d", "v", title, "f.txt", "f.txt", "text/plain", language, None, text, (), tuple(blocks), Label(Level.PUBLIC), "test"
    )  # fmt: skip


def everything_fits(text: str) -> bool:
    return True


def at_most(characters: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= characters


WORDS = st.lists(
    st.sampled_from(
        ["mot", "L'art. L. 2123-1", "n° 4", "M. Dupont", "été.", "Fin.", "الموظف", "نعم؟", "word;", "a|b", "x" * 90]
    ),
    min_size=1,
    max_size=60,
).map(" ".join)
PIECES = st.lists(
    st.one_of(
        st.tuples(st.just(H), st.text("abcé ", min_size=1, max_size=20).filter(str.strip), st.integers(1, 3)),
        st.tuples(st.sampled_from([P, L]), WORDS, st.just(0)),
        st.tuples(st.just(T), st.lists(WORDS, min_size=1, max_size=6).map("\n".join), st.just(0)),
        st.tuples(st.none(), st.just("Page 3 sur 9"), st.just(0)),
    ),
    max_size=12,
)


def assert_invariants(of: Document, passages: Sequence[Passage]) -> None:
    covered = bytearray(len(of.text))
    end = 0
    for passage in passages:
        assert passage.text == of.text[passage.span.start : passage.span.end]
        assert passage.text == passage.text.strip() != ""
        assert passage.span.start >= end, "passages overlap or are out of order"
        end = passage.span.end
        covered[passage.span.start : passage.span.end] = b"\1" * len(passage.span)
    shown = {heading for passage in passages for heading in passage.headings} | {of.title}
    for block in of.blocks:
        piece = of.text[block.span.start : block.span.end]
        left_out = [i for i in range(block.span.start, block.span.end) if not covered[i] and not of.text[i].isspace()]
        if block.kind is H and left_out:
            assert any(" ".join(piece.split()) in text for text in shown), "a heading is neither covered nor shown"
        else:
            assert not left_out, "the body is not covered"


@given(PIECES, st.integers(40, 900), st.integers(400, 2000))
def test_passages_are_ordered_slices_that_cover_the_body(
    pieces: list[tuple[BlockKind | None, str, int]], max_chars: int, window: int
) -> None:
    of = document(pieces)
    assert_invariants(of, split(of, fits=at_most(window), max_chars=max_chars))


@given(st.text(max_size=3000))
def test_any_text_without_blocks_is_covered_to_the_last_character(text: str) -> None:
    of = Document("d", "v", "", "f", "f", "text/plain", "fr", None, text, (), (), Label(Level.PUBLIC), "test")
    passages = split(of, fits=everything_fits)
    covered = "".join(passage.text for passage in passages) + "".join(h for p in passages for h in p.headings)
    if not any(passage.headings for passage in passages):
        assert "".join(covered.split()) == "".join(text.split())


@given(PIECES)
def test_no_passage_ends_inside_a_sentence_that_would_fit(pieces: list[tuple[BlockKind | None, str, int]]) -> None:
    of = document([(P, "Début.", 0), *(piece for piece in pieces if piece[0] is not T)])
    starts, ends = set(), set()
    for block in of.blocks:
        for span in sentence_spans(of.text[block.span.start : block.span.end], of.language):
            if len(span) <= 900:
                starts.add(block.span.start + span.start)
                ends.add(block.span.start + span.end)
    if not any(
        len(s) > 900 for b in of.blocks for s in sentence_spans(of.text[b.span.start : b.span.end], of.language)
    ):
        for passage in split(of, fits=everything_fits, max_chars=900):
            assert passage.span.start in starts
            assert passage.span.end in ends


def test_repeated_text_gets_its_own_offsets() -> None:
    of = document([(P, "Le délai est de dix jours. " * 80, 0)])
    passages = split(of, fits=everything_fits)
    assert len(passages) > 1
    assert_invariants(of, passages)


def test_passage_never_reaches_over_a_heading_and_carries_its_path() -> None:
    of = document([(H, "Chapitre I", 1), (H, "Article 1", 2), (P, "Un.", 0), (H, "Article 2", 2), (P, "Deux.", 0)])
    passages = split(of, fits=everything_fits)
    assert [(p.text, p.headings) for p in passages] == [
        ("Un.", ("Chapitre I", "Article 1")),
        ("Deux.", ("Chapitre I", "Article 2")),
    ]


def test_heading_with_nothing_under_it_is_a_passage() -> None:
    of = document([(H, "Annexe 1", 1), (H, "Annexe 2", 1), (P, "Texte.", 0), (H, "Annexe 3", 1)])
    assert [p.text for p in split(of, fits=everything_fits)] == ["Annexe 1", "Texte.", "Annexe 3"]


def test_heading_that_says_the_title_is_not_repeated() -> None:
    of = document([(H, "Un titre", 1), (P, "Texte.", 0)])
    assert split(of, fits=everything_fits)[0].headings == ()


def test_articles_of_a_plain_text_become_its_headings() -> None:
    text = "المادة 5\nتحدد الأجرة بقرار.\n\nArticle 6 – Durée\nLa durée est d'un an."
    of = Document("d", "v", "T", "f", "f", "text/plain", "ar", None, text, (), (), Label(Level.PUBLIC), "test")
    assert [(p.text, p.headings) for p in split(of, fits=everything_fits)] == [
        ("تحدد الأجرة بقرار.", ("المادة 5",)),
        ("La durée est d'un an.", ("Article 6 – Durée",)),
    ]


def test_long_table_is_cut_between_rows_and_keeps_its_header() -> None:
    rows = ["Prestation | Tarif", *(f"Carte numéro {i} | {i},00 €" for i in range(80))]
    passages = split(document([(T, "\n".join(rows), 0)]), fits=everything_fits, max_chars=400)
    assert len(passages) > 2
    assert passages[0].text.startswith("Prestation | Tarif")
    assert all(passage.headings == ("Prestation | Tarif",) for passage in passages[1:])
    assert [line for passage in passages for line in passage.text.splitlines()] == rows


def test_passage_does_not_reach_over_a_page_footer() -> None:
    of = document([(P, "Avant.", 0), (None, "Page 1", 0), (P, "Après.", 0)])
    assert [p.text for p in split(of, fits=everything_fits)] == ["Avant.", "Après."]


def test_paragraph_that_announces_a_list_stays_with_it() -> None:
    of = document(
        [
            (P, "Phrase. " * 50, 0),
            (P, "Il faut fournir :", 0),
            *((L, f"- la pièce numéro {i} du dossier complet ;", 0) for i in range(12)),
        ]
    )
    passages = split(of, fits=everything_fits, max_chars=700)
    assert not any(passage.text.endswith(":") for passage in passages)


def test_sentence_too_long_for_the_encoder_is_cut_at_its_clauses() -> None:
    of = document([(P, ", ".join(["une clause assez longue pour compter"] * 60) + ".", 0)])
    passages = split(of, fits=at_most(700))
    assert_invariants(of, passages)
    assert all(len(passage.embedded_text()) <= 700 for passage in passages)
    assert all(passage.text.endswith((",", ".")) for passage in passages)


def test_line_that_never_ends_costs_no_more_than_its_length() -> None:
    """A log, a dump, a table without rows: a worker that reads it must come to an end, and so must the service."""
    of = document([(P, "dossier 4711 instruit par le service " * 6_000, 0)])
    asked = [0]

    def fits(text: str) -> bool:
        asked[0] += 1
        return len(text) <= 700

    passages = split(of, fits=fits)
    assert_invariants(of, passages)
    assert len(passages) < 400
    assert asked[0] < 100 * len(passages)


def test_what_the_encoder_reads_fits_its_window() -> None:
    of = document([(H, "Un chapitre", 1), (P, "Une phrase de taille moyenne pour voir. " * 100, 0)])
    passages = split(of, fits=at_most(600))
    assert max(len(passage.embedded_text()) for passage in passages) <= 600


def test_page_numbers_are_those_the_passage_stands_on() -> None:
    of = document([(P, "Un. Deux.", 0), (P, "Trois.", 0)])
    pages = (Page(1, Span(0, 4), 1, 1), Page(2, Span(4, 11), 1, 1), Page(3, Span(11, len(of.text)), 1, 1))
    paged = replace(of, pages=pages)
    assert [p.page_numbers for p in split(paged, fits=everything_fits)] == [(1, 2, 3)]
    assert [p.page_numbers for p in split(paged, fits=everything_fits, max_chars=10)] == [(1, 2), (3,)]


def test_same_document_gives_the_same_ids() -> None:
    of = document([(P, "Un texte.", 0)])
    assert [p.id for p in split(of, fits=everything_fits)] == [p.id for p in split(of, fits=everything_fits)]


@pytest.mark.parametrize("text", ["", " \n\n \t"])
def test_document_without_text_has_no_passages(text: str) -> None:
    of = Document("d", "v", "T", "f", "f", "text/plain", "fr", None, text, (), (), Label(Level.PUBLIC), "test")
    assert split(of, fits=everything_fits) == ()
