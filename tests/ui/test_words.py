"""The page's words: complete, alike in structure, and in the language they claim to be in."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from assistant import reasons
from ingest.containers import _hidden
from ingest.invisible import warning as invisible
from ingest.leftout import LeftOut
from ingest.ocr import NOT_INSTALLED, SWITCHED_OFF
from ingest.parsing import _NOT_READ, OTHER_PACKAGE, RejectionCategory, unsupported
from ingest.pieces import hidden_text
from ingest.slides import LeftOut as SlidesLeftOut
from ingest.spreadsheets import _Sheets
from ingest.unpacking import DEVICE, LINK
from ingest.workflow import _LOST_CORRECTIONS
from tests.worlds import ROOT
from ui.components import ASSETS
from ui.locale import LANGUAGES, Words, language_of_request, words

PLURAL_FORMS = {
    "fr": {"one", "many", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
    "en": {"one", "other"},
}
"""The plural categories of each language, as in Unicode CLDR 46 (what Intl.PluralRules selects from)."""

SAME_EVERYWHERE = {
    "PDF",
    "Word",
    "OpenDocument",
    "Markdown",
    "Documents",
    "Image",
    "Version",
    "Source",
    "Sources",
    "Public",
    "Secret",
    "Format",
    "Date",
    "Document",
    "page {n}",
    "XML",
    "Description",
    "Page",
    "Pages",
    "Archive",
    "Conversations",
    "Version {n}",
    "Note",
    "Guide",
}
DYNAMIC = (
    "label.",
    "remedy.",
    "state.",
    "category.",
    "cause.",
    "remark.",
    "format.",
    "language.",
    "count.",
    "error.",
    "inconsistency.",
    "sign_in.",
    "unavailable.",
    "kind.",
)
"""Tables whose keys the page composes from what the service sends."""


CATEGORIES = {category.value for category in RejectionCategory} | {
    "retry",
    "service_unavailable",
    "unexpected",
    "sidecar",
    "wrong_password",
    "unsafe_archive",
    "interrupted",
}
"""Every cause that a ledger may name: those of the files, and those of the work on them."""


def flat(table: Words, path: str = "") -> dict[str, str]:
    """Each text by its dotted path; the lines of a list are numbered."""
    texts: dict[str, str] = {}
    for key, entry in table.items():
        if isinstance(entry, dict):
            texts |= flat(entry, f"{path}{key}.")
        elif isinstance(entry, list):
            texts |= {f"{path}{key}.{n}": line for n, line in enumerate(entry)}
        else:
            texts[f"{path}{key}"] = entry
    return texts


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def without_plurals(language: str) -> dict[str, str]:
    return {path: text for path, text in flat(words(language)).items() if not path.startswith("count.")}


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_language_has_the_same_entries(language: str) -> None:
    assert without_plurals(language).keys() == without_plurals("fr").keys()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_language_has_the_same_placeholders(language: str) -> None:
    french = without_plurals("fr")
    for path, text in without_plurals(language).items():
        assert placeholders(text) == placeholders(french[path]), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_counted_nouns_have_the_plural_forms_of_their_language(language: str) -> None:
    counted = words(language)["count"]
    assert isinstance(counted, dict)
    assert counted.keys() == {
        "passages",
        "documents",
        "pages",
        "sentences",
        "files",
        "versions",
        "problems",
        "questions",
        "changes",
    }
    for noun, forms in counted.items():
        assert isinstance(forms, dict)
        assert set(forms) == PLURAL_FORMS[language], noun


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_no_english_is_left(language: str) -> None:
    english = flat(words("en"))
    for path, text in without_plurals(language).items():
        if text not in SAME_EVERYWHERE:
            assert text != english[path], path


def test_arabic_texts_are_in_arabic_script() -> None:
    for path, text in flat(words("ar")).items():
        if text not in SAME_EVERYWHERE:
            assert re.search(r"[\u0600-\u06ff]", text), path


def test_french_punctuation_keeps_its_no_break_spaces() -> None:
    for path, text in flat(words("fr")).items():
        assert not re.search(r" [;:!?»]|« ", text), path


def test_every_reason_that_the_work_on_a_document_gives_is_known_here() -> None:
    given = re.compile(r'(?:DocumentRejected|Rejected)\(\s*"(\w+)"|\bcategory="(\w+)"')
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "ingest").glob("*.py"))
    found = {first or second for first, second in given.findall(sources)}
    assert "sidecar" in found
    assert found <= CATEGORIES | {"container"}, "a container is no failure; the page says of it what it is"


def test_every_entry_that_the_page_names_exists() -> None:
    known = {re.sub(r"\.\d+$", "", path) for path in flat(words("en"))}
    for path in named_in_scripts():
        assert path in known, path


def test_every_entry_is_used() -> None:
    named = named_in_scripts()
    scripts = "\n".join(file.read_text(encoding="utf-8") for file in ASSETS.glob("*.js"))
    for path in {re.sub(r"\.\d+$", "", path) for path in flat(words("en"))}:
        leaf = path.rpartition(".")[2]
        assert path in named or path.startswith(DYNAMIC) or f'"{leaf}"' in scripts or composed(path, scripts), path


def named_in_scripts() -> set[str]:
    """Dotted paths written out in the page's scripts."""
    paths: set[str] = set()
    tables = "|".join(key for key, entry in words("en").items() if isinstance(entry, dict))
    for file in ASSETS.glob("*.js"):
        paths |= set(re.findall(rf'"((?:{tables})\.[a-z_]+)"', file.read_text(encoding="utf-8")))
    return paths


