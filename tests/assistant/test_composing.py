"""Sentences and sources from what a model writes, however it arrives."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.composing import MAX_CHARS, Composed, SentenceReader
from assistant.lines import Kind, as_text
from assistant.types import LANGUAGES


def read(text: str, language: str = "fr", *, size: int = 3, complete: bool = True) -> list[Composed]:
    reader = SentenceReader(language)
    found = [one for at in range(0, len(text), size) for one in reader.feed(text[at : at + size])]
    return found + reader.finish(complete=complete)


def said(text: str, language: str = "fr", **options: object) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.text, one.sources) for one in read(text, language, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("fr", "Le délai est de 30 jours [1]. Il court.[2]", [("Le délai est de 30 jours.", (1,)), ("Il court.", (2,))]),
        ("fr", "Le délai est court. [1][3] Suite [2].", [("Le délai est court.", (1, 3)), ("Suite.", (2,))]),
        ("fr", "L'art. L. 2123-1 de M. Dupont s'applique [1, 2].", [("L'art. L. 2123-1 de M. Dupont s'applique.", (1, 2))]),
        ("fr", "Il en coûte 3.5 millions [2-4].", [("Il en coûte 3.5 millions.", (2, 3, 4))]),
        ("fr", "Le délai est court.\n[2]\nAutre fait [1].", [("Le délai est court.", (2,)), ("Autre fait.", (1,))]),
        ("fr", "Selon le passage [1], le délai est court.", [("Le délai est court.", (1,))]),
        ("fr", "La demande, selon [2], est écrite.", [("La demande est écrite.", (2,))]),
        ("fr", "Vraiment [1] ? Certainement [2] !", [("Vraiment ?", (1,)), ("Certainement !", (2,))]),
        ("ar", "تبلغ المدة ثلاثين يومًا [١]. وتقدم الشكاية【2】.", [("تبلغ المدة ثلاثين يومًا.", (1,)), ("وتقدم الشكاية.", (2,))]),
        ("ar", "هل يجوز ذلك؟ نعم. يجوز ذلك [المصدر 3].", [("هل يجوز ذلك؟", ()), ("يجوز ذلك.", (3,))]),
        ("en", "Due [Source 1, Source 2]. See e.g. Mr. Smith [^3].", [("Due.", (1, 2)), ("See e.g. Mr. Smith.", (3,))]),
        ("en", "Yes. It is allowed [1].", [("It is allowed.", (1,))]),
    ],
)  # fmt: skip
def test_sentences_come_with_the_sources_named_in_or_right_after_them(
    language: str, text: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    for size in (1, 4, 1000):
        assert said(text, language, size=size) == expected


def test_sentence_comes_out_with_the_first_letter_of_the_next() -> None:
    reader = SentenceReader("fr")
    assert reader.feed("Le délai est de trente jours. [1") == []
    assert reader.feed("] ") == []
    assert [one.sources for one in reader.feed("La")] == [(1,)]


def test_stop_that_may_belong_to_an_abbreviation_waits_for_the_next_word() -> None:
    reader = SentenceReader("fr")
    assert reader.feed("Il faut une carte, un bail, etc. L") == []
    assert [one.text for one in reader.feed("es agents signent. ")] == ["Il faut une carte, un bail, etc."]


def test_items_and_rows_are_lines() -> None:
    text = (
        "Il faut :\n- une pièce d'identité [1] ;\n2. un bail [2].\n\n| Acte | Prix |\n|---|:-:|\n| Copie | 5 € [3] |\n"
    )
    assert [(one.text, one.claim, one.sources, one.kind) for one in read(text)] == [
        ("Il faut :", "Il faut :", (), Kind.LEAD),
        ("- une pièce d'identité ;", "une pièce d'identité ;", (1,), Kind.ITEM),
        ("2. un bail.", "un bail.", (2,), Kind.ITEM),
        ("Acte | Prix", "Acte | Prix", (), Kind.ROW),
        ("Copie | 5 €", "Copie | 5 €", (3,), Kind.ROW),
    ]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("![vu](http://evil.example/?q=secret)", "vu"),
        ("![](http://evil.example/?q=secret)", ""),
        ("[ici](javascript:alert(1)) et [là](//x 'titre')", "ici et là"),
        ("[texte][ref] ![image][ref]", "texte image"),
        ("dé\ufe0fl\U000e0101ai\u034f\u3164 court", "délai court"),
        ("<img src=x onerror=alert(1)>avant<script>x</script>", "avantx"),
        ("<<b>script>alert(1)", "alert(1)"),
        ("&lt;img src=x onerror=alert(1)&gt;fin", "fin"),
        ("fin <img src='http://x", "fin"),
        ("<!-- caché --> vu <!-- encore", "vu"),
        ("**gras** *mince* __fort__ `code` ~~non~~ 2 * 3 a_b", "gras mince fort code non 2 * 3 a_b"),
        ("si x < 5 et y > 2", "si x < 5 et y > 2"),
        (r"\[1\] \*non\*", "[1] non"),
        ("[1](http://evil.example) dit", "[1] dit"),
        ("in\u200bvi\u2060si\u202eble\U000e0041&#8203;", "invisible"),
    ],
)
def test_markdown_and_html_become_text(written: str, text: str) -> None:
    assert as_text(written) == text


def test_fences_rules_and_definitions_say_nothing() -> None:
    text = "```python\n***\n[1]: http://evil.example/x\n~~~\nUn fait [1].\n```\nSources :\n[1] Note de service\n"
    assert said(text) == [("Un fait.", (1,))]


def test_split_link_never_shows_its_address() -> None:
    for size in range(1, 12):
        assert said("Voyez [la page. Ici](http://evil.example/a.b?q=1) même [1].", size=size) == [
            ("Voyez la page.", ()),
            ("Ici même.", (1,)),
        ]


@pytest.mark.parametrize(
    "text",
    [
        "<think>Hm. Un fait faux [2].</think>Un fait [1].",
        "Hm. <thinking>Faux.</thinking>\nUn fait [1].",
        "Il dit que</think>\n\nUn fait [1].",
    ],
)
def test_what_a_model_thinks_aloud_is_not_said(text: str) -> None:
    for size in (1, 7, 1000):
        assert said(text, size=size)[-1] == ("Un fait.", (1,))
        assert not any("aux" in one for one, _ in said(text, size=size))


def test_thought_without_end_says_nothing() -> None:
    assert said("<think>Un fait [1]. Un autre [2].") == []


def test_objects_are_read_as_each_is_complete() -> None:
    written = json.dumps(
        {
            "sentences": [
                {"text": "Un « fait » {vu}.", "sources": [2]},
                {"text": "Deux [1]. Trois.", "sources": ["[3]"]},
            ]
        },
        ensure_ascii=False,
    )
    expected = [("Un « fait » {vu}.", (2,)), ("Deux.", (1, 3)), ("Trois.", (3,))]
    for wrapped in (written, f"```json\n{written}\n```", json.dumps(json.loads(written)), written[13:]):
        assert said(wrapped, size=1) == expected
    reader = SentenceReader("fr")
    assert [one.text for one in reader.feed(written[: written.index("Deux")])] == ["Un « fait » {vu}."]
    assert said(written[:-30], complete=False) == expected[:1]


@pytest.mark.parametrize(
    "text",
    [
        "{}", "{", "[", '{"sentences": "non"}', '{"sentences": [1, "a", null, {"text": null}, {"sources": [1]}]}',
        '{"answer": "Le délai est de dix ans."}', '[{"x": [[[[', '{"sentences": [' + '{"text":' * 900,
    ],
)  # fmt: skip
def test_json_of_another_form_says_nothing(text: str) -> None:
    assert said(text, size=50) == []


def test_last_sentence_of_a_cut_stream_is_left_out_unless_its_marker_came() -> None:
    assert said("Un fait [1]. Le prix est de 3.", complete=False) == [("Un fait.", (1,))]
    assert said("Un fait [1]. Le prix est de 3 € [2].", complete=False) == [
        ("Un fait.", (1,)),
        ("Le prix est de 3 €.", (2,)),
    ]
    assert said("Un fait", complete=False) == []


@pytest.mark.parametrize("text", ["le le ", "x", "Un fait sans fin, ", "a b c d e f g h i j k l m "])
def test_text_without_end_is_a_loop(text: str) -> None:
    reader = SentenceReader("fr")
    fed = 0
    while not reader.looping:
        assert fed <= MAX_CHARS
        reader.feed(text)
        fed += len(text)
    assert fed < 5_000


def test_long_list_of_different_facts_is_no_loop() -> None:
    reader = SentenceReader("fr")
    for number in range(300):
        reader.feed(f"- Le point numéro {number} traite de la chose {number * 7} [1].\n")
    assert not reader.looping


def test_one_long_line_is_read_once() -> None:
    reader = SentenceReader("fr")
    found = sum(
        len(reader.feed(letter)) for letter in "Le délai est de trente jours à compter de la demande [1]. " * 200
    )
    assert found + len(reader.finish(complete=True)) == 200


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet='Ab1. \n[]()<>|*#-{}":!é،؟ا`_/\\', max_size=120),
    st.sampled_from(LANGUAGES),
    st.integers(1, 9),
    st.booleans(),
)
def test_no_text_is_an_error_and_no_marker_or_tag_is_left(text: str, language: str, size: int, complete: bool) -> None:
    for one in read(text, language, size=size, complete=complete):
        assert one.claim.strip()
        assert one.text.endswith(one.claim)
        assert "\n" not in one.text
        assert all(0 < source <= 999 for source in one.sources)


PROSE = st.lists(
    st.sampled_from(
        ["Le délai est de 3.5 jours [1].", "M. Dupont signe.[2]", "L'art. 5 vaut [1][2].", "Est-ce dû ? [3]", "C'est dû !",
         "\n- un point [1] ;", "\n\n", "\n| a | b [2] |\n", " etc. ", "\n## Titre\n", "[9]", "**Gras.** ", "[a](http://b.c/d)."]
    ), max_size=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(PROSE, st.integers(1, 30))
def test_how_a_text_is_cut_into_pieces_changes_nothing(parts: list[str], size: int) -> None:
    text = " ".join(parts)
    assert read(text, size=size) == read(text, size=len(text) + 1)
