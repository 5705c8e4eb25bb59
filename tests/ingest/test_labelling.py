"""A label comes from what is said, never from a default that is lower."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.access import Label, Level
from assistant.errors import ConfigurationError, Unlabelled
from ingest.labelling import Markings, decide_label

MARKINGS = Markings.load(Path(__file__).resolve().parents[2] / "configs" / "markings.toml")
INTERNAL = Label(Level.INTERNAL)


def decide(
    text: str, *, sidecar: str | None = None, given: Label | None = None, unmarked: Label | None = None
) -> Label:
    return decide_label(text, sidecar_label=sidecar, given_label=given, markings=MARKINGS, unmarked=unmarked)


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("Mention de diffusion : PUBLIC", Level.PUBLIC),
        ("mention  de diffusion\u00a0: Interne", Level.INTERNAL),
        ("MENTION DE DIFFUSION: RESTREINT.", Level.RESTRICTED),
        ("**Mention de diffusion :** INTERNE", Level.INTERNAL),
        ("Service X | Mention de diffusion : INTERNE", Level.INTERNAL),
        ("Marking: INTERNAL", Level.INTERNAL),
        ("Protective marking : Restricted", Level.RESTRICTED),
        ("درجة التداول: عام", Level.PUBLIC),
        ("درجة التداول : داخلي", Level.INTERNAL),
        ("دَرجة التـداول: مقيّد", Level.RESTRICTED),
        ("درجة التداول： داخلي", Level.INTERNAL),
        ("TRÈS SECRET", Level.SECRET),
        ("Tres Secret", Level.SECRET),
        ("DIFFUSION RESTREINTE", Level.RESTRICTED),
    ],
)
def test_marking_line_decides(line: str, level: Level) -> None:
    assert decide(f"Collectivité\n\n{line}\n\nTexte.") == Label(level)


@pytest.mark.parametrize(
    "text",
    [
        "La mention de diffusion : PUBLIC figure sur chaque page du document, en haut à droite.",
        "Le marché public est ouvert. Un usage interne est permis.",
        "Public",
        "Secret de fabrication : voir l'annexe.",
        "Mention de diffusion : elle est portée en haut de la première page par le service qui établit le document, et reprise "
        "en bas de chacune des pages suivantes.",
    ],
)
def test_mention_in_prose_is_not_a_marking(text: str) -> None:
    with pytest.raises(Unlabelled, match="no marking line"):
        decide(text)


def test_marking_in_unknown_words_counts_as_the_highest() -> None:
    assert decide("Mention de diffusion : CERCLE BLEU") == Label(max(Level))


def test_absence_goes_to_quarantine_or_to_what_the_instance_says() -> None:
    with pytest.raises(Unlabelled):
        decide("Texte.")
    assert decide("Texte.", unmarked=Label(Level.SECRET)) == Label(Level.SECRET)


def test_sidecar_or_archivist_alone_is_enough() -> None:
    assert decide("Texte.", sidecar="internal/health") == Label.parse("internal/health")
    assert decide("Texte.", given=INTERNAL) == INTERNAL


@pytest.mark.parametrize("unmarked", [Label(Level.PUBLIC), Label(Level.SECRET)])
def test_what_somebody_said_goes_before_what_holds_for_the_unmarked(unmarked: Label) -> None:
    assert decide("Texte.", given=INTERNAL, unmarked=unmarked) == INTERNAL
    assert decide("Texte.", sidecar="internal", unmarked=unmarked) == INTERNAL
    assert decide("Mention de diffusion : INTERNE", unmarked=unmarked) == INTERNAL


def test_sidecar_adds_compartments_to_the_marked_level() -> None:
    assert decide("Mention de diffusion : INTERNE", sidecar="internal/health") == Label.parse("internal/health")


@pytest.mark.parametrize(
    ("text", "sidecar", "given", "names"),
    [
        ("Mention de diffusion : INTERNE", "public", None, ("internal", "public")),
        ("Mention de diffusion : PUBLIC", None, Label(Level.SECRET), ("public", "secret")),
        ("Texte.", "public", INTERNAL, ("public", "internal")),
        ("Mention de diffusion : PUBLIC\nMarking: INTERNAL", "public", None, ("public", "internal")),
    ],
)
def test_conflict_is_refused_with_both_named(
    text: str, sidecar: str | None, given: Label | None, names: tuple[str, str]
) -> None:
    with pytest.raises(Unlabelled, match="disagree") as error:
        decide(text, sidecar=sidecar, given=given)
    assert all(name in str(error.value) for name in names)


def test_unusable_sidecar_label_is_refused() -> None:
    with pytest.raises(Unlabelled, match="no known level"):
        decide("Texte.", sidecar="top")


def test_footer_that_comes_back_counts_and_a_late_single_line_does_not() -> None:
    page = "Phrase. " * 700
    assert decide(f"{page}\nMention de diffusion : INTERNE\n{page}\nMention de diffusion : INTERNE\n") == INTERNAL
    with pytest.raises(Unlabelled):
        decide(f"{page}\nMention de diffusion : INTERNE\n{page}")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("x = [", "cannot be read"),
        ("prefixes = []", "levels: name at least one level"),
        ("[levels.cosmic]\nphrases = []", "levels.cosmic: there is no such level"),
        ("[levels.public]\nphrases = [3]", "levels.public.phrases"),
        ('[levels.public]\nphrases = "public"', "levels.public.phrases"),
        ('[levels.public]\nstand_alone = [" "]', "levels.public.stand_alone"),
        ('[levels.public]\nphrases = ["A"]\n[levels.secret]\nphrases = ["a"]', "under two levels"),
    ],
)
def test_markings_file_errors_name_the_place(tmp_path: Path, toml: str, message: str) -> None:
    file = tmp_path / "markings.toml"
    file.write_text(toml)
    with pytest.raises(ConfigurationError, match=message):
        Markings.load(file)