def composed(path: str, scripts: str) -> bool:
    """True for `answer.quoted` when a script says `answer.${kind}`."""
    table, _, leaf = path.partition(".")
    return any(
        re.fullmatch(pattern.replace("@", ".+"), leaf)
        for pattern in (
            re.sub(r"\$\{[^}]*\}", "@", found) for found in re.findall(rf"`{table}\.([^`]*\$\{{[^`]*)`", scripts)
        )
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_and_says_what_to_do(language: str) -> None:
    sentences, remedies = words(language)["category"], words(language)["remedy"]
    assert isinstance(sentences, dict)
    assert isinstance(remedies, dict)
    for category in CATEGORIES:
        assert sentences.get(category), f"{category} has no words in {language}"
        assert remedies.get(category), f"{category} does not say what to do in {language}"
    causes = words(language)["cause"]
    assert isinstance(causes, dict)
    assert set(sentences) == CATEGORIES
    assert CATEGORIES < set(remedies) <= CATEGORIES | set(causes)


LIMITS = {"fr": ("limites", "archive"), "ar": ("حدود", "أرشيف"), "en": ("limits", "archive")}
WAYS_OUT = {"fr": "chemin", "ar": "مسار", "en": "path"}
OPERATOR = {"fr": "administrateur", "ar": "المسؤول", "en": "administrator"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_limits_of_archives_are_named_where_they_are_met_and_nobody_is_sent_to_raise_them(language: str) -> None:
    sentences, remedies = words(language)["category"], words(language)["remedy"]
    assert isinstance(sentences, dict)
    assert isinstance(remedies, dict)
    said = str(sentences["too_large"]).lower()
    assert all(word in said for word in LIMITS[language])
    assert OPERATOR[language] not in str(remedies["too_large"])
    assert WAYS_OUT[language] in str(sentences["unsafe_archive"])
    assert LIMITS[language][0] not in str(sentences["unsafe_archive"])


def test_the_readers_choice_comes_before_the_browsers() -> None:
    assert language_of_request("en", "ar", "fr-FR") == "en"
    assert language_of_request(None, None, "ar-MA,fr;q=0.8") == "ar"
    assert language_of_request("de", "", None) == "fr"


def test_scripts_and_styles_name_no_outside_address() -> None:
    for file in Path(ASSETS).iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, file.name
        assert "https://" not in text, file.name


def test_scripts_never_turn_text_into_markup() -> None:
    for file in ASSETS.glob("*.js"):
        text = file.read_text(encoding="utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
            assert way not in text, f"{file.name}: {way}"


def given_warnings() -> set[str]:
    """Every warning that a reader gives, with 3 for numbers and names."""
    sheets = _Sheets(0, hidden_sheets=["A"], hidden_lines=["3 in A"], unsolved=3)
    slides = SlidesLeftOut(hidden=[3], drawn=[3], pictures=[3], off_slide=3)
    given = {
        *LeftOut(3, 3, 3).warnings(),
        *sheets.warnings(),
        *slides.warnings(),
        *hidden_text(3),
        invisible(1),
        invisible(3),
    }
    given |= {f"not taken: a.txt {why}" for why in (LINK, DEVICE, "is larger than 3 MB", _hidden(".a.txt"))}
    given |= {"not taken: 3 more", "not taken: a.txt is named in manifest.csv and is not there", _LOST_CORRECTIONS}
    given |= {f"page 3: {reason}" for reason in (SWITCHED_OFF, NOT_INSTALLED, "OCR found no words")}
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "ingest").glob("*.py"))
    for wording, filled in WRITTEN_IN_PLACE.items():
        assert wording in sources, f"{wording!r} is no longer given; say the warning that took its place"
        given.add(filled)
    return given


WRITTEN_IN_PLACE = {
    "characters of hidden or deleted text were left out": "3 characters of hidden or deleted text were left out",
    "the file ends before it is complete": "the file ends before it is complete; what is there was read",
    "chapters that the e-book lists are not in it": "3 chapters that the e-book lists are not in it",
    "comments on cells were not read": "comments on cells were not read",
    "text boxes drawn over the cells were not read": "text boxes drawn over the cells were not read",
    "its Arabic was stored back to front": "page 3: its Arabic was stored back to front and has been put right; please check it",
    "OCR took more than": "page 3: OCR took more than 60 seconds",
    "OCR failed (tesseract ended with": "page 3: OCR failed (tesseract ended with 1)",
    "the page is damaged and could not be drawn": "page 3: the page is damaged and could not be drawn",
    "could not be read": "3 damaged characters could not be read",
    "confidence; please check it": "page 3: read by OCR with 30% confidence; please check it",
}
"""Words as they stand in the readers, and the warning that they are part of."""


def test_every_warning_of_a_reader_is_said_in_the_archivists_language() -> None:
    for given in given_warnings():
        assert any(re.search(pattern.says, given) for pattern in reasons.patterns("remark")), given


CAUSES = {
    "a RAR archive is not read yet; unpack it and hand in its files": "rar",
    "a photograph in HEIC or HEIF is not read yet; save it as JPEG": "picture",
    "a sound recording is not read yet; hand in a transcript": "sound",
    "a database is not read yet; export its tables as CSV": "database",
    "a program is not read yet; hand in documents only": "program",
    "a PostScript file is not read yet; save it as PDF": "postscript",
    "a file of a kind that is not known here is not read yet; save it as PDF, DOCX or ODT": "unknown_kind",
}


def test_every_kind_of_file_that_is_not_read_is_said_in_the_archivists_language() -> None:
    recorded = {unsupported(media_type).message for media_type in _NOT_READ} | {unsupported("x/unheard-of").message}
    for sentence in recorded - {unsupported(OTHER_PACKAGE).message}:
        assert cause_of(sentence) == CAUSES[sentence]


def cause_of(sentence: str) -> str | None:
    return next((pattern.key for pattern in reasons.patterns("cause") if re.search(pattern.says, sentence)), None)


@pytest.mark.parametrize(
    ("recorded", "key"),
    [
        ("the strict variant of Open XML is not read yet; save the file as an ordinary XLSX or PPTX", "strict"),
        ("LibreOffice is not installed; without it a DOC cannot be read. Save it as DOCX, or", "no_libreoffice"),
        ("the archive is packed in a way that is not read yet; unpack it and hand in its files", "packing"),
        ("the file is locked in a way that is not read here; hand in a copy without a password", "lock"),
        ("a part of the file declares XML entities, which office files never do; save it anew", "entities"),
        ("the XML file defines entities of its own, which are not expanded; hand in a copy", "entities"),
        ("the XML is not well formed: see line 3", "malformed"),
        ("20001 pages; the limit is 20000", "pages"),
        ("it has more than 2000000 filled cells; split the file", "cells"),
        ("it unpacks to more than a document may", "inflated"),
        ("the file unpacks to more than the limit allows", "inflated"),
        ("a part of the file unpacks to far more than text takes", "inflated"),
        ("the marking line says secret and the archivist says internal: they disagree; mend one of them", "conflict"),
        ("its marking lines disagree: public and secret; mend the document or hand it in in parts", "several_marks"),
        ("an archive of 7 files; each is listed as a document of its own", "archive"),
        ("the e-book is protected against copying; hand in a copy without protection", "copy_protection"),
        ("the file is empty", None),
    ],
)
def test_cause_is_told_from_what_was_recorded(recorded: str, key: str | None) -> None:
    assert cause_of(recorded) == key
    for language in LANGUAGES:
        said = reasons.reason(recorded, "damaged", language)
        assert said != recorded
        assert "{" not in said


@pytest.mark.parametrize(
    ("recorded", "category"),
    [
        ("it carries no marking line and no label was given; hand it in again with a label", "unlabelled"),
        ("the file needs a password; give it with `retry`", "password_needed"),
        ("the archive needs a password; give it, then retry", "password_needed"),
        ("the password does not open the file; give the right one with `retry`", "wrong_password"),
        ("the file opens but holds no text", "no_text"),
        ("the file is empty", "empty_file"),
        ("note.txt.toml: not valid TOML: Illegal character (at line 1, column 20)", "sidecar"),
        ("reading it took more than 300 seconds", "timed_out"),
        ("reading it took more memory than it may have", "out_of_memory"),
        ("the parser crashed on it (signal 11)", "crashed"),
        (
            "the service stopped 8 times while it worked on this document; look at its log, then try it again",
            "interrupted",
        ),
        ("tried 8 times: ledger.db cannot be written; mend that, then try this document again", "service_unavailable"),
        ("waiting to be tried again: ledger.db cannot be written", "retry"),
        ("page 1: tesseract is not installed; install the package tesseract-ocr with fra and ara", "needs_ocr"),
        ("an unexpected KeyError stopped the work; the service's log has the details", "unexpected"),
        ("the file is not a PDF that can be opened; it is damaged or cut off", "damaged"),
        ("label edited by local: secret to internal", None),
    ],
)
def test_category_is_told_from_a_sentence_of_the_history(recorded: str, category: str | None) -> None:
    found = (pattern.key for pattern in reasons.patterns("category") if re.search(pattern.says, recorded))
    assert next(found, None) == category
